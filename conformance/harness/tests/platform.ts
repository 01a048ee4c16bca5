/** The numbered tests about what is under the store: geometry, profiles, storage backends, and what the application lends it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingsInput } from '../../../src/core/config.ts';
import { resolveSettings } from '../../../src/core/config.ts';
import { Engine } from '../../../src/core/engine.ts';
import type { StreamHandle } from '../../../src/core/stream-handle.ts';
import { BOUNDS_VIOLATION, CODE_NAMES, SUCCESS } from '../../../src/legacy/codes.ts';
import { LegacyMemoryManager } from '../../../src/legacy/manager.ts';
import type { ReadRecord } from '../../../src/legacy/shapes.ts';
import { createLinuxPlatform } from '../../../src/platform/linux.ts';
import { createWicedPlatform } from '../../../src/platform/wiced.ts';
import { checkPlatform } from '../../others/check-platform.ts';
import { ConformanceError } from '../../others/check-store.ts';
import type { PlatformUnderTest } from '../../others/own-platforms.ts';
import { linuxPlatforms, ramPlatforms, simulatedPlatforms, wicedPlatforms } from '../../others/own-platforms.ts';
import type { Random } from '../../random.ts';
import type { Bench } from '../bench.ts';
import { HarnessFailure } from '../bench.ts';
import type { Opened } from '../stores.ts';
import {
  CLASSIC,
  EVT,
  given,
  newDisk,
  openStore,
  refused,
  START_MS,
  TSD,
  wicedPlatform,
  wicedSettings,
} from '../stores.ts';
import type { Run } from '../table.ts';

/** 1. */
async function platformInitialization(bench: Bench): Promise<void> {
  const wrong: readonly SettingsInput[] = [
    { ...CLASSIC, sectorBytes: 31 },
    { ...CLASSIC, sectorBytes: 33 },
    { ...CLASSIC, sectorBytes: 8_192 },
    { ...CLASSIC, poolBytes: 0 },
    { ...CLASSIC, poolBytes: 3 * 32 },
    { ...CLASSIC, poolBytes: Number.NaN },
    { ...CLASSIC, streamsMax: 0 },
    { ...CLASSIC, quotaBytes: 8_192 },
    { ...CLASSIC, poolBytes: '64 KB' },
  ];
  for (const input of wrong)
    refused(bench, `settings ${JSON.stringify(input)}`, resolveSettings(input), 'CONFIG_INVALID');
  for (const [budget, streams] of [
    [512, 100],
    [65_537, 100],
    [12_288, 0],
    [2_048, 100],
  ] as const)
    refused(
      bench,
      `a budget of ${budget} bytes for ${streams} streams`,
      wicedSettings(budget, streams),
      'CONFIG_INVALID',
    );
  const short = ((): string => {
    try {
      createWicedPlatform({ clock: () => 0, storeId: new Uint8Array(15) });
      return 'accepted';
    } catch (error) {
      return (error as Error).name;
    }
  })();
  bench.equal('a store id of 15 bytes', short, 'TypeError');
  if (bench.hasDisk) {
    const file = join(bench.directory, 'a-file');
    writeFileSync(file, 'not a directory');
    const opened = await Engine.open(
      createLinuxPlatform({ directory: file }),
      given('settings', resolveSettings(CLASSIC)),
    );
    refused(bench, 'a file in the place of the directory', opened, 'IO_FAILED');
  }
  const { engine } = await openStore(bench);
  const { lifecycle, pool } = engine.inspect();
  bench.equal('lifecycle when open has answered', lifecycle, 'ram');
  bench.equal('epoch of a new store', engine.epoch, 1);
  bench.equal('sectors free', pool.free.length, bench.hasDisk ? 2_048 : pool.sectors);
  given('close', await engine.close());
  bench.equal('lifecycle when close has answered', engine.inspect().lifecycle, 'closed');
  bench.did(`offered ${wrong.length + 5} impossible platforms, all refused, and one that works`);
}

