/**
 * The real recordings as streams of records: as the demonstration (`npm start`) stores them, kind, period and type from
 * the same first pass over them.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lookAt, Spool } from '../../src/cli/recordings/input.ts';
import { toBits } from '../../src/cli/recordings/value-type.ts';
import { type StreamPlan, scan, walk } from '../../src/cli/replay/plan.ts';

const ROOT = join(import.meta.dirname, '../..');
const SERIES = join(ROOT, 'node_modules/vega-datasets/data');
const RECORDINGS = join(ROOT, '../shared/data');

/** Recordings that lie beside the project, where they do, and the series that come with the install. */
const FILES = [
  { path: join(RECORDINGS, 'machine-temperature.csv') },
  { path: join(RECORDINGS, 'nmea2000-boat.candump.log') },
  { path: join(RECORDINGS, 'ublox-m9n.nmea.log') },
  { path: join(RECORDINGS, 'telit-he910.nmea.log') },
  { path: join(SERIES, 'seattle-weather-hourly-normals.csv') },
  { path: join(SERIES, 'seattle-weather.csv') },
  { path: join(SERIES, 'us-employment.csv') },
];

export interface Recorded {
  /** Names of the files that were there. */
  readonly files: readonly string[];
  /** Names of those that were not. */
  readonly missing: readonly string[];
  readonly streams: readonly StreamPlan[];
  /** Records in the order of the recordings: index of the stream, time, raw 32 bits. */
  readonly stream: readonly number[];
  readonly timeMs: readonly number[];
  readonly bits: readonly number[];
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** @throws CliError when a file is there and is no recording. */
export async function readRecordings(): Promise<Recorded> {
  const here = FILES.filter(({ path }) => existsSync(path));
  const spool = new Spool();
  try {
    const inputs = await Promise.all(here.map(({ path }, i) => lookAt(path, i + 1, {}, spool)));
    const { plan } = await scan(inputs, { onSkip: () => undefined, onProgress: () => undefined });
    const recorded = { stream: [] as number[], timeMs: [] as number[], bits: [] as number[] };
    for await (const step of walk(plan)) {
      for (const [i, sample] of step.samples.entries()) {
        const stream = step.streams[i] as number;
        recorded.stream.push(stream);
        recorded.timeMs.push(sample.timeMs);
        recorded.bits.push(toBits(sample.value, (plan.streams[stream] as StreamPlan).type));
      }
    }
    const missing = FILES.filter(({ path }) => !existsSync(path)).map(({ path }) => nameOf(path));
    return { files: here.map(({ path }) => nameOf(path)), missing, streams: plan.streams, ...recorded };
  } finally {
    await spool.remove();
  }
}
