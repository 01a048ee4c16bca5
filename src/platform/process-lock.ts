/**
 * Keeps a store to one process at a time, also when processes die, without the kernel's file locks (which Node does
 * not offer).
 *
 * On disk, in the store's root:
 *
 *     lock/                          not empty: the store is held
 *       <identity>-<token>           the holder: its name says who (process-identity.ts), its content is for people
 *       <token>.socket               listened on while the holder lives; asked from another container only
 *     lock.<identity>-<token>/       a lock being prepared; left over only by a process that died right then
 *     lock.spare/                    empty: what the next one prepares, made while there was space for it
 *
 * Why it is race-free. To take the lock is to rename a prepared directory onto `lock`. The kernel does that in one
 * step, and only if `lock` is missing or empty: of any number of processes that try at once exactly one succeeds, and
 * what they find is never half written. To take over from a dead holder is to remove its file from `lock`, which
 * empties it, and then to rename like everybody else. The file's name is drawn at random for each lock, so whoever
 * removes it late, after others took over, removes nothing: it can never hit a living holder. There is no moment at
 * which a lock is judged by one name and removed by another. A process that dies at any step leaves `lock` held by
 * a dead one, or empty, or a directory that nobody looks at; a later holder sweeps those up.
 *
 * Nothing here is synced: a power cut ends every holder, so a lock that it loses is a lock that nobody holds. Nothing
 * here needs space once the store has been open: names fit where names were, the spare has its block, and a holder's
 * file may be empty. A store must be opened on a full disk, for it alone can make room on it.
 *
 * A holder that cannot be judged, on another host that shares the directory, keeps the lock; the text says how to
 * remove it by hand. It does not wait, does not renew, and does not guard against a user who removes `lock`.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import type { LockResult } from '../core/port.ts';
import type { SystemError, SystemResult } from './io-error.ts';
import { attempt, refused, systemError } from './io-error.ts';
import type { ProcessIdentity, Verdict } from './process-identity.ts';
import { identifySelf, identityIn, isLocalFileSystem, isRunning, judge, nameOf } from './process-identity.ts';

const LOCK = 'lock';
const PREPARED_PREFIX = `${LOCK}.`;
const SPARE = `${LOCK}.spare`;
const SOCKET_SUFFIX = '.socket';
const TOKEN_BYTES = 6;
/** Each further try means that somebody else took or left the lock meanwhile. */
const TRIES_MAX = 1_000;

/** What the holder's file says, for the message that another process shows. */
interface Holder {
  readonly pid: number;
  readonly program: string;
  readonly host: string;
  readonly since: string;
}

interface Held {
  readonly entry: string;
  readonly server: Server | null;
}

export class ProcessLock {
  readonly #root: string;
  readonly #lock: string;
  readonly #spare: string;
  #held: Held | null = null;

  constructor(root: string) {
    this.#root = root;
    this.#lock = join(root, LOCK);
    this.#spare = join(root, SPARE);
  }

