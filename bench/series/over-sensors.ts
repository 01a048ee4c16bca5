/**
 * Cost of a record over the number of sensors: append, flush and acknowledge apart, on the same number of records a
 * flush. Few sensors have long blocks and many short ones; the flush's own constant is the same for all.
 *
 * Each figure is the fastest of some rounds: what disturbs a machine only ever adds. Each count has its turn with tsd and with evt streams, since a single sensor can only be one of them.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kind } from '../../src/index.ts';
import { KINDS } from '../../src/index.ts';
import type { Sample } from './slope.ts';
import { evenLoad, nsPerRecord, openStreams, timeAcknowledges, timeAppends, timeBareLoop, timeFlush } from './work.ts';

export interface SensorsPlan {
  readonly counts: readonly number[];
  /** The same at every count; a multiple of each. */
  readonly recordsPerFlush: number;
  /** Flushes that count, of which the fastest gives each figure; one more before them does not. */
  readonly rounds: number;
  /** Records an acknowledge names: no more than a sensor has in a flush, so that every count makes as many calls. */
  readonly acknowledgeRecords: number;
}

/** Powers of two, 1 to 2,048. */
export const SENSOR_COUNTS = Array.from({ length: 12 }, (_, power) => 2 ** power);

export interface SensorsSample extends Sample {
  readonly sensors: number;
  readonly appendNsPerRecord: number;
  readonly flushNsPerRecord: number;
  readonly acknowledgeNsPerRecord: number;
  readonly bareLoopNsPerRecord: number;
}

/** One repetition: a sample for each count. @param directory exists; left empty. */
export async function overSensors(directory: string, seed: number, plan: SensorsPlan): Promise<SensorsSample[]> {
  const samples: SensorsSample[] = [];
  for (const sensors of plan.counts) {
    const turns: Costs[] = [];
    for (const kind of KINDS) turns.push(await oneTurn(join(directory, kind), seed, kind, sensors, plan));
    const records = plan.recordsPerFlush * KINDS.length;
    const sum = (name: keyof Costs): number => turns.reduce((total, turn) => total + turn[name], 0);
    samples.push({
      sensors,
      appendNsPerRecord: nsPerRecord(sum('appendMs'), records),
      flushNsPerRecord: nsPerRecord(sum('flushMs'), records),
      acknowledgeNsPerRecord: nsPerRecord(sum('acknowledgeMs'), records),
      bareLoopNsPerRecord: nsPerRecord(sum('bareLoopMs'), records),
    });
  }
  return samples;
}

interface Costs {
  appendMs: number;
  flushMs: number;
  acknowledgeMs: number;
  bareLoopMs: number;
}

async function oneTurn(
  directory: string,
  seed: number,
  kind: Kind,
  sensors: number,
  plan: SensorsPlan,
): Promise<Costs> {
  const { recordsPerFlush, rounds, acknowledgeRecords } = plan;
  const load = evenLoad(seed, kind, sensors, recordsPerFlush * (rounds + 1));
  await mkdir(directory);
  const { store, streams } = await openStreams(directory, load.sensors);
  const costs: Costs = {
    appendMs: Number.POSITIVE_INFINITY,
    flushMs: Number.POSITIVE_INFINITY,
    acknowledgeMs: Number.POSITIVE_INFINITY,
    bareLoopMs: Number.POSITIVE_INFINITY,
  };
  globalThis.gc?.();
  for (let round = 0; round <= rounds; round++) {
    const from = round * recordsPerFlush;
    const to = from + recordsPerFlush;
    const appendMs = timeAppends(streams, load, from, to);
    const flushMs = await timeFlush(store);
    const acknowledgeMs = await timeAcknowledges(streams, recordsPerFlush, acknowledgeRecords);
    const bareLoopMs = timeBareLoop(load, from, to);
    if (round === 0) continue;
    costs.appendMs = Math.min(costs.appendMs, appendMs);
    costs.flushMs = Math.min(costs.flushMs, flushMs);
    costs.acknowledgeMs = Math.min(costs.acknowledgeMs, acknowledgeMs);
    costs.bareLoopMs = Math.min(costs.bareLoopMs, bareLoopMs);
  }
  await store.close();
  await rm(directory, { recursive: true });
  return costs;
}
