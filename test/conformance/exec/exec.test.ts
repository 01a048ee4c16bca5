// Goal: an implementation in any language is judged over a pipe, and whatever its process does wrong is one clear line
// and never a hang. Method: a small implementation that is right, and the same one going wrong in the way its argument
// names; then commands that are none.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Child, ChildProblem } from '../../../conformance/exec/child.ts';
import type { ExecOutcome } from '../../../conformance/exec/run-exec.ts';
import { asFailure, runExec } from '../../../conformance/exec/run-exec.ts';
import { readTrace, runActions, saveTrace } from '../../../conformance/index.ts';

const SCRIPTED = `${JSON.stringify(process.execPath)} ${JSON.stringify(join(import.meta.dirname, 'scripted.ts'))}`;

const judge = (
  how: string,
  options: { timeoutMs?: number; runs?: number; steps?: number } = {},
): Promise<ExecOutcome> =>
  runExec({
    command: `exec ${SCRIPTED} ${JSON.stringify(how)}`,
    seed: 5,
    runs: 8,
    steps: 30,
    timeoutMs: 10_000,
    ...options,
  });

describe('an implementation that is right', () => {
  test('passes, and gives the same run for the same seed', async () => {
    const { introduction, verdict, transcript } = await judge('');
    expect(verdict.failure).toBeNull();
    expect(transcript).toEqual([]);
    expect(introduction).toMatchObject({ name: 'scripted', durable: true });
    expect(verdict.coverage.events.get('CRASH')).toBeGreaterThan(5);
    expect((await judge('')).verdict.traceHash).toBe(verdict.traceHash);
  });

  test('passes when its crashes are a killed process', async () => {
    const { verdict } = await judge('kill', { runs: 3 });
    expect(verdict.failure).toBeNull();
    expect(verdict.coverage.events.get('CRASH')).toBeGreaterThan(2);
    expect(verdict.coverage.events.has('DISCARD')).toBe(false);
  });

  test('may talk on standard error', async () => {
    expect((await judge('talks', { runs: 2 })).verdict.failure).toBeNull();
  });

  test('leaves no folder behind', async () => {
    const folders = async (): Promise<string[]> =>
      (await readdir(tmpdir())).filter((name) => name.startsWith('imatrix-mm-exec-'));
    const before = await folders();
    await judge('', { runs: 1 });
    expect((await folders()).filter((name) => !before.includes(name))).toEqual([]);
  });
});

// Goal: the sentence for each thing that a process can do wrong. Method: the process itself, asked until it does it.
describe('a process that goes wrong is told in a sentence', () => {
  const INIT = {
    protocol: 1,
    storage: tmpdir(),
    streams: [{ source: 'host', sensor: 0, kind: 'evt', periodMs: 0, type: 'uint32' }],
  };

  async function problemOf(how: string, timeoutMs: number): Promise<unknown> {
    const child = new Child(`exec ${SCRIPTED} ${JSON.stringify(how)}`);
    onTestFinished(() => child.killed());
    try {
      await child.ask('init', INIT, 10_000);
      for (let i = 0; i < 3; i++) await child.ask('read', { stream: 0, max: 1 }, timeoutMs);
    } catch (thrown) {
      return thrown;
    }
    throw new Error('nothing went wrong');
  }

  test.each([
    ['dies', 'process', 'the implementation ended with exit code 3, before it answered read (id 2)'],
    ['dies loudly', 'process', 'the last that it said: "out of memory"'],
    ['dies in the middle of a line', 'process', 'in the middle of a line: "{\\"id\\":'],
    ['hangs', 'liveness', 'gave no answer to read (id 2) within 1 s'],
    [
      'prints garbage',
      'protocol',
      'with a line that is no JSON: "reading..."; print what is no answer to standard error',
    ],
    ['prints a number', 'protocol', 'with a line that is no JSON object: "42"'],
    ['prints an endless line', 'protocol', 'printed a line of more than 1048576 bytes'],
    ['answers another', 'protocol', 'answered with id 1 where read has id 2'],
    ['says more than it was asked', 'protocol', 'with id 99 where'],
    [
      'closes its output',
      'process',
      'closed its standard output and went on without it, before it answered read (id 2)',
    ],
    ['closes its input', 'process', 'closed its standard input and went on without it'],
  ])('%s: %s', async (how, kind, message) => {
    const problem = await problemOf(how, how === 'hangs' ? 1_000 : 10_000);
    expect(problem).toBeInstanceOf(ChildProblem);
    expect(problem).toMatchObject({ kind, message: expect.stringContaining(message) });
    expect((problem as ChildProblem).message).not.toContain('\n');
  });

  // Goal: who hangs is given up when it was said, and is gone then. Method: the time, and the process itself.
  test('a process that hangs is given up in time and killed', async () => {
    const child = new Child('echo $$ >&2; sleep 60 & wait');
    const startedMs = performance.now();
    await expect(child.ask('init', INIT, 500)).rejects.toThrow(/within 0\.5 s; the last that it said: "\d+"$/);
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    await child.killed();
    expect(child.usable).toBe(false);
  });
});