  /** Takes the lock, from a dead holder too, or says who has it. The root must exist. */
  async take(): Promise<LockResult> {
    const self = await identifySelf();
    const token = randomBytes(TOKEN_BYTES).toString('hex');
    const entry = `${nameOf(self)}-${token}`;
    const prepared = join(this.#root, PREPARED_PREFIX + entry);
    const made = await this.#prepare(prepared, entry);
    if (!made.ok) return made;
    const server = await listen(prepared, token + SOCKET_SUFFIX);
    const answer = await this.#publish(prepared, self);
    if (!answer.ok) {
      server?.close();
      await this.#abandon(prepared, entry);
      return answer;
    }
    this.#held = { entry, server };
    // Where there is no space even for this, the next one makes its own, then.
    await attempt('create', this.#spare, (done) => fs.mkdir(this.#spare, 0o755, done));
    await this.#sweep(self);
    return answer;
  }

  /**
   * Who holds the lock now, as text for people; null when nobody does, or only the dead. Looks and changes nothing: what
   * the dead left is cleared by who takes the lock.
   */
  async holder(): Promise<SystemResult<string | null>> {
    const listed = await attempt<string[]>('read', this.#lock, (done) => fs.readdir(this.#lock, done));
    if (!listed.ok) return listed.error.errno === 'ENOENT' ? { ok: true, value: null } : listed;
    const self = await identifySelf();
    for (const name of listed.value.filter((each) => !each.endsWith(SOCKET_SUFFIX))) {
      const verdict = await this.#judge(this.#lock, name, self);
      if (verdict !== 'dead') return { ok: true, value: await this.#describe(name, verdict, self) };
    }
    return { ok: true, value: null };
  }

  /** Gives the lock back; does nothing without it. A lock that cannot be removed ends with the process. */
  async release(): Promise<void> {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    await empty(this.#lock, held.entry);
    held.server?.close();
  }

  async #prepare(prepared: string, entry: string): Promise<SystemResult<void>> {
    const claimed = await attempt('claim', this.#spare, (done) => fs.rename(this.#spare, prepared, done));
    if (!claimed.ok) {
      const made = await attempt('create', prepared, (done) => fs.mkdir(prepared, 0o755, done));
      if (!made.ok) return made;
    }
    const holder: Holder = {
      pid: process.pid,
      program: basename(process.argv[1] ?? process.execPath),
      host: hostname(),
      since: new Date().toISOString(),
    };
    const file = join(prepared, entry);
    const written = await attempt('write', file, (done) => fs.writeFile(file, `${JSON.stringify(holder)}\n`, done));
    // On a full disk the file is there and empty. Its name is what counts, and the store may yet make room.
    if (written.ok || written.error.code === 'NO_SPACE') return { ok: true, value: undefined };
    await this.#abandon(prepared, entry);
    return written;
  }

  /** Makes a spare of a prepared lock that did not become the lock. What cannot be removed does no harm and stays. */
  async #abandon(prepared: string, entry: string): Promise<void> {
    await empty(prepared, entry);
    await attempt('leave', prepared, (done) => fs.rename(prepared, this.#spare, done));
  }

  async #publish(prepared: string, self: ProcessIdentity): Promise<LockResult> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const renamed = await attempt('lock', this.#lock, (done) => fs.rename(prepared, this.#lock, done));
      if (renamed.ok) return { ok: true };
      // Linux says ENOTEMPTY, POSIX allows EEXIST as well.
      if (renamed.error.errno !== 'ENOTEMPTY' && renamed.error.errno !== 'EEXIST') return renamed;
      const holder = await this.#clear(self);
      if (!holder.ok) return holder;
      if (holder.value !== null) return { ok: false, holder: holder.value };
    }
    return refused(systemError('EBUSY', 'lock', this.#lock, 'others take and leave it without pause; try again'));
  }

  /** Removes what the dead left in the lock. @returns who holds it all the same, or null: worth another try. */
  async #clear(self: ProcessIdentity): Promise<SystemResult<string | null>> {
    const listed = await attempt<string[]>('read', this.#lock, (done) => fs.readdir(this.#lock, done));
    if (!listed.ok) return listed.error.errno === 'ENOENT' ? { ok: true, value: null } : listed;
    const names = listed.value;
    for (const name of names) {
      // A socket goes with its holder's file. Alone, it is what a takeover or a release left.
      if (isSocketOf(name, names)) continue;
      const verdict = name.endsWith(SOCKET_SUFFIX) ? 'dead' : await this.#judge(this.#lock, name, self);
      if (verdict !== 'dead') return { ok: true, value: await this.#describe(name, verdict, self) };
      const removed = await empty(this.#lock, name);
      if (!removed.ok) return removed;
    }
    return { ok: true, value: null };
  }

  #judge(directory: string, name: string, self: ProcessIdentity): Promise<Verdict> {
    const { owner, token } = parts(name);
    // A name that this program never gave: it is somebody's, and not ours to remove.
    if (owner === null) return Promise.resolve('unseen');
    return judge(owner, self, {
      isRunning,
      isLocalFileSystem: () => isLocalFileSystem(this.#root),
      ask: () => ask(directory, token + SOCKET_SUFFIX),
    });
  }

  async #describe(name: string, verdict: Verdict, self: ProcessIdentity): Promise<string> {
    const byHand = `if it runs no more, remove the directory ${this.#lock}`;
    const owner = parts(name).owner;
    if (owner === null) return `whoever made ${join(this.#lock, name)}; ${byHand}`;
    const file = join(this.#lock, name);
    const read = await attempt<string>('read', file, (done) => fs.readFile(file, 'utf8', done));
    const text = describeHolder(owner.pid, read.ok ? read.value : '');
    if (verdict === 'unseen') return `${text}, on another host or in another container; ${byHand}`;
    return owner.pid === self.pid && owner.pidNamespace === self.pidNamespace ? `${text}, this very process` : text;
  }

  /** Removes locks in preparation whose makers are dead. What cannot be removed does no harm and stays. */
  async #sweep(self: ProcessIdentity): Promise<void> {
    const listed = await attempt<string[]>('read', this.#root, (done) => fs.readdir(this.#root, done));
    if (!listed.ok) return;
    for (const name of listed.value.filter((each) => each.startsWith(PREPARED_PREFIX))) {
      const entry = name.slice(PREPARED_PREFIX.length);
      const directory = join(this.#root, name);
      if ((await this.#judge(directory, entry, self)) !== 'dead') continue;
      await empty(directory, entry);
      await attempt('remove', directory, (done) => fs.rmdir(directory, done));
    }
  }
}

function parts(name: string): { readonly owner: ProcessIdentity | null; readonly token: string } {
  const cut = name.lastIndexOf('-');
  return { owner: identityIn(name.slice(0, Math.max(0, cut))), token: name.slice(cut + 1) };
}

function isSocketOf(name: string, names: readonly string[]): boolean {
  if (!name.endsWith(SOCKET_SUFFIX)) return false;
  const token = name.slice(0, -SOCKET_SUFFIX.length);
  return names.some((other) => other !== name && other.endsWith(`-${token}`));
}

function describeHolder(pid: number, content: string): string {
  try {
    const { program, host, since } = JSON.parse(content) as Partial<Holder>;
    return `pid ${pid} (${program}) on ${host} since ${since}`;
  } catch {
    // Gone meanwhile, or damaged: the name has said what counts.
    return `pid ${pid}`;
  }
}

/**
 * Removes the holder's file, then its socket. In this order a process that dies in between leaves a lock that is free.
 * What is not there any more is no error.
 */
async function empty(directory: string, entry: string): Promise<SystemResult<void>> {
  const socket = entry.endsWith(SOCKET_SUFFIX) ? entry : parts(entry).token + SOCKET_SUFFIX;
  for (const name of new Set([entry, socket])) {
    const path = join(directory, name);
    const removed = await attempt('remove', path, (done) => fs.unlink(path, done));
    if (!removed.ok && removed.error.errno !== 'ENOENT') return removed;
  }
  return { ok: true, value: undefined };
}

/**
 * Paths of sockets are short (108 bytes), those of stores need not be: the directory is named by its descriptor.
 * A socket is reached through its inode, from every container that sees the file, whatever its network.
 */
async function withSocketPath<T>(
  directory: string,
  name: string,
  use: (path: string) => Promise<T>,
): Promise<T | SystemError> {
  const opened = await attempt<number>('open', directory, (done) => fs.open(directory, 'r', done));
  if (!opened.ok) return opened.error;
  try {
    return await use(`/proc/self/fd/${opened.value}/${name}`);
  } finally {
    fs.close(opened.value, () => {});
  }
}

/** @returns null where the file system or the system has no such sockets; then the pid decides alone. */
async function listen(directory: string, name: string): Promise<Server | null> {
  const started = await withSocketPath(
    directory,
    name,
    (path) =>
      new Promise<Server | null>((resolve) => {
        const server = createServer((client) => client.destroy());
        server.once('error', () => resolve(null));
        // Exclusive: under node:cluster the socket would else live in the primary, and outlive this process.
        server.listen({ path, exclusive: true }, () => resolve(server.unref()));
      }),
  );
  return started === null || 'errno' in started ? null : started;
}

/** Whether the holder still listens: accepted by the kernel on its behalf, also when it is busy or stopped. */
async function ask(directory: string, name: string): Promise<Verdict> {
  const answer = await withSocketPath(
    directory,
    name,
    (path) =>
      new Promise<Verdict>((resolve) => {
        const client = connect(path);
        client.once('connect', () => {
          client.destroy();
          resolve('alive');
        });
        client.once('error', (error: NodeJS.ErrnoException) => {
          // A full queue of connections is a living holder's, too.
          resolve(error.code === 'ECONNREFUSED' ? 'dead' : error.code === 'EAGAIN' ? 'alive' : 'unseen');
        });
      }),
  );
  return typeof answer === 'string' ? answer : 'unseen';
}
