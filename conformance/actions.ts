/**
 * The concrete steps of a run, as plain data: what a trace is made of, what is saved, replayed and made smaller.
 *
 * Every action can be tried in every situation, so that any part of a trace is a trace: one that has no meaning just
 * then (an I/O step with no I/O under way, an open of an open store) is skipped and does not count as a step.
 */
import { readFileSync } from 'node:fs';
import type { Kind, Source, ValueType } from '../src/core/types.ts';
import type { Spoiling } from './damage-matrix/spoil.ts';
import { describeSpoil } from './damage-matrix/spoil.ts';
import type { Fault, FaultRule } from './disk-operations.ts';
import { isItf, traceInItf } from './itf-values.ts';
import type { CrashChoice } from './power-cut.ts';

export type Profile = 'linux' | 'wiced';

/** What the weights favour: `ram` mostly calls, `disk` a tiny quota and evictions, `crash` power loss and faults. */
export type Mode = 'ram' | 'disk' | 'crash';

export interface ScenarioStream {
  readonly source: Source;
  readonly sensor: number;
  readonly kind: Kind;
  /** 0 for `evt`. */
  readonly periodMs: number;
  readonly type: ValueType;
  readonly priority: number;
  /** Records that it had, all of them acknowledged, when the run begins. Default 0; with a disk only. */
  readonly startsAt?: number;
}

/** The store of a run. `wiced` has no disk. */
export interface Scenario {
  readonly profile: Profile;
  readonly mode: Mode;
  readonly streams: readonly ScenarioStream[];
  readonly sectors: number;
  readonly sectorBytes: number;
  readonly quotaBytes: number;
  readonly whenDiskFull: 'evict-oldest' | 'refuse-new';
  readonly durableAcknowledge: boolean;
  /** Bytes of files that are kept free and written again; of files made ahead. Left out: none. */
  readonly recycleBytes?: number;
  readonly preallocateBytes?: number;
  /** Content is compared every so many steps; 0: only as readers come by. Left out: now and then, and after what could harm it. */
  readonly contentEverySteps?: number;
}

/** A rule of the disk's faults as a trace has it: `times` left out for a fault that stays until faults end. */
export type TraceRule = Omit<FaultRule, 'times'> & { readonly times?: number };

