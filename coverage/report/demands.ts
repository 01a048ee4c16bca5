/**
 * Every demand on the conformance kit, each with what was measured of it, whether that is enough, and the command that
 * measures it again. What no figure can tell is held by tests; those are named.
 */
import type { Seen } from './seen.ts';

export type Status = 'met' | 'short' | 'not measured' | 'held by a test';

export interface Judgement {
  readonly measured: string;
  readonly met: boolean;
}

export interface Demand {
  readonly id: string;
  readonly about: string;
  readonly demand: string;
  readonly command: string;
  /** Null: nothing was measured. */
  readonly judge?: (seen: Seen) => Judgement | null;
  /** Test files, from the repository. */
  readonly tests?: readonly string[];
}

export interface DemandRow extends Pick<Demand, 'id' | 'about' | 'demand' | 'command'> {
  readonly measured: string;
  readonly status: Status;
}

const grouped = (value: number): string => value.toLocaleString('en-US');

/** A demand on one figure: so much at least, and no failure of its mode. */
const atLeast =
  (mode: Parameters<Seen['figure']>[0], figure: string, least: number, unit: string) =>
  (seen: Seen): Judgement | null => {
    const value = seen.figure(mode, figure);
    if (value === null) return null;
    const failures = seen.failures(mode);
    return { measured: `${grouped(value)} ${unit}, ${failures} failures`, met: value >= least && failures === 0 };
  };

function tour(seen: Seen): Judgement | null {
  const evidence = seen.best('tour', 'taken');
  if (evidence === null) return null;
  const { figures, seconds, failures, profiles } = evidence;
  const { taken = 0, edges = 0, modelMissing = 0 } = figures;
  return {
    measured: `${grouped(taken)} of ${grouped(edges)} edges on ${profiles.join(' and ')}, ${modelMissing} of the model without a reason, ${seconds.toFixed(0)} s, ${failures} failures`,
    met: taken === edges && modelMissing === 0 && profiles.length === 2 && seconds < 60 && failures === 0,
  };
}

function crash(seen: Seen): Judgement | null {
  const evidence = seen.best('crash', 'images');
  if (evidence === null) return null;
  const { figures, seconds, failures } = evidence;
  const { images = 0, doubleCrashes = 0 } = figures;
  return {
    measured: `${grouped(images)} images, ${grouped(doubleCrashes)} with a second crash, ${failures} failures, ${seconds.toFixed(0)} s`,
    met: images >= 200_000 && doubleCrashes >= 20_000 && failures === 0 && seconds < 600,
  };
}

function museum(seen: Seen): Judgement | null {
  const evidence = seen.best('museum', 'killed');
  if (evidence === null) return null;
  const { planted = 0, killed = 0, medianSteps = 0 } = evidence.figures;
  return {
    measured: `${killed} of ${planted} killed, median of the shrunk traces ${medianSteps} steps`,
    met: planted > 0 && killed === planted && medianSteps <= 8,
  };
}

function mutants(seen: Seen): Judgement | null {
  const score = seen.figure('mutants', 'src/core score');
  if (score === null) return null;
  const { survivors } = seen.lists;
  const unexplained = survivors.filter(({ reason }) => reason === '').length;
  return {
    measured: `${score} % of src/core, ${survivors.length} survivors listed, ${unexplained} of them without a reason`,
    met: score >= 90 && unexplained === 0 && seen.failures('mutants') === 0,
  };
}

function lines(seen: Seen): Judgement | null {
  const evidence = seen.best('coverage', 'lines');
  if (evidence === null) return null;
  const { lines: reached = 0, branches = 0, unlisted = 0, stale = 0 } = evidence.figures;
  return {
    measured: `${reached.toFixed(2)} % of lines, ${branches.toFixed(2)} % of branches, ${seen.lists.unreached.length} places listed, ${unlisted} missing in the list, ${stale} listed in vain`,
    met: reached >= 98 && branches >= 95 && unlisted === 0 && stale === 0,
  };
}

function steps(seen: Seen): Judgement | null {
  const most = seen.most('random', (evidence) => evidence.steps);
  if (most === null) return null;
  const failures = seen.failures('random');
  return { measured: `${grouped(most)} steps, ${failures} failures`, met: most >= 10_000_000 && failures === 0 };
}

function rate(seen: Seen): Judgement | null {
  const reached = seen.figure('random', 'wiced');
  return reached === null
    ? null
    : { measured: `${grouped(reached)} steps per second and core`, met: reached >= 20_000 };
}

function repeated(seen: Seen): Judgement | null {
  const [runs, same] = [seen.figure('repeat', 'runs'), seen.figure('repeat', 'same')];
  if (runs === null || same === null) return null;
  return { measured: `${same} of ${runs} modes gave the same hash twice`, met: same === runs };
}

