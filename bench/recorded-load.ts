/**
 * Records of real sensors: recordings of a boat's CAN bus, of GPS receivers and of a machine, all played at once, each
 * stretched over the whole, and begun again, later in time, until there are enough records.
 *
 * The recordings are not part of the project. They are looked for beside it; where they are missing, what would be
 * measured on them is left out, and says so.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type InputOptions, lookAt, Spool } from '../src/cli/recordings/input.ts';
import type { Plan, StreamPlan } from '../src/cli/replay/plan.ts';
import { scan, totalRecords, walk } from '../src/cli/replay/plan.ts';
import { emptyLoad, type Load, type LoadSensor, put } from './load.ts';

const FOLDER = join(import.meta.dirname, '../../shared/data');
/** A GPS receiver says the time of day only; any day will do. */
const DATE_MS = Date.UTC(2026, 0, 1);
const FILES = ['nmea2000-boat.candump.log', 'ublox-m9n.nmea.log', 'telit-he910.nmea.log', 'machine-temperature.csv'];

/** The recordings that are missing; none when all are there. */
export const missingRecordings = (folder = FOLDER): string[] => FILES.filter((name) => !existsSync(join(folder, name)));

/** One pass through all recordings, as they are. */
interface Pass {
  readonly sensor: Uint16Array;
  readonly timeMs: Float64Array;
  readonly value: Float64Array;
}

/** @param records as many as wanted: the recordings are repeated. @throws CliError for one that cannot be read. */
export async function recordedLoad(records: number, folder = FOLDER, files: readonly string[] = FILES): Promise<Load> {
  const options: InputOptions = { dateMs: DATE_MS };
  const spool = new Spool();
  const inputs = await Promise.all(files.map((name, i) => lookAt(join(folder, name), i + 1, options, spool)));
  const { plan } = await scan(inputs, { onSkip: () => undefined, onProgress: () => undefined });
  const pass = await onePass(plan);
  const sensors = plan.streams.map(sensorOf);
  const length = pass.sensor.length;
  const name = `recordings: ${files.length} of real sensors, ${sensors.length} streams, ${length} samples repeated to ${records} records`;
  const load = emptyLoad(name, records, sensors);
  const laterMs = repeatAfter(pass.timeMs, sensors);
  const sequences = new Uint32Array(sensors.length);
  for (let i = 0; i < records; i++) {
    const at = i % length;
    const sensor = pass.sensor[at] as number;
    const sequence = sequences[sensor] as number;
    sequences[sensor] = sequence + 1;
    const timeMs = (pass.timeMs[at] as number) + Math.floor(i / length) * laterMs;
    put(load, i, sensor, sequence, timeMs, pass.value[at] as number);
  }
  return load;
}

const sensorOf = ({ source, sensor, kind, periodMs, type }: StreamPlan): LoadSensor => ({
  ...{ source, sensor, kind, type },
  periodMs: periodMs ?? 0,
});

/** The recordings side by side: half of one has been played when half of every other has. */
async function onePass(plan: Plan): Promise<Pass> {
  const total = totalRecords(plan);
  const sensor = new Uint16Array(total);
  const timeMs = new Float64Array(total);
  const value = new Float64Array(total);
  const share = new Float64Array(total);
  const begins = plan.records.map((_, i) => plan.records.slice(0, i).reduce((sum, each) => sum + each, 0));
  for await (const { input, first, samples, streams } of walk(plan)) {
    samples.forEach((sample, k) => {
      const at = first + k;
      sensor[at] = streams[k] as number;
      timeMs[at] = sample.timeMs;
      value[at] = sample.value;
      share[at] = (at - (begins[input] as number)) / (plan.records[input] as number);
    });
  }
  const order = Uint32Array.from(share.keys()).sort((a, b) => (share[a] as number) - (share[b] as number) || a - b);
  return {
    sensor: Uint16Array.from(order, (at) => sensor[at] as number),
    timeMs: Float64Array.from(order, (at) => timeMs[at] as number),
    value: Float64Array.from(order, (at) => value[at] as number),
  };
}

/** How much later the recordings are played again: after their end, and on the grid of every period in them. */
function repeatAfter(timeMs: Float64Array, sensors: readonly LoadSensor[]): number {
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (const each of timeMs) {
    first = Math.min(first, each);
    last = Math.max(last, each);
  }
  const periods = new Set(sensors.map(({ periodMs }) => periodMs).filter((periodMs) => periodMs > 0));
  const gridMs = [...periods].reduce(
    (common, periodMs) => (common * periodMs) / greatestDivisor(common, periodMs),
    1_000,
  );
  return Math.ceil((last - first + gridMs) / gridMs) * gridMs;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
