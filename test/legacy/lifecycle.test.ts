/**
 * From memory_manager_v2_init to shutdown: what each call answers before, meanwhile and after, what the configuration's
 * switches do, and which code a failing disk becomes. On real directories where the directory matters, else simulated.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { MODE_RAM_ONLY, MODE_RAM_PRIMARY } from '../../src/legacy/codes.ts';
import { LegacyMemoryManager } from '../../src/legacy/manager.ts';
import type { LegacyOptions } from '../../src/legacy/options.ts';
import type { ReadRecord } from '../../src/legacy/shapes.ts';
import { openStore } from '../../src/store.ts';
import { PATIENCE, temporaryDirectory } from '../platform/temporary.ts';
import { bench, named } from './bench.ts';

const write = (mm: LegacyMemoryManager, value: number): string =>
  named(mm.write(0, { sensor_id: 1, value, utc_time_ms: 1_700_000_000_000 + value }));

const read = (mm: LegacyMemoryManager): number | string => {
  const record: ReadRecord = {};
  const code = mm.read(0, record, null);
  return code === 0 ? (record.value as number) : named(code);
};

/** Opens on a directory. */
async function on(
  disk_path: string,
  options: LegacyOptions = {},
): Promise<{ mm: LegacyMemoryManager; logged: string[] }> {
  const mm = new LegacyMemoryManager();
  const logged: string[] = [];
  const log = (_: string, message: string): void => void logged.push(message);
  const settings = { freeFloorBytes: 0 };
  expect(named(await mm.init({ config: null, disk_path, settings, log, ...options }))).toBe('SUCCESS');
  return { mm, logged };
}

describe('the calls', () => {
  // Goal: a call that comes too early or too late has a code of its own. Method: every phase of one life.
  it('answer INITIALIZATION_FAILED before and after, MODE_TRANSITION_FAILED while it opens and closes', async () => {
    const { mm, open } = bench();
    const both = (): string[] => [write(mm, 1), read(mm) as string, named(mm.erase(0, 0))];
    expect(new Set(both())).toEqual(new Set(['INITIALIZATION_FAILED']));
    const opening = open();
    expect(new Set(both())).toEqual(new Set(['MODE_TRANSITION_FAILED']));
    expect(await opening).toBe('SUCCESS');
    expect([write(mm, 1), read(mm)]).toEqual(['SUCCESS', 1]);
    const closing = mm.shutdown();
    expect(new Set(both())).toEqual(new Set(['MODE_TRANSITION_FAILED']));
    expect(named(await closing)).toBe('SUCCESS');
    expect(new Set(both())).toEqual(new Set(['INITIALIZATION_FAILED']));
    expect([named(await mm.flush()), named(await mm.shutdown())]).toEqual(['INITIALIZATION_FAILED', 'SUCCESS']);
  });

  it('may be begun twice: the same is SUCCESS, other options are refused', async () => {
    const { mm, open } = bench();
    const [first, second] = await Promise.all([open(), mm.init()]);
    expect([first, named(second)]).toEqual(['SUCCESS', 'SUCCESS']);
    expect(named(await mm.init())).toBe('SUCCESS');
    expect(named(await mm.init({ mode: MODE_RAM_ONLY }))).toBe('MODE_TRANSITION_FAILED');
  });

  it('open again after a shutdown, with what was saved', async () => {
    const { mm, open } = bench();
    await open();
    write(mm, 7);
    await mm.shutdown();
    expect(await open()).toBe('SUCCESS');
    expect(read(mm)).toBe(7);
  });
});

describe('set_memory_mode and set_disk_path', () => {
  it('count for the next init, and afterwards take only what is so already', async () => {
    const path = join(temporaryDirectory(), 'made/below');
    const mm = new LegacyMemoryManager();
    expect([mm.setMode(MODE_RAM_ONLY), mm.setMode(MODE_RAM_PRIMARY), mm.setDiskPath(path)]).toEqual([0, 0, 0]);
    expect(named(await mm.init({ config: null, settings: { freeFloorBytes: 0 } }))).toBe('SUCCESS');
    expect(readdirSync(path)).toEqual(expect.arrayContaining(['can_controller', 'host', 'mgc']));
    expect(statSync(join(path, 'host')).mode & 0o777).toBe(0o755);
    expect([mm.setMode(MODE_RAM_PRIMARY), mm.setDiskPath(path)].map(named)).toEqual(['SUCCESS', 'SUCCESS']);
    expect([mm.setMode(MODE_RAM_ONLY), mm.setDiskPath('/elsewhere')].map(named)).toEqual([
      'MODE_TRANSITION_FAILED',
      'MODE_TRANSITION_FAILED',
    ]);
    expect(named(await mm.shutdown())).toBe('SUCCESS');
  });

  it('with MODE_RAM_ONLY nothing touches the disk, and a full pool drops its oldest', async () => {
    const path = join(temporaryDirectory(), 'never');
    const { mm, logged } = await on(path, { mode: MODE_RAM_ONLY, settings: { poolBytes: 256, sectorBytes: 64 } });
    for (let i = 0; i < 100; i++) expect(write(mm, i)).toBe('SUCCESS');
    expect(mm.store?.stats()).toMatchObject({ diskBytes: 0, evicted: expect.any(Number) });
    expect(read(mm)).toBe(mm.store?.stats().evicted);
    expect(logged.join()).toContain('sector-evicted stream=host/1 from=0 to=5');
    expect(named(await mm.shutdown())).toBe('SUCCESS');
    expect(existsSync(path)).toBe(false);
  });
});

