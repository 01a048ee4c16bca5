/**
 * The first pass over the recordings: how many samples, which streams of which kind and type, what had to be skipped.
 * The plan is plain data; with it every later pass sees the same samples with the same numbers, in this process or
 * another.
 *
 * Kind and type follow from all samples of a stream, and only so that nothing is changed by them:
 *   tsd   a CSV column whose times keep one period, with gaps at most (a sample near the grid but not on it would be moved)
 *   evt   everything else
 *   type  uint32 or int32 where all values of a CSV column are whole and fit, else float32; CAN uint32, positions int32
 */
import type { Kind, Source, StreamOptions, ValueType } from '../../index.ts';
import { SOURCES } from '../../index.ts';
import type { CanSensorTable } from '../recordings/can-sensor.ts';
import { CanSensors } from '../recordings/can-sensor.ts';
import type { Input } from '../recordings/input.ts';
import { nameStream, readRecording } from '../recordings/recording.ts';
import type { Sample, Skip, SkipReason } from '../recordings/sample.ts';
import { ValueRange } from '../recordings/value-type.ts';

/** The most streams a store can be opened for. */
export const STREAMS_MAX = 4096;

export interface StreamPlan {
  readonly source: Source;
  readonly sensor: number;
  readonly kind: Kind;
  readonly periodMs: number | null;
  readonly type: ValueType;
  /** What it is, for people. */
  readonly name: string;
  /** Index of the recording in which it appears first. */
  readonly input: number;
  readonly records: number;
}

export interface Plan {
  readonly inputs: readonly Input[];
  /** Samples of each input. */
  readonly records: readonly number[];
  readonly streams: readonly StreamPlan[];
  readonly can: CanSensorTable;
}

/** What the first pass saw of one recording. */
export interface InputSummary {
  readonly input: Input;
  readonly records: number;
  readonly streams: number;
  /** Values that float32 rounded. */
  readonly rounded: number;
  readonly skips: ReadonlyMap<SkipReason, number>;
  readonly firstSkip: Skip | null;
}

export const totalRecords = (plan: Plan): number => plan.records.reduce((sum, records) => sum + records, 0);

export const streamOptions = ({ kind, periodMs, type }: StreamPlan): StreamOptions =>
  periodMs === null ? { kind, type } : { kind, type, periodMs };

/** One number for (source, sensor). */
const keyOf = (source: Source, sensor: number): number => SOURCES.indexOf(source) * 2 ** 32 + sensor;

/** Finds the plan's index of a stream. */
export class StreamIndex {
  readonly #indexes = new Map<number, number>();

  constructor(streams: readonly StreamPlan[]) {
    streams.forEach(({ source, sensor }, index) => {
      this.#indexes.set(keyOf(source, sensor), index);
    });
  }

  of(source: Source, sensor: number): number | undefined {
    return this.#indexes.get(keyOf(source, sensor));
  }
}

const PERIOD_MS_MAX = 2 ** 31 - 1;

/** Whether the times of a stream keep a grid so well that a tsd stream gives back each of them exactly. */
class Grid {
  #last: number | null = null;
  #period: number | null = null;
  #exact = true;
  #onGrid = 0;
  #offGrid = 0;

