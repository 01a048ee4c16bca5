/**
 * The rows about growth: what a record costs over the number of sensors, the size of the pool, what is stored, and time.
 * Each row is the exponent of one cost; its raw figures are the curves that docs/performance.md draws, with the peers and
 * the limits that were measured beside it.
 */

import { thousands } from '../../src/cli/screen.ts';
import { referenceLoad } from '../load.ts';
import type { BenchContext, MeasuredRow, RowGroup } from '../row.ts';
import { median } from '../row.ts';
import { ingest } from './ingest.ts';
import { type OverPool, overPool, POOL_BYTES, type PoolPlan } from './over-pool.ts';
import { overSensors, SENSOR_COUNTS, type SensorsPlan, type SensorsSample } from './over-sensors.ts';
import { overStored, type RecoverySample, STORED_SIZES, type StoredPlan } from './over-stored.ts';
import { gathered, LINEAR_MOST, type Point, type Sample, slopeDemand, slopeRow } from './slope.ts';
import { inWindows, type Timeline, type TimelineName, type TimelinePlan, timeline } from './timeline.ts';

const MB = 1_000_000;
/** Peers are there for the picture: their turns are as long as all of ours, so they have fewer. */
const PEER_REPETITIONS = 3;
const BATCH_RECORDS = 16_000;

const peerTurns = ({ repetitions }: BenchContext): number => Math.min(PEER_REPETITIONS, repetitions);
const every = <T>(list: readonly T[], step: number): T[] =>
  list.filter((_, i) => i % step === 0 || i === list.length - 1);

/** Points by peer, each figure with one value a repetition. */
type Curves = Readonly<Record<string, readonly Point[]>>;

// Over sensors

const APPEND_SENSORS = slopeDemand('growth-append-sensors', 'growth: append, 1 to 2,048 sensors');
const FLUSH_SENSORS = slopeDemand('growth-flush-sensors', 'growth: flush, 1 to 2,048 sensors');
const ACKNOWLEDGE_SENSORS = slopeDemand('growth-acknowledge-sensors', 'growth: acknowledge, 1 to 2,048 sensors');

const sensorsPlan = (quick: boolean): SensorsPlan => ({
  counts: quick ? every(SENSOR_COUNTS, 4) : SENSOR_COUNTS,
  recordsPerFlush: 65_536,
  rounds: quick ? 2 : 3,
  acknowledgeRecords: 32,
});

export const growthSensors: RowGroup = {
  name: 'growth-sensors',
  rows: [APPEND_SENSORS, FLUSH_SENSORS, ACKNOWLEDGE_SENSORS],
  async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
    const plan = sensorsPlan(context.quick);
    const repetitions: SensorsSample[][] = [];
    for (let i = 0; i < context.repetitions; i++) {
      context.progress(`append, flush, acknowledge, repetition ${i + 1} of ${context.repetitions}`);
      repetitions.push(await overSensors(context.directory, context.seed + i, plan));
    }
    const ingested = await ingestOverSensors(context);
    const bareLoop = gathered(
      'sensors',
      repetitions.map((samples) =>
        samples.map(({ sensors, bareLoopNsPerRecord }) => ({ sensors, nsPerRecord: bareLoopNsPerRecord })),
      ),
    );
    const note = `exponent of the time per record: 0 is flat, 1 doubles it with every doubling; ${thousands(plan.recordsPerFlush)} records a flush at each count of sensors, all of one source; fastest of ${plan.rounds} rounds, tsd and evt`;
    return [
      slopeRow(APPEND_SENSORS, ['sensors', 'appendNsPerRecord'], repetitions, note, {
        limits: { 'bare-loop': bareLoop },
      }),
      slopeRow(FLUSH_SENSORS, ['sensors', 'flushNsPerRecord'], repetitions, note, { ingest: ingested }),
      slopeRow(ACKNOWLEDGE_SENSORS, ['sensors', 'acknowledgeNsPerRecord'], repetitions, note),
    ];
  },
};