describe('a store that cannot be opened', () => {
  it('is INITIALIZATION_FAILED while another has it, and the log says who', async () => {
    const directory = temporaryDirectory();
    await using _ = await openStore({ directory });
    const logged: string[] = [];
    const mm = new LegacyMemoryManager();
    const log = (__: string, message: string): void => void logged.push(message);
    expect(named(await mm.init({ config: null, disk_path: directory, log }))).toBe('INITIALIZATION_FAILED');
    expect(logged.join()).toMatch(
      /call-refused answer=INITIALIZATION_FAILED code=LOCKED message="the store is open elsewhere: pid \d+/,
    );
    expect(write(mm, 1)).toBe('INITIALIZATION_FAILED');
  });

  it('is DISK_IO_FAILED where a file stands in the way, and can be opened elsewhere then', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'file'), '');
    const mm = new LegacyMemoryManager();
    expect(named(await mm.init({ config: null, disk_path: join(directory, 'file') }))).toBe('DISK_IO_FAILED');
    expect(named(await mm.init({ config: null, disk_path: directory, settings: { freeFloorBytes: 0 } }))).toBe(
      'SUCCESS',
    );
    expect(named(await mm.shutdown())).toBe('SUCCESS');
  });
});

describe('a failing disk', () => {
  // Goal: an error is a code, and what was not read is not lost by it. Method: reads of the disk fail twice.
  it('is DISK_IO_FAILED for a read, never "empty" and never a value, and the read can be tried again', async () => {
    const { mm, open, disk } = bench();
    await open();
    for (let i = 0; i < 3; i++) write(mm, i);
    await mm.flush();
    disk.faults.push({ kind: 'read', times: 2, fault: { code: 'IO' } });
    const record: ReadRecord = {};
    expect([named(mm.read(0, record, null)), record]).toEqual(['DISK_IO_FAILED', {}]);
    expect(mm.store?.stats()).toMatchObject({ pending: 0, retained: 3 });
    expect([read(mm), read(mm), read(mm), read(mm)]).toEqual(['DISK_IO_FAILED', 0, 1, 2]);
  });

  // Goal: a full pool says whether the disk is the reason. Method: no space, then writes until refused; then an I/O error.
  it.each([
    ['NO_SPACE', 'DISK_FULL'],
    ['IO', 'INSUFFICIENT_SPACE'],
  ] as const)('that answers %s makes a full pool %s', async (code, expected) => {
    const { mm, open, disk, logged } = bench();
    await open();
    disk.faults.push({ kind: 'write', times: Number.POSITIVE_INFINITY, fault: { code } });
    let answered = 'SUCCESS';
    let written = -1;
    for (; answered === 'SUCCESS'; written++) {
      answered = write(mm, written + 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(answered).toBe(expected);
    expect(logged.join()).toContain('flush');
    expect(named(await mm.flush())).toBe('DISK_IO_FAILED');
    disk.faults.length = 0;
    expect(named(await mm.flush())).toBe('SUCCESS');
    expect(mm.store?.stats()).toMatchObject({ retained: written, refusedRamFull: 1 });
    expect(write(mm, written)).toBe('SUCCESS');
  });

  it('makes a shutdown DISK_IO_FAILED when records could not be saved, and the log says how many', async () => {
    const { mm, open, disk, logged } = bench();
    await open();
    write(mm, 1);
    disk.faults.push({ kind: 'write', times: Number.POSITIVE_INFINITY, fault: { code: 'READ_ONLY' } });
    expect(named(await mm.shutdown())).toBe('DISK_IO_FAILED');
    expect(logged.join()).toContain('closed unsaved=1');
  });
});

describe('the configuration', () => {
  // Goal: the file that operators know governs the old calls. Method: a file with every key that changes something.
  it('is read from a file, and what the program says counts against it', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'memory-manager.ini');
    writeFileSync(
      file,
      `[memory_manager_v2]\ndisk_path = ${directory}/from-file\ndisk_limit_mb = 64\nfree_floor_mb = 0\n`,
    );
    const first = new LegacyMemoryManager();
    expect(named(await first.init(file))).toBe('SUCCESS');
    expect(first.store?.stats().quotaBytes).toBe(64 * 1_048_576);
    expect(existsSync(join(directory, 'from-file/host'))).toBe(true);
    await first.shutdown();
    const second = new LegacyMemoryManager();
    second.setDiskPath(join(directory, 'said'));
    expect(named(await second.init({ config: file, disk_limit_mb: 32 }))).toBe('SUCCESS');
    expect(second.store?.stats().quotaBytes).toBe(32 * 1_048_576);
    expect(existsSync(join(directory, 'said/host'))).toBe(true);
    await second.shutdown();
  });

  // Goal: the log that the configuration asks for is written, with what a code cannot say. Method: a file, read back.
  it('log = file has what the store did, and why a call was refused', async () => {
    const path = temporaryDirectory();
    const file = join(path, 'memory-manager.log');
    const options = { config: null, disk_path: path, free_floor_mb: 0, log: 'file', log_file: file } as const;
    const mm = new LegacyMemoryManager();
    expect(named(await mm.init(options))).toBe('SUCCESS');
    for (let i = 0; i < 50; i++) mm.write(0, { sensor_id: 1, value: 1 });
    for (let i = 0; i < 50; i++) mm.write(0, { sensor_id: 1, value: 1, sample_rate: 10 });
    expect(named(await mm.flush())).toBe('SUCCESS');
    expect(named(await mm.shutdown())).toBe('SUCCESS');
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const events = lines.map((line) => line.split(/ +/)[2]);
    expect(events).toEqual(['recovery-begin', 'recovery-end', 'call-refused', 'flush-begin', 'flush-end', 'closed']);
    expect(lines[2]).toContain('answer=CONSISTENCY_FAILURE code=KIND_MISMATCH message="stream host/1 is evt of uint32');
  });

  it('enabled = false opens nothing, touches nothing and says so', async () => {
    const path = join(temporaryDirectory(), 'never');
    const mm = new LegacyMemoryManager();
    const logged: string[] = [];
    const log = (_: string, message: string): void => void logged.push(message);
    expect(named(await mm.init({ config: null, enabled: false, disk_path: path, log }))).toBe('INITIALIZATION_FAILED');
    expect([write(mm, 1), read(mm)]).toEqual(['INITIALIZATION_FAILED', 'INITIALIZATION_FAILED']);
    expect(existsSync(path)).toBe(false);
    expect(logged).toEqual(['switched-off message="enabled = false: nothing is stored"']);
  });

  // Goal: not recovered, and not destroyed either. Method: a store with records, opened with the switch, and by hand.
  it('recovery_enabled = false begins anew and sets aside what was there, as a whole store', async () => {
    const path = temporaryDirectory();
    for (const life of [1, 2]) {
      const { mm, logged } = await on(path, { recovery_enabled: false });
      expect(read(mm)).toBe('BOUNDS_VIOLATION');
      expect(logged.join()).toContain(
        life === 1 ? 'recovery-end found=new' : `not-recovered folder=${path}/not-recovered-1`,
      );
      for (let i = 0; i < 20; i++) write(mm, life * 100 + i);
      expect(named(await mm.shutdown())).toBe('SUCCESS');
    }
    await using aside = await openStore({ directory: join(path, 'not-recovered-1'), freeFloorBytes: 0 });
    expect([...((await aside.streams()[0]?.read(100))?.values ?? [])][0]).toBe(100);
    expect(aside.stats()).toMatchObject({ retained: 20, damaged: 0 });
    const { mm } = await on(path);
    expect(read(mm)).toBe(200);
    await mm.shutdown();
  });

  it('recovery_enabled = false takes nothing from under a store that is open', async () => {
    const path = temporaryDirectory();
    await using store = await openStore({ directory: path, freeFloorBytes: 0 });
    store.stream('host', 1, { kind: 'evt' }).append(5);
    await store.flush();
    const mm = new LegacyMemoryManager();
    const options = { config: null, disk_path: path, recovery_enabled: false };
    expect(named(await mm.init(options))).toBe('INITIALIZATION_FAILED');
    expect(readdirSync(path).some((name) => name.startsWith('not-recovered'))).toBe(false);
    expect([...((await store.streams()[0]?.read(1))?.values ?? [])]).toEqual([5]);
  });

  it('flash_wear_minimize = false has each write on disk at once, and each erase', async () => {
    const made = bench();
    expect(await made.open({ flash_wear_minimize: false })).toBe('SUCCESS');
    const { mm } = made;
    for (let i = 0; i < 5; i++) write(mm, i);
    await vi.waitFor(() => expect(mm.store?.stats().atRisk).toBe(0), PATIENCE);
    expect(mm.store?.stats().flushes).toBeLessThan(5);
    read(mm);
    mm.erase(0, 1);
    await vi.waitFor(() => expect(mm.store?.inspect().streams[0]?.durableHead).toBe(1), PATIENCE);
    const after = made.cutPower();
    expect(await after.open()).toBe('SUCCESS');
    expect([read(after.mm), after.mm.store?.stats().retained]).toEqual([1, 4]);
  });

  it('without it, what was written since the last flush goes with the power', async () => {
    const made = bench();
    await made.open();
    for (let i = 0; i < 5; i++) write(made.mm, i);
    const after = made.cutPower();
    await after.open();
    expect(read(after.mm)).toBe('BOUNDS_VIOLATION');
  });
});