/** What a caller sees of one call. */
type Answer = readonly unknown[];

async function call(stream: StreamHandle, choice: number, random: Random, at: number): Promise<Answer> {
  const n = 1 + random.below(4);
  const marks = (): Answer => {
    const { head, read, appended, pending, retained } = stream.marks();
    return [head, read, appended, pending, retained];
  };
  switch (choice) {
    case 0:
    case 1:
      return ['append', stream.append(at, START_MS + at * 1_000), ...marks()];
    case 2: {
      const batch = given('read', await stream.read(n));
      return ['read', [...batch.values], [...batch.timesMs], ...marks()];
    }
    case 3: {
      const left = stream.acknowledge(n);
      return ['acknowledge', left.ok ? left.value : left.failure.code, ...marks()];
    }
    case 4:
      return ['revert', stream.revert().ok, ...marks()];
    default: {
      const left = stream.discard(n);
      return ['discard', left.ok ? 'ok' : left.failure.code, ...marks()];
    }
  }
}

/** 8. */
async function crossPlatform(bench: Bench): Promise<void> {
  const disk = newDisk();
  const linux: Opened = await openSimulated(bench, disk);
  const ram = given('open', await Engine.open(wicedPlatform(), given('settings', wicedSettings())));
  const streams = [linux.engine, ram].map((engine) => [
    given('stream', engine.stream({ source: 'host', sensor: 1 }, TSD)),
    given('stream', engine.stream({ source: 'mgc', sensor: 1 }, EVT)),
  ]);
  const calls = bench.size(2_000, 300);
  for (let at = 0; at < calls; at++) {
    const which = bench.random.below(2);
    const choice = bench.random.below(6);
    const drawn = bench.random.next();
    const chance = (): Random =>
      Object.assign(Object.create(Object.getPrototypeOf(bench.random)), { below: (most: number) => drawn % most });
    const [onDisk, inRam] = await Promise.all(
      streams.map((pair) => call(pair[which] as StreamHandle, choice, chance(), at)),
    );
    bench.each(JSON.stringify(onDisk) === JSON.stringify(inRam), () => [
      `call ${at}: the answer without a disk`,
      onDisk,
      inRam,
    ]);
  }
  bench.did(`made ${calls} calls on both profiles: the same answers`);
  await listedDifferences(bench, ram, linux);
}

async function openSimulated(bench: Bench, disk: ReturnType<typeof newDisk>): Promise<Opened> {
  const settings = given('settings', resolveSettings({ ...CLASSIC, whenDiskFull: 'refuse-new' }));
  const { StoreIds, simulatedPlatform } = await import('../../virtual-clock.ts');
  const engine = given('open', await Engine.open(simulatedPlatform(disk, disk.clock, new StoreIds()), settings));
  bench.did('opened a store with a disk and one without');
  return { engine, events: [], settings, disk, clock: disk.clock };
}

/** What docs/harness.md lists, and nothing else: durability, the threshold, and what a full pool does. */
async function listedDifferences(bench: Bench, ram: Engine, { engine, disk }: Opened): Promise<void> {
  if (disk === null) return;
  disk.autoSteps = 0;
  const fill = (stream: StreamHandle): number => {
    for (let i = 0; i < 10_000; i++) if (stream.append(i, i) < 0) return i;
    return 10_000;
  };
  const stream = given('stream', engine.stream({ source: 'host', sensor: 2 }, EVT));
  const refusedAt = fill(stream);
  bench.holds('with a disk, a full pool', refusedAt < 10_000, 'refuses', () => `refuses record ${refusedAt}`);
  bench.equal(
    'with a disk, a flush is asked for',
    engine.inspect().flushRequested || engine.inspect().flushRunning,
    true,
  );
  const other = given('stream', ram.stream({ source: 'host', sensor: 2 }, EVT));
  bench.equal('without a disk, a full pool refuses', fill(other), 10_000);
  bench.holds('without a disk, the oldest', ram.stats().evicted > 0, 'in the ledger', () => ram.ledger().entries);
  bench.equal('without a disk, a flush is asked for', ram.inspect().flushRequested, false);
}