  add(timeMs: number): void {
    const step = this.#last === null ? null : timeMs - this.#last;
    this.#last = timeMs;
    if (step === null) return;
    if (this.#period === null) {
      if (step < 1 || step > PERIOD_MS_MAX) this.#exact = false;
      else this.#period = step;
    }
    if (step === this.#period) this.#onGrid++;
    else if (this.#period !== null && 2 * Math.abs(step - this.#period) > this.#period) this.#offGrid++;
    else this.#exact = false;
  }

  /** The period, or null: not a grid, or one with more gaps than steps. */
  get periodMs(): number | null {
    return this.#exact && this.#onGrid > this.#offGrid ? this.#period : null;
  }
}

interface Candidate {
  readonly sample: Sample;
  readonly name: string;
  readonly input: number;
  readonly range: ValueRange;
  readonly grid: Grid;
  records: number;
}

export interface ScanListener {
  onSkip(input: Input, skip: Skip): void;
  onProgress(input: Input, records: number): void;
}

/** Reads every recording once. @throws CliError where one cannot be read to its end. */
export async function scan(
  inputs: readonly Input[],
  listener: ScanListener,
): Promise<{ readonly plan: Plan; readonly summaries: readonly InputSummary[] }> {
  const sensors = new CanSensors();
  const candidates = new Map<number, Candidate>();
  const summaries: InputSummary[] = [];
  const roundedOf: (() => number)[] = [];
  for (const [index, input] of inputs.entries()) {
    const skips = new Map<SkipReason, number>();
    const seen = new Map<Candidate, ValueRange>();
    let records = 0;
    let firstSkip: Skip | null = null;
    const skip = (each: Skip): void => {
      firstSkip ??= each;
      skips.set(each.reason, (skips.get(each.reason) ?? 0) + 1);
      listener.onSkip(input, each);
    };
    for await (const batch of readRecording(input, sensors)) {
      for (const sample of batch.samples) {
        const key = keyOf(sample.source, sample.sensor);
        let candidate = candidates.get(key);
        if (candidate === undefined) {
          if (candidates.size === STREAMS_MAX) {
            skip({ line: sample.line, reason: 'too-many-streams', found: `${sample.source} ${sample.sensor}` });
            continue;
          }
          const name = nameStream(input, sample, sensors);
          candidate = { sample, name, input: index, range: new ValueRange(), grid: new Grid(), records: 0 };
          candidates.set(key, candidate);
        }
        candidate.records++;
        candidate.range.add(sample.value);
        candidate.grid.add(sample.timeMs);
        let range = seen.get(candidate);
        if (range === undefined) {
          range = new ValueRange();
          seen.set(candidate, range);
        }
        range.add(sample.value);
        records++;
      }
      batch.skips.forEach(skip);
      listener.onProgress(input, records);
    }
    roundedOf.push(() => {
      let rounded = 0;
      for (const [candidate, range] of seen) if (typeOf(candidate, input) === 'float32') rounded += range.rounded;
      return rounded;
    });
    summaries.push({ input, records, streams: seen.size, rounded: 0, skips, firstSkip });
  }
  const streams = [...candidates.values()].map((candidate): StreamPlan => {
    const { sample, name, input, grid, records } = candidate;
    const periodMs = sample.source === 'mgc' ? grid.periodMs : null;
    const type = typeOf(candidate, inputs[input] as Input);
    const { source, sensor } = sample;
    return { source, sensor, kind: periodMs === null ? 'evt' : 'tsd', periodMs, type, name, input, records };
  });
  return {
    plan: { inputs, records: summaries.map(({ records }) => records), streams, can: sensors.table },
    summaries: summaries.map((summary, i) => ({ ...summary, rounded: (roundedOf[i] as () => number)() })),
  };
}

function typeOf({ sample, range }: Candidate, input: Input): ValueType {
  if (sample.source === 'can_controller') return 'uint32';
  if (sample.source === 'host') return 'int32';
  return input.layout?.type ?? range.type;
}

/** Samples in a row, numbered over the whole input, each with the plan's index of its stream. */
export interface Step {
  readonly input: number;
  /** Number of the first sample. */
  readonly first: number;
  readonly samples: readonly Sample[];
  readonly streams: readonly number[];
}

/** Every sample from number `from` on, in the order of the first pass. */
export async function* walk(plan: Plan, from = 0): AsyncGenerator<Step> {
  const index = new StreamIndex(plan.streams);
  const sensors = new CanSensors(plan.can);
  let next = 0;
  for (const [i, input] of plan.inputs.entries()) {
    const records = plan.records[i] as number;
    if (next + records <= from) {
      next += records;
      continue;
    }
    for await (const batch of readRecording(input, sensors)) {
      const samples: Sample[] = [];
      const streams: number[] = [];
      const first = next;
      for (const sample of batch.samples) {
        const stream = index.of(sample.source, sample.sensor);
        if (stream === undefined) continue;
        if (next++ < from) continue;
        samples.push(sample);
        streams.push(stream);
      }
      if (samples.length > 0) yield { input: i, first: Math.max(first, from), samples, streams };
    }
  }
}
