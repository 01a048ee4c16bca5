/**
 * A point in an order at which power may fail: what is on the disk there, and what the model says of it.
 *
 * What comes after a crash is decided by the model's state and by what may be left of the disk, never by what the dead
 * process had in memory. So two points that are equal in these two need one recovery each residue, not two; points are
 * told apart by a hash of both.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Action, Scenario } from '../actions.ts';
import type { VolatileUnit } from '../disk-state.ts';
import type { StoreRun } from '../driver.ts';
import { deliver } from '../execute.ts';
import type { CrashChoice } from '../power-cut.ts';

export interface CrashPoint {
  /** Equal for points that no crash could tell apart. */
  readonly key: string;
  /** What to try: nothing of what is not durable is left, all of it, or some. */
  readonly residues: readonly CrashChoice[];
}

const unitText = (unit: VolatileUnit): unknown =>
  unit.kind === 'content' ? { ...unit, bytes: Buffer.from(unit.bytes).toString('base64') } : unit;

/**
 * @param history what else decides, where something does: after a fault, the way that led here.
 * @param seed of the drawn residue; equal points draw the same.
 */
export function crashPointOf(run: StoreRun, history: readonly Action[], seed: number): CrashPoint {
  const { disk } = run;
  if (disk === null) throw new Error('a store without a disk has nothing to lose in parts');
  const units = disk.volatileUnits();
  const { value, context } = run.model.state;
  const key = createHash('sha1')
    .update(JSON.stringify([value, context, run.clock.wallMs, disk.snapshot(), units.map(unitText), history]))
    .digest('hex');
  const power = (keep: Extract<CrashChoice, { kind: 'power' }>['keep']): CrashChoice => ({ kind: 'power', keep });
  // Without anything volatile all residues are one.
  if (units.length === 0) return { key, residues: [power('nothing')] };
  const drawn = disk.survivors((seed ^ Number.parseInt(key.slice(0, 8), 16)) >>> 0);
  return { key, residues: [power('nothing'), power('everything'), power(drawn)] };
}

/** The crash and what follows: recovery, everything delivered once more, and a flush that works. */
export const crashAndRecover = (scenario: Scenario, choice: CrashChoice): Action[] => [
  { do: 'crash', choice },
  { do: 'holdReads', hold: false },
  { do: 'open' },
  { do: 'rest' },
  ...deliver(scenario),
  ...scenario.streams.map((_, stream): Action => ({ do: 'append', stream, bits: 0x7e, timeMs: 1_700_000_900_000 })),
  { do: 'flush' },
  { do: 'rest' },
];
