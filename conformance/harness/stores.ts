/**
 * Stores for the numbered tests: on a real directory, on the simulated disk, or in RAM as on the small device; and the few
 * calls that most tests make, with a failure that says what was expected.
 */

import type { Code, Result } from '../../src/core/codes.ts';
import type { Settings, SettingsInput } from '../../src/core/config.ts';
import { resolveBudget, resolveSettings } from '../../src/core/config.ts';
import { Engine } from '../../src/core/engine.ts';
import type { Platform } from '../../src/core/port.ts';
import { SectorPool } from '../../src/core/sector-pool.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { EngineEvent, Source, StreamInspection, StreamOptions } from '../../src/core/types.ts';
import { createLinuxPlatform } from '../../src/platform/linux.ts';
import { createWicedPlatform } from '../../src/platform/wiced.ts';
import { WICED_BUDGET_BYTES, WICED_STREAMS } from '../../src/wiced.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { StoreIds, simulatedPlatform, VirtualClock } from '../virtual-clock.ts';
import type { Bench } from './bench.ts';
import { HarnessFailure } from './bench.ts';

export const EVT: StreamOptions = { kind: 'evt' };
export const TSD: StreamOptions = { kind: 'tsd', periodMs: 1_000 };
export const START_MS = 1_700_000_000_000;
const SECTOR_BYTES = 32;
const LEDGER_ENTRIES = 16;

/** The classic pool: 2,048 sectors of 32 bytes. */
export const CLASSIC: SettingsInput = {
  poolBytes: 65_536,
  sectorBytes: 32,
  streamsMax: 64,
  ledgerMax: 256,
  quotaBytes: 4_194_304,
  freeFloorBytes: 0,
};

/** Ten sectors: a flush is asked for at eight. */
export const SMALL: SettingsInput = { ...CLASSIC, poolBytes: 320, streamsMax: 8, ledgerMax: 64, quotaBytes: 262_144 };

export function given<T>(what: string, result: Result<T>): T {
  if (result.ok) return result.value;
  throw new HarnessFailure(what, 'success', `${result.failure.code}: ${result.failure.message}`);
}

/** The call must be refused with this code. */
export function refused(bench: Bench, what: string, result: Result<unknown>, code: Code): void {
  bench.equal(what, result.ok ? 'success' : result.failure.code, code);
}

/** Settings of a store that must live in 12 KiB, or in `budgetBytes`, tables included. */
export const wicedSettings = (budgetBytes = WICED_BUDGET_BYTES, streamsMax = WICED_STREAMS): Result<Settings> =>
  resolveBudget(budgetBytes, streamsMax, SECTOR_BYTES, LEDGER_ENTRIES, (sectors, streams, ledgerMax) =>
    SectorPool.planBytes({ sectors, sectorBytes: SECTOR_BYTES, streamsMax: streams, ledgerMax, disk: false }),
  );

export function wicedPlatform(clock: () => number = () => START_MS, id = 1): Platform {
  const storeId = new Uint8Array(16);
  storeId[15] = id;
  return createWicedPlatform({ clock, storeId });
}

export interface Opened {
  readonly engine: Engine;
  readonly events: EngineEvent[];
  readonly settings: Settings;
  /** Null for a store on a real directory, or without a disk. */
  readonly disk: SimulatedDisk | null;
  readonly clock: VirtualClock;
}

export interface OpenOptions {
  readonly settings?: SettingsInput;
  /** Where a store with a disk lives. Default: the test's directory. */
  readonly on?: 'directory' | SimulatedDisk;
  readonly ids?: StoreIds;
}

/** Opens the store of the profile. With a disk on the test's directory, or on a simulated one; without, within 12 KiB. */
export async function openStore(bench: Bench, options: OpenOptions = {}): Promise<Opened> {
  const { settings = CLASSIC, on = 'directory', ids = new StoreIds() } = options;
  const disk = bench.hasDisk && on !== 'directory' ? on : null;
  const clock = disk?.clock ?? new VirtualClock(START_MS);
  const events: EngineEvent[] = [];
  const resolved = given('the settings', bench.hasDisk ? resolveSettings(settings) : wicedSettings());
  const platform = ((): Platform => {
    if (!bench.hasDisk) return wicedPlatform(() => clock.wallMs, 1 + bench.random.below(200));
    return disk === null
      ? createLinuxPlatform({ directory: bench.directory, clock: () => clock.wallMs })
      : simulatedPlatform(disk, clock, ids);
  })();
  const hooks = { onEvent: (event: EngineEvent) => void events.push(event) };
  const engine = given('open', await Engine.open(platform, resolved, hooks));
  // A simulated disk that lost power answers nothing any more.
  if (disk === null) bench.atEnd(() => engine.close());
  return { engine, events, settings: resolved, disk, clock };
}

export const newDisk = (): SimulatedDisk => new SimulatedDisk(new VirtualClock(START_MS));

export const streamOf = (
  { engine }: Pick<Opened, 'engine'>,
  source: Source,
  sensor: number,
  options: StreamOptions = EVT,
): StreamHandle => given(`stream ${source}/${sensor}`, engine.stream({ source, sensor }, options));

export function inspected({ engine }: Pick<Opened, 'engine'>, source: Source, sensor: number): StreamInspection {
  const found = engine.inspect().streams.find((each) => each.source === source && each.sensor === sensor);
  if (found === undefined) throw new HarnessFailure(`stream ${source}/${sensor}`, 'known', 'none');
  return found;
}

/** [from, from + 1, ...], `length` of them. */
export const count = (from: number, length: number): number[] => Array.from({ length }, (_, i) => from + i);

/** Appends values, a second apart behind those before; each must be taken. */
export function appendAll(stream: StreamHandle, values: ArrayLike<number>): void {
  const { appended } = stream.marks();
  for (let i = 0; i < values.length; i++) {
    const sequence = stream.append(values[i] as number, START_MS + (appended + i) * 1_000);
    if (sequence !== appended + i) throw new HarnessFailure('append', `sequence ${appended + i}`, `${sequence}`);
  }
}

/** Reads and compares values, times and sequence numbers; they are pending afterwards. */
export async function readExactly(
  bench: Bench,
  what: string,
  stream: StreamHandle,
  values: ArrayLike<number>,
  from: number,
  batchMax = 1_000,
): Promise<void> {
  let at = 0;
  for (;;) {
    const batch = given(what, await stream.read(batchMax));
    if (batch.length === 0) break;
    for (let i = 0; i < batch.length; i++, at++) {
      const record = [batch.sequences[i], batch.value(i), batch.timesMs[i]];
      const wanted = [from + at, values[at], START_MS + (from + at) * 1_000];
      bench.each(record[0] === wanted[0] && record[1] === wanted[1] && record[2] === wanted[2], () => [
        `${what}, record ${at} (sequence, value, time)`,
        wanted,
        record,
      ]);
    }
  }
  bench.equal(`${what}: records`, at, values.length);
}

/** Everything that can go on without waiting for anything outside has gone on. */
export async function settle(turns = 3): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits until it is so, or fails; what the store does in the background takes milliseconds. */
export async function until(bench: Bench, what: string, isSo: () => boolean, seen: () => unknown): Promise<void> {
  const seconds = bench.size(5, 1);
  const endMs = performance.now() + 1_000 * seconds;
  while (!isSo()) {
    if (performance.now() > endMs) throw new HarnessFailure(what, `within ${seconds} s`, String(seen()));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
