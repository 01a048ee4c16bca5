/**
 * The first half of a replay: samples go into the store, at the pace at which the store takes them.
 *
 * Nothing is lost on the way: RAM_FULL waits until a flush has made room and tries again. Flushes happen by themselves.
 */
import { performance } from 'node:perf_hooks';
import type { SensorStream, Store } from '../../index.ts';
import { RAM_FULL, refusalCode, StoreError } from '../../index.ts';
import { fromBits, toBits } from '../recordings/value-type.ts';
import type { Plug } from './cuts.ts';
import type { Gauge, Send } from './messages.ts';
import type { Plan, StreamPlan } from './plan.ts';
import { streamOptions, walk } from './plan.ts';

/** Samples between two turns of the event loop: the flush runs there. */
const TURN_SAMPLES = 256;
const GAUGE_EVERY_MS = 40;
/** Flushes that fail in a row, with growing pauses, before a full pool is given up: about seven seconds. */
const FLUSH_FAILURES_MAX = 3;

/** Appends that go on while the flush runs that a cut shall fall into. */
const SAMPLES_AFTER_CUT = 512;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function gaugeOf(store: Store, flushAtSectors: number): Gauge {
  const stats = store.stats();
  return {
    poolUsed: stats.poolUsedSectors,
    poolSectors: stats.poolSectors,
    flushAtSectors,
    flushes: stats.flushes,
    segments: stats.segmentsWritten,
    diskBytes: stats.diskBytes,
  };
}

/** Sends a gauge now and then. */
export function gaugeSender(store: Store, send: Send): (now?: boolean) => void {
  const { flushAtSectors } = store.inspect().pool;
  let sentMs = 0;
  return (now = false) => {
    const nowMs = performance.now();
    if (!now && nowMs - sentMs < GAUGE_EVERY_MS) return;
    sentMs = nowMs;
    send({ type: 'gauge', gauge: gaugeOf(store, flushAtSectors) });
  };
}

export interface Feeding {
  readonly store: Store;
  readonly plan: Plan;
  /** Number of the first sample to feed. */
  readonly from: number;
  readonly plug: Plug;
  readonly send: Send;
  /** Aborted by the user: feeding ends where it is. */
  readonly signal: AbortSignal;
}

/** @returns the number of the first sample that was not stored: the total, or less when the store took no more. */
export async function feed({ store, plan, from, plug, send, signal }: Feeding): Promise<number> {
  const streams: (SensorStream | undefined)[] = [];
  const dirty = new Map<number, number>();
  const gauge = gaugeSender(store, send);
  const cutAt = plug.atSample('append');
  const giveUp = new AbortController();
  let failures = 0;
  let reported = from;
  let next = from;
  const stopListening = [
    store.on('flushFailed', () => {
      failures++;
      if (failures >= FLUSH_FAILURES_MAX) giveUp.abort();
    }),
    store.on('flushed', () => {
      failures = 0;
    }),
  ];
  const report = (): void => {
    if (reported < next) send({ type: 'fed', to: next, appended: [...dirty] });
    dirty.clear();
    reported = next;
    gauge();
  };
  /** The pool is full: backpressure, as a producer that can wait does it. */
  const putWhenReady = async (stream: SensorStream, bits: number, timeMs: number): Promise<number> => {
    for (;;) {
      if (failures >= FLUSH_FAILURES_MAX || !(await becomesReady(store, giveUp.signal, signal))) return RAM_FULL;
      const sequence = stream.appendBits(bits, timeMs);
      if (sequence !== RAM_FULL) return sequence;
    }
  };
  let cutReached = false;
  const pastCut = (): void => {
    if (cutReached || next < cutAt) return;
    cutReached = true;
    report();
    plug.reached();
    // The cut falls into a flush: into the one that runs, else into this one.
    store.flush().catch((error: unknown) => send({ type: 'flushFailed', message: String(error) }));
  };
  try {
    pastCut();
    for await (const step of walk(plan, from)) {
      for (const [i, sample] of step.samples.entries()) {
        const index = step.streams[i] as number;
        const planned = plan.streams[index] as StreamPlan;
        let stream = streams[index];
        if (stream === undefined) {
          stream = store.stream(planned.source, planned.sensor, streamOptions(planned));
          streams[index] = stream;
        }
        const bits = toBits(sample.value, planned.type);
        // No await between an append and its report, except here, where everything before has been reported.
        let sequence = stream.appendBits(bits, sample.timeMs);
        if (sequence === RAM_FULL) {
          report();
          sequence = await putWhenReady(stream, bits, sample.timeMs);
        }
        if (sequence === RAM_FULL || signal.aborted) return next;
        if (sequence < 0) {
          const value = fromBits(bits, planned.type);
          throw new Error(`${planned.name} ${value} at ${sample.timeMs}: ${refusalCode(sequence)}`);
        }
        dirty.set(index, sequence + 1);
        next++;
        pastCut();
        if (next >= cutAt + SAMPLES_AFTER_CUT) return next;
        if (next % TURN_SAMPLES === 0) {
          report();
          await turn();
        }
      }
      report();
    }
    return next;
  } finally {
    report();
    gauge(true);
    for (const stop of stopListening) stop();
  }
}

/** Waits for room in the pool; false when the flushes keep failing, or the user stops. */
async function becomesReady(store: Store, giveUp: AbortSignal, stop: AbortSignal): Promise<boolean> {
  try {
    await store.ready({ signal: AbortSignal.any([giveUp, stop]) });
    return true;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'ABORTED') return false;
    throw error;
  }
}