function others(seen: Seen): Judgement | null {
  const evidence = seen.best('others', 'found');
  if (evidence === null) return null;
  const { right = 0, passed = 0, wrong = 0, found = 0 } = evidence.figures;
  return {
    measured: `${passed} of ${right} that are right pass, ${found} of ${wrong} that are wrong are found`,
    met: right > 0 && passed === right && wrong > 0 && found === wrong,
  };
}

function events(seen: Seen): Judgement | null {
  if (!seen.has('random')) return null;
  const { edges, events: counts } = seen.totals;
  const [taken, happened] = [edges.filter(({ count }) => count > 0).length, counts.filter(([, n]) => n > 0).length];
  return {
    measured: `${happened} of ${counts.length} events, ${taken} of ${edges.length} edges, each with its count`,
    met: happened === counts.length && taken === edges.length,
  };
}

const counted =
  (kind: 'starts' | 'boundaries', unit: string) =>
  (seen: Seen): Judgement | null => {
    const most = seen.most('random', (evidence) => Object.values(evidence[kind] ?? {}).filter((n) => n > 0).length);
    return most === null ? null : { measured: `${most} ${unit}`, met: most > 0 };
  };

function residues(seen: Seen): Judgement | null {
  if (!seen.has('crash')) return null;
  const { residues: classes, cells } = seen.totals;
  return { measured: `${cells} cells, left behind: ${classes.join('; ')}`, met: classes.length >= 6 };
}

const command = (line: string): string => (line === '' ? 'npm run conformance' : `npm run conformance -- ${line}`);

