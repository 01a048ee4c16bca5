/**
 * A second crash, inside the recovery from the first: recovery is cut off at each of its I/O steps, with what that may
 * leave, and begun again.
 *
 * It must end within the set of contract section 7 once more. And where the first crash was a loss of power, so that all
 * that recovery found was durable, it must end where a recovery that is not cut off does (INV-18).
 */
import type { Action, Scenario } from '../actions.ts';
import { macrotask } from '../answers.ts';
import { ioStepOf } from '../evidence/cells.ts';
import type { CrashChoice } from '../power-cut.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import { VirtualClock } from '../virtual-clock.ts';
import type { Account, Finding, Found } from './oracle.ts';
import { judgeRepeated } from './oracle.ts';
import { judgeRevived, revive, startOpen } from './reopened.ts';
import type { EnumeratedResidue, ResidueClass } from './residues.ts';
import { residuesOf } from './residues.ts';
import { CrashSite, imageKey } from './site.ts';

/** Of what each step may leave so many are tried: the ends, and a share of the others, another one at each step. */
const RESIDUES_MAX = 10;
const ENDS: readonly ResidueClass[] = ['nothing', 'everything', 'killed'];

/** The crash that recovery comes from. */
export interface FirstCrash {
  readonly scenario: Scenario;
  readonly site: CrashSite;
  readonly choice: CrashChoice;
  readonly account: Account;
  /** What a recovery gives that nothing cuts off. */
  readonly found: Found;
  readonly seed: number;
}

/** A second crash, judged. */
export interface SecondCrash {
  /** The I/O step of recovery, and the class of what was left. */
  readonly io: string;
  readonly of: ResidueClass;
  readonly key: string;
  readonly finding: Finding | null;
  /** What is done behind the first crash. */
  readonly actions: readonly Action[];
}

function someOf(residues: readonly EnumeratedResidue[], seed: number): EnumeratedResidue[] {
  const others = residues.filter(({ of }) => !ENDS.includes(of));
  const stride = Math.ceil(others.length / (RESIDUES_MAX - ENDS.length));
  return [
    ...residues.filter(({ of }) => ENDS.includes(of)),
    ...others.filter((_, index) => index % stride === seed % stride),
  ];
}

/** Each second crash whose image differs from those before. */
export async function* secondCrashes(first: FirstCrash): AsyncGenerator<SecondCrash> {
  const { scenario, site, choice, seed } = first;
  const known = new Set<string>();
  for (let steps = 0; ; steps++) {
    const clock = new VirtualClock();
    const disk = site.leaves(choice, clock);
    disk.autoSteps = steps;
    void startOpen(scenario, disk, clock);
    await macrotask();
    if (disk.pending().length === 0) return;
    const io = ioStepOf(disk.pending()[0]);
    const again = new CrashSite(disk);
    const cut: Action[] = steps === 0 ? [] : [{ do: 'io', pick: 0, times: steps }];
    const residues = [...residuesOf(again.units, (seed + steps) >>> 0)];
    for (const { of, choice: second } of someOf(residues, (seed >>> 3) + steps)) {
      const restarted = new VirtualClock();
      const after = again.leaves(second, restarted);
      const key = imageKey(after);
      if (known.has(key)) continue;
      known.add(key);
      const finding = await judge(first, after, restarted);
      yield { io, of, key, finding, actions: [{ do: 'open' }, ...cut, { do: 'crash', choice: second }] };
    }
  }
}

async function judge(
  { scenario, account, choice, found }: FirstCrash,
  after: SimulatedDisk,
  clock: VirtualClock,
): Promise<Finding | null> {
  const twice = { ...account, opensCutOff: account.opensCutOff + 1 };
  const revived = await revive(scenario, twice, after, clock);
  const wrong = judgeRevived(twice, revived);
  if (wrong !== null || revived.found === null || choice.kind !== 'power') return wrong;
  return judgeRepeated(
    account.streams.map(({ name }) => name),
    found,
    revived.found,
  );
}