export type Action =
  | { readonly do: 'append'; readonly stream: number; readonly bits: number; readonly timeMs: number }
  /** Values instead of bits, without a time: one by itself, several in one call. */
  | { readonly do: 'appendValues'; readonly stream: number; readonly bits: readonly number[] }
  | { readonly do: 'read'; readonly stream: number; readonly max: number }
  /** Reads over all streams, in the order in which the records lie on disk. */
  | { readonly do: 'readOldest'; readonly max: number }
  /** Marks the record `ahead` behind the oldest unread one as read; only that one itself can be. */
  | { readonly do: 'markRead'; readonly stream: number; readonly ahead: number }
  | { readonly do: 'peek'; readonly stream: number; readonly offset: number; readonly max: number }
  | { readonly do: 'acknowledge'; readonly stream: number; readonly n: number }
  /** Acknowledges a whole batch: the last one that was read, or `back` before it. */
  | { readonly do: 'acknowledgeBatch'; readonly stream: number; readonly back: number }
  | { readonly do: 'revert'; readonly stream: number }
  | { readonly do: 'discard'; readonly stream: number; readonly n: number }
  | { readonly do: 'flush' }
  /** Power is failing, in so many milliseconds. */
  | { readonly do: 'emergencyFlush'; readonly deadlineMs: number }
  | { readonly do: 'checkpoint' }
  /** Waits for room in the pool, beside everything else. */
  | { readonly do: 'ready' }
  | { readonly do: 'close' }
  | { readonly do: 'open' }
  /** Ends one operation under way, the `pick`-th, counted round; `times` of them, one after the other. Default 1. */
  | { readonly do: 'io'; readonly pick: number; readonly fault?: Fault; readonly times?: number }
  /** Calls made one behind the other in one turn, before anything that the engine does by itself goes on. */
  | { readonly do: 'together'; readonly steps: readonly SingleAction[] }
  /** Ends all I/O, and what comes of it, until nothing is under way. */
  | { readonly do: 'drain' }
  /** Time passes up to the next timer. */
  | { readonly do: 'timer' }
  /** From now on reads wait for I/O steps too, or not. */
  | { readonly do: 'holdReads'; readonly hold: boolean }
  /** Flips one bit of the `pick`-th segment file. */
  | { readonly do: 'damage'; readonly pick: number; readonly bit: number }
  | { readonly do: 'crash'; readonly choice: CrashChoice }
  /** From now on operations fail, or are held back, by this rule; after a crash too. */
  | { readonly do: 'fault'; readonly rule: TraceRule }
  /** Others fill the disk: so many bytes more fit than are on it now. */
  | { readonly do: 'space'; readonly bytes: number }
  /** The disk is sound, quick and roomy again. */
  | { readonly do: 'faultsEnd' }
  /**
   * The files of a store at rest are spoiled, and one that is opened on them is judged by what was written. Nothing comes
   * behind it.
   */
  | ({ readonly do: 'spoil' } & Spoiling)
  /**
   * The rest before this took at most so many I/O operations and retries, and so much time; the store is in RAM mode, or has
   * ended; and, when `saved` is asked for, it is open and everything appended is on disk.
   */
  | { readonly do: 'settled'; readonly withinSteps: number; readonly withinMs: number; readonly saved: boolean }
  /** So much time passes. */
  | { readonly do: 'wait'; readonly ms: number }
  /** Faults have stopped: everything goes on until nothing is under way, and the store must be back in RAM mode. */
  | { readonly do: 'rest' };

/** A step that takes no time: what can stand in `together`. */
export type SingleAction = Exclude<Action, { readonly do: 'together' | 'drain' | 'rest' }>;

/** Why a run was saved, and what it takes to run it again. */
export interface Trace {
  readonly format: 'imatrix-memory-manager conformance trace';
  readonly version: 1;
  /** What was wrong when it was found, in a sentence. */
  readonly note: string;
  readonly seed: number;
  readonly scenario: Scenario;
  readonly actions: readonly Action[];
}

export const TRACE_FORMAT: Trace['format'] = 'imatrix-memory-manager conformance trace';

const hex = (bits: number): string => `0x${bits.toString(16).padStart(8, '0')}`;

function describeChoice(choice: CrashChoice): string {
  if (choice.kind === 'kill') return `process killed, I/O under way ${choice.underWay}`;
  const { keep } = choice;
  if (typeof keep === 'string') return `power loss, of what was not synced ${keep} is left`;
  return 'seed' in keep
    ? `power loss, survivors drawn by ${keep.seed}`
    : `power loss, survivors ${JSON.stringify(keep)}`;
}

function describeRule({ kind, directory, namePrefix, skip, times, fault }: TraceRule): string {
  const kinds = kind === undefined ? 'I/O' : [kind].flat().join(', ');
  const where = `${directory === undefined ? '' : ` in ${directory === '' ? 'the root' : directory}`}`;
  const named = namePrefix === undefined ? '' : ` of ${namePrefix}...`;
  const which = times === undefined ? 'every' : times === 1 ? 'one' : `${times} times`;
  const how = fault === 'slow' ? 'is held back' : `fails with ${fault.code}`;
  return `${which} ${kinds}${where}${named}${skip === undefined ? '' : ` after ${skip} more`} ${how}`;
}

