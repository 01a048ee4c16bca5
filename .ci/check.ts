/**
 * `npm run check`: every gate of the project, one after the other, and a table at the end. What a gate printed is shown
 * when it failed. `--only types,lint` runs some of them, `--list` names them; the exit code is 1 when one is red.
 *
 * The same sources give the same result: the conformance run has a fixed seed here. To look further, run it without one.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import pc from 'picocolors';
import { judgeConformance, judgeExploration, skipped, type Verdict } from './figures.ts';

interface Gate {
  readonly name: string;
  /** What a green one means. */
  readonly shows: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** Reads the figures that it printed; without it the exit code decides alone. */
  readonly judge?: (output: string) => Verdict;
}

const CONFORMANCE_RUNS = 2_000;

const VITEST = ['vitest', 'run', '--config', 'test/vitest.config.ts'] as const;

const GATES: readonly Gate[] = [
  {
    name: 'types',
    shows: 'strict TypeScript; core and wiced without Node in sight',
    command: ['npm', 'run', '-s', 'types'],
  },
  { name: 'lint', shows: 'lint rules and one format', command: ['npm', 'run', '-s', 'lint'] },
  {
    name: 'layering',
    shows: 'who may import what; core is pure',
    command: [...VITEST, 'test/layering', 'test/repository'],
  },
  {
    name: 'tests',
    shows: 'every other test',
    command: [
      'c8',
      '--config',
      'coverage/c8.json',
      ...VITEST,
      ...not('test/layering/**', 'test/package/**', 'test/wiced/**', 'test/repository.test.ts'),
    ],
  },
  {
    name: 'coverage',
    shows: 'what those tests ran, against coverage/thresholds.ts',
    command: ['node', 'coverage/gate.ts'],
  },
  {
    name: 'package',
    shows: 'the tarball installs, compiles, runs, passes publint and attw; wiced runs in QuickJS',
    command: [...VITEST, 'test/package', 'test/wiced'],
  },
  {
    name: 'exploration',
    shows: 'every reachable state, every invariant, every mutation of the model',
    command: ['npm', 'run', '-s', 'explore', '--', '--json'],
    judge: judgeExploration,
  },
  {
    name: 'conformance',
    shows: 'model and engine in step',
    command: ['npm', 'run', '-s', 'conformance', '--', '--seed', '7', '--runs', `${CONFORMANCE_RUNS}`, '--json'],
    judge: (output) => judgeConformance(output, CONFORMANCE_RUNS),
  },
];

function not(...globs: string[]): string[] {
  return globs.flatMap((glob) => ['--exclude', glob]);
}

interface Outcome {
  readonly gate: Gate;
  readonly ok: boolean;
  readonly seconds: number;
  /** One line for the table. */
  readonly said: string;
  /** Tests that did not run, a line each: a green gate that skipped something says so. */
  readonly notRun: readonly string[];
  /** All that there is to say about a red one. */
  readonly complaint: string;
}

/** Programs are found in node_modules/.bin, which npm put first in PATH. */
async function run(gate: Gate): Promise<Outcome> {
  const [program, ...args] = gate.command;
  const startedMs = performance.now();
  const child = spawn(program, args, { cwd: join(import.meta.dirname, '..'), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve).on('error', (error) => {
      output += error.message;
      resolve(null);
    });
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const verdict = gate.judge?.(output);
  const notRun = skipped(output);
  if (verdict === undefined) {
    return { gate, ok: code === 0, seconds, said: lastLine(output), notRun, complaint: output };
  }
  const { faults, figures } = verdict;
  const lines = code === 0 ? [...faults] : [`it ended with exit code ${code}`, ...faults];
  // A report is long and for machines, and its faults say the same in sentences. Without one, what was printed counts.
  if (figures === null) lines.push(output);
  const ok = code === 0 && faults.length === 0;
  return { gate, ok, seconds, said: figures ?? lastLine(output), notRun, complaint: lines.join('\n') };
}

/** The gate's own last word: tests and explorations close with their figures. */
function lastLine(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const last = lines.findLast((line) => line !== '') ?? '';
  return last.length > 60 ? `${last.slice(0, 59)}…` : last;
}

function chosen(): readonly Gate[] | string {
  const { values } = parseArgs({ options: { only: { type: 'string' }, list: { type: 'boolean' } } });
  if (values.list === true) return GATES.map(({ name, shows }) => `${name.padEnd(12)} ${shows}`).join('\n');
  if (values.only === undefined) return GATES;
  const names = values.only.split(',');
  const unknown = names.find((name) => !GATES.some((gate) => gate.name === name));
  if (unknown !== undefined) throw new Error(`no gate "${unknown}"; npm run check -- --list names them`);
  return GATES.filter(({ name }) => names.includes(name));
}

async function check(gates: readonly Gate[]): Promise<boolean> {
  const outcomes: Outcome[] = [];
  for (const [index, gate] of gates.entries()) {
    process.stdout.write(`[${index + 1}/${gates.length}] ${gate.name.padEnd(12)} ${pc.dim(gate.shows)} ... `);
    const outcome = await run(gate);
    outcomes.push(outcome);
    console.log(`${outcome.ok ? pc.green('ok') : pc.red('RED')} ${outcome.seconds.toFixed(1)} s`);
    if (!outcome.ok) console.log(`\n${outcome.complaint.trimEnd()}\n`);
  }
  const table = new Table({ head: ['gate', 'result', 'seconds', 'what it said'], style: { head: [], border: [] } });
  for (const { gate, ok, seconds, said } of outcomes) {
    table.push([gate.name, ok ? pc.green('ok') : pc.red('RED'), seconds.toFixed(1), said]);
  }
  console.log(`\n${table.toString()}`);
  const notRun = outcomes.flatMap((outcome) => outcome.notRun);
  if (notRun.length > 0) console.log(`not run here:\n${notRun.map((line) => `  ${line}`).join('\n')}`);
  const red = outcomes.filter(({ ok }) => !ok).map(({ gate }) => gate.name);
  console.log(red.length === 0 ? `all ${outcomes.length} gates are green` : `red: ${red.join(', ')}`);
  return red.length === 0;
}

try {
  const gates = chosen();
  if (typeof gates === 'string') console.log(gates);
  else if (!(await check(gates))) process.exitCode = 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
