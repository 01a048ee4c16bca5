/**
 * Which faults are put where: a script is run once without any, every I/O operation of it is noted, and each of them is
 * then met by each fault, once or from there on, followed by a life that goes on or by a crash.
 *
 * A case is a list of actions like any other trace, so that it is replayed, shrunk and shown like one.
 */
import type { Action, Scenario, TraceRule } from '../actions.ts';
import type { Fault, Operation, OperationKind } from '../disk-operations.ts';
import { Divergence } from '../divergence.ts';
import { StoreRun } from '../driver.ts';
import { closingActions } from '../execute.ts';
import { newCoverage } from '../model-run.ts';
import type { CrashChoice } from '../power-cut.ts';
import type { Script } from './scripts.ts';

/** One I/O operation of a script that meets no fault. */
interface NotedOperation {
  readonly operation: Operation;
  /** Concrete steps before the one in which it was asked for, and before the one in which it ended. */
  readonly askedIn: number;
  endedIn: number;
  /** Place among all operations, in the order of their ends; -1 for one that a crash cut off. */
  ended: number;
}

export interface Noted {
  readonly script: Script;
  /** The script with each drain as the I/O steps it was. */
  readonly steps: readonly Action[];
  /** Per step: where in the script it lies. */
  readonly places: readonly number[];
  readonly operations: readonly NotedOperation[];
}

/** Runs the script without a fault. @throws Divergence when it does not even pass so. */
export async function note(script: Script): Promise<Noted> {
  const run = new StoreRun(script.scenario, newCoverage());
  const steps: Action[] = [];
  const places: number[] = [];
  const operations: NotedOperation[] = [];
  const known = new Map<number, NotedOperation>();
  let ended = 0;
  run.watcher = {
    asked: (operation) => {
      const noted = { operation, askedIn: steps.length, endedIn: -1, ended: -1 };
      known.set(operation.id, noted);
      operations.push(noted);
    },
    ended: ({ id }) => {
      const noted = known.get(id);
      if (noted === undefined) return;
      noted.ended = ended++;
      noted.endedIn = steps.length;
    },
  };
  for (const [place, action] of script.actions.entries()) {
    const take = async (step: Action): Promise<void> => {
      if (!(await run.take(step))) return;
      steps.push(step);
      places.push(place);
    };
    if (action.do !== 'drain') await take(action);
    else while (run.view().ioUnderWay > 0) await take({ do: 'io', pick: 0 });
    // A new disk counts its operations from one again.
    if (action.do === 'crash') known.clear();
  }
  return { script, steps, places, operations };
}

/** What may be wrong with an operation, and how long. */
interface Ailment {
  readonly name: string;
  readonly fault: TraceRule['fault'];
  /** Null: this operation only. Else it stays, for operations of these kinds; `all` for every kind there is. */
  readonly staysFor: readonly OperationKind[] | 'all' | null;
}

const CHANGES: readonly OperationKind[] = ['write', 'sync', 'syncDirectory', 'remove', 'rename'];

/** Lengths at which a write of so many bytes stops short. */
const shortLengths = (bytes: number): number[] =>
  [1, 63, 511, 512, 513, bytes - 1].filter((length, i, all) => length < bytes && all.indexOf(length) === i);

/** Faults of one operation, for as long as it lasts. */
function faultsOf({ kind, bytes }: Operation): Fault[] {
  const plain: Fault[] = [{ code: 'IO' }, { code: 'NO_SPACE' }, { code: 'READ_ONLY' }, { code: 'DENIED' }];
  switch (kind) {
    case 'write':
      return [
        ...plain,
        ...shortLengths(bytes).flatMap((shortBytes): Fault[] => [
          { code: 'IO', shortBytes },
          { code: 'NO_SPACE', shortBytes },
        ]),
      ];
    case 'sync':
      return [...plain, { code: 'IO', keepReadable: false }, { code: 'NO_SPACE', keepReadable: false }];
    default:
      return plain;
  }
}

const nameOf = ({ code, shortBytes, keepReadable }: Fault): string =>
  `${code}${shortBytes === undefined ? '' : ` after ${shortBytes} bytes`}${keepReadable === false ? ', pages gone' : ''}`;

/** A fault that stays is one of its kind, or of all that its cause reaches. */
function stays({ code, shortBytes }: Fault, kind: OperationKind): Ailment['staysFor'][] {
  if (shortBytes !== undefined) return [];
  switch (code) {
    case 'READ_ONLY':
      return CHANGES.includes(kind) ? [CHANGES] : [[kind]];
    case 'NO_SPACE':
      return kind === 'write' ? [[kind], ['write', 'sync', 'lock']] : [[kind]];
    case 'IO':
      return [[kind], 'all'];
    default:
      return [[kind]];
  }
}

