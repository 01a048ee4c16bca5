/**
 * Asks the process that has a store open for its figures, RAM included, when that program shows its store (serveLive). The
 * address and its token stand in a file of the directory that only the owner may read.
 */
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import type { LiveFile, LiveSnapshot } from '../live.ts';
import { LIVE_FILE } from '../live.ts';
import type { StoreFigures } from '../meter.ts';

/** The store's process answers between two of its own steps: one that takes longer stands still. */
const ANSWER_MS = 3_000;

/** `why`: as the reader of figures from the disk is told. */
interface NoAnswer {
  readonly state: 'none';
  readonly why: string;
}

export type LiveAnswer<T> = { readonly state: 'live'; readonly answer: T } | NoAnswer;

const none = (why: string): NoAnswer => ({ state: 'none', why });

async function feedAt(directory: string, path: string): Promise<URL | string> {
  let text: string;
  try {
    text = await readFile(join(directory, LIVE_FILE), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'the program that has it open does not show it (serveLive)' : `${LIVE_FILE}: ${code}`;
  }
  try {
    const { format, version, url } = JSON.parse(text) as Partial<LiveFile>;
    if (format !== 'imatrix-memory-manager live' || version !== 1) return `${LIVE_FILE} is of another version`;
    const feed = new URL(url ?? '');
    // Whoever may write here must not make an operator's command call other machines.
    if (feed.hostname !== '127.0.0.1') return `${LIVE_FILE} names another machine`;
    feed.pathname = path;
    return feed;
  } catch {
    // Cut off while it was written, or somebody's own file of that name.
    return `${LIVE_FILE} cannot be made out`;
  }
}

/** The store as it is now, or why its process does not say. Never throws; waits three seconds at most. */
export const askLive = (directory: string): Promise<LiveAnswer<LiveSnapshot>> => ask(directory, '/snapshot');

/** Its figures alone, without marks and placement. As askLive. */
export const askFigures = (directory: string): Promise<LiveAnswer<StoreFigures>> => ask(directory, '/figures');

async function ask<T>(directory: string, path: string): Promise<LiveAnswer<T>> {
  const feed = await feedAt(directory, path);
  if (typeof feed === 'string') return none(feed);
  return new Promise((resolve) => {
    const request = get(feed, { timeout: ANSWER_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        try {
          if (response.statusCode === 200) resolve({ state: 'live', answer: JSON.parse(text) as T });
          else resolve(none(`it refuses to answer (${response.statusCode})`));
        } catch {
          resolve(none('its answer was cut off'));
        }
      });
      response.on('error', () => resolve(none('its answer was cut off')));
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    // What a killed process left behind points to nobody.
    request.on('error', () => resolve(none(`nobody answers at the address in ${LIVE_FILE}`)));
  });
}
