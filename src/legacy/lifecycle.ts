/**
 * Which store is behind the old calls, from `memory_manager_v2_init` to `memory_manager_v2_shutdown`.
 *
 *     closed -> opening -> open -> closing -> closed
 *
 * Mode and path can be said while it is closed. Nothing here throws or rejects: what goes wrong is a code, and its words
 * go to the log that the options name.
 */
import { setAside } from '../config/not-recovered.ts';
import type { Failure, Result } from '../core/codes.ts';
import { success } from '../core/codes.ts';
import type { Platform } from '../core/port.ts';
import { createLinuxPlatform } from '../platform/linux.ts';
import { createRamPlatform } from '../platform/ram.ts';
import type { Store } from '../store.ts';
import { openOn, StoreError } from '../store.ts';
import type { ResultCode } from './codes.ts';
import {
  CODE_NAMES,
  CODE_OF,
  DISK_IO_FAILED,
  IMPOSSIBLE_STATE,
  INITIALIZATION_FAILED,
  INVALID_PARAMETER,
  MODE_RAM_ONLY,
  MODE_TRANSITION_FAILED,
  SUCCESS,
} from './codes.ts';
import type { LogLevel, LogProvider, Resolved, Said } from './options.ts';
import { isMode, isPath, resolveOptions } from './options.ts';
import { Session } from './session.ts';
import type { Position } from './shapes.ts';
import { positionOf, TIME_MS_END } from './shapes.ts';

export class Lifecycle {
  #said: Said = { mode: null, diskPath: null };
  #options: Resolved | null = null;
  #session: Session | null = null;
  /** The opening or closing that is under way. */
  #turning: Promise<ResultCode> | null = null;

  /** The open store, or the code with which every call is refused meanwhile. */
  get session(): Session | ResultCode {
    if (this.#turning !== null) return MODE_TRANSITION_FAILED;
    return this.#session ?? INITIALIZATION_FAILED;
  }

  get store(): Store | null {
    return this.#session?.store ?? null;
  }

  /** While nothing is open; afterwards only what is so already. */
  say(mode: unknown): ResultCode {
    if (!isMode(mode)) return INVALID_PARAMETER;
    if (this.#isClosed) this.#said = { ...this.#said, mode };
    return this.#isClosed || this.#options?.mode === mode ? SUCCESS : MODE_TRANSITION_FAILED;
  }

  sayPath(path: unknown): ResultCode {
    if (!isPath(path)) return INVALID_PARAMETER;
    if (this.#isClosed) this.#said = { ...this.#said, diskPath: path };
    return this.#isClosed || this.#options?.diskPath === path ? SUCCESS : MODE_TRANSITION_FAILED;
  }

  get #isClosed(): boolean {
    return this.#session === null && this.#turning === null;
  }

  /** Opens the store. When it is open already: SUCCESS without options, else a refusal. */
  open(given: unknown): Promise<ResultCode> {
    const again = given === undefined ? SUCCESS : MODE_TRANSITION_FAILED;
    if (this.#session !== null && this.#turning === null) return Promise.resolve(again);
    return this.#turn(async () => (this.#session === null ? this.#open(given ?? {}) : again));
  }

  async #open(given: unknown): Promise<ResultCode> {
    const resolved = resolveOptions(given, this.#said);
    if (!resolved.ok) {
      const log = (given as { log?: unknown }).log;
      if (typeof log === 'function') tell(log as LogProvider, 'error', resolved.failure.message);
      return CODE_OF[resolved.failure.code];
    }
    const options = resolved.value;
    this.#options = options;
    if (!options.enabled) {
      this.log('warn', 'the memory manager is switched off (enabled = false): nothing is stored');
      return INITIALIZATION_FAILED;
    }
    const platform = await this.#platform(options);
    if (!platform.ok) return this.#refused(platform.failure);
    const store = await openOn(platform.value, options.settings);
    this.#listen(store);
    this.#session = new Session(store, () => this.#now(), { flushEachWrite: !options.flashWearMinimize });
    return SUCCESS;
  }

  async #platform(options: Resolved): Promise<Result<Platform>> {
    const clock = (): number => this.#now();
    if (options.platform !== null) return success(options.platform);
    if (options.mode === MODE_RAM_ONLY) return success(createRamPlatform({ clock }));
    const platform = createLinuxPlatform({ directory: options.diskPath, clock });
    if (options.recoveryEnabled || platform.disk === null) return success(platform);
    const aside = await setAside(options.diskPath, platform.disk);
    if (!aside.ok) return aside;
    if (aside.value !== null) this.log('warn', `not recovered (recovery_enabled = false): set aside in ${aside.value}`);
    return success(platform);
  }

  /** A clock that is not set, or that makes no sense, gives 0: the record is kept, and the cloud sees that it has no time. */
  #now(): number {
    const { clock = null, platform = null } = this.#options ?? {};
    if (clock === null) return platform === null ? Date.now() : platform.nowMs();
    try {
      const timeMs = Math.trunc(clock() ?? 0);
      return timeMs > 0 && timeMs < TIME_MS_END ? timeMs : 0;
    } catch (error) {
      this.log('error', `the clock failed: ${String(error)}`);
      return 0;
    }
  }

  /** Where the device is now; null without a fix or a provider. */
  position(): Position | null {
    const { position = null } = this.#options ?? {};
    try {
      return positionOf(position?.());
    } catch (error) {
      this.log('error', `the position failed: ${String(error)}`);
      return null;
    }
  }

  /** Flushes and closes. @returns DISK_IO_FAILED when not everything could be saved; it is closed all the same. */
  close(): Promise<ResultCode> {
    if (this.#session === null && this.#turning === null) return Promise.resolve(SUCCESS);
    return this.#turn(async () => {
      const store = this.store;
      this.#session = null;
      if (store === null) return SUCCESS;
      const { unsaved, failure } = await store.close();
      if (unsaved === 0 || store.stats().diskBytes === 0) return SUCCESS;
      this.log('error', `${unsaved} records could not be saved: ${failure?.message ?? 'no time was left'}`);
      return DISK_IO_FAILED;
    });
  }

