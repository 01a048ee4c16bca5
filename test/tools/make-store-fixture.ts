/**
 * Writes test/fixtures/store-v3: a small store as format version 3 lays it out, and what is in it. Run once per format
 * version, `node test/tools/make-store-fixture.ts DIRECTORY`; the committed fixture stays as it is for good, so that a
 * store written today is read by every later version. (That of version 1 has the first four streams.)
 *
 * Deterministic: a clock that stands, a fixed store id, a simulated disk.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scanSegment } from '../../src/core/segment.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { StreamOptions } from '../../src/core/types.ts';
import { unwrap, Workbench } from '../core/workbench.ts';

const START_MS = 1_700_000_000_000;

/** One stream of each kind and type, over all sources. */
const STREAMS = [
  ['host', 1, { kind: 'tsd', periodMs: 1000, type: 'float32', priority: 9 }],
  ['host', 2, { kind: 'evt', type: 'uint32' }],
  ['mgc', 0x18fe_f100, { kind: 'evt', type: 'int32', priority: 200 }],
  ['can_controller', 0xffff_ffff, { kind: 'tsd', periodMs: 250, type: 'uint32' }],
  ['host', 3, { kind: 'tsd', periodMs: 60_000, type: 'float32' }],
  ['mgc', 4, { kind: 'evt', type: 'float32' }],
] as const satisfies readonly (readonly [string, number, StreamOptions])[];

/**
 * The value and time of the i-th record of each stream: fractions, NaN, negatives, all bits, time jumping back, tenths,
 * and a fraction that no scale fits.
 */
const RECORDS: readonly ((i: number) => readonly [value: number, timeMs: number])[] = [
  (i) => [i === 3 ? Number.NaN : i * 0.5 - 1, START_MS + i * 1000 + (i >= 8 ? 300_000 : 0)],
  (i) => [i, START_MS + i * 10],
  (i) => [i % 2 === 0 ? -i * 1000 : 2_147_483_647 - i, START_MS + (i === 5 ? -60_000 : i * 333)],
  (i) => [(0xffff_ffff - i * 0x1111_1111) >>> 0, START_MS + i * 250],
  (i) => [20.5 + ((i * 7) % 5) / 10, START_MS + i * 60_000],
  (i) => [70 + Math.sqrt(i), START_MS + i * 1000 + ((i * i) % 7)],
];

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: make-store-fixture.ts DIRECTORY');

const bench = new Workbench({ poolBytes: 3200 });
bench.clock.wallMs = START_MS;
bench.ids.next = () => Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);
unwrap(await bench.tryOpen());
const handles: StreamHandle[] = STREAMS.map(([source, sensor, options]) => bench.stream(source, sensor, options));

function append(records: number): void {
  handles.forEach((handle, s) => {
    const { appended } = handle.marks();
    for (let i = appended; i < appended + records; i++) {
      const [value, timeMs] = (RECORDS[s] as (typeof RECORDS)[number])(i);
      if (handle.append(value, timeMs) !== i) throw new Error(`record ${i} of ${handle.sensor} was refused`);
    }
  });
}

for (const records of [6, 6, 2]) {
  append(records);
  unwrap(await bench.engine.flush());
}
// The second stream's block of the second flush goes bad, which a read finds: a hole, and an entry in the ledger.
const damaged = handles[1] as StreamHandle;
const badBlock = bench.disk.files().find(({ name }) => name === '000000000004.seg');
if (badBlock === undefined) throw new Error('the second flush has written 000000000004.seg');
const scan = scanSegment(badBlock.content);
const block = scan.state === 'ok' ? scan.blocks.find(({ sensor }) => sensor === 2) : undefined;
if (block === undefined) throw new Error('the second flush has written a block of sensor 2');
bench.disk.flipBit('host', badBlock.name, block.bodyAt * 8);
unwrap(await damaged.read(100));
unwrap(damaged.revert());
unwrap(await (handles[0] as StreamHandle).read(5));
unwrap((handles[0] as StreamHandle).acknowledge(4));
unwrap(await (handles[2] as StreamHandle).read(2));
unwrap((handles[2] as StreamHandle).acknowledge(2));
unwrap((handles[3] as StreamHandle).discard(3));
unwrap(await bench.engine.close());

for (const { directory: part, name, content } of bench.disk.files()) {
  mkdirSync(join(directory, 'store', part), { recursive: true });
  writeFileSync(join(directory, 'store', part, name), content);
}

const again = new Workbench({ poolBytes: 3200 }, bench.disk);
unwrap(await again.tryOpen());
const { storeId, streams } = again.engine.inspect();
const expected = {
  storeId,
  epoch: again.engine.epoch - 1,
  streams: await Promise.all(
    STREAMS.map(async ([source, sensor, options], s) => {
      const batch = unwrap(await again.stream(source, sensor, options).read(1000));
      const { head, appended, discarded, damaged: lost, holes } = streams[s] as (typeof streams)[number];
      const records = [...batch.sequences].map((sequence, i) => [
        sequence,
        batch.epochs[i],
        batch.timesMs[i],
        batch.bits[i],
      ]);
      return { source, sensor, ...options, head, appended, discarded, damaged: lost, holes, records };
    }),
  ),
  ledger: again.engine.ledger().entries,
};
const lines = JSON.stringify(expected, null, 2).replace(
  /\[\s+(\d+),\s+(\d+),\s+(\d+),\s+(\d+)\s+\]/g,
  '[$1, $2, $3, $4]',
);
writeFileSync(join(directory, 'expected.json'), `${lines}\n`);
