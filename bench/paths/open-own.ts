/** This store for the rows about its paths: over whichever platform a row needs, with the streams of a load. */
import type { Platform, SensorStream, SettingsInput, Store } from '../../src/index.ts';
import { openOn, resolveSettings, StoreError } from '../../src/index.ts';
import type { LoadSensor } from '../load.ts';

export interface OwnStreams {
  readonly store: Store;
  /** By index of the sensor. */
  readonly streams: readonly SensorStream[];
}

/** @throws StoreError as openOn does, and CONFIG_INVALID. */
export async function openOwn(
  platform: Platform,
  sensors: readonly LoadSensor[],
  settings: SettingsInput = {},
): Promise<OwnStreams> {
  const resolved = resolveSettings(settings);
  if (!resolved.ok) throw new StoreError(resolved.failure);
  const store = await openOn(platform, resolved.value);
  const streams = sensors.map(({ source, sensor, kind, periodMs, type }) =>
    store.stream(source, sensor, { kind, type, ...(kind === 'tsd' ? { periodMs } : {}) }),
  );
  return { store, streams };
}