  /** Everything written so far is on disk for good when it answers SUCCESS. */
  async flush(): Promise<ResultCode> {
    const session = this.session;
    return typeof session === 'number' ? session : this.#guarded(() => session.store.flush().then(() => SUCCESS));
  }

  /** One after the other, so that whoever is told "closed" or "open" is told the truth. */
  #turn(work: () => Promise<ResultCode>): Promise<ResultCode> {
    const before = this.#turning ?? Promise.resolve(SUCCESS);
    const turn = before
      .then(() => this.#guarded(work))
      .then((code) => {
        if (this.#turning === turn) this.#turning = null;
        return code;
      });
    this.#turning = turn;
    return turn;
  }

  async #guarded(work: () => Promise<ResultCode>): Promise<ResultCode> {
    try {
      return await work();
    } catch (error) {
      return this.codeOf(error);
    }
  }

  /** What was thrown, as a code; its words go to the log. */
  codeOf(error: unknown): ResultCode {
    if (error instanceof StoreError) return this.#refused(error);
    this.log(
      'error',
      `this should not happen: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return IMPOSSIBLE_STATE;
  }

  #refused({ code, message }: Pick<Failure, 'code' | 'message'>): ResultCode {
    this.log('error', `${CODE_NAMES[CODE_OF[code]]} (${code}): ${message}`);
    return CODE_OF[code];
  }

  log(level: LogLevel, message: string): void {
    tell(this.#options?.log ?? null, level, message);
  }

  /** What no code of a call can say, because it happens by itself. */
  #listen(store: Store): void {
    const { found, records, damagedRecords, setAside } = store.recovery;
    this.log('info', `store ${store.storeId} opened (${found}): ${records} records, ${damagedRecords} damaged`);
    for (const file of setAside) this.log('error', `damaged file set aside: ${file}`);
    store.on('flushFailed', ({ message }) => this.log('error', message));
    store.on('segmentEvicted', ({ records }) =>
      this.log('warn', `disk full: ${records} of the oldest records dropped`),
    );
    store.on('sectorEvicted', ({ from, to }) =>
      this.log('warn', `RAM full: ${to - from} of the oldest records dropped`),
    );
    store.on('damaged', ({ key, from, to, file }) =>
      this.log('error', `${to - from} records of ${key.source}/${key.sensor} damaged in ${file}`),
    );
  }
}

function tell(log: LogProvider | null, level: LogLevel, message: string): void {
  try {
    log?.(level, message);
  } catch {
    // Nobody is left to tell that the log itself fails, and no call may throw for it.
  }
}