function ailmentsOf(operation: Operation): Ailment[] {
  const faults = faultsOf(operation).flatMap((fault) => {
    const name = nameOf(fault);
    return [
      { name, fault, staysFor: null },
      ...stays(fault, operation.kind).map((staysFor) => ({ name, fault, staysFor })),
    ];
  });
  return [...faults, { name: 'slow', fault: 'slow', staysFor: null }];
}

interface Aftermath {
  readonly name: string;
  /** Null: the script goes on. */
  readonly crash: CrashChoice | null;
  /** The crash comes when the I/O has ended that was begun: what was reported as saved must be. */
  readonly late: boolean;
}

/** What comes after the fault. */
const AFTERMATHS: readonly Aftermath[] = [
  { name: 'goes on', crash: null, late: false },
  { name: 'cut, nothing left', crash: { kind: 'power', keep: 'nothing' }, late: false },
  { name: 'cut, everything left', crash: { kind: 'power', keep: 'everything' }, late: false },
  { name: 'killed', crash: { kind: 'kill', underWay: 'done' }, late: false },
  { name: 'cut later, nothing left', crash: { kind: 'power', keep: 'nothing' }, late: true },
];

export interface FaultCase {
  readonly name: string;
  readonly kind: OperationKind;
  readonly ailment: string;
  readonly persistent: boolean;
  readonly crash: boolean;
  readonly scenario: Scenario;
  readonly actions: readonly Action[];
}

const FRESH_MS = 1_800_000_000_000;
const LONG_MS = 120_000;

/** Faults end, and the store must go on as if nothing had been: open, append, flush, deliver, and keep it all. */
const goingOn = (scenario: Scenario): Action[] => [
  { do: 'faultsEnd' },
  { do: 'drain' },
  { do: 'open' },
  { do: 'rest' },
  ...scenario.streams.map(
    ({ periodMs }, stream): Action => ({ do: 'append', stream, bits: 0xaaaa + stream, timeMs: FRESH_MS + periodMs }),
  ),
  { do: 'flush' },
  { do: 'rest' },
  ...closingActions(scenario),
];

/** Every case of a script, in order. */
export function* casesOf(noted: Noted): Generator<FaultCase> {
  for (const at of noted.operations.keys()) {
    const { operation, ended } = noted.operations[at] as NotedOperation;
    for (const ailment of ailmentsOf(operation)) {
      // One that a crash cut off never ended, well or not.
      if (ailment.fault !== 'slow' && ended < 0) continue;
      for (const aftermath of AFTERMATHS) yield faultCase(noted, at, ailment, aftermath);
    }
  }
}

function faultCase(noted: Noted, at: number, { name, fault, staysFor }: Ailment, aftermath: Aftermath): FaultCase {
  const { script, steps, places, operations } = noted;
  const { operation, askedIn, endedIn, ended } = operations[at] as NotedOperation;
  const slow = fault === 'slow';
  const which = slow ? { skip: at } : ruleKinds(operations, staysFor, ended);
  const rule: TraceRule = { ...which, ...(staysFor === null ? { times: 1 } : {}), fault };
  const step = slow ? askedIn : endedIn;
  const rest: Action[] =
    aftermath.crash === null
      ? [{ do: 'drain' }, ...script.actions.slice((places[step] as number) + 1)]
      : [
          ...(aftermath.late ? [{ do: 'drain' } as const] : []),
          { do: 'crash', choice: aftermath.crash },
          { do: 'open' },
          { do: 'drain' },
        ];
  const stays = staysFor === null ? '' : ` stays for ${[staysFor].flat().join(' ')}`;
  return {
    name: `${script.name} #${at} ${operation.kind} ${name}${stays}, ${aftermath.name}`,
    kind: operation.kind,
    ailment: name,
    persistent: staysFor !== null,
    crash: aftermath.crash !== null,
    scenario: script.scenario,
    actions: [
      { do: 'fault', rule },
      ...steps.slice(0, step + 1),
      ...rest,
      { do: 'wait', ms: LONG_MS },
      { do: 'drain' },
      ...goingOn(script.scenario),
    ],
  };
}

/** The kinds a rule is for, and how many operations of them pass before the wanted one. */
function ruleKinds(
  operations: readonly NotedOperation[],
  staysFor: Ailment['staysFor'],
  index: number,
): Pick<TraceRule, 'kind' | 'skip'> {
  if (staysFor === null || staysFor === 'all') return { skip: index };
  const skip = operations.filter(
    ({ ended, operation }) => ended >= 0 && ended < index && staysFor.includes(operation.kind),
  );
  return { kind: staysFor, skip: skip.length };
}

/** A script that does not pass without a fault is a mistake of its own. */
export const asDivergence = (thrown: unknown, script: Script): Divergence =>
  thrown instanceof Divergence
    ? new Divergence(thrown.breaks, `script ${script.name} without a fault: ${thrown.message}`, thrown.differences)
    : new Divergence('assertion', `script ${script.name} without a fault: ${String(thrown)}`);
