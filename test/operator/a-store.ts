/** A small store whose content is known, and what spoils it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../src/index.ts';
import { temporaryDirectory } from '../platform/temporary.ts';

export const START_MS = Date.UTC(2026, 0, 31, 12);

/** Three flushes of two streams, some of it acknowledged. Segments 1, 3, 5 are host's, 2, 4, 6 can_controller's. */
export async function aStore(): Promise<string> {
  const directory = temporaryDirectory();
  const store = await openStore({ directory, poolBytes: '64KiB' });
  const speed = store.stream('host', 300, { kind: 'tsd', periodMs: 1000, type: 'float32' });
  const door = store.stream('can_controller', 0x1001, { kind: 'evt' });
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 50; i++) {
      const n = round * 50 + i;
      speed.append(n === 60 ? Number.NaN : n / 4, START_MS + n * 1000);
      if (i % 5 === 0) door.append(n, START_MS + n * 1000 + 500);
    }
    await store.flush();
  }
  speed.acknowledge(await speed.read(10));
  await store.close();
  return directory;
}

export const segment = (directory: string, source: string, number: number): string =>
  join(directory, source, `${number.toString().padStart(12, '0')}.seg`);

export function flip(path: string, byte: number): void {
  const bytes = readFileSync(path);
  bytes[byte] = (bytes[byte] as number) ^ 8;
  writeFileSync(path, bytes);
}

export const lines = (text: string): string[] => text.trim().split('\n');
