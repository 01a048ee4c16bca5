/**
 * Every demand on the conformance kit, each with what was measured of it, whether that is enough, and the command that
 * measures it again. What no figure can tell is held by tests; those are named. docs/conformance.md has the same table.
 */
import * as judge from './judgements.ts';
import type { Seen } from './seen.ts';

export type Status = 'met' | 'short' | 'not measured' | 'held by a test';

interface Shown {
  readonly id: string;
  readonly demand: string;
  readonly command: string;
}

/** Either what was measured (null: nothing was), or the test files that hold it, from the repository. */
type Held = { readonly judge: (seen: Seen) => judge.Judgement | null } | { readonly tests: readonly string[] };

export type Demand = Shown & Held & { readonly about: string };

export interface DemandRow extends Shown {
  readonly about: string;
  readonly measured: string;
  readonly status: Status;
}

const kit = (line: string): string => (line === '' ? 'npm run conformance' : `npm run conformance -- ${line}`);
const MUSEUM = 'npm run conformance:museum';
const MUTANTS = 'npm run conformance:mutants';
const COVERAGE = 'npm run conformance:coverage';
const REPORT = 'npm run conformance:report';
const ALL = 'npm run conformance:all';

const test = (...names: readonly string[]): { readonly tests: readonly string[] } => ({
  tests: names.map((name) => `test/${name}.test.ts`),
});

