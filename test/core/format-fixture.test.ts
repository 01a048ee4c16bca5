/**
 * The committed store of each format version decodes to the records it was made of, for good: whoever changes the format
 * raises the version and keeps reading these.
 */
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readU32, toHex } from '../../src/core/bytes.ts';
import { completeBatches, readPartHeader, scanPart } from '../../src/core/checkpoint-format.ts';
import { CheckpointImage } from '../../src/core/checkpoint-image.ts';
import { crc32 } from '../../src/core/crc32.ts';
import type { Directory } from '../../src/core/port.ts';
import { SOURCE_DIRECTORIES } from '../../src/core/port.ts';
import { blockSeed, decodeBlock, scanSegment } from '../../src/core/segment.ts';
import type { StreamInspection, StreamOptions } from '../../src/core/types.ts';
import { openStore } from '../../src/index.ts';
import { temporaryDirectory } from '../platform/temporary.ts';
import { unwrap, Workbench } from './workbench.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));
/** Blocks that verify, and bytes of the one that a flipped bit has cost. */
const STORES = [
  { store: 'store-v1', blocks: 12, damagedBytes: 40 },
  { store: 'store-v2', blocks: 18, damagedBytes: 16 },
  { store: 'store-v3', blocks: 18, damagedBytes: 16 },
] as const;
const FORMAT = fileURLToPath(new URL('../../docs/format.md', import.meta.url));

type Row = readonly [sequence: number, epoch: number, timeMs: number, bits: number];

interface Expected {
  readonly storeId: string;
  readonly epoch: number;
  readonly streams: readonly (Pick<
    StreamInspection,
    'source' | 'sensor' | 'kind' | 'type' | 'head' | 'appended' | 'discarded' | 'damaged' | 'holes'
  > & { readonly periodMs?: number; readonly priority?: number; readonly records: readonly Row[] })[];
  readonly ledger: readonly unknown[];
}

class Fixture {
  readonly path: string;
  readonly expected: Expected;

  constructor(store: string) {
    this.path = join(FIXTURES, store);
    this.expected = JSON.parse(readFileSync(join(this.path, 'expected.json'), 'utf8')) as Expected;
  }

  bytesOf(directory: Directory, name: string): Uint8Array {
    return new Uint8Array(readFileSync(join(this.path, 'store', directory, name)));
  }

