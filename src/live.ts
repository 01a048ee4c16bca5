/**
 * A running store shown to other processes of the same user on the same machine (`imatrix-memory-manager/live`): marks,
 * placement and figures, as they change. `imatrix-mm serve --live DIRECTORY` finds it and shows it as a page.
 *
 *     GET /snapshot?token=...   one LiveSnapshot as JSON
 *     GET /figures?token=...    one StoreFigures as JSON, without marks and placement (src/meter.ts)
 *     GET /events?token=...     server-sent events: `snapshot` whenever something changed, `closed` when the store is
 *
 * Read-only: nothing that is sent here reaches the store, and no record's value is shown. It listens on the loopback
 * address only, asks for a token that stands in a file which only the owner may read, and answers no page of another
 * site (the Host header must name the loopback address). Nothing is looked at while nobody listens, but the
 * statistics once a minute, and looking takes at most a twentieth of the time.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { EngineEvent, Stats, StoreInspection } from './core/types.ts';
import { StoreMeter } from './meter.ts';
import type { Store } from './store.ts';

/** In the store's directory, while it is shown. */
export const LIVE_FILE = 'live.json';

/** What stands in it. */
export interface LiveFile {
  readonly format: 'imatrix-memory-manager live';
  readonly version: 1;
  /** Of /snapshot and /events, token included. */
  readonly url: string;
  readonly storeId: string;
  readonly pid: number;
}

/** A store at one moment. Free sectors are counted, not listed. */
export interface LiveSnapshot {
  /** UTC milliseconds. */
  readonly takenMs: number;
  readonly disk: boolean;
  readonly stats: Stats;
  readonly inspection: Omit<StoreInspection, 'pool'> & {
    readonly pool: Omit<StoreInspection['pool'], 'free'> & { readonly free: number };
  };
}

export interface LiveOptions {
  /** The store's directory: a file in it says where the feed is. Left out, only who is given `url` finds it. */
  readonly directory?: string;
  /** Default: any that is free. */
  readonly port?: number;
}

export interface LiveFeed extends AsyncDisposable {
  /** With the token: who has it may look. */
  readonly url: string;
  /** Ends the feed; the store goes on. It ends by itself when the store is closed. */
  close(): Promise<void>;
}

/** Appends announce nothing: they are seen by looking. */
const LOOK_EVERY_MS = 200;
/** Looking may take one part in so many of the time. */
const LOOK_SHARE = 20;

function snapshotOf(store: Store): LiveSnapshot {
  const { pool, ...rest } = store.inspect();
  const stats = store.stats();
  // A store with a disk has its log there from the first moment on.
  return {
    takenMs: Date.now(),
    disk: stats.diskBytes > 0,
    stats,
    inspection: { ...rest, pool: { ...pool, free: pool.free.length } },
  };
}

/** Same length, compared in the same time whatever differs. */
export function isToken(given: string | null, token: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A name that another site's page could have been given for this address is refused, whatever it resolves to. */
export const isLoopback = ({ headers }: IncomingMessage): boolean =>
  /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(headers.host ?? '');

/** Refuses what is no GET of this machine with the token. @returns the path that was asked for, or null: answered. */
export function admitted(request: IncomingMessage, response: ServerResponse, token: string): string | null {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const refuse = (status: number, why: string): null => {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${why}\n`);
    return null;
  };
  if (request.method !== 'GET') return refuse(405, 'this can only be looked at');
  if (!isLoopback(request) || !isToken(searchParams.get('token'), token)) return refuse(403, 'the token is missing');
  return pathname;
}

export const EVENT_STREAM = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const;

class Feed implements LiveFeed {
  readonly #store: Store;
  readonly #meter: StoreMeter;
  readonly #server: Server;
  readonly #listeners = new Set<ServerResponse>();
  readonly #offs: (() => void)[] = [];
  readonly #token = randomBytes(24).toString('base64url');
  #file: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #shown = '';
  url = '';

  constructor(store: Store) {
    this.#store = store;
    this.#meter = new StoreMeter(store);
    this.#server = createServer((request, response) => this.#answer(request, response));
    // A feed keeps no process alive: the store's owner decides when it ends.
    this.#server.unref();
    this.#server.on('connection', (socket) => socket.unref());
    const now: EngineEvent['type'][] = ['flushStarted', 'flushed', 'flushFailed', 'segmentEvicted', 'damaged'];
    for (const type of now) this.#offs.push(store.on(type, () => this.#lookSoon(0)));
    this.#offs.push(store.on('closed', () => this.#end('closed')));
  }

  async open({ directory, port = 0 }: LiveOptions): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => resolve());
    });
    const { port: given } = this.#server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${given}/?token=${this.#token}`;
    if (directory === undefined) return;
    const content: LiveFile = {
      format: 'imatrix-memory-manager live',
      version: 1,
      url: this.url,
      storeId: this.#store.storeId,
      pid: process.pid,
    };
    this.#file = join(directory, LIVE_FILE);
    // One that a killed process left may be readable by others: its mode would stay.
    await rm(this.#file, { force: true });
    await writeFile(this.#file, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: 'wx' });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = admitted(request, response, this.#token);
    if (path === null) return;
    if (path === '/snapshot' || path === '/figures') {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(path === '/figures' ? this.#meter.figures() : snapshotOf(this.#store)));
    } else if (path === '/events') {
      response.writeHead(200, EVENT_STREAM);
      this.#listeners.add(response);
      response.on('close', () => this.#listeners.delete(response));
      this.#shown = '';
      this.#lookSoon(0);
    } else {
      response.writeHead(404).end();
    }
  }

  #lookSoon(inMs: number): void {
    if (this.#listeners.size === 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), inMs);
    this.#timer.unref();
  }

  #look(): void {
    const beganMs = performance.now();
    const snapshot = snapshotOf(this.#store);
    const { takenMs: _, ...seen } = snapshot;
    const text = JSON.stringify(seen);
    if (text !== this.#shown) this.#send('snapshot', JSON.stringify(snapshot));
    this.#shown = text;
    this.#lookSoon(Math.max(LOOK_EVERY_MS, LOOK_SHARE * (performance.now() - beganMs)));
  }

  #send(event: string, data: string): void {
    for (const listener of this.#listeners) listener.write(`event: ${event}\ndata: ${data}\n\n`);
  }

  /** Tells who listens why nothing more comes, and stops. */
  #end(why: 'closed' | 'ended'): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#meter.stop();
    for (const off of this.#offs.splice(0)) off();
    if (why === 'closed') this.#send('snapshot', JSON.stringify(snapshotOf(this.#store)));
    this.#send(why, '{}');
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
    this.#server.close();
    const file = this.#file;
    this.#file = null;
    // Whoever still finds it is told by the refused connection.
    if (file !== null) rm(file, { force: true }).catch(() => undefined);
  }

  async close(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#server.once('close', () => resolve()));
    const wasOpen = this.#server.listening;
    this.#end('ended');
    this.#server.closeAllConnections();
    if (wasOpen) await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Shows the store to other processes until it is closed. Costs nothing while nobody looks.
 * @throws the system's error when the port is taken or the file cannot be written; the store is not affected.
 */
export async function serveLive(store: Store, options: LiveOptions = {}): Promise<LiveFeed> {
  const feed = new Feed(store);
  try {
    await feed.open(options);
  } catch (error) {
    await feed.close();
    throw error;
  }
  return feed;
}
