/**
 * A life in a process of its own, so that it can be killed: the parent's side (startLife) and the child's (runWorker).
 *
 *   stdin   the job, one line of JSON; its end means that the parent is gone
 *   fd 3    messages, a line of JSON each, written synchronously: what was told before a kill has been told
 */
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { EXIT_UNUSABLE, expectedMessage } from '../cli-error.ts';
import { runLife } from './life.ts';
import type { LifeJob, LifeMessage, Send } from './messages.ts';

/** The command's hidden subcommand. */
export const WORKER_COMMAND = 'replay-life';
const MESSAGES_FD = 3;
/** A child that waits for its end and does not get it: the parent died. */
const PULL_WAIT_MS = 10_000;

export interface LifeEnd {
  readonly killed: boolean;
}

export interface WorkerCommand {
  /** The file of the command. */
  readonly entry: string;
  /** A directory for compiled code: most of a short life would else be spent on compiling. */
  readonly scratch: string;
}

/**
 * Runs one life in a child and kills it with SIGKILL at the place of its cut.
 * @param delayMs pause between the cut's place and the kill.
 */
export function startLife(
  { entry, scratch }: WorkerCommand,
  job: LifeJob,
  delayMs: number,
  onMessage: Send,
  signal: AbortSignal,
): Promise<LifeEnd> {
  const child = spawn(process.execPath, [entry, WORKER_COMMAND], {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: scratch },
  });
  const kill = (): boolean => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  // A child that dies before it has read its job leaves a broken pipe; its exit says why.
  child.stdin?.on('error', () => undefined);
  child.stdin?.write(`${JSON.stringify(job)}\n`);
  const lines = createInterface({ input: child.stdio[MESSAGES_FD] as Readable });
  let failed: unknown = null;
  lines.on('line', (line) => {
    const message = parseMessage(line);
    if (message === null || failed !== null) return;
    try {
      onMessage(message);
    } catch (error) {
      failed = error;
      kill();
    }
    if (message.type === 'cut') setTimeout(kill, delayMs);
  });
  const drained = new Promise<void>((resolve) => lines.once('close', resolve));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      signal.removeEventListener('abort', kill);
      drained.then(() => {
        if (failed !== null) reject(failed);
        else if (killedBy === 'SIGKILL') resolve({ killed: true });
        else if (code === 0) resolve({ killed: false });
        else reject(new Error(`the storing process ended with ${killedBy ?? `code ${code}`}\n${errors}`));
      }, reject);
    });
  });
}

/** The last line of a killed process may be cut; what it would have told has not left RAM. */
function parseMessage(line: string): LifeMessage | null {
  try {
    return JSON.parse(line) as LifeMessage;
  } catch {
    return null;
  }
}

/** The child's main. */
export async function runWorker(): Promise<void> {
  const send: Send = (message) => {
    const line = Buffer.from(`${JSON.stringify(message)}\n`);
    for (let at = 0; at < line.length; ) at += writeSync(MESSAGES_FD, line, at);
  };
  const pull = (during: string): never => {
    send({ type: 'cut', during });
    // Nothing of this process runs on but the disk operations that are under way.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PULL_WAIT_MS);
    process.exit(EXIT_UNUSABLE);
  };
  // A process that is killed would not write it at its end.
  flushCompileCache();
  const input = createInterface({ input: process.stdin });
  const job = await new Promise<LifeJob>((resolve) => {
    input.once('line', (line) => resolve(JSON.parse(line) as LifeJob));
  });
  input.once('close', () => process.exit(EXIT_UNUSABLE));
  try {
    await runLife(job, send, pull, new AbortController().signal);
  } catch (error) {
    const expected = expectedMessage(error);
    if (expected === null) throw error;
    send({ type: 'failed', ...expected });
  }
  process.exit(0);
}
