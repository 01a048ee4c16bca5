/**
 * Repair: what opening a store does, done once and told. Damaged files are set aside and never deleted; what is lost goes
 * into the ledger; the log is begun anew. `plan` does the same over a view in memory and touches nothing, so what it says
 * is what repair then does.
 */

import type { Result } from '../core/codes.ts';
import { failure, success } from '../core/codes.ts';
import { Engine } from '../core/engine.ts';
import type { DiskPort, IoResult, Platform } from '../core/port.ts';
import type { RecoveryReport } from '../core/types.ts';
import { createLinuxPlatform } from '../platform/linux.ts';
import { freeze } from './frozen-disk.ts';
import type { Place } from './read-only-store.ts';
import { look, settingsForAny } from './read-only-store.ts';
import type { RecordRange } from './verify/finding.ts';

/** One change of a name in the directory, in the order in which it is done. */
export type Deed =
  | { readonly do: 'set aside'; readonly file: string; readonly as: string }
  | { readonly do: 'remove'; readonly file: string }
  | { readonly do: 'write'; readonly file: string };

export interface Repair {
  readonly deeds: readonly Deed[];
  /** Entered into the ledger as damaged. */
  readonly lost: readonly RecordRange[];
  readonly recovery: RecoveryReport;
}

const pathOf = (directory: string, name: string): string => (directory === '' ? name : `${directory}/${name}`);

/** The disk with a record of what was done to names. A file that was written twice was written. */
class Recorded {
  readonly deeds: Deed[] = [];
  readonly #disk: DiskPort;

  constructor(disk: DiskPort) {
    this.#disk = disk;
  }

  /** A disk like the other one; only what changes names is told on the way. */
  get port(): DiskPort {
    const disk = this.#disk;
    const note = (deed: Deed, done: IoResult<void>): IoResult<void> => {
      if (done.ok && !this.deeds.some((other) => JSON.stringify(other) === JSON.stringify(deed))) this.deeds.push(deed);
      return done;
    };
    return {
      lock: () => disk.lock(),
      unlock: () => disk.unlock(),
      list: (directory) => disk.list(directory),
      read: (directory, name, offset, into) => disk.read(directory, name, offset, into),
      write: async (directory, name, offset, bytes) =>
        note({ do: 'write', file: pathOf(directory, name) }, await disk.write(directory, name, offset, bytes)),
      sync: (directory, name) => disk.sync(directory, name),
      syncDirectory: (directory) => disk.syncDirectory(directory),
      remove: async (directory, name) =>
        note({ do: 'remove', file: pathOf(directory, name) }, await disk.remove(directory, name)),
      rename: async (directory, from, to) =>
        note(
          { do: 'set aside', file: pathOf(directory, from), as: pathOf(directory, to) },
          await disk.rename(directory, from, to),
        ),
      freeBytes: () => disk.freeBytes(),
      after: (delayMs, callback) => disk.after(delayMs, callback),
    };
  }
}

/** Opens and closes the store on the platform. */
async function openAndClose(platform: Platform, quota: string | undefined): Promise<Result<Repair>> {
  const settings = settingsForAny(quota);
  if (!settings.ok) return settings;
  const recorded = new Recorded(platform.disk as DiskPort);
  const lost: RecordRange[] = [];
  const opened = await Engine.open({ ...platform, disk: recorded.port }, settings.value, {
    onEvent: (event) => {
      if (event.type === 'damaged') lost.push({ ...event.key, from: event.from, to: event.to });
    },
  });
  if (!opened.ok) return opened;
  const { recovery } = opened.value;
  const closed = await opened.value.close();
  if (!closed.ok) return closed;
  if (closed.value.failure !== null) return { ok: false, failure: closed.value.failure };
  return success({ deeds: recorded.deeds, lost, recovery });
}

async function refuseHeld(place: Place): Promise<Result<void>> {
  const holder = await place.holder();
  return holder === null
    ? success(undefined)
    : failure('LOCKED', `the store is open elsewhere: ${holder}; close it there first`);
}

/**
 * What repair would do now. Nothing is touched.
 * @returns LOCKED beside a running store, UNSUPPORTED_FORMAT, IO_FAILED, PARAMETER_INVALID when there is no store.
 */
export async function planRepair(place: Place, quota?: string): Promise<Result<Repair>> {
  const free = await refuseHeld(place);
  if (!free.ok) return free;
  const looked = await look(place);
  if (!looked.ok) return looked;
  const disk = await freeze(place.disk, place.prefetchBytes);
  if (!disk.ok) return failure('IO_FAILED', `could not look at ${place.directory}: ${disk.error.detail}`);
  return openAndClose({ ...createLinuxPlatform({ directory: '.' }), disk: disk.value }, quota);
}

/**
 * Does it. Durable when it answers ok; a crash on the way leaves what the next repair, or opening, finds as this one did.
 * @returns as planRepair; then nothing was done, but for files that were set aside before the disk failed.
 */
export async function repair(place: Place, quota?: string): Promise<Result<Repair>> {
  const free = await refuseHeld(place);
  if (!free.ok) return free;
  // Asked first, so that a directory which holds no store is not made into one.
  const looked = await look(place);
  if (!looked.ok) return looked;
  return openAndClose(createLinuxPlatform({ directory: place.directory }), quota);
}