async function ingestOverSensors(context: BenchContext): Promise<Curves> {
  const { quick, seed, directory } = context;
  const counts = quick ? [1, 64, 2_048] : [1, 4, 16, 64, 256, 1_024, 2_048];
  const names = ['own', 'sqlite-rows', 'append-log'];
  const repetitions = Object.fromEntries(names.map((name): [string, Sample[][]] => [name, []]));
  for (let i = 0; i < peerTurns(context); i++) {
    for (const name of names) repetitions[name]?.push([]);
    for (const sensors of counts) {
      const load = referenceLoad(seed, BATCH_RECORDS * (quick ? 3 : 13), sensors);
      for (const name of names) {
        context.progress(`ingest of ${name}, ${sensors} sensors, repetition ${i + 1} of ${peerTurns(context)}`);
        repetitions[name]?.at(-1)?.push({ sensors, ...(await ingest(directory, name, load, BATCH_RECORDS)) });
      }
    }
  }
  return byName('sensors', repetitions);
}

const byName = (xName: string, repetitions: Readonly<Record<string, readonly (readonly Sample[])[]>>): Curves =>
  Object.fromEntries(Object.entries(repetitions).map(([name, samples]) => [name, gathered(xName, samples)]));

// Over the pool

const INGEST_POOL = slopeDemand('growth-ingest-pool', 'growth: durable ingest, pool of 64 KiB to 16 MiB');

const poolPlan = (quick: boolean): PoolPlan => ({
  poolBytes: quick ? every(POOL_BYTES, 4).slice(0, 2) : POOL_BYTES,
  sensors: 200,
  records: 240_000,
  peers: ['sqlite-rows', 'append-log'],
  peersAt: every(POOL_BYTES, 2),
});

export const growthPool: RowGroup = {
  name: 'growth-pool',
  rows: [INGEST_POOL],
  async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
    const plan = poolPlan(context.quick);
    const repetitions: OverPool[] = [];
    for (let i = 0; i < context.repetitions; i++) {
      context.progress(`pool sizes, repetition ${i + 1} of ${context.repetitions}`);
      const peers = i < peerTurns(context) ? plan.peers : [];
      repetitions.push(await overPool(context.directory, context.seed + i, { ...plan, peers }));
    }
    const own = repetitions.map((each) => each.own);
    const peers = plan.peers.map((name) => [name, repetitions.map((each) => each.peers[name] ?? [])] as const);
    const note = `exponent of the time per durable record: at most flat, for a larger pool means fewer flushes; ${plan.sensors} sensors, sectors of 64 bytes, a flush when the store asks for one`;
    return [
      slopeRow(INGEST_POOL, ['poolBytes', 'nsPerRecord'], own, note, {
        ingest: byName('poolBytes', { own, ...Object.fromEntries(peers) }),
      }),
    ];
  },
};

// Over what is stored

const APPEND_STORED = slopeDemand('growth-append-stored', 'growth: append, 0 to 256 MB stored');
const FLUSH_STORED = slopeDemand('growth-flush-stored', 'growth: flush, 0 to 256 MB stored');
const ACKNOWLEDGE_STORED = slopeDemand('growth-acknowledge-stored', 'growth: acknowledge, 0 to 256 MB stored');
const RECOVERY = slopeDemand('growth-recovery', 'growth: recovery, 8 to 256 MB stored', LINEAR_MOST);

/** Below it, opening costs more than reading. */
const RECOVERY_FROM_BYTES = 8 * MB;
/** Two times are subtracted; on a busy machine the difference may come out below nothing. */
const LEAST_MS = 0.001;

const storedPlan = ({ quick, repetitions }: BenchContext): StoredPlan => ({
  sizes: quick ? STORED_SIZES.filter((bytes) => bytes <= 32 * MB) : STORED_SIZES,
  sensors: 1_024,
  recordsPerFlush: 65_536,
  acknowledgeRecords: 32,
  repetitions,
  rounds: quick ? 2 : 3,
});