/** 13. */
async function storageBackend(bench: Bench): Promise<void> {
  const linux = bench.hasDisk ? await linuxPlatforms() : null;
  const backends: readonly PlatformUnderTest[] =
    linux === null ? [wicedPlatforms, ramPlatforms] : [linux, simulatedPlatforms('the simulated disk')];
  try {
    for (const { makePlatform, manifest } of backends) {
      const options = {
        seed: bench.random.next(),
        runs: bench.size(15, 2),
        steps: 40,
        timeoutMs: 20_000,
        log: () => {},
      };
      const report = await checkPlatform(makePlatform, manifest, options);
      bench.counted(report.steps + report.laws.length);
      bench.did(`${manifest.name}: ${report.laws.length} laws held, ${report.runs} runs of ${report.steps} steps`);
    }
  } catch (error) {
    if (!(error instanceof ConformanceError)) throw error;
    throw new HarnessFailure('a backend', 'the laws of the port kept', error.message.split('\n')[0] ?? '');
  } finally {
    await linux?.remove();
  }
}

/** 14. */
async function helperIntegration(bench: Bench): Promise<void> {
  const said: string[] = [];
  let now: number | null = null;
  let position: object | null = null;
  const mm = new LegacyMemoryManager();
  bench.atEnd(() => mm.shutdown());
  const platform = bench.hasDisk ? createLinuxPlatform({ directory: bench.directory }) : wicedPlatform();
  const code = await mm.init({
    config: null,
    platform,
    settings: { ...CLASSIC },
    clock: () => now as number,
    position: () => position,
    log: (level: string, message: string) => said.push(`${level}: ${message}`),
  });
  bench.equal('memory_manager_v2_init', CODE_NAMES[code], 'SUCCESS');
  const csb = [{ id: 40, csd_type: 0 }];
  const csd = [{}];
  const write = (value: number): void =>
    bench.equal('write_tsd_evt', CODE_NAMES[mm.writeEntry(csb, csd, 0, value, true)], 'SUCCESS');
  write(1);
  now = START_MS;
  position = { latitude: 0, longitude: -1.5, altitude: 0, speed: 3 };
  write(2);
  now = START_MS - 5_000;
  position = null;
  write(3);
  const records: ReadRecord[] = [];
  for (let record: ReadRecord = {}; mm.read(0, record, null) === SUCCESS; record = {}) records.push(record);
  const own = records.filter(({ sensor_id }) => sensor_id === 40).sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
  bench.equal(
    'times: clock not yet set, set, gone back',
    own.map(({ utc_time_ms }) => utc_time_ms),
    [0, START_MS, START_MS - 5_000],
  );
  const places = records.filter(({ sensor_id }) => sensor_id !== 40);
  bench.equal(
    'position records, of the one fix there was',
    places.map(({ value, utc_time_ms }) => [value, utc_time_ms]).sort(),
    [
      [-1.5, START_MS],
      [0, START_MS],
      [0, START_MS],
      [3, START_MS],
    ],
  );
  bench.equal('another read', CODE_NAMES[mm.read(0, {}, null)], CODE_NAMES[BOUNDS_VIOLATION]);
  const refusedInit = await new LegacyMemoryManager().init({
    config: null,
    platform,
    settings: { poolBytes: 1 },
    log: (level: string, message: string) => said.push(`${level}: ${message}`),
  });
  bench.holds('an init that was refused', refusedInit !== SUCCESS, 'a code', () => CODE_NAMES[refusedInit]);
  bench.holds(
    'what the log was told',
    said.some((line) => line.includes('poolBytes')),
    'names poolBytes',
    () => said,
  );
  bench.did('lent a clock that was not set, a position with and without a fix, and a log');
}

export const PLATFORM: Readonly<Record<number, Run>> = {
  1: platformInitialization,
  8: crossPlatform,
  13: storageBackend,
  14: helperIntegration,
};