// Goal: such a sentence is a failure of the run like any other, made as short as it goes. Method: two of them.
describe('a process that goes wrong fails its run', () => {
  test.each([
    ['dies loudly', 'process', 'the last that it said: "out of memory"'],
    ['answers without records', 'protocol', 'the answer to read (id '],
  ])('%s: %s', async (how, breaks, message) => {
    const { verdict, transcript } = await judge(how, { steps: 1 });
    expect(verdict.failure).toMatchObject({ breaks, message: expect.stringContaining(message) });
    expect(verdict.failure?.told.length).toBeLessThanOrEqual(2);
    expect(transcript.at(0)).toMatch(/^> \{"id":\d+,"op":"init","protocol":1,"storage":/);
  });
});

// Goal: what is no implementation is told at once, and nothing is left running. Method: commands that are none.
describe('a command that is none is unusable', () => {
  test.each([
    ['exit 4', 'ended with exit code 4, before it answered init (id 1)'],
    ['no-such-command-anywhere', 'ended with exit code 127'],
    ['sleep 60', 'gave no answer to init (id 1) within 0.3 s'],
    ['echo hello; sleep 60', 'with a line that is no JSON: "hello"'],
    ['cat', 'the answer to init (id 1) is wrong: ok is nothing'],
    [`printf '{"id":1,"ok":true,"protocol":2}\\n'; sleep 60`, 'protocol is 2: this side speaks protocol 1'],
    [`printf '{"id":1,"ok":true,"protocol":1,"durable":true,"supports":["peek"]}\\n'; sleep 60`, 'supports has "peek"'],
  ])('%s', async (command, message) => {
    const judged = runExec({ command, seed: 1, runs: 1, steps: 1, timeoutMs: 300, startTimeoutMs: 300 });
    await expect(judged).rejects.toThrow(message);
    await expect(judged).rejects.toThrow(
      /^--exec ".*" cannot be judged: .*; give a command that speaks docs\/conformance-protocol\.md$/,
    );
  });
});

// Goal: a failing run can be seen again, on the implementation and on the engine. Method: save, read, run.
test('a saved trace fails again on the implementation, and holds on the engine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'imatrix-mm-traces-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { verdict } = await judge('dies', { steps: 1 });
  if (verdict.failure === null) throw new Error('nothing failed');
  const trace = readTrace(saveTrace(folder, asFailure(verdict.failure, 5)));
  const command = `exec ${SCRIPTED}`;
  const again = (how: string) =>
    runExec({ command: `${command} ${how}`, seed: 0, runs: 1, steps: 1, timeoutMs: 10_000, trace });
  expect((await again('dies')).verdict.failure?.breaks).toBe('process');
  expect((await again('')).verdict.failure).toBeNull();
  const onEngine = await runActions(trace.scenario, trace.actions);
  expect(onEngine.failure).toBeNull();
  expect(onEngine.actions.map((action) => action.do)).toEqual(expect.arrayContaining(['open', 'drain']));
});
