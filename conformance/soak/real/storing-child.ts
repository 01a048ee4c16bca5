/** The storing process as its parent sees it: asked, killed, started again. */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import type { Answers, Note, Request, Told } from './messages.ts';

/** How the command is told that it is the storing process. */
export const STORING_FLAG = '--storing-process';
/** An answer that takes longer will not come. */
const PATIENCE_MS = 120_000;

/** It ended by itself, or gave no answer: a defect of the store or of this program. */
export class StoringFailed extends Error {
  override readonly name = 'StoringFailed';
}

/** The store refuses what was asked: a directory that cannot be used, a lock. */
export class StoringRefused extends Error {
  override readonly name = 'StoringRefused';
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class StoringChild {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #waiting: Waiting | null = null;
  #killed = false;
  #lastWords = '';

  /** @param entry the command's own file. */
  constructor(entry: string, onNote: (note: Note) => void) {
    this.#process = fork(entry, [STORING_FLAG], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A terminal's Ctrl-C is for the parent, which closes the store in good order.
      detached: true,
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#lastWords = `${this.#lastWords}${chunk.toString()}`.slice(-2_000);
    });
    this.#process.on('message', (told: Told) => {
      if ('note' in told) {
        onNote(told);
      } else if ('refused' in told) this.#fail(new StoringRefused(told.refused));
      else this.#settle()?.resolve(told.answer);
    });
    const exited = new Promise<void>((resolve) => {
      this.#process.once('exit', (code, signal) => {
        if (!this.#killed) this.#fail(new StoringFailed(this.#howItEnded(code, signal)));
        resolve();
      });
    });
    // Behind its last message.
    const silent = new Promise<void>((resolve) => this.#process.once('disconnect', () => resolve()));
    this.#ended = Promise.all([exited, silent]).then(() => undefined);
  }

  #howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
    const words = this.#lastWords.trim().split('\n');
    const reason = words.find((line) => line.includes('Error')) ?? words.at(-1) ?? '';
    return `the storing process ended by itself (${signal ?? `exit code ${code}`})${reason === '' ? '' : `: ${reason}`}`;
  }

  #settle(): Waiting | null {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) clearTimeout(waiting.timer);
    return waiting;
  }

  #fail(error: Error): void {
    this.#settle()?.reject(error);
  }

  /** @throws StoringRefused, StoringFailed. A call whose process is killed meanwhile is never answered. */
  ask<R extends Request>(request: R): Promise<Answers[R['type']]> {
    return new Promise((resolve, reject) => {
      const late = (): void =>
        this.#fail(new StoringFailed(`no answer to ${request.type} in ${PATIENCE_MS / 1_000} s`));
      this.#waiting = { resolve: resolve as (answer: unknown) => void, reject, timer: setTimeout(late, PATIENCE_MS) };
      this.#process.send(request);
    });
  }

  /** SIGKILL, and its end. What it had sent before is heard. */
  async kill(): Promise<void> {
    this.#killed = true;
    this.#settle();
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  /** Lets it go after it has closed its store. */
  async dismiss(): Promise<void> {
    this.#killed = true;
    if (this.#process.connected) this.#process.disconnect();
    await this.#ended;
  }
}
