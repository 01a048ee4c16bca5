/**
 * A child process that is asked one thing and answers once: the request goes over the channel, the answer comes back
 * there, or a line that says why not. What a child is in the middle of ends with it: it is killed, never asked to stop.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { atEnd, checkGoingOn } from './cleanup.ts';

type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

export interface AskedProcess<T> {
  readonly answer: Promise<T>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** @param entry file that calls `answerProcess`. @throws Error when this process is about to end. */
export function askProcess<T>(entry: string, request: object): AskedProcess<T> {
  checkGoingOn();
  const child = fork(entry, { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const forget = atEnd(`end ${entry}`, () => killed(child));
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-4_000);
  });
  child.send(request);
  const answer = new Promise<T>((resolve, reject) => {
    child.once('message', (message: Answer<T>) =>
      message.ok ? resolve(message.value) : reject(new Error(message.message)),
    );
    child.once('error', reject);
    // Too late for one that has answered.
    child.once('close', (code, signal) =>
      reject(
        new Error(`a process ended with ${signal ?? `exit code ${code}`}: ${said.trim().split('\n').at(-1) ?? ''}`),
      ),
    );
  });
  // Heard at once, for the process may end before anybody waits.
  answer.catch(() => undefined);
  return { answer, kill: forget };
}

/** Asks, and ends the process when it has answered. */
export async function askOnce<T>(entry: string, request: object): Promise<T> {
  const asked = askProcess<T>(entry, request);
  try {
    return await asked.answer;
  } finally {
    await asked.kill();
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

/** The other side: answers the one request, then waits for its end. */
export function answerProcess<Q, T>(work: (request: Q) => Promise<T>): void {
  const send = (answer: Answer<T>): void => void process.send?.(answer);
  // Who asked is gone.
  process.on('disconnect', () => process.exit(1));
  process.once('message', (request: Q) => {
    work(request).then(
      (value) => send({ ok: true, value }),
      (error: unknown) => send({ ok: false, message: error instanceof Error ? error.message : String(error) }),
    );
  });
}
