/**
 * A segment of a running store goes while it is read from outside, at every point at which that can be.
 */
import { expect, test } from 'vitest';
import type { SensorStream, Store } from '../../src/index.ts';
import { openStore } from '../../src/index.ts';
import { dump } from '../../src/operator/dump.ts';
import type { Place } from '../../src/operator/read-only-store.ts';
import { mustLook, withPlace } from '../../src/operator/read-only-store.ts';
import { verify } from '../../src/operator/verify/verify.ts';
import { temporaryDirectory } from '../platform/temporary.ts';

const FLUSHES = 4;
const RECORDS = 20;

async function aStore(): Promise<{ directory: string; store: Store; stream: SensorStream }> {
  const directory = temporaryDirectory();
  const store = await openStore({ directory, poolBytes: '64KiB' });
  const stream = store.stream('host', 1, { kind: 'evt' });
  for (let flush = 0; flush < FLUSHES; flush++) {
    for (let i = 0; i < RECORDS; i++) stream.append(flush * RECORDS + i, 1_700_000_000_000 + i);
    await store.flush();
  }
  return { directory, store, stream };
}

/** The place of a large store, whose owner acknowledges the oldest segment just before the `at`-th read of one. */
function goingAt(place: Place, at: number, acknowledge: () => Promise<void>): Place {
  let reads = 0;
  return {
    ...place,
    prefetchBytes: 0,
    disk: {
      list: (directory) => place.disk.list(directory),
      read: async (directory, name, offset, into) => {
        if (directory !== '' && reads++ === at) await acknowledge();
        return place.disk.read(directory, name, offset, into);
      },
    },
  };
}

// Goal: what is said is of one moment, and a dump gives each record once. Method: the oldest segment goes before each read of a segment in turn; a look, a verify, a dump.
test('a segment that goes while it is read makes the look begin anew, and a dump go on', async () => {
  for (const use of ['look', 'verify', 'dump'] as const) {
    for (let at = 0; at < 12; at++) {
      const { directory, store, stream } = await aStore();
      let gone = false;
      const acknowledge = async (): Promise<void> => {
        stream.acknowledge(await stream.read(RECORDS));
        await store.checkpoint();
        gone = true;
      };
      await withPlace(directory, async (found) => {
        const place = goingAt(found, at, acknowledge);
        const says = `${use}, read ${at}`;
        if (use === 'dump') {
          const given: number[] = [];
          for await (const { sequence } of dump(place)) given.push(sequence);
          expect(given.slice(-3 * RECORDS), says).toEqual(Array.from({ length: 3 * RECORDS }, (_, i) => RECORDS + i));
          expect(new Set(given).size, says).toBe(given.length);
        } else if (use === 'verify') {
          const { refused, findings, lost } = await verify(place);
          expect([refused, findings.filter(({ level }) => level === 'damage'), lost], says).toEqual([null, [], []]);
        } else {
          const { report } = await mustLook(place);
          expect([60, 80], says).toContain(report.records);
          if (gone) expect(report.damagedRecords, says).toBe(0);
        }
      });
      await store.close();
    }
  }
}, 60_000);
