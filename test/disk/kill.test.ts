// Goal: whenever a process is killed, what it was told is durable is there afterwards, nothing that it never appended
// is, and every record has the content it must have. Method: SIGKILL to a writing process at drawn moments, in opening
// and recovering too, over and over on one store; what it said before is compared with what the next one finds.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Random } from '../../conformance/random.ts';
import { openStore } from '../../src/index.ts';
import { temporaryDirectory } from '../platform/temporary.ts';
import { expectIntact } from './intact.ts';
import { KILL_SETTINGS, openStreams } from './known-load.ts';

const WRITER = join(import.meta.dirname, 'children', 'writer.ts');
const KILLS = 16;
const SEED = 20_261_123;

interface Line {
  readonly opened?: readonly { readonly head: number; readonly appended: number }[];
  readonly may?: readonly number[];
  readonly synced?: readonly number[];
  readonly mayAcknowledge?: readonly number[];
  readonly durable?: readonly number[];
}

/** Per stream, what the next process may find. */
interface Bounds {
  appendedMin: number;
  appendedMax: number;
  headMin: number;
  headMax: number;
}

/** Starts a writer, kills it, and gives the whole lines that it wrote until then. */
async function writeUntilKilled(directory: string, random: Random): Promise<Line[]> {
  const child = spawn(process.execPath, [WRITER, directory, `${random.below(2 ** 31)}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, complained] = ['', ''];
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.stderr.on('data', (chunk) => {
    complained += chunk;
  });
  // Half of the kills hit the opening, with its recovery; the others somewhere in the work.
  const [word, delayMs] = random.chance(0.5) ? ['opening', random.below(25)] : ['opened', random.below(250)];
  const reached = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      said += chunk;
      if (said.includes(`"${word}"`)) resolve();
    });
  });
  await Promise.race([reached, ended]);
  await sleep(delayMs);
  expect(complained).toBe('');
  expect(child.exitCode).toBeNull();
  child.kill('SIGKILL');
  await ended;
  return said
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

function expectWithin(found: readonly { head: number; appended: number }[], bounds: Bounds[]): void {
  for (const [index, { head, appended }] of found.entries()) {
    const bound = bounds[index] as Bounds;
    const broken: string[] = [];
    if (appended < bound.appendedMin) broken.push(`${bound.appendedMin - appended} synced records are gone`);
    if (appended > bound.appendedMax) broken.push(`${appended - bound.appendedMax} records nobody appended`);
    if (head < bound.headMin) broken.push(`head ${head} is behind the durable ${bound.headMin}`);
    if (head > bound.headMax) broken.push(`head ${head} is beyond the acknowledged ${bound.headMax}`);
    expect(broken.map((what) => `stream ${index}: ${what}`)).toEqual([]);
    bounds[index] = { appendedMin: appended, appendedMax: appended, headMin: head, headMax: head };
  }
}

/** What the killed process said narrows and widens what the next one may find. */
function follow(lines: readonly Line[], bounds: Bounds[]): void {
  for (const { opened, may, synced, mayAcknowledge, durable } of lines) {
    if (opened !== undefined) expectWithin(opened, bounds);
    for (const [index, bound] of bounds.entries()) {
      bound.appendedMax = may?.[index] ?? bound.appendedMax;
      bound.appendedMin = Math.max(bound.appendedMin, synced?.[index] ?? 0);
      bound.headMax = Math.max(bound.headMax, mayAcknowledge?.[index] ?? 0);
      bound.headMin = Math.max(bound.headMin, durable?.[index] ?? 0);
    }
  }
}

test(`loses nothing that was synced and invents nothing in ${KILLS} kills`, async () => {
  const directory = temporaryDirectory();
  const random = new Random(SEED);
  const bounds = Array.from(
    { length: KILL_SETTINGS.streamsMax },
    (): Bounds => ({ appendedMin: 0, appendedMax: 0, headMin: 0, headMax: 0 }),
  );
  const hit = { opening: 0, work: 0, salvaged: 0, retained: 0 };
  let epoch = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const lines = await writeUntilKilled(directory, random);
    hit[lines.some(({ opened }) => opened !== undefined) ? 'work' : 'opening']++;
    follow(lines, bounds);
    // Now and then the next process is another writer, which meets what two kills left.
    if (random.chance(0.4) && kill < KILLS - 1) continue;
    const store = await openStore({ directory, ...KILL_SETTINGS });
    expect(store.epoch).toBeGreaterThan(epoch);
    epoch = store.epoch;
    expect(store.recovery).toMatchObject({ damagedRecords: 0, setAside: [] });
    hit.salvaged += store.recovery.salvagedRecords;
    const streams = openStreams(store, KILL_SETTINGS.streamsMax);
    expectWithin(
      streams.map(({ marks: { head, appended } }) => ({ head, appended })),
      bounds,
    );
    hit.retained += await expectIntact(store);
    expect(store.stats()).toMatchObject({ damaged: 0, evicted: 0 });
    await store.close();
  }
  // The kills were kills of something: both kinds happened, and there were records to lose.
  expect(hit.opening).toBeGreaterThan(1);
  expect(hit.work).toBeGreaterThan(1);
  expect(hit.retained).toBeGreaterThan(1_000);
  process.stdout.write(
    `kill test, seed ${SEED}: ${hit.work} kills at work, ${hit.opening} while opening, ${hit.salvaged} records salvaged, ${hit.retained} compared\n`,
  );
});