export const growthStored: RowGroup = {
  name: 'growth-stored',
  rows: [APPEND_STORED, FLUSH_STORED, ACKNOWLEDGE_STORED, RECOVERY],
  async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
    const plan = storedPlan(context);
    const { work, recovery } = await overStored(context.directory, context.seed, plan, (bytes) =>
      context.progress(`store of ${bytes / MB} MB`),
    );
    const note = `exponent of the time per record: 0 is flat; a store of ${thousands(plan.sensors)} evt sensors with ${sizesText(plan)}, ${thousands(plan.recordsPerFlush)} records a flush; fastest of ${plan.rounds} rounds`;
    const slope = (demand: typeof APPEND_STORED, yName: string): MeasuredRow =>
      slopeRow(demand, ['storedBytes', yName], work, note);
    return [
      slope(APPEND_STORED, 'appendNsPerRecord'),
      slope(FLUSH_STORED, 'flushNsPerRecord'),
      slope(ACKNOWLEDGE_STORED, 'acknowledgeNsPerRecord'),
      recoveryRow(recovery, plan),
    ];
  },
};

const sizesText = ({ sizes }: StoredPlan): string =>
  `${(sizes[0] as number) / MB} to ${(sizes.at(-1) as number) / MB} MB stored`;

function recoveryRow(recovery: readonly (readonly RecoverySample[])[], plan: StoredPlan): MeasuredRow {
  const emptyMs = Math.min(...recovery.flat().map((sample) => sample.emptyMs));
  const aboveEmpty = recovery.map((samples) =>
    samples
      .filter(({ storedBytes }) => storedBytes >= RECOVERY_FROM_BYTES)
      .map(({ storedBytes, recoveryMs }) => ({
        storedBytes,
        aboveEmptyMs: Math.max(LEAST_MS, recoveryMs - emptyMs),
      })),
  );
  const note = `exponent of the time to open the store, less the time for an empty one: 1 is linear; ${sizesText(plan)}, of which those from ${RECOVERY_FROM_BYTES / MB} MB on count; files in the page cache`;
  return slopeRow(RECOVERY, ['storedBytes', 'aboveEmptyMs'], aboveEmpty, note, {
    emptyMs,
    recovery: {
      own: gathered(
        'storedBytes',
        recovery.map((samples) => samples.map(({ storedBytes, recoveryMs }) => ({ storedBytes, recoveryMs }))),
      ),
      'bare-read': gathered(
        'storedBytes',
        recovery.map((samples) =>
          samples.map(({ storedBytes, bareReadMs }) => ({ storedBytes, recoveryMs: bareReadMs })),
        ),
      ),
    },
  });
}

// Over time

const APPEND_TIME = slopeDemand('growth-append-time', 'growth: longest append in 10 ms, over the seconds of a run');
const WINDOW_MS = 100;

const timePlan = (quick: boolean): TimelinePlan => ({
  recordsPerSecond: 200_000,
  seconds: quick ? 1 : 3,
  batchRecords: BATCH_RECORDS,
  sensors: 2_000,
});

export const growthTime: RowGroup = {
  name: 'growth-time',
  rows: [APPEND_TIME],
  async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
    const plan = timePlan(context.quick);
    const run = async (name: TimelineName, turns: number): Promise<Timeline[]> => {
      const lines: Timeline[] = [];
      for (let i = 0; i < turns; i++) {
        context.progress(`paced producer, ${name}, repetition ${i + 1} of ${turns}`);
        lines.push(await timeline(context.directory, name, context.seed + i, plan));
      }
      return lines;
    };
    const own = await run('own', context.repetitions);
    const rows = await run('sqlite-rows', peerTurns(context));
    const note = `exponent of the longest append in each 10 ms, by its median over 100 ms; a producer paced at ${thousands(plan.recordsPerSecond)} records a second, a flush asked for every ${thousands(plan.batchRecords)} records`;
    const windows = own.map((line) => inWindows(line, WINDOW_MS));
    return [
      slopeRow(APPEND_TIME, ['seconds', 'longestAppendMs'], windows, note, {
        timelines: { own: middle(own), 'sqlite-rows': middle(rows) },
      }),
    ];
  },
};

const longest = ({ longestAppendMs }: Timeline): number => Math.max(...longestAppendMs);

/** The run whose longest append is the median, or next above it: one run is drawn, and it is neither the best nor the worst. */
function middle(lines: readonly Timeline[]): Timeline {
  const least = median(lines.map(longest));
  const above = lines.filter((line) => longest(line) >= least).sort((a, b) => longest(a) - longest(b));
  return above[0] as Timeline;
}

export const GROWTH_GROUPS: readonly RowGroup[] = [growthSensors, growthPool, growthStored, growthTime];
