/**
 * Which store is behind the old calls, from `memory_manager_v2_init` to `memory_manager_v2_shutdown`.
 *
 *     closed -> opening -> open -> closing -> closed
 *
 * Mode and path can be said while it is closed. Nothing here throws or rejects: what goes wrong is a code, and its words
 * go to the log (voice.ts).
 */
import { setAside } from '../config/not-recovered.ts';
import { logOf, showIfConfigured } from '../config/open-configured.ts';
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
import type { LogProvider, Resolved, Said } from './options.ts';
import { isMode, isPath, resolveOptions } from './options.ts';
import { Session } from './session.ts';
import type { Position } from './shapes.ts';
import { positionOf, TIME_MS_END } from './shapes.ts';
import { Voice } from './voice.ts';

export class Lifecycle {
  #said: Said = { mode: null, diskPath: null };
  #options: Resolved | null = null;
  #session: Session | null = null;
  #voice = new Voice(null, null);
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
    return this.#isClosed || this.#options?.values.disk_path === path ? SUCCESS : MODE_TRANSITION_FAILED;
  }

  get #isClosed(): boolean {
    return this.#session === null && this.#turning === null;
  }

  /** Opens the store. When it is open already: SUCCESS without options, else a refusal. */
  open(given: unknown): Promise<ResultCode> {
    const again = given === undefined ? SUCCESS : MODE_TRANSITION_FAILED;
    if (this.#session !== null && this.#turning === null) return Promise.resolve(again);
    return this.#turn(async () => {
      if (this.#session !== null) return again;
      const code = await this.#guarded(() => this.#open(given ?? {}));
      if (code !== SUCCESS) await this.#voice.end();
      return code;
    });
  }

  async #open(given: unknown): Promise<ResultCode> {
    const resolved = resolveOptions(given, this.#said);
    if (!resolved.ok) {
      const log = (given as { log?: unknown }).log;
      this.#voice = new Voice(null, typeof log === 'function' ? (log as LogProvider) : null);
      return this.#refused(resolved.failure);
    }
    const options = resolved.value;
    const { values } = options;
    this.#options = options;
    this.#voice = new Voice(logOf(values), options.log);
    if (!values.enabled) {
      this.#voice.say('warn', 'switched-off', { message: 'enabled = false: nothing is stored' });
      return INITIALIZATION_FAILED;
    }
    const platform = await this.#platform(options);
    if (!platform.ok) return this.#refused(platform.failure);
    const store = await openOn(platform.value, options.settings, {
      onEvent: this.#voice.hear,
      flushEachAppend: !values.flash_wear_minimize,
    });
    if (options.platform === null) {
      await showIfConfigured(store, values, {
        write: (level, event, fields = {}) => this.#voice.say(level, event, fields),
      });
    }
    this.#session = new Session(store, () => this.#now());
    return SUCCESS;
  }

  async #platform({ platform: given, mode, values }: Resolved): Promise<Result<Platform>> {
    const clock = (): number => this.#now();
    if (given !== null) return success(given);
    if (mode === MODE_RAM_ONLY) return success(createRamPlatform({ clock }));
    const platform = createLinuxPlatform({ directory: values.disk_path, clock });
    if (values.recovery_enabled || platform.disk === null) return success(platform);
    const aside = await setAside(values.disk_path, platform.disk);
    if (!aside.ok) return aside;
    if (aside.value !== null) this.#voice.say('warn', 'not-recovered', { folder: aside.value });
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
      this.#voice.say('error', 'clock-failed', { message: String(error) });
      return 0;
    }
  }

  /** Where the device is now; null without a fix or a provider. */
  position(): Position | null {
    const { position = null } = this.#options ?? {};
    try {
      return positionOf(position?.());
    } catch (error) {
      this.#voice.say('error', 'position-failed', { message: String(error) });
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
      const { unsaved } = await store.close();
      await this.#voice.end();
      // In RAM only nothing was to be kept; else the log has how many, and why.
      return unsaved === 0 || store.stats().diskBytes === 0 ? SUCCESS : DISK_IO_FAILED;
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
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#voice.say('error', 'impossible-state', { message });
    return IMPOSSIBLE_STATE;
  }

  #refused({ code, message }: Pick<Failure, 'code' | 'message'>): ResultCode {
    this.#voice.say('error', 'call-refused', { answer: CODE_NAMES[CODE_OF[code]], code, message });
    return CODE_OF[code];
  }
}