/** One line for a timeline. */
export function describeAction(action: Action): string {
  switch (action.do) {
    case 'append':
      return `append stream ${action.stream} bits ${hex(action.bits)} at ${action.timeMs} ms`;
    case 'appendValues':
      return `append values stream ${action.stream} bits ${action.bits.map(hex).join(' ')}`;
    case 'markRead':
      return `mark read stream ${action.stream} ${action.ahead} ahead`;
    case 'acknowledgeBatch':
      return `acknowledge stream ${action.stream} batch ${action.back} before the last`;
    case 'read':
      return `read stream ${action.stream} up to ${action.max}`;
    case 'readOldest':
      return `read the oldest ${action.max} of the store`;
    case 'peek':
      return `peek stream ${action.stream} at ${action.offset} up to ${action.max}`;
    case 'acknowledge':
    case 'discard':
      return `${action.do} stream ${action.stream} n ${action.n}`;
    case 'revert':
      return `revert stream ${action.stream}`;
    case 'emergencyFlush':
      return `emergency flush within ${action.deadlineMs} ms`;
    case 'io':
      return action.fault === undefined
        ? `I/O step ${action.pick}${action.times === undefined ? '' : `, ${action.times} times`}`
        : `I/O step ${action.pick} fails with ${action.fault.code}`;
    case 'holdReads':
      return action.hold ? 'disk reads wait from now on' : 'disk reads answer at once from now on';
    case 'damage':
      return `flip bit ${action.bit} of segment file ${action.pick}`;
    case 'crash':
      return describeChoice(action.choice);
    case 'fault':
      return describeRule(action.rule);
    case 'space':
      return `others fill the disk, ${action.bytes} bytes are left`;
    case 'faultsEnd':
      return 'faults end';
    case 'settled':
      return `that took at most ${action.withinSteps} steps and ${action.withinMs} ms${action.saved ? ', and all is saved' : ''}`;
    case 'spoil':
      return `${action.spoils.map(describeSpoil).join(', ')}${action.whileOpen ? ' while it is open' : ''}; open, read, go on, open again`;
    case 'wait':
      return `${action.ms} ms pass`;
    case 'together':
      return `in one turn: ${action.steps.map(describeAction).join('; ')}`;
    default:
      return action.do;
  }
}

const ACTIONS: readonly string[] = [
  'append',
  'appendValues',
  'read',
  'markRead',
  'readOldest',
  'peek',
  'acknowledge',
  'acknowledgeBatch',
  'revert',
  'discard',
  'flush',
  'emergencyFlush',
  'checkpoint',
  'ready',
  'close',
  'open',
  'io',
  'together',
  'drain',
  'timer',
  'holdReads',
  'damage',
  'crash',
  'fault',
  'space',
  'faultsEnd',
  'settled',
  'spoil',
  'wait',
  'rest',
];

/**
 * Checks that `parsed` is a trace of this version.
 * @param name what it was read from, for the message. @throws an Error with one clear line.
 */
export function checkTrace(parsed: unknown, name: string): Trace {
  const trace = parsed as Partial<Trace> | null | undefined;
  if (trace === null || typeof trace !== 'object' || trace.format !== TRACE_FORMAT || trace.version !== 1) {
    throw new Error(`${name} is not a conformance trace of version 1: give a file that a failing run saved`);
  }
  if (trace.scenario === undefined || !Array.isArray(trace.actions)) {
    throw new Error(`${name} has no scenario or no actions: save it again from a failing run`);
  }
  for (const [index, action] of trace.actions.entries()) {
    if (!ACTIONS.includes((action as { do?: string } | null)?.do ?? '')) {
      throw new Error(`${name}: action ${index} is none that this version knows (${JSON.stringify(action)})`);
    }
  }
  return trace as Trace;
}

/** Reads a saved trace, from its JSON or from its ITF form. @throws an Error with one clear line: which file, what is wrong. */
export function readTrace(path: string): Trace {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`cannot read the trace ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isItf(parsed)) return checkTrace(parsed, path);
  const inside = traceInItf(parsed);
  if (inside === undefined) {
    throw new Error(`${path} is an ITF trace without steps for the engine: give one that a conformance run wrote`);
  }
  return checkTrace(inside, path);
}
