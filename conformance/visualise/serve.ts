/**
 * The live page's own server: it gives the page, and passes on what the feed of the running store says (src/live.ts).
 *
 * Two processes and two tokens: the store's process gives data and nothing else, this one may be stopped and started
 * again without the store noticing. When the feed is lost it is looked for again, so a store that is opened anew is shown
 * again.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { LiveFile } from '../../src/live.ts';
import { admitted, EVENT_STREAM, LIVE_FILE } from '../../src/live.ts';
import { renderPage } from './page.ts';

/** How long after a lost feed it is looked for again. */
const AGAIN_MS = 500;

export interface LivePageServer extends AsyncDisposable {
  /** With the token. */
  readonly url: string;
}

/**
 * The address of the feed: given, or found in the store's directory.
 * @throws an Error with one clear line.
 */
export function feedOf(place: string): URL {
  if (/^https?:/.test(place)) {
    const url = new URL(place);
    if (!url.searchParams.has('token'))
      throw new Error(`${place} has no token: give the address that serveLive returned`);
    return url;
  }
  const path = join(place, LIVE_FILE);
  let file: Partial<LiveFile>;
  try {
    file = JSON.parse(readFileSync(path, 'utf8')) as Partial<LiveFile>;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'no running store shows itself there' : (error as Error).message;
    throw new Error(`${path}: ${why}; call serveLive(store, { directory }) in the program that has it open`);
  }
  if (file.format !== 'imatrix-memory-manager live' || file.version !== 1 || file.url === undefined) {
    throw new Error(`${path} is no live file of version 1: it is made by serveLive of another version`);
  }
  return new URL(file.url);
}

/** The feed for as long as somebody looks; `gone` when the store's process stopped without a word. */
class Relay {
  readonly #place: string;
  readonly #pages = new Set<ServerResponse>();
  #feed: { destroy(): unknown } | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Everything since the last blank line: a new page begins with the last snapshot. */
  #last = '';

  constructor(place: string) {
    this.#place = place;
  }

  add(page: ServerResponse): void {
    this.#pages.add(page);
    page.on('close', () => {
      this.#pages.delete(page);
      if (this.#pages.size === 0) this.stop();
    });
    if (this.#last !== '') page.write(this.#last);
    if (this.#feed === null && this.#timer === null) this.#listen();
  }

  #listen(): void {
    this.#timer = null;
    let url: URL;
    try {
      url = new URL(feedOf(this.#place));
    } catch {
      // The directory has no feed just now: the store is closed, and may be opened again.
      this.#lost();
      return;
    }
    url.pathname = '/events';
    const request = get(url, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          this.#pass(text.slice(0, end + 2));
          text = text.slice(end + 2);
        }
      });
      response.on('close', () => this.#lost());
      response.on('error', () => undefined);
    });
    // What is refused is closed, too.
    request.on('error', () => this.#lost());
    this.#feed = request;
  }

  #pass(message: string): void {
    this.#last = message;
    for (const page of this.#pages) page.write(message);
  }

  #lost(): void {
    if (this.#timer !== null) return;
    this.#feed = null;
    if (!this.#last.startsWith('event: closed')) this.#pass('event: gone\ndata: {}\n\n');
    if (this.#pages.size > 0) this.#timer = setTimeout(() => this.#listen(), AGAIN_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#feed?.destroy();
    this.#feed = null;
    this.#last = '';
  }
}

/** @param place the store's directory, or the feed's address. @param port 0: any that is free. */
export async function servePage(place: string, port: number): Promise<LivePageServer> {
  feedOf(place);
  const token = randomBytes(24).toString('base64url');
  const name = /^https?:/.test(place) ? new URL(place).host : place;
  const html = await renderPage({ kind: 'live', events: `events?token=${token}`, name }, name);
  const relay = new Relay(place);
  const server = createServer((request, response) => {
    const path = admitted(request, response, token);
    if (path === null) return;
    if (path === '/') {
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
      response.end(html);
    } else if (path === '/events') {
      response.writeHead(200, EVENT_STREAM);
      relay.add(response);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  const { port: given } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${given}/?token=${token}`,
    async [Symbol.asyncDispose](): Promise<void> {
      relay.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