describe('providers', () => {
  const csb = [{ id: 900 }];

  // Goal: a clock that is not set costs no record. Method: null, NaN, a clock that throws, then a set one.
  it('a clock that is not set gives records the time 0, one that throws too, and is in the log', async () => {
    let clock: () => number | null = () => null;
    const made = bench();
    await made.open({ clock: () => clock() });
    const times: (number | undefined)[] = [];
    for (const each of [
      () => null,
      () => Number.NaN,
      () => {
        throw new Error('no clock');
      },
      () => 1_700_000_000_000.75,
    ]) {
      clock = each;
      expect(named(made.mm.writeEntry(csb, [{}], 0, 1, false))).toBe('SUCCESS');
      const record: ReadRecord = {};
      expect(named(made.mm.read(0, record, null))).toBe('SUCCESS');
      times.push(record.utc_time_ms);
    }
    expect(times).toEqual([0, 0, 0, 1_700_000_000_000]);
    expect(made.logged.join()).toContain('clock-failed message="Error: no clock"');
  });

  // Goal: without a fix the event is written all the same; 0 is a position. Method: each kind of answer.
  it.each([
    ['null', () => null, 1],
    ['a field that is no number', () => ({ latitude: 1, longitude: 2, altitude: Number.NaN, speed: 0 }), 1],
    ['one that throws', () => JSON.parse('no fix'), 1],
    ['0, 0, 0, 0', () => ({ latitude: 0, longitude: 0, altitude: 0, speed: 0 }), 5],
  ])('a position of %s', async (_, position, records) => {
    const { mm, open } = bench();
    await open({ position });
    expect(named(mm.writeEntry(csb, [{}], 0, 1, true))).toBe('SUCCESS');
    expect(mm.store?.stats().retained).toBe(records);
    expect(named(mm.writeEntry(csb, [{}], 0, 1, false))).toBe('SUCCESS');
    expect(mm.store?.stats().retained).toBe(records + 1);
  });

  // Goal: an event and its position are one: all or none. Method: fewer free sectors than records.
  it('an event whose position finds no room is refused with it', async () => {
    const { mm, open, disk } = bench();
    await open({
      position: () => ({ latitude: 1, longitude: 2, altitude: 3, speed: 4 }),
      settings: { poolBytes: 320, sectorBytes: 64, quotaBytes: '8MiB', freeFloorBytes: 0, streamsMax: 8 },
    });
    disk.faults.push({ kind: 'write', times: Number.POSITIVE_INFINITY, fault: { code: 'IO' } });
    expect(write(mm, 1)).toBe('SUCCESS');
    expect(named(mm.writeEntry(csb, [{}], 0, 1, true))).toBe('INSUFFICIENT_SPACE');
    expect(mm.store?.stats()).toMatchObject({ retained: 1 });
    expect(named(mm.writeEntry(csb, [{}], 0, 1, false))).toBe('SUCCESS');
  });

  it('a log that throws disturbs nobody', async () => {
    const { mm, open } = bench();
    const log = (): never => {
      throw new Error('disk full');
    };
    expect(await open({ log })).toBe('SUCCESS');
    expect(write(mm, 1)).toBe('SUCCESS');
  });
});
