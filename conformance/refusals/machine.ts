/** A small store on a simulated machine, for short lives that are told call by call. */
import type { SettingsInput } from '../../src/core/config.ts';
import { checkpointReserveBytes, resolveSettings } from '../../src/core/config.ts';
import { ALLOCATION_BYTES } from '../../src/core/disk-index.ts';
import { Engine } from '../../src/core/engine.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { EngineEvent, Source, StreamOptions } from '../../src/core/types.ts';
import { macrotask } from '../answers.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { StoreIds, simulatedPlatform, VirtualClock } from '../virtual-clock.ts';

export const NOW_MS = 1_700_000_000_000;

const SMALL: SettingsInput = { poolBytes: 512, sectorBytes: 32, streamsMax: 8, ledgerMax: 8, freeFloorBytes: 0 };

/**
 * The least quota with which a small store has room for so many segments of one unit each, and the room that it has.
 * @param beside settings that are not those of a small store.
 */
export function quotaFor(
  segments: number,
  beside: SettingsInput = {},
): { readonly quotaBytes: number; readonly segments: number } {
  for (let quotaBytes = ALLOCATION_BYTES; ; quotaBytes += ALLOCATION_BYTES) {
    const settings = resolveSettings({ ...SMALL, ...beside, quotaBytes });
    if (!settings.ok) continue;
    const room = (quotaBytes - 2 * checkpointReserveBytes(settings.value)) / ALLOCATION_BYTES;
    if (room >= segments) return { quotaBytes, segments: room };
  }
}

/** A simulated machine: its disk and clock outlive the store. */
export class Machine {
  readonly clock = new VirtualClock(NOW_MS);
  readonly #ids = new StoreIds();
  readonly events: EngineEvent[] = [];
  disk: SimulatedDisk | null;
  /** Settings beside those of a small store. */
  settings: SettingsInput = {};

  constructor(withDisk = true) {
    this.disk = withDisk ? new SimulatedDisk(this.clock) : null;
  }

  async tryOpen(): Promise<Awaited<ReturnType<typeof Engine.open>>> {
    const settings = resolveSettings({ ...SMALL, ...this.settings });
    if (!settings.ok) throw new Error(settings.failure.message);
    const platform = simulatedPlatform(this.disk, this.clock, this.#ids);
    return Engine.open(platform, settings.value, { onEvent: (event) => this.events.push(event) });
  }

  /** @throws when the store does not open. */
  async open(): Promise<Engine> {
    const opened = await this.tryOpen();
    if (!opened.ok) throw new Error(opened.failure.message);
    return opened.value;
  }

  /** Goes on while operations end, or until `steps` of them have. */
  async complete(steps = Number.POSITIVE_INFINITY): Promise<void> {
    await macrotask();
    for (let ended = 0; ended < steps && this.disk?.complete() === true; ended++) await macrotask();
  }

  /** Events of these types, in order. */
  heard(...types: readonly EngineEvent['type'][]): EngineEvent[] {
    return this.events.filter(({ type }) => types.includes(type));
  }

  /** Names of the files there are, by their end. */
  files(end: string): string[] {
    return (this.disk?.files() ?? []).map(({ name }) => name).filter((name) => name.endsWith(end));
  }

  /** Power fails, and nothing is left that was not durable. */
  cutPower(): void {
    this.disk = this.disk?.crash({ kind: 'power', keep: 'nothing' }) ?? null;
  }
}

export function streamOf(
  engine: Engine,
  sensor: number,
  options: StreamOptions = { kind: 'evt' },
  source: Source = 'host',
): StreamHandle {
  const made = engine.stream({ source, sensor }, options);
  if (!made.ok) throw new Error(made.failure.message);
  return made.value;
}

export const appendSome = (handle: StreamHandle, records: number): void => {
  for (let i = 0; i < records; i++) handle.append(i, NOW_MS + i);
};

/** The value. @throws when it was refused. */
export const given = <T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T => {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result)}`);
  return result.value;
};
