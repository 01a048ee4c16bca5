/**
 * Metrics of a store: each figure is what really happened, counted by somebody else.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from '@prometheus-io/client';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { DiskPort, Platform, Store } from '../../src/index.ts';
import { createLinuxPlatform, openOn, openStore, resolveSettings } from '../../src/index.ts';
import { METRICS, observeDirectory, PREFIX, StoreMeter, StoreMetrics } from '../../src/metrics/index.ts';
import { startOwner } from '../operator/owner.ts';

const folder = mkdtempSync(join(tmpdir(), 'imatrix-mm-metrics-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let directories = 0;
const temporaryDirectory = (): string => join(folder, `${directories++}`);

const EVT = { kind: 'evt' } as const;

/** Samples of one scrape, by name without the prefix; a label other than `store` stands behind a colon. */
async function scrape(registry: Registry): Promise<Record<string, number>> {
  const samples: Record<string, number> = {};
  for (const line of (await registry.metrics()).split('\n')) {
    const [, name = '', labels = '', value] = /^imatrix_mm_(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (value === undefined) continue;
    const own = [...labels.matchAll(/(\w+)="([^"]*)"/g)].filter(([, label]) => label !== 'store');
    samples[[name, ...own.map(([, , text]) => text)].join(':')] = Number(value);
  }
  return samples;
}

/** What reaches the disk, counted on the way; syncs can be made to fail. */
class CountedDisk {
  bytes = 0;
  syncs = 0;
  segmentsRemoved = 0;
  segmentsSynced = 0;
  setAside = 0;
  isFailing = false;
  readonly platform: Platform;

  constructor(directory: string) {
    const linux = createLinuxPlatform({ directory });
    const disk = linux.disk as DiskPort;
    const refused = { ok: false, error: { code: 'IO', detail: 'planned' } } as const;
    const counted: Partial<DiskPort> = {
      write: async (where, name, offset, bytes) => {
        const written = await disk.write(where, name, offset, bytes);
        if (written.ok) this.bytes += bytes.length;
        return written;
      },
      sync: async (where, name) => {
        if (this.isFailing) return refused;
        this.syncs++;
        if (name.endsWith('.seg')) this.segmentsSynced++;
        return disk.sync(where, name);
      },
      syncDirectory: async (where) => {
        this.syncs++;
        return disk.syncDirectory(where);
      },
      rename: async (where, from, to) => {
        if (to.endsWith('.damaged')) this.setAside++;
        return disk.rename(where, from, to);
      },
      remove: async (where, name) => {
        if (name.endsWith('.seg')) this.segmentsRemoved++;
        return disk.remove(where, name);
      },
    };
    const port = new Proxy(disk, {
      get: (target, key) => {
        const value = (counted as Record<PropertyKey, unknown>)[key] ?? Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    this.platform = { ...linux, disk: port };
  }
}

const segmentsOf = (directory: string): string[] =>
  readdirSync(join(directory, 'host'))
    .filter((name) => name.endsWith('.seg'))
    .sort()
    .map((name) => join(directory, 'host', name));

function damage(file: string): void {
  const bytes = readFileSync(file);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 0xff, middle);
  writeFileSync(file, bytes);
}

const filesBytes = (directory: string): number =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(seg|log|damaged)$/.test(entry.name))
    .reduce(
      (sum, { parentPath, name }) => sum + Math.ceil(readFileSync(join(parentPath, name)).length / 4096) * 4096,
      0,
    );

/** A directory as a power cut would leave it: 40 synced records, those of sensor 2 damaged. */
async function afterCrash(): Promise<string> {
  const before = temporaryDirectory();
  const after = temporaryDirectory();
  const store = await openStore({ directory: before });
  store.stream('host', 1, EVT).appendMany(Array.from({ length: 25 }, (_, i) => i));
  await store.flush();
  store.stream('host', 2, EVT).appendMany(Array.from({ length: 15 }, (_, i) => i));
  await store.flush();
  cpSync(before, after, { recursive: true, filter: (path) => !path.includes('lock') });
  await store.close();
  damage(segmentsOf(after).at(-1) as string);
  return after;
}

describe('a store in this program', () => {
  // Goal: every metric equals what the trace did. Method: a life with refusals, failures, evictions, damage and a crash
  // before it, counted by the answers of its calls and by the disk under it; every name of the table must be compared.
  test('shows what it did, figure by figure', async () => {
    const directory = await afterCrash();
    const disk = new CountedDisk(directory);
    const settings = resolveSettings({
      ...{ poolBytes: '16KiB', sectorBytes: 32, quotaBytes: '160KiB', freeFloorBytes: 0, streamsMax: 8, ledgerMax: 64 },
    });
    if (!settings.ok) throw new Error(settings.failure.message);
    const store = await openOn(disk.platform, settings.value);
    // The damaged one is set aside; what else opening removed is not counted.
    expect(disk.setAside).toBe(1);
    disk.segmentsRemoved = 0;
    const registry = new Registry();
    new StoreMetrics(registry).add('gateway', store);
    // The first scrape begins the timing of appends.
    expect((await scrape(registry)).append_longest_seconds).toBe(0);
    let [evictions, flushMs, checkpoints, damagedRanges] = [0, 0, 0, 0];
    store.on('segmentEvicted', () => evictions++);
    store.on('checkpointed', () => checkpoints++);
    store.on('damaged', () => damagedRanges++);
    store.on('flushed', ({ durationMs }) => {
      flushMs = Math.max(flushMs, durationMs);
    });

    const stream = store.stream('host', 1, EVT);
    const did = {
      appended: 0,
      refused: 0,
      flushes: 0,
      failures: 0,
      read: 0,
      acknowledged: 0,
      reverted: 0,
      discarded: 0,
    };
    const append = (records: number): void => {
      for (let i = 0; i < records; i++) {
        if (stream.append(i, i) >= 0) did.appended++;
        else did.refused++;
      }
    };
    const flush = async (): Promise<void> => {
      await store.flush();
      did.flushes++;
    };
    const read = async (max: number): Promise<number> => {
      const { length } = await stream.read(max);
      did.read += length;
      return length;
    };
    append(700);
    await flush();
    did.acknowledged += stream.acknowledge(await read(10));
    did.reverted += await read(4);
    stream.revert();
    stream.discard(3);
    did.discarded += 3;
    expect(() => stream.acknowledge(1)).toThrow();
    expect(() => stream.acknowledge(2)).toThrow();
    // Full RAM: the disk refuses, and more is appended than the pool holds.
    disk.isFailing = true;
    append(1100);
    await expect(store.flush()).rejects.toThrow();
    did.failures++;
    disk.isFailing = false;
    await flush();
    // The quota: evictions.
    while (evictions < 2) {
      append(600);
      await flush();
    }
    // What is acknowledged as a whole is removed.
    did.acknowledged += stream.acknowledge(await read(1500));
    await store.checkpoint();
    // The last segment is damaged, and somebody reads it.
    append(30);
    await flush();
    damage(segmentsOf(directory).at(-1) as string);
    did.read += (await stream.read(50_000)).length;
    append(7);

    const seen = await scrape(registry);
    const lost = store.ledger().entries;
    const lostBy = (why: string): number =>
      lost.filter(({ reason }) => reason === why).reduce((sum, { records }) => sum + records, 0);
    const inRecovery = 15;
    const damaged = lostBy('damaged') - inRecovery;
    // 25 were there before this life.
    const retained = 25 + did.appended - did.acknowledged - did.discarded - lostBy('evicted') - damaged;
    const errors = did.refused + did.failures + 2;
    const { marks } = stream;
    expect(seen).toEqual({
      ram_usage_percent: (100 * 4) / 512,
      flush_count_per_hour: did.flushes,
      disk_storage_mb: filesBytes(directory) / 1_048_576,
      recovery_events: 1,
      error_rate: errors / (did.appended + did.flushes + errors),
      up: 1,
      open: 1,
      readable: 1,
      [`info:${store.storeId}:crash`]: 1,
      epoch: 2,
      streams: 2,
      records_at_risk: 7,
      records_retained: retained,
      records_unread: 7,
      records_pending: retained - 7,
      records_appended_total: did.appended,
      records_refused_total: did.refused,
      records_read_total: did.read,
      records_acknowledged_total: did.acknowledged,
      records_reverted_total: did.reverted,
      records_discarded_total: did.discarded,
      'records_evicted_total:disk_full': lostBy('evicted'),
      'records_evicted_total:ram_full': 0,
      records_damaged_total: inRecovery + damaged,
      acknowledges_refused_total: 2,
      append_longest_seconds: expect.closeTo((store.longestAppendMs as number) / 1000, 9),
      ram_sectors: 512,
      ram_sectors_used: 4,
      flushes_total: did.flushes,
      flush_failures_total: did.failures,
      flush_longest_seconds: flushMs / 1000,
      checkpoints_total: checkpoints,
      disk_bytes: filesBytes(directory),
      disk_quota_bytes: 160 * 1024,
      disk_written_bytes_total: disk.bytes,
      disk_syncs_total: disk.syncs,
      disk_lifetime_written_bytes: expect.any(Number),
      disk_lifetime_syncs: expect.any(Number),
      segments_written_total: disk.segmentsSynced,
      segments_removed_total: disk.segmentsRemoved - evictions - did.failures,
      segments_evicted_total: evictions,
      damaged_ranges_total: damagedRanges,
      recovery_records: 25,
      recovery_salvaged_records: 0,
      recovery_damaged_records: inRecovery,
      recovery_set_aside_files: disk.setAside,
    });
    expect(marks.retained).toBe(retained);
    expect([did.refused, evictions, damaged].every((count) => count > 0)).toBe(true);
    expect(seen.disk_lifetime_written_bytes).toBeGreaterThan(disk.bytes);
    expect(seen.disk_lifetime_syncs).toBeGreaterThan(disk.syncs);
    expect(seen.append_longest_seconds).toBeGreaterThan(0);
    // Nothing of the table went uncompared.
    expect(new Set(Object.keys(seen).map((name) => name.split(':')[0]))).toEqual(
      new Set(METRICS.map(({ name }) => name)),
    );
    await store.close();
    expect(await scrape(registry)).toMatchObject({ up: 0, open: 0, readable: 1 });
  });

  // Goal: what was dropped without a disk is told apart. Method: a RAM-only store that is overfilled.
  test('names the reason of an eviction: full RAM', async () => {
    await using store = await openStore({ poolBytes: 256, sectorBytes: 32, streamsMax: 1, ledgerMax: 8 });
    const registry = new Registry();
    new StoreMetrics(registry).add('ram', store);
    const stream = store.stream('host', 1, EVT);
    for (let i = 0; i < 20; i++) stream.append(i, i);
    const seen = await scrape(registry);
    expect(seen).toMatchObject({ 'records_evicted_total:ram_full': 4, 'records_evicted_total:disk_full': 0 });
    expect(seen.records_retained).toBe(16);
  });

  // Goal: several stores in one registry, each under its name. Method: two, one of them removed again.
  test('stands beside others under its name', async () => {
    await using one = await openStore();
    await using other = await openStore();
    const registry = new Registry();
    const metrics = new StoreMetrics(registry);
    metrics.add('one', one);
    metrics.add('other', other);
    other.stream('mgc', 1, EVT).append(1);
    const up = async (): Promise<string[]> =>
      (await registry.metrics()).split('\n').filter((line) => line.startsWith(`${PREFIX}records_at_risk{`));
    expect(await up()).toEqual([
      `${PREFIX}records_at_risk{store="one"} 0`,
      `${PREFIX}records_at_risk{store="other"} 1`,
    ]);
    expect([metrics.remove('one'), metrics.remove('one')]).toEqual([true, false]);
    expect(await up()).toEqual([`${PREFIX}records_at_risk{store="other"} 1`]);
  });
});

describe('the last hour', () => {
  // Goal: a flush and an error count for an hour and no longer. Method: a clock of our own, a look each minute.
  test('has what happened in it, to the minute', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await using store: Store = await openStore({ directory: temporaryDirectory() });
    let minutes = 0;
    const meter = new StoreMeter(store, { elapsedMs: () => minutes * 60_000 });
    const stream = store.stream('host', 1, EVT);
    const after = (count: number): void => {
      for (let i = 0; i < count; i++) {
        minutes++;
        vi.advanceTimersByTime(60_000);
      }
    };
    const hour = (): readonly (number | undefined)[] => {
      const { activity } = meter.figures();
      return [activity?.flushesLastHour, activity?.errorRate];
    };
    expect(hour()).toEqual([0, 0]);
    after(10);
    stream.append(1, 1);
    await store.flush();
    expect(() => stream.acknowledge(1)).toThrow();
    expect(hour()).toEqual([1, 1 / 3]);
    after(30);
    stream.append(1, 1);
    await store.flush();
    expect(hour()).toEqual([2, 1 / 5]);
    after(29);
    expect(hour()).toEqual([2, 1 / 5]);
    after(2);
    expect(hour()).toEqual([1, 0]);
    after(30);
    expect(hour()).toEqual([0, 0]);
    vi.useRealTimers();
    meter.stop();
  });
});

describe('a store of another program', () => {
  async function look(directory: string): Promise<Record<string, number>> {
    const registry = new Registry();
    new StoreMetrics(registry).observe('it', observeDirectory(directory));
    return scrape(registry);
  }

  // Goal: figures of the running process, RAM included. Method: what it says of itself, against the scrape.
  test('that shows itself gives its own figures', async () => {
    const directory = temporaryDirectory();
    const owner = await startOwner(directory, 'shown');
    await owner.tell('append 30');
    await owner.tell('flush');
    await owner.tell('append 5');
    const { appended, bytesWritten } = await owner.stats();
    expect(await look(directory)).toMatchObject({
      ...{ up: 1, open: 1, readable: 1, records_at_risk: 5, flush_count_per_hour: 1 },
      records_appended_total: appended,
      disk_written_bytes_total: bytesWritten,
    });
  });

  // Goal: what is on disk, and said so. Method: one that runs without serveLive, then one that was killed.
  test('that does not show itself gives what is on disk, and up 0', async () => {
    const directory = temporaryDirectory();
    const owner = await startOwner(directory);
    await owner.tell('append 30');
    await owner.tell('flush');
    await owner.tell('append 5');
    const seen = await look(directory);
    expect(seen).toMatchObject({ up: 0, open: 1, readable: 1, records_retained: 30 });
    expect(seen).not.toHaveProperty('records_at_risk');
    expect(seen).not.toHaveProperty('records_appended_total');
    process.kill(owner.pid, 'SIGKILL');
    await expect.poll(async () => (await look(directory)).open).toBe(0);
    expect(await look(directory)).toMatchObject({ up: 0, readable: 1, records_unread: 30, epoch: 1 });
  });

  test('that is closed gives its files, as often as it is asked, and what they cost so far', async () => {
    const directory = temporaryDirectory();
    const store = await openStore({ directory });
    store.stream('host', 1, EVT).appendMany([1, 2, 3]);
    await store.close();
    const { bytesWrittenTotal, syncsTotal, diskBytes } = store.stats();
    for (let i = 0; i < 2; i++) {
      expect(await look(directory)).toMatchObject({
        ...{ up: 0, open: 0, readable: 1, records_retained: 3, records_unread: 3, epoch: 1, disk_bytes: diskBytes },
        disk_storage_mb: diskBytes / 1_048_576,
      });
    }
    const { disk_lifetime_written_bytes: bytes = 0, disk_lifetime_syncs: syncs = 0 } = await look(directory);
    // The last checkpoint cannot count itself.
    expect(bytes).toBeGreaterThan(bytesWrittenTotal - 1000);
    expect(bytes).toBeLessThanOrEqual(bytesWrittenTotal);
    expect(syncsTotal - syncs).toBeLessThanOrEqual(2);
  });

  test('that is none, or gone, is not readable', async () => {
    expect(await look(folder)).toEqual({ up: 0, open: 0, readable: 0 });
    expect(await look(join(folder, 'none'))).toEqual({ up: 0, open: 0, readable: 0 });
  });
});