export const DEMANDS: readonly Demand[] = [
  {
    id: 'R1',
    about: 'Resolved when',
    demand: 'the tour covers 100 % of the explored edges on both profiles in under 60 s, 0 failures',
    command: command('--tour'),
    judge: tour,
  },
  {
    id: 'R2',
    about: 'Resolved when',
    demand: '200,000 crash images with recovery, 20,000 with a second crash in recovery, 0 failures, under 10 minutes',
    command: command('--crash'),
    judge: crash,
  },
  {
    id: 'R3a',
    about: 'Resolved when',
    demand: 'every planted bug is killed, median shrunk trace at most 8 steps',
    command: 'npm run conformance:museum',
    judge: museum,
  },
  {
    id: 'R3b',
    about: 'Resolved when',
    demand: "Stryker's score on src/core with the kit alone at least 90 %, every survivor listed with its reason",
    command: 'npm run conformance:mutants',
    judge: mutants,
  },
  {
    id: 'R4',
    about: 'Resolved when',
    demand:
      'the kit alone reaches 98 % of the lines and 95 % of the branches of src/core; the rest is listed with the reason',
    command: 'npm run conformance:coverage',
    judge: lines,
  },
  {
    id: 'R5a',
    about: 'Resolved when',
    demand: '10,000,000 checked steps without a failure',
    command: command('--steps 10M --jobs 2'),
    judge: steps,
  },
  {
    id: 'R5b',
    about: 'Resolved when',
    demand: '20,000 checked steps a second and core on the RAM profile',
    command: command('--steps 1M --profile wiced'),
    judge: rate,
  },
  {
    id: 'R6a',
    about: 'Resolved when',
    demand: 'each seed twice gives the same trace hash',
    command: 'npm run conformance:all',
    judge: repeated,
  },
  {
    id: 'R6b',
    about: 'Resolved when',
    demand:
      'a broken adapter fails with a readable trace; the Python example passes where it is right and fails in three variants',
    command: command('--others'),
    judge: others,
  },
  {
    id: 'R7',
    about: 'Resolved when',
    demand: 'every demand has its row in the evidence report',
    command: 'npm run conformance:report',
    judge: () => ({ measured: `${DEMANDS.length} rows`, met: true }),
  },
  {
    id: 'D1a',
    about: 'Generators',
    demand: '(a) a tour of every edge, in seconds, the same each time',
    command: command('--tour'),
    judge: atLeast('tour', 'taken', 1, 'edges'),
  },
  {
    id: 'D1b',
    about: 'Generators',
    demand: '(b) weighted random from the enabled events, counts per event and edge',
    command: command(''),
    judge: events,
  },
  {
    id: 'D1c',
    about: 'Generators',
    demand: '(c) starts from deep states',
    command: command(''),
    judge: counted('starts', 'kinds of deep start'),
  },
  {
    id: 'D1d',
    about: 'Generators',
    demand: '(d) payloads at their boundaries',
    command: command(''),
    judge: counted('boundaries', 'boundaries reached'),
  },
  {
    id: 'D2a',
    about: 'Crash consistency',
    demand:
      'a crash at every I/O step: nothing, all, prefixes, omissions, torn writes, subsets, representatives; names too',
    command: command('--crash'),
    judge: residues,
  },
  {
    id: 'D2b',
    about: 'Crash consistency',
    demand: 'a second crash at every I/O step of recovery',
    command: command('--crash'),
    judge: atLeast('crash', 'doubleCrashes', 1, 'second crashes'),
  },
  {
    id: 'D3a',
    about: 'Faults',
    demand:
      'EIO, ENOSPC, EROFS, EACCES, short writes, failing syncs, a slow disk, at every operation, once and persistently',
    command: command('--faults'),
    judge: atLeast('faults', 'cases', 1, 'cases'),
  },
  {
    id: 'D3b',
    about: 'Faults',
    demand: 'bit flips and truncation at every byte, swapped, duplicated, missing, foreign and empty files',
    command: command('--damage'),
    judge: (seen) => {
      const cases = seen.figure('damage', 'cases');
      const wrong = seen.figure('damage', 'wrong') ?? 0;
      return cases === null
        ? null
        : {
            measured: `${grouped(cases)} cases, ${wrong} wrong records, ${seen.failures('damage')} failures`,
            met: cases > 0 && wrong === 0 && seen.failures('damage') === 0,
          };
    },
  },
  {
    id: 'D4',
    about: 'Interleavings',
    demand: 'any order of I/O relative to calls: exhaustive for short traces, random beyond, crashes included',
    command: command('--interleavings'),
    judge: (seen) => {
      const orders = seen.figure('interleavings', 'orders');
      if (orders === null) return null;
      const points = seen.figure('interleavings', 'crashPoints') ?? 0;
      const random = seen.figure('interleavings', 'randomOrders') ?? 0;
      return {
        measured: `${grouped(orders)} orders, ${grouped(random)} drawn ones, ${grouped(points)} crash points, ${seen.failures('interleavings')} failures`,
        met: orders > 0 && points > 0 && random > 0 && seen.failures('interleavings') === 0,
      };
    },
  },
  {
    id: 'D5',
    about: 'Liveness',
    demand: 'faults stop: back to RAM mode, everything durable, in a bounded number of steps; recovery ends',
    command: command('--liveness'),
    judge: atLeast('liveness', 'states', 1, 'states'),
  },
  {
    id: 'D6a',
    about: 'Evidence',
    demand: 'one report as terminal, JSON, JUnit and self-contained HTML',
    command: 'npm run conformance:report',
    tests: ['test/coverage/report.test.ts'],
  },
  {
    id: 'D6b',
    about: 'Evidence',
    demand: 'gates in coverage/thresholds.ts that fail a run; a committed baseline, so that a drop is seen',
    command: 'npm run conformance:report',
    tests: ['test/coverage/report-gates.test.ts'],
  },
  {
    id: 'D7',
    about: 'Museum and mutants',
    demand: 'each bug of the museum planted, and patches from outside',
    command: 'npm run conformance:museum',
    judge: museum,
  },
  {
    id: 'D8a',
    about: 'Shrinking and replay',
    demand: 'shrunk by fast-check, then delta debugging over the steps',
    command: command(''),
    tests: ['test/conformance/shrink.test.ts'],
  },
  {
    id: 'D8b',
    about: 'Shrinking and replay',
    demand:
      'the failing step as model beside engine beside disk, what differs marked; saved as JSON and ITF; --replay; --export-test',
    command: command('--replay FILE'),
    tests: ['test/conformance/replay.test.ts', 'test/conformance/itf.test.ts'],
  },
  {
    id: 'D8c',
    about: 'Shrinking and replay',
    demand: 'saved traces run first',
    command: command(''),
    judge: (seen) => {
      const traces = seen.figure('regressions', 'traces');
      return traces === null
        ? null
        : {
            measured: `${traces} saved traces, ${seen.failures('regressions')} failures`,
            met: traces > 0 && seen.failures('regressions') === 0,
          };
    },
  },
  {
    id: 'D9a',
    about: "For others' code",
    demand: 'checkPlatform, checkStore, and an implementation in any language over a pipe',
    command: command('--others'),
    judge: others,
  },
  {
    id: 'D10',
    about: 'In CI',
    demand: '--time, --shard, --jobs, resumable; annotations; a workflow file',
    command: command('--time 10m --shard 3/8 --jobs 2'),
    tests: [
      'test/conformance/campaign.test.ts',
      'test/conformance/command.test.ts',
      'test/conformance/workflow.test.ts',
    ],
  },
];

/** @param isThere whether a test file exists. */
export function demandRows(seen: Seen, isThere: (path: string) => boolean): DemandRow[] {
  return DEMANDS.map(({ judge, tests, ...demand }) => {
    if (tests !== undefined) {
      const there = tests.every(isThere);
      return { ...demand, measured: tests.join(', '), status: there ? 'held by a test' : 'not measured' };
    }
    const judgement = judge?.(seen) ?? null;
    if (judgement === null) return { ...demand, measured: '', status: 'not measured' };
    return { ...demand, measured: judgement.measured, status: judgement.met ? 'met' : 'short' };
  });
}