const SECTIONS: Readonly<Record<string, readonly (Shown & Held)[]>> = {
  Generators: [
    {
      id: 'D1a',
      demand: '(a) a tour of every edge, in seconds, the same each time',
      command: kit('--tour'),
      judge: judge.atLeast('tour', 'taken', 1, 'edges'),
    },
    {
      id: 'D1b',
      demand: '(b) weighted random from the enabled events, counts per event and edge',
      command: kit(''),
      judge: judge.events,
    },
    {
      id: 'D1c',
      demand: '(c) starts from deep states',
      command: kit(''),
      judge: judge.counted('starts', 'kinds of deep start'),
    },
    {
      id: 'D1d',
      demand: '(d) payloads at their boundaries',
      command: kit(''),
      judge: judge.counted('boundaries', 'boundaries reached'),
    },
  ],
  'Crash consistency': [
    {
      id: 'D2a',
      demand:
        'a crash at every I/O step: nothing, all, prefixes, omissions, torn writes, subsets, representatives; names too',
      command: kit('--crash'),
      judge: judge.residues,
    },
    {
      id: 'D2b',
      demand: 'recovery, and a second crash at every I/O step of it',
      command: kit('--crash'),
      judge: judge.atLeast('crash', 'doubleCrashes', 1, 'second crashes'),
    },
    {
      id: 'D2c',
      demand: "the oracle is the set of contract section 7, never the engine's own code",
      command: 'npm test -- test/layering test/conformance/crash',
      ...test('layering/layering', 'conformance/crash'),
    },
  ],
  Faults: [
    {
      id: 'D3a',
      demand:
        'EIO, ENOSPC, EROFS, EACCES, short writes, failing syncs, a slow disk, at every operation, once and persistently',
      command: kit('--faults'),
      judge: judge.atLeast('faults', 'cases', 1, 'cases'),
    },
    {
      id: 'D3b',
      demand: 'bit flips and truncation at every byte, swapped, duplicated, missing, foreign and empty files',
      command: kit('--damage'),
      judge: judge.atLeast('damage', 'cases', 1, 'cases'),
    },
    {
      id: 'D3c',
      demand: 'in each: no wrong record, no refusal to start, no endless loop, everything undamaged delivered',
      command: `${kit('--faults')}; ${kit('--damage')}`,
      judge: judge.troubles,
    },
  ],
  Interleavings: [
    {
      id: 'D4',
      demand: 'any order of I/O relative to calls: exhaustive for short traces, random beyond, crashes included',
      command: kit('--interleavings'),
      judge: judge.interleavings,
    },
  ],
  Liveness: [
    {
      id: 'D5',
      demand: 'faults stop: back to RAM mode, everything durable, in a bounded number of steps; recovery ends',
      command: kit('--liveness'),
      judge: judge.atLeast('liveness', 'states', 1, 'states'),
    },
  ],
  Evidence: [
    {
      id: 'D6a',
      demand: 'one report as terminal, JSON, JUnit and self-contained HTML',
      command: REPORT,
      ...test('coverage/report'),
    },
    {
      id: 'D6b',
      demand: 'edges x I/O step kind x residue class visited',
      command: REPORT,
      judge: judge.cells,
    },
    { id: 'D6c', demand: 'per invariant the witness count', command: REPORT, judge: judge.witnesses },
    { id: 'D6d', demand: 'per event the count', command: REPORT, judge: judge.events },
    {
      id: 'D6e',
      demand: 'per guard of the model how often it let an event pass and how often it refused one',
      command: REPORT,
      judge: judge.guards,
    },
    {
      id: 'D6f',
      demand: 'lines and branches of src/core reached by conformance alone',
      command: COVERAGE,
      judge: judge.lines,
    },
    { id: 'D6g', demand: 'planted bugs killed, with the shortest trace', command: MUSEUM, judge: judge.museum },
    { id: 'D6h', demand: 'survivors named', command: MUTANTS, judge: judge.mutants },
    {
      id: 'D6i',
      demand: 'gates in coverage/thresholds.ts that fail a run; a committed baseline, so that a drop is seen',
      command: REPORT,
      ...test('coverage/report-gates'),
    },
  ],
  'The museum and mutants': [
    {
      id: 'D7a',
      demand: 'each bug of the museum and others planted in a copy: caught by what, in how many steps and runs',
      command: MUSEUM,
      judge: judge.museum,
    },
    {
      id: 'D7b',
      demand: 'Stryker on src/core and src/platform with the kit as its only test',
      command: MUTANTS,
      judge: judge.scores,
    },
    {
      id: 'D7c',
      demand: 'patches from outside, one unified diff a file',
      command: `${MUSEUM} -- --museum DIR`,
      ...test('conformance/museum'),
    },
  ],
  'Shrinking and replay': [
    {
      id: 'D8a',
      demand: 'shrunk by fast-check, then delta debugging over the steps',
      command: kit(''),
      ...test('conformance/shrink'),
    },
    {
      id: 'D8b',
      demand: 'the failing step as model beside engine beside disk, what differs marked; --replay FILE; --export-test',
      command: kit('--replay FILE'),
      ...test('conformance/replay'),
    },
    {
      id: 'D8c',
      demand: 'saved as JSON and ITF, either replayed',
      command: kit('--replay FILE'),
      ...test('conformance/itf'),
    },
    { id: 'D8d', demand: 'saved traces run first', command: kit(''), judge: judge.savedTraces },
  ],
  "For others' code": [
    {
      id: 'D9a',
      demand: 'checkPlatform and checkStore, with a manifest of what is supported, in a test of their own',
      command: kit('--others'),
      ...test('conformance/others/check-platform', 'conformance/others/check-store', 'package/package'),
    },
    {
      id: 'D9b',
      demand: 'an implementation in any language over a pipe, by the protocol of docs/conformance-protocol.md',
      command: kit('--exec "CMD"'),
      ...test('conformance/exec/exec', 'conformance/exec/protocol'),
    },
    {
      id: 'D9c',
      demand: 'what is right passes and what is wrong is found, the Python example in one variant and in three',
      command: kit('--others'),
      judge: judge.others,
    },
    { id: 'D9d', demand: 'the old calls keep to the model too', command: kit('--legacy'), judge: judge.legacy },
  ],
  'In CI': [
    {
      id: 'D10a',
      demand: '--time, --shard, --jobs, resumable',
      command: kit('--time 10m --shard 3/8 --jobs 2'),
      ...test('conformance/campaign'),
    },
    {
      id: 'D10b',
      demand: 'exit code 1 with the trace as the last thing printed; annotations on GitHub Actions',
      command: kit(''),
      ...test('conformance/command'),
    },
    {
      id: 'D10c',
      demand: "a workflow file for conformance in a consumer's CI",
      command: 'docs/ci/conformance.yml',
      ...test('conformance/workflow'),
    },
  ],
  'Resolved when': [
    {
      id: 'R1',
      demand: 'the tour covers 100 % of the explored edges on both profiles in under 60 s, 0 failures',
      command: kit('--tour'),
      judge: judge.tour,
    },
    {
      id: 'R2',
      demand:
        '200,000 crash images with recovery, 20,000 with a second crash in recovery, 0 failures, under 10 minutes',
      command: kit('--crash'),
      judge: judge.crash,
    },
    {
      id: 'R3a',
      demand: 'every planted bug is killed, median shrunk trace at most 8 steps',
      command: MUSEUM,
      judge: judge.museum,
    },
    {
      id: 'R3b',
      demand: "Stryker's score on src/core with the kit alone at least 90 %, every survivor listed with its reason",
      command: MUTANTS,
      judge: judge.mutants,
    },
    {
      id: 'R4',
      demand:
        'the kit alone reaches 98 % of the lines and 95 % of the branches of src/core; the rest is listed with the reason',
      command: COVERAGE,
      judge: judge.lines,
    },
    {
      id: 'R5a',
      demand: '10,000,000 checked steps without a failure, resumable',
      command: kit('--steps 10M --jobs 2'),
      judge: judge.steps,
    },
    {
      id: 'R5b',
      demand: '20,000 checked steps a second and core on the RAM profile',
      command: kit('--steps 1M --profile wiced'),
      judge: judge.rate,
    },
    { id: 'R6a', demand: 'each seed twice gives the same trace hash', command: ALL, judge: judge.repeated },
    {
      id: 'R6b',
      demand:
        'a broken adapter fails with a readable trace; the Python example passes where it is right and fails in three variants',
      command: kit('--others'),
      judge: judge.others,
    },
    {
      id: 'R7',
      demand: 'every demand has its row in this report, and in the table of docs/conformance.md',
      command: REPORT,
      ...test('coverage/report', 'coverage/demands'),
    },
  ],
  'Machine-readable': [
    {
      id: 'M1',
      demand: '--tour, --crash and --steps with --json print one object, "crash" with images and recoveries in each',
      command: kit('--steps 1k --json'),
      ...test('conformance/command'),
    },
    {
      id: 'M2',
      demand: '{"planted":n,"killed":n,"rows":[{"id","caughtBy","steps","runs"}]}',
      command: `${MUSEUM} -- --json`,
      ...test('conformance/museum'),
    },
  ],
};

export const DEMANDS: readonly Demand[] = Object.entries(SECTIONS).flatMap(([about, demands]) =>
  demands.map((demand) => ({ ...demand, about })),
);

/** @param isThere whether a test file exists. */
export function demandRows(seen: Seen, isThere: (path: string) => boolean): DemandRow[] {
  return DEMANDS.map((given) => {
    const { id, about, demand, command } = given;
    const row = { id, about, demand, command };
    if ('tests' in given) {
      const there = given.tests.every(isThere);
      return { ...row, measured: given.tests.join(', '), status: there ? 'held by a test' : 'not measured' };
    }
    const judgement = given.judge(seen);
    if (judgement === null) return { ...row, measured: '', status: 'not measured' };
    return { ...row, measured: judgement.measured, status: judgement.met ? 'met' : 'short' };
  });
}
