/**
 * The engine on somebody's adapter, as a store before the judge.
 *
 * One step at a time: after each the engine comes to rest, so that the same seed makes the same run on every machine.
 * A crash drops the adapter at once, or in the middle of a flush, and a new one is made on the same storage. In one
 * process the lock of a killed one is still held, so it is given back for it, as the system would.
 */
import { refusalCode } from '../../src/core/codes.ts';
import { Engine } from '../../src/core/engine.ts';
import type { Platform } from '../../src/core/port.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { Scenario } from '../actions.ts';
import { macrotask } from '../answers.ts';
import type { Fault } from '../disk-operations.ts';
import { Divergence } from '../divergence.ts';
import { settingsOf } from '../refinement.ts';
import { Gate } from './gate.ts';
import type { InjectedFault } from './laws/law.ts';
import type { Call } from './observed-disk.ts';
import { ObservedDisk } from './observed-disk.ts';
import type {
  MaybePromise,
  Refused,
  StoreMarks,
  StoreRecord,
  StoreUnderTest,
  StreamMarks,
} from './store-under-test.ts';

/** What stands under the engine, and what can be done to it. */
export interface EngineBench {
  /** A platform on this run's storage. */
  readonly makePlatform: () => MaybePromise<Platform>;
  /** Set when a crash is a power cut: loses what is not durable, and the lock. */
  readonly cutPower: (() => MaybePromise<unknown>) | null;
  readonly inject: ((fault: InjectedFault | null) => MaybePromise<unknown>) | null;
  readonly dispose: () => MaybePromise<unknown>;
  readonly timeoutMs: number;
}

/** A fault that names bytes is one of a write, else of a sync. */
const injected = ({ code, shortBytes }: Fault): InjectedFault => ({
  operation: shortBytes === undefined ? 'sync' : 'write',
  code,
});

const NO_MARKS: StreamMarks = { head: 0, read: 0, appended: 0, synced: 0 };

export class EngineStore implements StoreUnderTest {
  readonly #scenario: Scenario;
  readonly #bench: EngineBench;
  readonly #calls: Call[] = [];
  #callsAtEnd: number | undefined;
  #platform: Platform | null = null;
  #observed: ObservedDisk | null = null;
  #gate: Gate | null = null;
  #engine: Engine | null = null;
  #handles: StreamHandle[] = [];

  constructor(scenario: Scenario, bench: EngineBench) {
    this.#scenario = scenario;
    this.#bench = bench;
  }

  /** What was asked of the adapters of this run, without what closing it took. */
  get calls(): readonly Call[] {
    return this.#calls.slice(0, this.#callsAtEnd);
  }

  async recover(): Promise<void> {
    const platform = await this.#bench.makePlatform();
    this.#platform = platform;
    this.#observed =
      platform.disk === null ? null : new ObservedDisk(platform.disk, this.#bench.timeoutMs, this.#calls);
    this.#gate = this.#observed === null ? null : new Gate(this.#observed);
    const opened = await this.#guarded(
      Engine.open({ ...bare(platform), disk: this.#gate }, settingsOf(this.#scenario)),
    );
    if (!opened.ok)
      throw new Divergence('INV-18', `the engine does not open: ${opened.failure.code}, ${opened.failure.message}`);
    const engine = opened.value;
    this.#engine = engine;
    this.#handles = this.#scenario.streams.map(({ source, sensor, kind, periodMs, type, priority }) => {
      const stream = engine.stream(
        { source, sensor },
        { kind, type, priority, ...(kind === 'tsd' ? { periodMs } : {}) },
      );
      if (!stream.ok)
        throw new Divergence('INV-20', `stream ${source}/${sensor} is refused: ${stream.failure.message}`);
      return stream.value;
    });
    await this.#rest();
  }

  async append(stream: number, bits: number, timeMs: number): Promise<number | Refused> {
    const sequence = this.#handle(stream).appendBits(bits, timeMs);
    const refused = refusalCode(sequence);
    await this.#rest();
    if (refused !== null && refused !== 'RAM_FULL')
      throw new Divergence('INV-03', `append was refused with ${refused}`);
    return refused === null ? sequence : { refused };
  }

  async read(stream: number, max: number): Promise<readonly StoreRecord[]> {
    const read = await this.#guarded(this.#handle(stream).read(max));
    if (!read.ok) throw new Divergence('INV-03', `read failed: ${read.failure.message}`);
    await this.#rest();
    const { sequences, epochs, bits, timesMs } = read.value;
    return Array.from(bits, (each, i) => ({
      bits: each,
      timeMs: timesMs[i] as number,
      sequence: sequences[i],
      epoch: epochs[i],
    }));
  }

