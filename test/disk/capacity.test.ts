// Goal: 2,048 sensors live in one store, in the default pool and in the classic one of 64 KiB with 32-byte sectors,
// where the pool has exactly one sector for each. Method: append round-robin over several flushes, drain, compare every
// record with what was appended, and find all of it settled after a reopen.
import { expect, test } from 'vitest';
import type { SettingsInput } from '../../src/index.ts';
import { openStore, RAM_FULL } from '../../src/index.ts';
import { temporaryDirectory } from '../platform/temporary.ts';
import { expectIntact } from './intact.ts';
import { appendNext, openStreams } from './known-load.ts';

const SENSORS = 2_048;

const POOLS: readonly { readonly what: string; readonly settings: SettingsInput; readonly rounds: number }[] = [
  { what: 'the default pool', settings: {}, rounds: 450 },
  {
    what: 'the classic 64 KiB with sectors of 32 bytes',
    settings: { poolBytes: '64KiB', sectorBytes: 32 },
    rounds: 12,
  },
];

test.each(POOLS)('holds 2,048 sensors in $what', async ({ settings, rounds }) => {
  const directory = temporaryDirectory();
  const store = await openStore({ directory, ...settings });
  const streams = openStreams(store, SENSORS);
  expect(new Set(streams).size).toBe(SENSORS);
  expect(() => store.stream('host', 1_000_000, { kind: 'evt' })).toThrow(/streamsMax is 2048: raise it/);
  for (let round = 0; round < rounds; round++) {
    for (const stream of streams) {
      // A sampling loop that can wait does so when it is told; one refusal is no loss.
      while (appendNext(stream) === RAM_FULL) await store.ready();
    }
    await store.ready();
  }
  const written = store.stats();
  expect(written).toMatchObject({ appended: rounds * SENSORS, retained: rounds * SENSORS, evicted: 0, damaged: 0 });
  expect(written.flushes).toBeGreaterThanOrEqual(2);
  expect(await expectIntact(store)).toBe(rounds * SENSORS);

  for (const stream of streams) {
    const batch = await stream.read(rounds);
    expect(stream.acknowledge(batch)).toBe(rounds);
  }
  expect(store.stats()).toMatchObject({ acknowledged: rounds * SENSORS, retained: 0, poolUsedSectors: 0 });
  await store.close();

  const again = await openStore({ directory, ...settings });
  expect(again.recovery).toMatchObject({ found: 'clean', records: 0 });
  expect(openStreams(again, SENSORS).map(({ marks }) => marks.head)).toEqual(Array(SENSORS).fill(rounds));
  expect(again.streams()).toHaveLength(SENSORS);
  await again.close();
});
