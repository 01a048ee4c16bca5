/**
 * `--legacy`: the generated sequences through the calls of the first memory manager (src/legacy), against the model, and
 * the same with planted bugs, which must be found.
 *
 * Exit code 0: no failure, every planted bug found. 1: a failure, its trace saved and told; or a bug that was not found.
 * 2: arguments that make no sense. No evidence is written: what is seen from outside is none of the engine's inside.
 */
import Table from 'cli-table3';
import { Option } from 'commander';
import { readTrace } from '../actions.ts';
import type { Calls } from '../legacy/legacy-store.ts';
import { CALLS } from '../legacy/legacy-store.ts';
import { PLANTED } from '../legacy/planted.ts';
import type { LegacyRow } from '../legacy/run-legacy.ts';
import { asFailure, findPlanted, replayLegacy, runLegacy } from '../legacy/run-legacy.ts';
import type { StoreFailure } from '../others/store-run.ts';
import { tellFailure } from '../others/tell.ts';
import { saveTrace } from '../run.ts';
import type { CommonArguments } from './arguments.ts';
import { PROGRAM, positive, REGRESSIONS } from './arguments.ts';
import type { ModeCommand } from './modes.ts';
import { writeEvidence } from './report.ts';
import type { Screen } from './screen.ts';

const RUNS_DEFAULT = 60;
const LENGTH_DEFAULT = 60;
/** Traces of what is judged from outside are no regressions of the engine. */
const OUT = 'coverage/out/legacy';

interface Own {
  readonly runs: number;
  readonly length: number;
  readonly calls?: Calls;
  readonly replay?: string;
  readonly plant?: string;
}

type Given = CommonArguments & Own;

function tableOf(rows: readonly LegacyRow[]): string {
  const table = new Table({
    head: ['what', 'must be', 'was', 'runs', 'steps'],
    colAligns: ['left', 'left', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { what, wanted, got, right, runs, steps } of rows)
    table.push([what, wanted, right ? got : `${got}   << wrong`, runs, steps]);
  return table.toString();
}

/** What a failing run leaves: the story, the trace, and how to see it again. */
function report(given: Given, failure: StoreFailure, calls: Calls, screen: Screen): string {
  const { seed, out, plant, replay, json } = given;
  const saved = replay ?? saveTrace(out, asFailure(failure, seed));
  const again = [
    PROGRAM,
    '--legacy',
    '--replay',
    saved,
    '--calls',
    calls,
    ...(plant === undefined ? [] : ['--plant', plant]),
  ];
  if (!json) screen.note(`\n${tellFailure(`--legacy, ${calls} calls,`, failure, `--seed ${seed}`)}`);
  if (!json) screen.note(`\nsaved  ${saved}\nreplay ${again.join(' ')}`);
  return saved;
}

function showJson(given: Given, rows: readonly LegacyRow[], failure: StoreFailure | null, saved: string | null): void {
  const { breaks, message, told = [], run = 0 } = failure ?? {};
  console.log(
    JSON.stringify({
      seed: given.seed,
      runs: rows.reduce((sum, row) => sum + row.runs, 0),
      steps: rows.reduce((sum, row) => sum + row.steps, 0),
      failures: rows.filter(({ right }) => !right).length,
      rows,
      ...(failure === null ? {} : { failure: { breaks, message, steps: told.length, runs: run, saved } }),
    }),
  );
}

/** One saved trace, in one way of calling or in all. */
async function replay(given: Given, path: string, screen: Screen): Promise<number> {
  const trace = readTrace(path);
  const Manager = plantedOf(given.plant)?.Manager;
  const rows: LegacyRow[] = [];
  for (const calls of given.calls === undefined ? CALLS : [given.calls]) {
    const failure = await replayLegacy(trace, calls, Manager);
    const got = failure?.breaks ?? 'no failure';
    const what = `${path}, ${calls} calls`;
    const steps = failure?.told.length ?? trace.actions.length;
    rows.push({ what, wanted: 'no failure', got, right: failure === null, runs: 1, steps });
    if (failure !== null) {
      const saved = report(given, failure, calls, screen);
      if (given.json) showJson(given, rows, failure, saved);
      return 1;
    }
    screen.text(`${what}: no failure`);
  }
  if (given.json) showJson(given, rows, null, null);
  return 0;
}

const plantedOf = (id: string | undefined): (typeof PLANTED)[number] | undefined =>
  PLANTED.find((bug) => bug.id === id);

/** The layer with one bug in it, as a failing run is shown. */
async function plant(given: Given, id: string, screen: Screen): Promise<number> {
  const bug = plantedOf(id) as (typeof PLANTED)[number];
  const verdict = await findPlanted(bug, { seed: given.seed, runs: given.runs, steps: given.length });
  const { failure, runs, steps } = verdict;
  const found = failure?.breaks ?? 'no failure';
  const saved = failure === null ? null : report(given, failure, bug.calls, screen);
  const rows: LegacyRow[] = [{ what: bug.bug, wanted: 'found', got: found, right: failure === null, runs, steps }];
  if (given.json) showJson(given, rows, failure, saved);
  if (failure === null) screen.text(`not found in ${runs} runs: ${bug.bug}`);
  return failure === null ? 0 : 1;
}

export const command: ModeCommand<Own> = {
  options: (options) => {
    options.options.find(({ long }) => long === '--out')?.default(OUT);
    options.setOptionValueWithSource('out', OUT, 'default');
    options
      .option('--legacy', 'the generated sequences through the calls of the first memory manager')
      .option('--runs <n>', 'seeded runs of each way of calling', positive, RUNS_DEFAULT)
      .option('--length <n>', 'steps of one run at most', positive, LENGTH_DEFAULT)
      .addOption(new Option('--calls <way>', 'only this way of calling').choices(CALLS))
      .option('--replay <file>', 'run one saved trace again instead')
      .addOption(new Option('--plant <bug>', 'with this bug in the layer').choices(PLANTED.map(({ id }) => id)));
  },
  run: async (given, screen) => {
    const { seed, runs, length, profiles, calls, replay: path, plant: bug } = given;
    if (path !== undefined) return replay(given, path, screen);
    screen.text(`seed ${seed}`);
    if (bug !== undefined) return plant(given, bug, screen);
    const { rows, failure, outcome } = await runLegacy({
      seed,
      command: given.command(seed),
      runs,
      steps: length,
      profiles,
      regressions: REGRESSIONS,
      ...(calls === undefined ? {} : { calls }),
      onProgress: (what, steps) => screen.progress(() => `${what}: ${steps} steps`),
    });
    if (given.evidence !== false) writeEvidence(given.evidence, outcome);
    const saved = failure === null ? null : report(given, failure, failure.calls, screen);
    if (given.json) showJson(given, rows, failure, saved);
    screen.text(tableOf(rows));
    const wrong = rows.filter(({ right }) => !right).length;
    screen.text(
      wrong === 0 ? 'no failure, every planted bug found' : `${wrong} of ${rows.length} are not as they must be`,
    );
    return wrong === 0 ? 0 : 1;
  },
};
