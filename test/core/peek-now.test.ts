/**
 * A look that does not wait gives what a look that waits gives: over segments and RAM, holes and errors included, and
 * with markRead it is a read (for callers that cannot wait, src/legacy).
 */
import { describe, expect, it } from 'vitest';
import type { SimulatedDisk } from '../../conformance/simulated-disk.ts';
import { simulatedPlatform } from '../../conformance/virtual-clock.ts';
import type { RecordBatch } from '../../src/core/record-batch.ts';
import { appendAll, codeOf, count, scattered, TSD, unwrap, Workbench } from './workbench.ts';

const BIG = { poolBytes: 65_536, quotaBytes: '1MiB' } as const;

const plain = ({ sequences, epochs, timesMs, bits }: RecordBatch): unknown => ({ sequences, epochs, timesMs, bits });

/** 30 records on disk in three segments, 20 in RAM. */
async function mixed(): Promise<Workbench> {
  const bench = await Workbench.open(BIG);
  const stream = bench.stream('host', 1);
  for (let done = 0; done < 30; done += 10) {
    appendAll(stream, count(done, 10));
    unwrap(await bench.engine.flush());
  }
  appendAll(stream, count(30, 20));
  return bench;
}

describe('peekNow', () => {
  // Goal: one answer, whoever asks. Method: every offset and size over the seams, on stores whose caches are cold.
  it('gives the same batch as peek, and changes nothing', async () => {
    for (const offset of [0, 1, 9, 10, 29, 30, 49, 50, 99]) {
      for (const max of [0, 1, 11, 100]) {
        const [one, other] = [await mixed(), await mixed()];
        const before = one.engine.inspect();
        const found = unwrap(one.stream('host', 1).peekNow(offset, max));
        expect(plain(found)).toEqual(plain(unwrap(await other.stream('host', 1).peek(offset, max))));
        expect(one.engine.inspect()).toEqual(before);
      }
    }
  });

  it('with markRead is a read that does not wait', async () => {
    const bench = await mixed();
    const stream = bench.stream('host', 1);
    const values: number[] = [];
    for (;;) {
      const batch = unwrap(stream.peekNow(0, 7));
      if (batch.length === 0) break;
      for (const { sequence, value } of batch) {
        expect(stream.markRead(sequence)).toBe(true);
        values.push(value);
      }
    }
    expect(values).toEqual(count(0, 50));
    expect(bench.engine.stats()).toMatchObject({ read: 50, pending: 50 });
  });

  // Goal: the same patience with a disk as a read. Method: a block is refused for good, then one that is damaged.
  it('is refused with IO_FAILED twice and passes over the block the third time', async () => {
    const bench = await mixed();
    const stream = bench.stream('host', 1);
    bench.fault({ kind: 'read', namePrefix: '000000000001', times: Number.POSITIVE_INFINITY, fault: { code: 'IO' } });
    expect([codeOf(stream.peekNow(0, 5)), codeOf(stream.peekNow(0, 5))]).toEqual(['IO_FAILED', 'IO_FAILED']);
    expect(bench.engine.stats().damaged).toBe(0);
    expect([...unwrap(stream.peekNow(0, 5)).values]).toEqual(count(10, 5));
    expect(bench.inspect('host', 1)).toMatchObject({ damaged: 10, holes: [] });
  });

  it('never gives a damaged block', async () => {
    const bench = await mixed();
    bench.disk.flipBit('host', '000000000002.seg', 8 * 70);
    const stream = bench.stream('host', 1);
    expect([...unwrap(stream.peekNow(0, 100)).values]).toEqual([...count(0, 10), ...count(20, 30)]);
    expect(bench.engine.stats().damaged).toBe(10);
  });

  // Goal: one unreadable page costs the blocks on it, not their neighbours (INV-19). Method: as for reads that wait.
  it('asks for a block by itself when a longer read meets a bad page', async () => {
    const bench = await Workbench.open({ poolBytes: 131_072, sectorBytes: 256, quotaBytes: '1MiB' });
    const stream = bench.stream('host', 1, TSD);
    const written = scattered(0, 12_000);
    appendAll(stream, written);
    unwrap(await bench.engine.flush());
    const { blocks } = bench.engine.inspect().segments[0] ?? { blocks: [] };
    const bad = blocks[5] as { from: number; to: number };
    const { readNow } = bench.disk;
    const badAt = 64 + 5 * 4090;
    bench.disk.readNow = (directory, name, offset, into) =>
      offset <= badAt && badAt < offset + into.length
        ? { ok: false, error: { code: 'IO', detail: 'EIO: a bad page' } }
        : readNow.call(bench.disk, directory, name, offset, into);
    const answers = Array.from({ length: 3 }, () => codeOf(stream.peekNow(0, 12_000)));
    expect(answers).toEqual(['IO_FAILED', 'IO_FAILED', 'ok']);
    expect([...unwrap(stream.peekNow(0, 12_000)).values]).toEqual([
      ...written.slice(0, bad.from),
      ...written.slice(bad.to),
    ]);
  });

  it('says so on a platform whose disk cannot be read at once, and gives what is in RAM', async () => {
    const bench = new Workbench(BIG);
    const disk = new Proxy(bench.disk, {
      get: (target, name: keyof SimulatedDisk) => {
        const found = target[name];
        if (name === 'readNow') return undefined;
        return typeof found === 'function' ? found.bind(target) : found;
      },
    });
    unwrap(await bench.tryOpen(simulatedPlatform(disk, bench.clock, bench.ids)));
    const stream = bench.stream('host', 1);
    appendAll(stream, [1, 2]);
    expect([...unwrap(stream.peekNow(0, 5)).values]).toEqual([1, 2]);
    unwrap(await bench.engine.flush());
    const refused = stream.peekNow(0, 5);
    expect(codeOf(refused)).toBe('IO_FAILED');
    expect(refused.ok ? '' : refused.failure.message).toContain('cannot be read at once: use read or peek');
    expect([...unwrap(await stream.read(5)).values]).toEqual([1, 2]);
  });

  it.each([-1, 0.5, Number.NaN])('refuses %d as offset and as size', async (n) => {
    const stream = (await mixed()).stream('host', 1);
    expect([codeOf(stream.peekNow(n, 1)), codeOf(stream.peekNow(0, n))]).toEqual([
      'PARAMETER_INVALID',
      'PARAMETER_INVALID',
    ]);
  });
});
