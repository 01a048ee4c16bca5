/** A flush that gathers in slices: between two of them anything may happen to the streams (INV-03, INV-05, INV-12, INV-15). */
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/cli/replay/random.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import { EVT, TSD, unwrap, Workbench } from './workbench.ts';

const STREAMS = 6;
const LARGE = { poolBytes: 512 * 1024, sectorBytes: 64, streamsMax: 64, quotaBytes: 16 * 1024 * 1024 };
const START_MS = 1_700_000_000_000;

/** Its value says which record it is. */
const bitsAt = (stream: StreamHandle, sequence: number): number => stream.sensor * 1_000_000 + sequence * 7;

function append(stream: StreamHandle, records: number): void {
  const { appended } = stream.marks();
  for (let i = appended; i < appended + records; i++) {
    if (stream.append(bitsAt(stream, i), START_MS + i * 1000) !== i) throw new Error(`record ${i} has another number`);
  }
}

const openStreams = (bench: Workbench): StreamHandle[] =>
  Array.from({ length: STREAMS }, (_, i) => bench.stream('host', i + 1, i % 2 === 0 ? TSD : EVT));

/** What is retained of each stream, read to its end. */
async function expectRetained(streams: readonly StreamHandle[], from: readonly number[], to: readonly number[]) {
  for (const [i, stream] of streams.entries()) {
    unwrap(stream.revert());
    const batch = unwrap(await stream.read(1_000_000));
    const sequences = Array.from(
      { length: (to[i] as number) - (from[i] as number) },
      (_, k) => (from[i] as number) + k,
    );
    expect([...batch.sequences]).toEqual(sequences);
    expect([...batch.bits]).toEqual(sequences.map((sequence) => bitsAt(stream, sequence)));
    expect([...batch.timesMs]).toEqual(sequences.map((sequence) => START_MS + sequence * 1000));
  }
}

describe('gathering in slices', () => {
  // Goal: whatever is done between two slices, the flush takes what was appended before it and is still wanted, and nothing else changes. Method: at each pause a random one appends, reads, acknowledges, reverts and discards; then power fails, and what survives is held against the marks.
  it.each([1, 2, 3, 4, 5])(
    'keeps every mark and record when the streams change between slices, seed %i',
    async (seed) => {
      const random = new SeededRandom(seed);
      const bench = await Workbench.open(LARGE);
      const streams = openStreams(bench);
      for (const stream of streams) append(stream, random.between(0, 6000));
      const target = streams.map((stream) => stream.marks().appended);
      let pauses = 0;
      const change = async (): Promise<void> => {
        const stream = streams[random.between(0, STREAMS - 1)] as StreamHandle;
        const { retained, unread, pending } = stream.marks();
        switch (random.between(0, 4)) {
          case 0:
            return append(stream, random.between(1, 40));
          case 1:
            expect(unwrap(await stream.read(random.between(0, unread))).length).toBeLessThanOrEqual(unread);
            return;
          case 2:
            unwrap(stream.acknowledge(random.between(0, pending)));
            return;
          case 3:
            return unwrap(stream.revert());
          default:
            unwrap(stream.discard(random.between(0, retained)));
        }
      };
      bench.disk.pause = async () => {
        pauses++;
        for (let i = random.between(0, 12); i > 0; i--) await change();
      };
      unwrap(await bench.engine.flush());
      expect(pauses).toBeGreaterThan(1);
      const marks = streams.map((stream) => stream.marks());
      for (const [i, { synced, head }] of marks.entries()) expect(synced).toBe(Math.max(target[i] as number, head));
      await expectRetained(
        streams,
        marks.map(({ head }) => head),
        marks.map(({ appended }) => appended),
      );
      bench.disk.pause = undefined;
      const found = await bench.crash('nothing');
      const after = openStreams(found);
      const heads = after.map((stream) => stream.marks().head);
      for (const [i, head] of heads.entries()) expect(head).toBeLessThanOrEqual((marks[i] as { head: number }).head);
      await expectRetained(
        after,
        heads,
        after.map((stream) => stream.marks().appended),
      );
      for (const [i, stream] of after.entries())
        expect(stream.marks().appended).toBeGreaterThanOrEqual(target[i] as number);
    },
  );

  // Goal: when power is failing nobody else has a turn. Method: an emergency flush of as much.
  it('does not pause in an emergency', async () => {
    const bench = await Workbench.open(LARGE);
    const streams = openStreams(bench);
    for (const stream of streams) append(stream, 2000);
    bench.disk.pause = () => Promise.reject(new Error('a pause'));
    expect(unwrap(await bench.engine.emergencyFlush(1_000))).toMatchObject({ saved: STREAMS * 2000, unsaved: 0 });
  });
});
