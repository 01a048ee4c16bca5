/**
 * An implementation behind the protocol, as a store before the judge. One process serves run after run, each in a new
 * folder, until it is killed for a crash or has gone wrong; then a new one is started.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scenario } from '../actions.ts';
import { Divergence } from '../divergence.ts';
import type { Subject } from '../others/store-run.ts';
import type {
  MaybePromise,
  Refused,
  StoreMarks,
  StoreRecord,
  StoreTraits,
  StoreUnderTest,
  StreamSpec,
} from '../others/store-under-test.ts';
import { Child, ChildProblem } from './child.ts';
import type { Answer, Introduction, OperationName } from './protocol.ts';
import { answerFault, PROTOCOL } from './protocol.ts';

/** Kinds a probe asks for: what every implementation must be able to hold. */
const PROBE: StreamSpec = { source: 'host', sensor: 0, kind: 'evt', periodMs: 0, type: 'uint32' };
const STREAMS_MAX = 4;

export const traitsOf = ({
  durable,
  supports,
  crash,
  kinds,
  streamsMax,
  capacityRecords,
}: Introduction): StoreTraits => ({
  durable,
  supports: new Set([...supports, ...(crash === 'kill' ? (['crash'] as const) : [])]),
  kinds: kinds ?? ['evt'],
  streamsMax: Math.min(streamsMax ?? STREAMS_MAX, STREAMS_MAX),
  capacityRecords: capacityRecords ?? Number.POSITIVE_INFINITY,
});

export interface Patience {
  /** How long one answer may take. */
  readonly timeoutMs: number;
  /** The same for the first answer of a process. */
  readonly startTimeoutMs: number;
}

/** The implementation: its command, the process that runs it now, and the lines of the newest run. */
export class Implementation {
  readonly #command: string;
  readonly #root: string;
  readonly #patience: Patience;
  #child: Child | null = null;
  #runs = 0;
  /** Lines of the newest run, `> ` to the implementation and `< ` from it. */
  transcript: string[] = [];

  /** @param root an existing folder for the storage of its runs. */
  constructor(command: string, root: string, patience: Patience) {
    this.#command = command;
    this.#root = root;
    this.#patience = patience;
  }

  /** Starts it and asks who it is. @throws Divergence, ChildProblem. */
  async introduce(): Promise<Introduction> {
    const storage = await this.newStorage();
    const answer = await this.ask('init', { protocol: PROTOCOL, storage, streams: [PROBE] }, 1);
    await rm(storage, { recursive: true, force: true });
    if (!answer.ok) throw new Divergence('protocol', `it refused init: ${String(answer.message ?? answer.code)}`);
    return answer as unknown as Introduction;
  }

  subject(introduction: Introduction): Subject {
    const kills = introduction.crash === 'kill';
    const begin = async (scenario: Scenario): Promise<StoreUnderTest> => {
      this.transcript = [];
      const streams = scenario.streams.map(({ source, sensor, kind, periodMs, type }) => ({
        source,
        sensor,
        kind,
        periodMs,
        type,
      }));
      const store = new ExecStore(this, streams, await this.newStorage(), kills);
      await store.init();
      return store;
    };
    return {
      traits: traitsOf(introduction),
      crash: kills ? { kind: 'kill', underWay: 'undone' } : { kind: 'power', keep: 'nothing' },
      begin,
    };
  }

  async newStorage(): Promise<string> {
    const storage = join(this.#root, `run-${++this.#runs}`);
    await mkdir(storage);
    return storage;
  }

  /** Asks the process that runs, or a new one. @throws Divergence for an answer that is none, and for none. */
  async ask(op: OperationName, fields: Readonly<Record<string, unknown>>, streams: number): Promise<Answer> {
    let { timeoutMs } = this.#patience;
    if (op === 'init' && this.#child?.usable !== true) {
      timeoutMs = this.#patience.startTimeoutMs;
      await this.#child?.killed();
      this.#child = new Child(this.#command);
    }
    const child = this.#child as Child;
    child.transcript = this.transcript;
    try {
      const answer = await child.ask(op, fields, timeoutMs);
      const fault = answerFault(op, answer, streams);
      if (fault === null) return answer;
      await this.kill();
      throw new Divergence('protocol', `the answer to ${op} (id ${answer.id}) is wrong: ${fault}`);
    } catch (thrown) {
      if (!(thrown instanceof ChildProblem)) throw thrown;
      await child.killed();
      throw new Divergence(thrown.kind, thrown.message);
    }
  }

  async kill(): Promise<void> {
    await this.#child?.killed();
    this.#child = null;
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
    this.#child = null;
  }
}

class ExecStore implements StoreUnderTest {
  readonly #implementation: Implementation;
  readonly #streams: readonly StreamSpec[];
  readonly #storage: string;
  readonly #kills: boolean;

  constructor(implementation: Implementation, streams: readonly StreamSpec[], storage: string, kills: boolean) {
    this.#implementation = implementation;
    this.#streams = streams;
    this.#storage = storage;
    this.#kills = kills;
  }

  /** Opens the store in its folder: a new one in an empty folder, else what is there. */
  async init(): Promise<void> {
    const answer = await this.#ask('init', { protocol: PROTOCOL, storage: this.#storage, streams: this.#streams });
    if (!answer.ok) throw new Divergence('INV-18', `init was refused: ${String(answer.message ?? answer.code)}`);
  }

  async append(stream: number, bits: number, timeMs: number): Promise<number | undefined | Refused> {
    const answer = await this.#ask('append', { stream, bits, timeMs });
    return answer.ok ? (answer.sequence as number | undefined) : refusedBy(answer);
  }

  async read(stream: number, max: number): Promise<readonly StoreRecord[] | Refused> {
    const answer = await this.#ask('read', { stream, max });
    return answer.ok ? (answer.records as StoreRecord[]) : refusedBy(answer);
  }

  acknowledge(stream: number, n: number): Promise<Refused | undefined> {
    return this.#plain('acknowledge', { stream, n });
  }

  revert(stream: number): Promise<Refused | undefined> {
    return this.#plain('revert', { stream });
  }

  discard(stream: number, n: number): Promise<Refused | undefined> {
    return this.#plain('discard', { stream, n });
  }

  flush(): Promise<Refused | undefined> {
    return this.#plain('flush', {});
  }

  crash(): MaybePromise<Refused | undefined> {
    if (!this.#kills) return this.#plain('crash', {});
    this.#implementation.transcript.push('  (the process is killed and started again)');
    return this.#implementation.kill().then(() => undefined);
  }

  recover(): Promise<Refused | undefined> {
    return this.#kills ? this.init().then(() => undefined) : this.#plain('recover', {});
  }

  async inspect(): Promise<StoreMarks | Refused> {
    const answer = await this.#ask('inspect', {});
    return answer.ok ? (answer as unknown as StoreMarks) : refusedBy(answer);
  }

  async close(): Promise<void> {
    await rm(this.#storage, { recursive: true, force: true });
  }

  async #plain(op: OperationName, fields: Readonly<Record<string, unknown>>): Promise<Refused | undefined> {
    const answer = await this.#ask(op, fields);
    return answer.ok ? undefined : refusedBy(answer);
  }

  #ask(op: OperationName, fields: Readonly<Record<string, unknown>>): Promise<Answer> {
    return this.#implementation.ask(op, fields, this.#streams.length);
  }
}

const refusedBy = ({ code, message }: Answer): Refused => ({
  refused: code as Refused['refused'],
  ...(typeof message === 'string' ? { message } : {}),
});