  namesIn(directory: Directory): string[] {
    return readdirSync(join(this.path, 'store', directory), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
  }
}

/** All bits that were put in: the damaged block's among them, and what is below the heads. */
const WRITTEN = 14;

describe.each(STORES)('the committed $store', ({ store: of, blocks: blocksIntact, damagedBytes }) => {
  const fixture = new Fixture(of);
  const { expected } = fixture;

  // Goal: the engine of today reads it. Method: its files on a simulated disk; marks, losses and every record.
  it('opens to the known marks, losses and records', async () => {
    const bench = new Workbench({ poolBytes: 3200 });
    for (const directory of ['', ...SOURCE_DIRECTORIES] as const) {
      for (const name of fixture.namesIn(directory))
        bench.disk.place(directory, name, fixture.bytesOf(directory, name));
    }
    unwrap(await bench.tryOpen());
    expect(bench.engine.storeId).toBe(expected.storeId);
    expect(bench.engine.recovery).toMatchObject({ found: 'clean', epoch: expected.epoch + 1, setAside: [] });
    expect(bench.engine.ledger().entries).toEqual(expected.ledger);
    expect(bench.engine.streams()).toHaveLength(expected.streams.length);
    for (const { records, ...stream } of expected.streams) {
      expect(bench.inspect(stream.source, stream.sensor)).toMatchObject(stream);
      const { kind, type, periodMs } = stream;
      const options: StreamOptions = { kind, type, ...(periodMs === undefined ? {} : { periodMs }) };
      const batch = unwrap(await bench.stream(stream.source, stream.sensor, options).read(100));
      const rows = [...batch.sequences].map((sequence, i) => [
        sequence,
        batch.epochs[i],
        batch.timesMs[i],
        batch.bits[i],
      ]);
      expect(rows).toEqual(records);
    }
  });

  // Goal: so does the store as a user opens it, from a real directory. Method: a copy on disk, the public interface.
  it('opens from a real directory, and goes on', async () => {
    const directory = join(temporaryDirectory(), 'store');
    cpSync(join(fixture.path, 'store'), directory, { recursive: true });
    {
      await using store = await openStore({ directory });
      expect(store.storeId).toBe(expected.storeId);
      for (const stream of store.streams()) {
        const known = expected.streams.find(
          ({ source, sensor }) => source === stream.source && sensor === stream.sensor,
        );
        const batch = await stream.read(100);
        expect([...batch.bits]).toEqual(known?.records.map((row) => row[3]));
        expect(stream.append(1, 1_800_000_000_000)).toBe(WRITTEN);
        stream.acknowledge(batch);
      }
    }
    await using again = await openStore({ directory });
    expect(again.epoch).toBe(expected.epoch + 2);
    for (const stream of again.streams()) expect((await stream.read(100)).length).toBe(1);
  });

  // Goal: each segment decodes by itself, without the engine. Method: scan every file; what is retained must be in the blocks, bit for bit.
  it('decodes block by block', () => {
    const rows = new Map<string, Row>();
    let blocks = 0;
    for (const [source, directory] of SOURCE_DIRECTORIES.entries()) {
      for (const name of fixture.namesIn(directory)) {
        const bytes = fixture.bytesOf(directory, name);
        const scan = scanSegment(bytes);
        if (scan.state !== 'ok') throw new Error(`${directory}/${name} is ${scan.state}`);
        expect(scan.header).toMatchObject({ source, epoch: 1, number: Number(name.slice(0, 12)) });
        expect(toHex(scan.header.storeId)).toBe(expected.storeId);
        // The one flipped bit costs one block.
        expect(scan.damagedBytes).toBe(name.startsWith('000000000004') ? damagedBytes : 0);
        for (const block of scan.blocks) {
          const times = new Float64Array(block.records);
          const bits = new Uint32Array(block.records);
          expect(decodeBlock(bytes, block, 0, block.records, times, bits, 0)).toBe(true);
          blocks++;
          for (let i = 0; i < block.records; i++) {
            const row = [block.first + i, scan.header.epoch, times[i] as number, bits[i] as number] as const;
            rows.set(`${directory}/${block.sensor}/${row[0]}`, row);
          }
        }
      }
    }
    expect(blocks).toBe(blocksIntact);
    expect(rows.size).toBe(expected.streams.length * WRITTEN - 6);
    for (const { source, sensor, records } of expected.streams) {
      for (const row of records) expect(rows.get(`${source}/${sensor}/${row[0]}`)).toEqual(row);
    }
  });

  it('has a log of a snapshot and four batches, the last of which says that it was closed', () => {
    const [name] = fixture.namesIn('');
    const bytes = fixture.bytesOf('', name as string);
    const header = readPartHeader(bytes);
    if (header.state !== 'ok') throw new Error(`the part header is ${header.state}`);
    const frames = scanPart(bytes, header.storeId, header.generation, header.part);
    expect([...completeBatches(frames).keys()]).toEqual([0, 1, 2, 3, 4]);
    const image = new CheckpointImage();
    for (const frame of frames) image.apply(frame);
    expect(image.store).toMatchObject({ epoch: 1, clean: true, nextSegment: 10 });
    expect([...image.segments.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('docs/format.md', () => {
  const text = readFileSync(FORMAT, 'utf8');

  // Goal: the worked example is true. Method: every dump in the document against the bytes of the file that its first line names.
  it('shows the bytes of the committed store', () => {
    const dumps = [...text.matchAll(/```hexdump (\S+)\n([\s\S]*?)```/g)];
    expect(dumps.map(([, file]) => file)).toEqual([
      'store-v2/host/000000000001.seg',
      'store-v1/host/000000000001.seg',
      'store-v1/checkpoint-00000001-00.log',
    ]);
    for (const [, file, dump] of dumps) {
      const [store, ...path] = (file as string).split('/');
      const bytes = new Uint8Array(readFileSync(join(FIXTURES, store as string, 'store', ...path)));
      let lines = 0;
      for (const [, offset, hex] of (dump as string).matchAll(/^([0-9a-f]{4}) {2}((?:[0-9a-f]{2} )*[0-9a-f]{2})/gm)) {
        const shown = (hex as string).replaceAll(' ', '');
        const at = Number.parseInt(offset as string, 16);
        expect(toHex(bytes.subarray(at, at + shown.length / 2)), `${file} at ${offset}`).toBe(shown);
        lines++;
      }
      expect(lines).toBeGreaterThan(8);
    }
  });

  // Goal: somebody who ports the checksum has numbers to check against. Method: the figures in the document against the code and the bytes.
  it('names the right checksums', () => {
    const figure = (name: string): number => {
      const found = new RegExp(`\\| ${name} \\| \`0x([0-9a-f]{8})\``).exec(text);
      if (found === null) throw new Error(`docs/format.md names no ${name}`);
      return Number.parseInt(found[1] as string, 16);
    };
    const [first, second] = STORES.map(({ store }) => new Fixture(store)) as [Fixture, Fixture];
    const bytes = first.bytesOf('host', '000000000001.seg');
    const packed = second.bytesOf('host', '000000000001.seg');
    const id = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);
    expect(figure('CRC-32 of the nine ASCII digits `123456789`')).toBe(
      crc32(new TextEncoder().encode('123456789'), 0, 9, 0),
    );
    const seed = blockSeed(id, 1);
    expect(figure('seed of segment 1')).toBe(seed);
    expect(figure('seed of its block at offset 64')).toBe((seed ^ 64) >>> 0);
    expect(figure('CRC of that block, version 1')).toBe(readU32(bytes, 0x60));
    expect(figure('CRC of that block, version 1')).toBe(crc32(bytes, 0x40, 0x60, (seed ^ 64) >>> 0));
    expect(figure('CRC of that block, version 2')).toBe(readU32(packed, 0x5e));
    expect(figure('CRC of that block, version 2')).toBe(crc32(packed, 0x40, 0x5e, (seed ^ 64) >>> 0));
    const log = first.bytesOf('', 'checkpoint-00000001-00.log');
    const of = new Uint8Array(24);
    of.set(id);
    of[16] = 1;
    expect(figure('seed of generation 1, part 0')).toBe(crc32(of, 0, 24, 0));
    expect(figure('CRC of its frame at offset 64')).toBe(readU32(log, 0x56));
    expect(readU32(log, 0x56)).toBe(crc32(log, 0x40, 0x56, (crc32(of, 0, 24, 0) ^ 64) >>> 0));
  });
});