  acknowledge(stream: number, n: number): Promise<Refused | undefined> {
    return this.#settled(this.#handle(stream).acknowledge(n));
  }

  discard(stream: number, n: number): Promise<Refused | undefined> {
    return this.#settled(this.#handle(stream).discard(n));
  }

  revert(stream: number): Promise<Refused | undefined> {
    return this.#settled(this.#handle(stream).revert());
  }

  async flush(fault?: Fault): Promise<Refused | undefined> {
    const { inject } = this.#bench;
    if (fault !== undefined) await inject?.(injected(fault));
    const flushed = await this.#guarded((this.#engine as Engine).flush());
    if (fault !== undefined) await inject?.(null);
    return this.#settled(flushed);
  }

  async crash(inFlush?: number): Promise<void> {
    if (inFlush !== undefined) await this.#flushUpTo(inFlush);
    this.#drop();
    await this.#quiet();
    this.#observed?.note(this.#bench.cutPower === null ? 'the process is killed' : 'power is cut', '');
    if (this.#bench.cutPower !== null) await this.#bench.cutPower();
    else await this.#platform?.disk?.unlock();
  }

  inspect(): StoreMarks {
    const engine = this.#engine as Engine;
    const { streams } = engine.inspect();
    const { evicted, damaged } = engine.stats();
    return {
      streams: this.#scenario.streams.map(
        ({ source, sensor }) =>
          streams.find((stream) => stream.source === source && stream.sensor === sensor) ?? NO_MARKS,
      ),
      lost: evicted + damaged,
    };
  }

  async close(): Promise<void> {
    this.#callsAtEnd = this.#calls.length;
    if (this.#engine !== null && this.#observed?.broken == null) await this.#guarded(this.#engine.close());
    this.#drop();
    await this.#bench.dispose();
  }

  #handle(stream: number): StreamHandle {
    return this.#handles[stream] as StreamHandle;
  }

  /** A flush begins and is cut off at the gate, or ends before it. */
  async #flushUpTo(operations: number): Promise<void> {
    const gate = this.#gate;
    if (gate === null || this.#engine === null) return;
    gate.budget = operations;
    let ended = false;
    const end = (): void => {
      ended = true;
    };
    this.#engine.flush().then(end, end);
    while (!ended && !gate.held && this.#observed?.broken === null) await macrotask();
    await this.#quiet();
  }

  #drop(): void {
    this.#gate?.close();
    if (this.#engine !== null) this.#engine.onEvent = null;
    this.#engine = null;
    this.#handles = [];
  }

  async #settled(result: {
    readonly ok: boolean;
    readonly failure?: { readonly code: string; readonly message: string };
  }): Promise<Refused | undefined> {
    await this.#rest();
    if (result.ok) return undefined;
    const { code = '', message = '' } = result.failure ?? {};
    if (code !== 'BOUNDS_VIOLATION' && code !== 'IO_FAILED') throw new Divergence('answer', `${code}: ${message}`);
    return { refused: code, message };
  }

  /** Nothing is under way any more at the adapter. */
  async #quiet(): Promise<void> {
    while (this.#gate !== null && !this.#gate.idle) await macrotask();
    this.#nameBreach();
  }

  /** Everything that the last step set going has ended, a flush in the background too. */
  async #rest(): Promise<void> {
    const gate = this.#gate;
    if (gate === null) return;
    do {
      await this.#quiet();
      await macrotask();
    } while (!gate.idle);
    this.#nameBreach();
  }

  /** Waits for the engine, unless the adapter has done what the engine cannot go on from. */
  async #guarded<T>(work: Promise<T>): Promise<T> {
    const gate = this.#gate;
    if (gate === null) return work;
    const breach = gate.breach.then((thrown) => {
      this.#nameBreach();
      throw thrown;
    });
    return Promise.race([work, breach]);
  }

  /** What the port forbids is the adapter's fault, whatever the engine made of it. */
  #nameBreach(): void {
    const broken = this.#observed?.broken;
    if (broken != null) throw new Divergence(broken.law ?? 'port', broken.message);
  }
}

/** The platform's own functions, bound: it may be an object with methods. */
function bare(platform: Platform): Platform {
  const crc32 = platform.crc32?.bind(platform);
  return {
    name: platform.name,
    disk: platform.disk,
    nowMs: () => platform.nowMs(),
    newStoreId: () => platform.newStoreId(),
    ...(crc32 === undefined ? {} : { crc32 }),
  };
}
