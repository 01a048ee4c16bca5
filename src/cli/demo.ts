/**
 * `npm start`: the main job on real recordings. Recordings go into a store with a small pool, the storing process is
 * killed on the way, and every record that comes back is compared with the recording. Exit code 1 if one differs.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT_WRONG, expectedMessage } from './cli-error.ts';
import { fetchRecordings } from './fetched-recordings.ts';
import { reportText } from './replay/report.ts';
import type { ReplayRequest } from './replay/run.ts';
import { replayShown } from './replay.ts';
import { paintFor, wrap } from './screen.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SERIES = join(ROOT, 'node_modules/vega-datasets/data');
const CACHE = join(ROOT, 'node_modules/.cache/imatrix-memory-manager');
const POOL = '64KiB';
const POWER_CUTS = 12;
/** plaka.log has times of day only; its sister was recorded on this day. */
const POSITION_DATE_MS = Date.UTC(2014, 7, 15);

type File = ReplayRequest['files'][number];

async function recordings(): Promise<File[]> {
  const files: File[] = ['seattle-weather-hourly-normals.csv', 'seattle-weather.csv', 'us-employment.csv'].map(
    (name) => ({ name: join(SERIES, name), options: {} }),
  );
  try {
    const { bus, position } = await fetchRecordings(CACHE);
    files.unshift({ name: bus, options: {} }, { name: position, options: { dateMs: POSITION_DATE_MS } });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stdout.write(`NOTE: going on without the two recordings of boats, which are fetched by npm: ${why}\n\n`);
  }
  return files;
}

async function main(): Promise<void> {
  const paint = paintFor(process.stdout);
  const directory = await mkdtemp(join(tmpdir(), 'imatrix-demo-'));
  try {
    const files = await recordings();
    process.stdout.write(
      `${wrap(
        `${paint.bold('What happens here:')} ${files.length} real recordings go into a store with ${POOL} of RAM; at 80 % of it ` +
          `all is flushed to disk. ${POWER_CUTS} times the storing process is killed at a random point, and a new one recovers and ` +
          'goes on. Then every record is read, acknowledged, and compared with the recordings.',
      )}\n\n`,
    );
    const result = await replayShown(
      {
        files,
        directory,
        settings: { poolBytes: POOL },
        powerCuts: POWER_CUTS,
        seed: 1,
        keep: false,
        entry: fileURLToPath(new URL('./main.ts', import.meta.url)),
      },
      false,
    );
    process.stdout.write(`${reportText(result, { paint, keep: false, poolText: POOL, cutsMax: POWER_CUTS })}\n`);
    if (result.verdict !== 'ok') process.exitCode = EXIT_WRONG;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  const expected = expectedMessage(error);
  if (expected === null) throw error;
  process.stderr.write(`npm start: ${expected.message}\n`);
  process.exitCode = expected.exitCode;
}
