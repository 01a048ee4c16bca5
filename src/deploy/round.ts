/**
 * A real round on the file system that the store will live on: another process opens a store in a scratch directory, saves
 * records, appends more and is killed; then the store is opened here and every saved record is compared.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../index.ts';
import type { Checked } from './checks.ts';

const SAVED = 2_000;
const AT_RISK = 100;
const PERIOD_MS = 1_000;
const START_MS = 1_700_000_000_000;
const SAVED_LINE = 'saved';

const bitsOf = (sequence: number): number => (sequence * 2_654_435_761) >>> 0;

/** What the process that is killed does. Never returns. */
export async function roundChild(directory: string): Promise<never> {
  const store = await openStore({ directory });
  const stream = store.stream('host', 1, { kind: 'tsd', periodMs: PERIOD_MS });
  for (let i = 0; i < SAVED; i++) stream.append(bitsOf(i), START_MS + i * PERIOD_MS);
  await store.flush();
  for (let i = SAVED; i < SAVED + AT_RISK; i++) stream.append(bitsOf(i), START_MS + i * PERIOD_MS);
  process.stdout.write(`${SAVED_LINE}\n`);
  return new Promise(() => setInterval(() => undefined, 1_000));
}

/**
 * @param parent where the scratch directory is made and removed.
 * @param command program and arguments that run roundChild on the directory behind them.
 */
export async function runRound(parent: string, command: readonly string[]): Promise<Checked> {
  const scratch = mkdtempSync(join(parent, '.imatrix-preflight-'));
  try {
    const died = await killedWhenSaved([...command, scratch]);
    if (died !== null) return roundFailed(died);
    return await compare(scratch);
  } catch (error) {
    return roundFailed((error as Error).message);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const roundFailed = (seen: string): Checked => ({
  id: 'round',
  state: 'fail',
  seen,
  remedy: 'do not install here: what the store saves would not be there after a crash',
});

/** @returns why it ended before it had saved; null when it was killed as it should be. */
function killedWhenSaved([program = '', ...args]: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    let saved = false;
    child.stdout.on('data', (chunk: Buffer) => {
      saved ||= chunk.toString().includes(SAVED_LINE);
      if (saved) child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.on('error', (error) => resolve(error.message));
    child.on('exit', () => resolve(saved ? null : `the store could not save: ${said.trim().split('\n')[0] ?? ''}`));
  });
}

async function compare(directory: string): Promise<Checked> {
  await using store = await openStore({ directory });
  const [stream] = store.streams();
  const batch = await stream?.peek(0, SAVED + AT_RISK);
  const found = batch?.length ?? 0;
  for (let i = 0; i < found; i++) {
    const isSame = batch?.bits[i] === bitsOf(i) && batch?.timesMs[i] === START_MS + i * PERIOD_MS;
    if (!isSame) return roundFailed(`record ${i} is not what was saved`);
  }
  return found < SAVED
    ? roundFailed(`${found} of ${SAVED} saved records came back behind a kill`)
    : { id: 'round', state: 'ok', seen: `${SAVED} records saved, killed, recovered and compared`, remedy: '' };
}
