/**
 * The modes of `conformance`: a flag, what it does in a line, and the file that does it. No flag means `random`.
 *
 * A mode's file is loaded when its flag is given, so that one that needs more than the others costs them nothing.
 */
import type { Command } from 'commander';
import type { Mode, ModeOutcome } from '../evidence/record.ts';
import type { CommonArguments } from './arguments.ts';
import type { Screen } from './screen.ts';

/** What a mode answers. */
export interface ModeReport {
  readonly outcome: ModeOutcome;
  /** Seeded runs, or whatever the mode counts its work in. Default 0. */
  readonly runs?: number;
  /** Saved traces that were run first. */
  readonly regressions?: number;
  /** Keys of its own for `--json`. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** Lines of its own, shown between the tables and the closing line. */
  readonly text?: readonly string[];
  /** Evidence of what ran beside it, such as the saved traces, for files of their own. */
  readonly beside?: readonly ModeOutcome[];
}

/**
 * What a mode's file exports as `command`.
 * @typeParam Own the options that only this mode has.
 */
export interface ModeCommand<Own extends object = object> {
  /** Adds the mode's own options; the common ones are there already. */
  readonly options?: (command: Command) => void;
  /** @returns its report, or an exit code when it has printed for itself. @throws with one clear line for bad input. */
  readonly run: (given: CommonArguments & Own, screen: Screen) => Promise<ModeReport | number>;
}

export interface ModeEntry {
  readonly name: Mode | 'replay' | 'exec' | 'verify';
  /** As it stands on the command line; null for the mode without a flag. */
  readonly flag: string | null;
  readonly help: string;
  /** Flags of other modes that are options of this one. */
  readonly with?: readonly string[];
  readonly load: () => Promise<ModeCommand<never>>;
}

export const MODE_TABLE: readonly ModeEntry[] = [
  {
    name: 'random',
    flag: null,
    help: 'saved traces, then seeded runs drawn by weight from what the model enables',
    load: async () => (await import('./mode-random.ts')).command,
  },
  {
    name: 'tour',
    flag: '--tour',
    help: 'every edge of some small worlds, each run on the engine; no chance in it',
    load: async () => (await import('./mode-tour.ts')).command,
  },
  {
    name: 'crash',
    flag: '--crash',
    help: 'power fails at every I/O step of many runs, with everything that may be left, and in recovery again',
    load: async () => (await import('./mode-crash.ts')).command,
  },
  {
    name: 'faults',
    flag: '--faults',
    help: 'a fault at every I/O operation of some lives: once, for good, and with a crash behind it',
    load: async () => (await import('./mode-faults.ts')).command,
  },
  {
    name: 'interleavings',
    flag: '--interleavings',
    help: 'every order of short concurrent programs, random orders of longer ones, crashes in both',
    load: async () => (await import('./mode-interleavings.ts')).command,
  },
  {
    name: 'others',
    flag: '--others',
    help: "the checks for others' code, on adapters and stores that are right and on some that are wrong",
    load: async () => (await import('./mode-others.ts')).command,
  },
  {
    name: 'exec',
    flag: '--exec',
    help: 'judge an implementation in any language over a pipe: --exec "CMD"',
    with: ['--replay'],
    load: async () => (await import('./mode-exec.ts')).command,
  },
  {
    name: 'legacy',
    flag: '--legacy',
    help: 'the calls of the first memory manager, as they are and with planted bugs, against the model',
    with: ['--replay'],
    load: async () => (await import('./mode-legacy.ts')).command,
  },
  {
    name: 'damage',
    flag: '--damage',
    help: 'every bit and every cut of the files of some stores, and files that are wrong as a whole',
    load: async () => (await import('./mode-damage.ts')).command,
  },
  {
    name: 'verify',
    flag: '--verify',
    help: 'stores damaged by chance, and what verify, dump and repair make of each',
    load: async () => (await import('./mode-verify.ts')).command,
  },
  {
    name: 'refusals',
    flag: '--refusals',
    help: 'every call that must be refused, every setting at the ends of its range',
    load: async () => (await import('./mode-refusals.ts')).command,
  },
  {
    name: 'liveness',
    flag: '--liveness',
    help: 'faults end in states of every kind, and the store comes back within bounds',
    load: async () => (await import('./mode-liveness.ts')).command,
  },
  {
    name: 'replay',
    flag: '--replay',
    help: 'run one saved trace and show its timeline: --replay FILE',
    load: async () => (await import('./mode-replay.ts')).command,
  },
];
