/**
 * An engine on a simulated disk, for tests: opened, driven, crashed and opened again in one line each.
 *
 * Time stands still until a test moves it, ids are counted, so every run is the same run.
 */
import type { FaultRule } from '../../conformance/disk-operations.ts';
import { SimulatedDisk } from '../../conformance/simulated-disk.ts';
import { StoreIds, simulatedPlatform, VirtualClock } from '../../conformance/virtual-clock.ts';
import type { Code, Result } from '../../src/core/codes.ts';
import type { Settings, SettingsInput } from '../../src/core/config.ts';
import { resolveSettings } from '../../src/core/config.ts';
import { Engine } from '../../src/core/engine.ts';
import type { Platform } from '../../src/core/port.ts';
import type { RecordBatch } from '../../src/core/record-batch.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { EngineEvent, Source, StreamInspection, StreamOptions } from '../../src/core/types.ts';

/** The value of a result that must be a success; the failure's own words otherwise. */
export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.failure.code}: ${result.failure.message}`);
  return result.value;
}

/** The code of a result that must be a failure. */
export function codeOf(result: Result<unknown>): Code | 'ok' {
  return result.ok ? 'ok' : result.failure.code;
}

/** Small enough for every bound to be reached: 10 sectors of 32 bytes, flush asked for at 8. */
export const SMALL: SettingsInput = {
  poolBytes: 320,
  sectorBytes: 32,
  streamsMax: 8,
  ledgerMax: 64,
  quotaBytes: 262_144,
  freeFloorBytes: 0,
};

/** Everything that can go on without waiting for anything outside has gone on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export const EVT: StreamOptions = { kind: 'evt' };
export const TSD: StreamOptions = { kind: 'tsd', periodMs: 1000 };

/** [from, from + 1, ...], `length` of them. */
export const count = (from: number, length: number): number[] => Array.from({ length }, (_, i) => from + i);

/** Values without a pattern: packing finds nothing in them, so that their blocks are as large as blocks get. */
export const scattered = (from: number, length: number): number[] =>
  count(from, length).map((i) => {
    const mixed = Math.imul(i ^ (i >>> 16) ^ 0x5bd1_e995, 0x85eb_ca6b);
    return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35) >>> 0;
  });

export class Workbench {
  readonly clock: VirtualClock;
  readonly ids: StoreIds;
  readonly settings: Settings;
  readonly events: EngineEvent[] = [];
  disk: SimulatedDisk;
  #engine: Engine | null = null;

  constructor(input: SettingsInput = {}, disk?: SimulatedDisk) {
    this.clock = disk?.clock ?? new VirtualClock();
    this.ids = new StoreIds();
    this.disk = disk ?? new SimulatedDisk(this.clock);
    this.settings = unwrap(resolveSettings({ ...SMALL, ...input }));
  }

  /** A workbench with an open store on `disk`, a fresh one when left out. */
  static async open(input: SettingsInput = {}, disk?: SimulatedDisk): Promise<Workbench> {
    const bench = new Workbench(input, disk);
    unwrap(await bench.tryOpen());
    return bench;
  }

  /** The same without a disk. */
  static async openRamOnly(input: SettingsInput = {}): Promise<Workbench> {
    const bench = new Workbench(input);
    unwrap(await bench.tryOpen(simulatedPlatform(null, bench.clock, bench.ids)));
    return bench;
  }

  async tryOpen(platform: Platform = simulatedPlatform(this.disk, this.clock, this.ids)): Promise<Result<Engine>> {
    const opened = await Engine.open(platform, this.settings, { onEvent: (event) => this.events.push(event) });
    if (opened.ok) this.#engine = opened.value;
    return opened;
  }

  get engine(): Engine {
    if (this.#engine === null) throw new Error('the store is not open');
    return this.#engine;
  }

  stream(source: Source, sensor: number, options: StreamOptions = EVT): StreamHandle {
    return unwrap(this.engine.stream({ source, sensor }, options));
  }

  /** Power fails, leaving `keep` of what was not durable; the store is opened on what is left. */
  async crash(keep: 'nothing' | 'everything' | readonly number[] | { seed: number } = 'nothing'): Promise<Workbench> {
    const next = new Workbench({}, this.disk.crash({ kind: 'power', keep }));
    Object.assign(next, { settings: this.settings, ids: this.ids });
    unwrap(await next.tryOpen());
    return next;
  }

  /** The store is closed and opened again. */
  async reopen(): Promise<Workbench> {
    unwrap(await this.engine.close());
    const next = new Workbench({}, this.disk);
    Object.assign(next, { settings: this.settings, ids: this.ids });
    unwrap(await next.tryOpen());
    return next;
  }

  fault(rule: FaultRule): void {
    this.disk.faults.push(rule);
  }

  clearFaults(): void {
    this.disk.faults.length = 0;
  }

  typesOfEvents(): string[] {
    return this.events.map(({ type }) => type);
  }

  inspect(source: Source, sensor: number): StreamInspection {
    const found = this.engine.inspect().streams.find((each) => each.source === source && each.sensor === sensor);
    if (found === undefined) throw new Error(`no stream ${source}/${sensor}`);
    return found;
  }

  /** Names of all files, `directory/name`. */
  names(): string[] {
    return this.disk.files().map(({ directory, name }) => (directory === '' ? name : `${directory}/${name}`));
  }
}

/** Appends values at times 1,000 ms apart from 1,000,000 on; every one must be taken. */
export function appendAll(stream: StreamHandle, values: readonly number[]): void {
  const { appended } = stream.marks();
  const taken = stream.appendMany(
    values,
    values.map((_, i) => 1_000_000 + (appended + i) * 1000),
  );
  if (taken !== values.length) throw new Error(`only ${taken} of ${values.length} records were taken`);
}

/** The values of everything unread, by reads of `max`; they are pending afterwards. */
export async function drain(stream: StreamHandle, max = 1000): Promise<number[]> {
  const values: number[] = [];
  for (;;) {
    const batch: RecordBatch = unwrap(await stream.read(max));
    if (batch.length === 0) return values;
    values.push(...batch.values);
  }
}
