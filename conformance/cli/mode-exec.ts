/**
 * `--exec "CMD"`: judges an implementation in any language, started by a command, over docs/conformance-protocol.md.
 *
 * Exit code 0: no failure. 1: a failure, its trace saved and the lines of its shortest run shown last. 2: the command is
 * no implementation of the protocol. No evidence is written: it would be evidence of somebody else's store.
 */
import { readTrace } from '../actions.ts';
import type { ExecOutcome } from '../exec/run-exec.ts';
import { asFailure, runExec } from '../exec/run-exec.ts';
import { tellFailure } from '../others/tell.ts';
import { saveTrace } from '../run.ts';
import type { CommonArguments } from './arguments.ts';
import { PROGRAM, positive } from './arguments.ts';
import type { ModeCommand } from './modes.ts';
import { table } from './report.ts';
import type { Screen } from './screen.ts';

const RUNS_DEFAULT = 100;
const LENGTH_DEFAULT = 60;
const TIMEOUT_SECONDS_DEFAULT = 10;
/** Traces of somebody else's store are no regressions of this one. */
const OUT = 'coverage/out/exec';
/** What a shell reports of a command that a signal ended. */
const EXIT_BY_SIGNAL = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

interface Own {
  readonly exec: string;
  readonly runs: number;
  readonly length: number;
  readonly timeout: number;
  readonly replay?: string;
}

type Given = CommonArguments & Own;

/** A signal must not leave the implementation behind: what ends by itself cleans up. */
function endBySignals(): void {
  for (const [signal, code] of Object.entries(EXIT_BY_SIGNAL)) process.once(signal, () => process.exit(code));
}

const againCommand = (command: string, saved: string): string =>
  `${PROGRAM} --exec ${quoted(command)} --replay ${saved}`;

/** As a shell reads it back. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function showJson(
  { exec, seed }: Given,
  { introduction, verdict, transcript }: ExecOutcome,
  saved: string | null,
): void {
  const { runs, steps, seconds, traceHash, coverage, failure } = verdict;
  const found =
    failure === null || saved === null
      ? {}
      : {
          failure: {
            breaks: failure.breaks,
            message: failure.message,
            steps: failure.told.length,
            runs: failure.run,
            saved,
            replay: againCommand(exec, saved),
          },
        };
  console.log(
    JSON.stringify({
      seed,
      runs,
      steps,
      stepsPerSecond: Math.round(steps / Math.max(seconds, 0.001)),
      traceHash,
      failures: failure === null ? 0 : 1,
      events: Object.fromEntries(coverage.events),
      edges: { covered: coverage.edges.size, total: coverage.edges.size, missing: [] },
      invariants: [...coverage.witnesses].map(([id, witnesses]) => ({ id, witnesses })),
      exec: { command: exec, ...introductionOf(introduction), transcript },
      ...found,
    }),
  );
}

const introductionOf = ({ name, durable, supports, crash }: ExecOutcome['introduction']) => ({
  name: name ?? null,
  durable,
  supports,
  crash: supports.includes('crash') ? (crash ?? 'ask') : (crash ?? null),
});

function showText({ exec }: Given, { introduction, verdict }: ExecOutcome, screen: Screen): void {
  const { name, durable, supports, crash } = introductionOf(introduction);
  const missing = ['revert', 'discard', 'flush', 'inspect'].filter(
    (operation) => !supports.includes(operation as never),
  );
  const without = missing.length === 0 ? '' : `, without ${missing.join(', ')}`;
  const crashes = crash === null ? 'no crash' : crash === 'kill' ? 'crashes by being killed' : 'crashes when asked';
  screen.text(`${name ?? exec}: ${durable ? 'durable' : 'in RAM'}, ${crashes}${without}`);
  const { runs, steps, seconds, traceHash, coverage } = verdict;
  if (coverage.events.size > 0) screen.text(`\nevents of the model\n${table(coverage.events)}`);
  if (coverage.witnesses.size > 0)
    screen.text(`\nsteps in which an invariant was put to the test\n${table(coverage.witnesses)}`);
  screen.text(`\n${runs} runs, ${steps} steps in ${seconds.toFixed(1)} s`);
  if (traceHash !== '') screen.text(`trace hash ${traceHash}`);
}

/** The failure, and the lines of its run as the last thing. */
function showFailure(given: Given, { verdict, transcript }: ExecOutcome, saved: string, screen: Screen): void {
  if (verdict.failure === null) return;
  screen.note(`\n${tellFailure(`--exec ${JSON.stringify(given.exec)}`, verdict.failure, `--seed ${given.seed}`)}`);
  screen.note(`\nsaved  ${saved}\nreplay ${againCommand(given.exec, saved)}`);
  screen.note(`\n  the lines of this run, > to the implementation, < from it`);
  for (const line of transcript) screen.note(`  ${line}`);
}

export const command: ModeCommand<Own> = {
  options: (options) => {
    options.options.find(({ long }) => long === '--out')?.default(OUT);
    options.setOptionValueWithSource('out', OUT, 'default');
    options
      .requiredOption('--exec <command>', 'starts the implementation; run by the shell')
      .option('--runs <n>', 'seeded runs', positive, RUNS_DEFAULT)
      .option('--length <n>', 'steps of one run at most', positive, LENGTH_DEFAULT)
      .option('--timeout <seconds>', 'how long one answer may take', positive, TIMEOUT_SECONDS_DEFAULT)
      .option('--replay <file>', 'run one saved trace again instead');
  },
  run: async (given, screen) => {
    const { exec, seed, runs, length, timeout, replay } = given;
    if (exec.trim() === '') throw new Error("--exec '' is empty: give the command that starts the implementation");
    endBySignals();
    if (replay === undefined) screen.text(`seed ${seed}`);
    const outcome = await runExec({
      command: exec,
      seed,
      runs,
      steps: length,
      timeoutMs: 1_000 * timeout,
      ...(replay === undefined ? {} : { trace: readTrace(replay) }),
      onProgress: (progress) => screen.progress(() => `${progress.runs} runs, ${progress.steps} steps`),
    });
    screen.clear();
    const { failure } = outcome.verdict;
    const saved = failure === null ? null : (replay ?? saveTrace(given.out, asFailure(failure, seed)));
    if (given.json) showJson(given, outcome, saved);
    else showText(given, outcome, screen);
    if (saved === null) {
      screen.text('no failure');
      return 0;
    }
    showFailure(given, outcome, saved, screen);
    return 1;
  },
};
