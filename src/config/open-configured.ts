/**
 * A store as a configuration asks for it, with its log. What each key does is done here and in the engine, nowhere else.
 */
import type { StoreEvent } from '../announcer.ts';
import { serveLive } from '../live.ts';
import { eventLog } from '../log/event-log.ts';
import type { Log } from '../log/log.ts';
import { openLog } from '../log/log.ts';
import { createLinuxPlatform } from '../platform/linux.ts';
import { openOn, type Store, StoreError } from '../store.ts';
import type { Configuration } from './configuration.ts';
import type { ConfigurationValues } from './keys.ts';
import { setAside } from './not-recovered.ts';

const MIB = 1_048_576;

export interface OpenConfiguredOptions {
  /** UTC milliseconds for records without a time of their own; default Date.now. */
  readonly clock?: () => number;
  /** Hears everything that the store announces, beside the log. */
  readonly onEvent?: (event: StoreEvent) => void;
}

/** The log that the configuration asks for; nothing is made before its first line. */
export const logOf = (values: ConfigurationValues): Log =>
  openLog({
    target: values.log,
    level: values.log_level,
    file: values.log_file,
    fileBytes: values.log_file_mb * MIB,
    files: values.log_files,
  });

/**
 * Opens the store that `configuration` (of loadConfiguration) describes. Its log ends when the store is closed.
 * @returns null with enabled = false: nothing is opened, made or written.
 * @throws StoreError as openStore; with recovery_enabled = false also LOCKED and IO_FAILED of setting aside, and then the
 * directory still has everything.
 */
export async function openConfigured(
  { values, settings }: Configuration,
  { clock, onEvent }: OpenConfiguredOptions = {},
): Promise<Store | null> {
  if (!values.enabled) return null;
  const log = logOf(values);
  const write = eventLog(log, values.disk_path);
  const hear = (event: StoreEvent): void => {
    write(event);
    if (event.type === 'closed' || event.type === 'recoveryFailed') void log.close();
    onEvent?.(event);
  };
  const platform = createLinuxPlatform({ directory: values.disk_path, ...(clock === undefined ? {} : { clock }) });
  if (!values.recovery_enabled && platform.disk !== null) {
    const aside = await setAside(values.disk_path, platform.disk);
    if (!aside.ok) {
      hear({ type: 'recoveryFailed', ...aside.failure });
      throw new StoreError(aside.failure);
    }
    if (aside.value !== null) log.write('warn', 'not-recovered', { store: values.disk_path, folder: aside.value });
  }
  const store = await openOn(platform, settings, { onEvent: hear, flushEachAppend: !values.flash_wear_minimize });
  await showIfConfigured(store, values, log);
  return store;
}

/**
 * With live = true: lets other programs ask for the store's figures, which are nobody's without a disk.
 * @param log is told what goes wrong with that; the store is not affected.
 */
export async function showIfConfigured(
  store: Store,
  values: ConfigurationValues,
  log: Pick<Log, 'write'>,
): Promise<void> {
  if (!values.live || store.stats().diskBytes === 0) return;
  try {
    await serveLive(store, { directory: values.disk_path });
  } catch (error) {
    log.write('warn', 'live-failed', { store: values.disk_path, message: (error as Error).message });
  }
}
