/**
 * How many bytes of segment files a record of a real recording takes. The recordings go into a store record by record, with
 * the small pool that the demonstration has, flushed when the store wants to; then the sizes of its segment files are added
 * up, headers, checksums and all. The store is opened again, and every time and every value must be the recording's,
 * bit for bit.
 *
 * The row is about tsd streams, which are in a store by themselves. What event records take, and what either takes with
 * the default pool, which flushes less often, is in `raw`.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type StreamPlan, streamOptions } from '../../src/cli/replay/plan.ts';
import { createLinuxPlatform, RAM_FULL, refusalCode, type SensorStream, type Store } from '../../src/index.ts';
import { type BenchContext, type MeasuredRow, measuredRow, type RowDemand, type RowGroup } from '../row.ts';
import { openOwn } from './open-own.ts';
import { inDirectory } from './producers.ts';
import { type Recorded, readRecordings } from './recorded-streams.ts';

const POOLS = { small: '64KiB', default: '4MiB' } as const;
const READ_RECORDS = 1_000;
/** Records between two turns of the event loop: the flush runs there. */
const TURN_RECORDS = 256;

const TSD: RowDemand = {
  id: 'bytes-per-tsd-record',
  title: 'bytes of segment files a tsd record of the real recordings, lossless',
  compare: 'at-most',
  demand: 2,
  unit: 'B/record',
};

export interface Density {
  readonly records: number;
  readonly streams: number;
  readonly segments: number;
  readonly bytes: number;
  readonly bytesPerRecord: number;
}

/** The records of one kind, in their order. */
export function ofKind(recorded: Recorded, kind: StreamPlan['kind']): Recorded {
  const at = recorded.stream.flatMap((stream, i) => (recorded.streams[stream]?.kind === kind ? [i] : []));
  const pick = (column: readonly number[]): number[] => at.map((i) => column[i] as number);
  return { ...recorded, stream: pick(recorded.stream), timeMs: pick(recorded.timeMs), bits: pick(recorded.bits) };
}

/** Stores, counts, reads back. @throws Error when a record comes back another one, or not at all. */
export async function measureDensity(directory: string, recorded: Recorded, poolBytes: string): Promise<Density> {
  const writing = await openOwn(createLinuxPlatform({ directory }), [], { poolBytes });
  await store(writing.store, recorded);
  await writing.store.close();
  const segments = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.seg'),
  );
  const bytes = segments.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  const reading = await openOwn(createLinuxPlatform({ directory }), [], { poolBytes });
  await compare(reading.store, recorded);
  await reading.store.close();
  const records = recorded.stream.length;
  const streams = new Set(recorded.stream).size;
  return { records, streams, segments: segments.length, bytes, bytesPerRecord: bytes / records };
}

async function store(into: Store, { streams: plans, stream, timeMs, bits }: Recorded): Promise<void> {
  const streams = new Map<number, SensorStream>();
  for (let i = 0; i < stream.length; i++) {
    const index = stream[i] as number;
    const target = streams.get(index) ?? openStream(into, plans[index] as StreamPlan);
    streams.set(index, target);
    let sequence = target.appendBits(bits[i] as number, timeMs[i] as number);
    if (sequence === RAM_FULL) {
      await into.ready();
      sequence = target.appendBits(bits[i] as number, timeMs[i] as number);
    }
    if (sequence < 0) throw new Error(`record ${i} of the recordings was refused: ${refusalCode(sequence)}`);
    if (i % TURN_RECORDS === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

const openStream = (into: Store, plan: StreamPlan): SensorStream =>
  into.stream(plan.source, plan.sensor, streamOptions(plan));

async function compare(from: Store, { streams: plans, stream, timeMs, bits }: Recorded): Promise<void> {
  const recordsOf = new Map<number, number[]>();
  for (const [i, index] of stream.entries()) {
    const records = recordsOf.get(index);
    if (records === undefined) recordsOf.set(index, [i]);
    else records.push(i);
  }
  for (const [index, records] of recordsOf) {
    const plan = plans[index] as StreamPlan;
    const back = openStream(from, plan);
    let next = 0;
    for (let batch = await back.read(READ_RECORDS); batch.length > 0; batch = await back.read(READ_RECORDS)) {
      for (let k = 0; k < batch.length; k++, next++) {
        const i = records[next] ?? -1;
        if (batch.bits[k] !== bits[i] || batch.timesMs[k] !== timeMs[i]) {
          throw new Error(`record ${next} of ${plan.name} came back as another one than was stored`);
        }
      }
    }
    if (next !== records.length) throw new Error(`${records.length - next} records of ${plan.name} did not come back`);
  }
}

const KINDS = ['tsd', 'evt'] as const;
export type Densities = Readonly<Record<string, Density>>;

/** Of both kinds with both pools; `tsdSmallPool` is the row's. */
export async function measureDensities(context: BenchContext, recorded: Recorded): Promise<Densities> {
  const densities: Record<string, Density> = {};
  for (const kind of KINDS) {
    const records = ofKind(recorded, kind);
    if (records.stream.length === 0) continue;
    for (const [pool, poolBytes] of Object.entries(POOLS)) {
      context.progress(`${kind} records, pool of ${poolBytes}`);
      const name = `${kind}${pool === 'small' ? 'Small' : 'Default'}Pool`;
      densities[name] = await inDirectory(context.directory, name, (directory) =>
        measureDensity(directory, records, poolBytes),
      );
    }
  }
  return densities;
}

export function densityRow(
  densities: Densities,
  { files, missing, streams }: Pick<Recorded, 'files' | 'missing' | 'streams'>,
): MeasuredRow {
  const row = densities.tsdSmallPool;
  if (row === undefined) throw new Error(`none of the recordings has a tsd stream: ${files.join(', ')}`);
  const without = missing.length === 0 ? '' : ` Not there, and so not in the figure: ${missing.join(', ')}.`;
  const ofTsd = new Set(streams.filter(({ kind }) => kind === 'tsd').map(({ input }) => files[input]));
  const note = `Counted, not timed: ${row.records} records of ${row.streams} streams in ${[...ofTsd].join(', ')}.${without}`;
  return measuredRow(TSD, [row.bytesPerRecord], { pools: POOLS, files, missing, ...densities }, note);
}

export const density: RowGroup = {
  name: 'density',
  rows: [TSD],
  async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
    context.progress('reading the recordings');
    const recorded = await readRecordings();
    return [densityRow(await measureDensities(context, recorded), recorded)];
  },
};
