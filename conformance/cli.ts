/**
 * `npm run conformance`: runs model and engine in step and says what was exercised, or how a run failed.
 *
 * Exit code 0: no failure. 1: a failure, with its trace saved and shown. 2: arguments that make no sense.
 */
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Profile } from './actions.ts';
import { readTrace } from './actions.ts';
import { runActions } from './execute.ts';
import type { CampaignResult, Failure } from './run.ts';
import { runCampaign, saveTrace } from './run.ts';
import { timeline } from './timeline.ts';

const REGRESSIONS = join(import.meta.dirname, 'regressions');
const RUNS_DEFAULT = 2_000;

interface Arguments {
  readonly seed: number;
  readonly runs?: number;
  readonly steps?: number;
  readonly profile: Profile | 'both';
  readonly out: string;
  readonly json: boolean;
  readonly replay?: string;
  readonly regressions: boolean;
}

/** Whole numbers, with k and M for thousands and millions. */
function count(text: string): number {
  const match = /^(\d+)([kM]?)$/.exec(text);
  const value =
    match === null ? Number.NaN : Number(match[1]) * { '': 1, k: 1_000, M: 1_000_000 }[match[2] as '' | 'k' | 'M'];
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('give a whole number, such as 2000, 100k or 10M');
  return value;
}

function positive(text: string): number {
  const value = count(text);
  if (value < 1) throw new InvalidArgumentError('give a whole number from 1');
  return value;
}

function seedOf(text: string): number {
  const value = count(text);
  if (value > 0xffff_ffff) throw new InvalidArgumentError('give a whole number from 0 to 4294967295');
  return value;
}

function parse(): Arguments {
  const command = new Command('conformance')
    .description('Runs the model and the engine in step on seeded runs and compares them after every step.')
    .option('--seed <n>', 'start of all chance; printed, so that a run can be repeated', seedOf)
    .option('--runs <n>', `runs in all, half of them on each profile (default ${RUNS_DEFAULT})`, positive)
    .option('--steps <n>', 'go on until so many steps are done, such as 100k or 10M', positive)
    .addOption(new Option('--profile <name>', 'which store').choices(['linux', 'wiced', 'both']).default('both'))
    .option('--replay <file>', 'run one saved trace and show its timeline')
    .option('--out <folder>', 'where a failing trace is saved', REGRESSIONS)
    .option('--no-regressions', 'do not run the saved traces first')
    .option('--json', 'one JSON object instead of text', false)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  command.parse();
  return { ...command.opts(), seed: command.opts().seed ?? Math.floor(Math.random() * 0x1_0000_0000) } as Arguments;
}

const profilesOf = (profile: Arguments['profile']): Profile[] => (profile === 'both' ? ['linux', 'wiced'] : [profile]);

async function replay(path: string): Promise<number> {
  const { scenario, actions, note } = readTrace(path);
  console.log(`${path}: ${note}\n`);
  console.log(await timeline(scenario, actions));
  return (await runActions(scenario, actions)).failure === null ? 0 : 1;
}

const sorted = (counts: ReadonlyMap<string, number>): [string, number][] =>
  [...counts].sort((a, b) => a[0].localeCompare(b[0]));

const replayCommand = (saved: string): string => `npm run conformance -- --replay ${saved}`;

function showJson(result: CampaignResult, saved: string | null): void {
  const { seed, runs, steps, seconds, traceHash, regressions, coverage, edges, failure } = result;
  const found =
    failure === null || saved === null
      ? null
      : {
          breaks: failure.breaks,
          message: failure.message,
          steps: failure.trace.actions.length,
          runs: failure.runs,
          path: failure.path,
          saved,
          replay: replayCommand(saved),
        };
  console.log(
    JSON.stringify({
      seed,
      runs,
      steps,
      stepsPerSecond: Math.round(steps / seconds),
      traceHash,
      failures: failure === null ? 0 : 1,
      regressions,
      events: Object.fromEntries(sorted(coverage.events)),
      edges: { covered: edges.covered, total: edges.total, missing: edges.missing },
      invariants: sorted(coverage.witnesses).map(([id, witnesses]) => ({ id, witnesses })),
      ...(found === null ? {} : { failure: found }),
    }),
  );
}

function showText({ runs, steps, seconds, traceHash, regressions, coverage, edges }: CampaignResult): void {
  const table = (counts: ReadonlyMap<string, number>): string =>
    sorted(counts)
      .map(([name, value]) => `  ${name.padEnd(18)}${String(value).padStart(10)}`)
      .join('\n');
  console.log(`\nevents of the model\n${table(coverage.events)}`);
  console.log(`\nsteps in which an invariant was put to the test\n${table(coverage.witnesses)}`);
  console.log(
    `\nedges (state of the model x event)  ${edges.covered} of ${edges.total}${edges.missing.length > 0 ? `, not taken: ${edges.missing.join(', ')}` : ''}`,
  );
  console.log(
    `${regressions} saved traces, ${runs} runs, ${steps} steps in ${seconds.toFixed(1)} s, ${Math.round(steps / seconds)} steps/s`,
  );
  console.log(`trace hash ${traceHash}`);
}

async function showFailure({ breaks, trace, runs, path }: Failure, saved: string): Promise<void> {
  console.log(
    `\nFAILED in run ${runs}, shrunk to ${trace.actions.length} steps (fast-check seed ${trace.seed}, path ${path ?? 'none'})\n`,
  );
  console.log(await timeline(trace.scenario, trace.actions));
  console.log(`\nbreaks ${breaks}\nsaved  ${saved}\nreplay ${replayCommand(saved)}`);
}

async function main(): Promise<number> {
  const given = parse();
  if (given.replay !== undefined) return replay(given.replay);
  const profiles = profilesOf(given.profile);
  if (!given.json) console.log(`seed ${given.seed}, profile ${profiles.join(' and ')}`);
  let shownMs = performance.now();
  const result = await runCampaign({
    seed: given.seed,
    profiles,
    runs: given.runs ?? (given.steps === undefined ? RUNS_DEFAULT : Number.MAX_SAFE_INTEGER),
    steps: given.steps ?? Number.MAX_SAFE_INTEGER,
    regressions: given.regressions ? REGRESSIONS : null,
    onProgress: ({ profile, runs, steps }) => {
      if (given.json || performance.now() - shownMs < 2_000) return;
      shownMs = performance.now();
      console.log(`  ${profile}: ${runs} runs, ${steps} steps`);
    },
  });
  const { failure } = result;
  const saved = failure === null ? null : saveTrace(given.out, failure);
  if (given.json) showJson(result, saved);
  else showText(result);
  if (failure === null || saved === null) {
    if (!given.json) console.log('no failure');
    return 0;
  }
  if (!given.json) await showFailure(failure, saved);
  return 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else {
    const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
    console.error(`conformance: ${message}; see --help`);
    process.exitCode = 2;
  }
}
