/**
 * A process that is asked line by line, and can do nothing that leaves its caller waiting or guessing.
 *
 * It runs in a process group of its own, started by the shell, so that what it starts goes with it. Whatever it does
 * wrong (dies, hangs, prints what is no answer, closes a pipe) ends it and gives one sentence.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Answer, OperationName, Request } from './protocol.ts';
import { LINE_BYTES_MAX } from './protocol.ts';

/** `process`: it died or closed a pipe. `liveness`: it gave no answer. `protocol`: it said what is none. */
export type ProblemKind = 'process' | 'liveness' | 'protocol';

export class ChildProblem extends Error {
  override readonly name = 'ChildProblem';
  readonly kind: ProblemKind;

  constructor(kind: ProblemKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

interface Waiting {
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (problem: ChildProblem) => void;
  readonly timer: NodeJS.Timeout;
}

/** A pipe ends a moment before the process that held it is known to have ended. */
const GRACE_MS = 250;
const STOP_MS = 1_000;
const SHOWN_CHARACTERS = 120;
const STDERR_CHARACTERS = 4_096;
const NEWLINE = 10;

const quote = (text: string): string =>
  JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text);

/** Processes that must not outlive this one. */
const living = new Set<Child>();
process.on('exit', () => {
  for (const child of living) child.kill();
});

export class Child {
  /** Lines as they went, `> ` to the process and `< ` from it. Emptied by its reader. */
  transcript: string[] = [];
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  #received = Buffer.alloc(0);
  #stderr = '';
  #waiting: Waiting | null = null;
  /** Why it cannot be asked any more. */
  #problem: ChildProblem | null = null;
  #exit: string | null = null;
  #nextId = 1;

  constructor(command: string) {
    this.#process = spawn(command, { shell: true, detached: true, stdio: 'pipe' });
    living.add(this);
    const { stdin, stdout, stderr } = this.#process;
    stdout.on('data', (chunk: Buffer) => this.#receive(chunk));
    stderr.on('data', (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString()}`.slice(-STDERR_CHARACTERS);
    });
    stdin.on('error', () => this.#later('closed its standard input'));
    stdout.on('end', () => this.#later('closed its standard output'));
    this.#process.on('error', (error) => this.#fail('process', `cannot be started: ${error.message}`));
    this.#ended = new Promise((resolve) => {
      this.#process.on('exit', (code, signal) => {
        this.#exit = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
        living.delete(this);
        resolve();
        // What it printed last may still be in the pipe.
        setTimeout(() => this.#fail('process', this.#exit as string), GRACE_MS / 5);
      });
      this.#process.on('error', () => resolve());
    });
  }

  /** Whether it can be asked. */
  get usable(): boolean {
    return this.#problem === null && this.#exit === null;
  }

  /** Sends a request and waits for its answer. @throws ChildProblem; the process is dead or dying then. */
  ask(op: OperationName, fields: Readonly<Record<string, unknown>>, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#problem !== null) return reject(this.#problem);
      const request: Request = { id: this.#nextId++, op, ...fields };
      const hangs = (): void =>
        this.#fail('liveness', `gave no answer to ${op} (id ${request.id}) within ${timeoutMs / 1_000} s`);
      this.#waiting = { request, resolve, reject, timer: setTimeout(hangs, timeoutMs) };
      const line = JSON.stringify(request);
      this.transcript.push(`> ${line}`);
      this.#process.stdin.write(`${line}\n`);
    });
  }

  /** Ends the whole process group at once, as a power cut of the process. */
  kill(): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // The group has ended by itself.
    }
  }

  /** Kills it and waits until it is gone. */
  async killed(): Promise<void> {
    this.#problem ??= new ChildProblem('process', 'was killed');
    this.kill();
    await this.#ended;
  }

  /** Lets it end by itself, by the end of its input; kills what is left. */
  async stop(): Promise<void> {
    this.#problem ??= new ChildProblem('process', 'was stopped');
    this.#process.stdin.end();
    const patience = setTimeout(() => this.kill(), STOP_MS);
    await this.#ended;
    clearTimeout(patience);
    this.kill();
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (let end = this.#received.indexOf(NEWLINE); end >= 0; end = this.#received.indexOf(NEWLINE)) {
      const line = this.#received.subarray(0, end);
      this.#received = this.#received.subarray(end + 1);
      if (line.length > LINE_BYTES_MAX) return this.#tooLong();
      this.#answer(line);
    }
    if (this.#received.length > LINE_BYTES_MAX) this.#tooLong();
  }

  #tooLong(): void {
    this.#received = Buffer.alloc(0);
    this.#fail('protocol', `printed a line of more than ${LINE_BYTES_MAX} bytes`);
  }

  #answer(line: Buffer): void {
    const text = line.toString();
    this.transcript.push(`< ${text}`);
    const waiting = this.#waiting;
    if (waiting === null) return this.#fail('protocol', `printed a line that nobody had asked for: ${quote(text)}`);
    const { id, op } = waiting.request;
    let answer: Partial<Answer> | null;
    try {
      answer = JSON.parse(text);
    } catch {
      return this.#fail(
        'protocol',
        `answered ${op} (id ${id}) with a line that is no JSON: ${quote(text)}; print what is no answer to standard error`,
      );
    }
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
      return this.#fail('protocol', `answered ${op} (id ${id}) with a line that is no JSON object: ${quote(text)}`);
    }
    if (answer.id !== id)
      return this.#fail('protocol', `answered with id ${JSON.stringify(answer.id)} where ${op} has id ${id}`);
    this.#waiting = null;
    clearTimeout(waiting.timer);
    waiting.resolve(answer as Answer);
  }

  /** Usually it has just ended, and says so in a moment; a process that lives on without the pipe is told apart. */
  #later(what: string): void {
    setTimeout(() => this.#fail('process', `${what} and went on without it`), GRACE_MS).unref();
  }

  #fail(kind: ProblemKind, what: string): void {
    if (this.#problem !== null) return;
    const waiting = this.#waiting;
    this.#problem = new ChildProblem(kind, `the implementation ${what}${this.#circumstances(kind)}`);
    this.kill();
    if (waiting === null) return;
    clearTimeout(waiting.timer);
    this.#waiting = null;
    waiting.reject(this.#problem);
  }

  /** Of a process that has gone: before which answer, in which line, and with which last words. */
  #circumstances(kind: ProblemKind): string {
    const words = this.#stderr.trim().split('\n').at(-1) ?? '';
    const said = words === '' ? '' : `; the last that it said: ${quote(words)}`;
    if (kind !== 'process') return said;
    const { op, id } = this.#waiting?.request ?? { op: null, id: 0 };
    const before = op === null ? '' : `, before it answered ${op} (id ${id})`;
    const cut = this.#received.length === 0 ? '' : `, in the middle of a line: ${quote(this.#received.toString())}`;
    return `${before}${cut}${said}`;
  }
}
