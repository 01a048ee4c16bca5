/**
 * The records that are measured with: made before the clock starts, the same for every peer, as columns.
 *
 * The reference load is 2,000 sensors in turn, each as a sensor of its kind would be: walks on a decimal scale, counters,
 * states that hardly change, noise. Half of them sample at a fixed period, half tell events with jitter.
 */
import { toBits } from '../src/cli/recordings/value-type.ts';
import { SeededRandom } from '../src/cli/replay/random.ts';
import type { Kind, Source, ValueType } from '../src/index.ts';
import { SOURCES } from '../src/index.ts';

/** One stream of a load. */
export interface LoadSensor {
  readonly source: Source;
  readonly sensor: number;
  readonly kind: Kind;
  /** For tsd; 0 for evt. */
  readonly periodMs: number;
  readonly type: ValueType;
}

/** Record i is `bits[i]`, equal to `value[i]` in its sensor's type, the `sequence[i]`th of sensor `sensor[i]`. */
export interface Load {
  /** What it is, in one line, for the JSON. */
  readonly name: string;
  readonly sensors: readonly LoadSensor[];
  readonly records: number;
  /** Index in `sensors`. */
  readonly sensor: Uint16Array;
  readonly sequence: Uint32Array;
  readonly timeMs: Float64Array;
  readonly bits: Uint32Array;
  readonly value: Float64Array;
}

export const REFERENCE_SENSORS = 2_000;
export const REFERENCE_RECORDS = 5_000_000;
/** How often each sensor gives a record. */
export const PERIOD_MS = 10_000;
/** Events come when they like within this time of their turn. */
const JITTER_MS = 1_000;
/** 2026-01-01T00:00:00Z. */
const START_MS = 1_767_225_600_000;

/** Shapes of values, so many of twenty sensors: what a gateway's sensors are like, roughly. */
const SHAPES = [
  { of20: 5, type: 'float32', shape: 'walk', digits: 1 },
  { of20: 3, type: 'float32', shape: 'walk', digits: 2 },
  { of20: 3, type: 'int32', shape: 'walk', digits: 0 },
  { of20: 3, type: 'uint32', shape: 'counter', digits: 0 },
  { of20: 3, type: 'uint32', shape: 'state', digits: 0 },
  { of20: 2, type: 'int32', shape: 'noise', digits: 0 },
  { of20: 1, type: 'float32', shape: 'noise', digits: 0 },
] as const satisfies readonly { of20: number; type: ValueType; shape: string; digits: number }[];

type Shape = (typeof SHAPES)[number];

/** Which of twenty has which shape. */
const SHAPE_OF = SHAPES.flatMap((shape) => Array.from({ length: shape.of20 }, (): Shape => shape));

// Kinds alternate, so that each shape has as many tsd as evt sensors.
const shapeOf = (index: number): Shape => SHAPE_OF[(index >> 1) % SHAPE_OF.length] as Shape;

export const referenceSensors = (sensors = REFERENCE_SENSORS): LoadSensor[] =>
  Array.from({ length: sensors }, (_, index) => ({
    source: SOURCES[index % SOURCES.length] as Source,
    sensor: 0x1000 + index,
    kind: index % 2 === 0 ? 'tsd' : 'evt',
    periodMs: index % 2 === 0 ? PERIOD_MS : 0,
    type: shapeOf(index).type,
  }));

/**
 * @param records 5,000,000 unless said otherwise. @param sensors at most 65,536, in turn.
 * The same arguments give the same records.
 */
export function referenceLoad(seed: number, records = REFERENCE_RECORDS, sensors = REFERENCE_SENSORS): Load {
  const random = new SeededRandom(seed);
  const load = emptyLoad(
    `reference load: ${sensors} sensors in turn, ${records} records, seed ${seed}`,
    records,
    referenceSensors(sensors),
  );
  const state = Float64Array.from({ length: sensors }, (_, index) => startOf(shapeOf(index), random));
  for (let i = 0; i < records; i++) {
    const index = i % sensors;
    const round = (i - index) / sensors;
    const raw = step(shapeOf(index), state, index, random);
    const jitterMs = index % 2 === 0 ? 0 : Math.floor(random.next() * JITTER_MS);
    put(load, i, index, round, START_MS + round * PERIOD_MS + jitterMs, raw);
  }
  return load;
}

/** Columns without content; `put` fills them. */
export function emptyLoad(name: string, records: number, sensors: readonly LoadSensor[]): Load {
  return {
    name,
    sensors,
    records,
    sensor: new Uint16Array(records),
    sequence: new Uint32Array(records),
    timeMs: new Float64Array(records),
    bits: new Uint32Array(records),
    value: new Float64Array(records),
  };
}

/** @param value of the sensor's type; a float32 is rounded to one. */
export function put(load: Load, at: number, index: number, sequence: number, timeMs: number, value: number): void {
  const { type } = load.sensors[index] as LoadSensor;
  load.sensor[at] = index;
  load.sequence[at] = sequence;
  load.timeMs[at] = timeMs;
  load.bits[at] = toBits(value, type);
  load.value[at] = type === 'float32' ? Math.fround(value) : value;
}

/** Where a sensor begins: counts of its last digit for a walk. */
function startOf({ shape, digits }: Shape, random: SeededRandom): number {
  if (shape === 'walk') return random.between(100, 900) * 10 ** digits;
  if (shape === 'counter') return random.between(0, 1_000_000);
  return random.between(0, 3);
}

/** The next value of a sensor whose state is `state[index]`. */
function step({ shape, type, digits }: Shape, state: Float64Array, index: number, random: SeededRandom): number {
  const chance = random.next();
  const before = state[index] as number;
  switch (shape) {
    case 'walk': {
      // Three of ten samples are as the one before: a sensor's resolution is coarser than its period is short.
      const change = chance < 0.3 ? 0 : Math.round((chance - 0.65) * 16);
      state[index] = before + change;
      return (before + change) / 10 ** digits;
    }
    case 'counter': {
      state[index] = before + Math.floor(chance * 50);
      return state[index] as number;
    }
    case 'state': {
      if (chance < 0.01) state[index] = Math.floor(chance * 400);
      return state[index] as number;
    }
    case 'noise':
      // A 12-bit converter, or a sensor that hands out every bit of a float32.
      return type === 'int32' ? Math.floor(chance * 4_096) - 2_048 : chance * 100;
  }
}

/** Records of each sensor in order: sensor s has `order[starts[s]]` to `order[starts[s + 1] - 1]`, as record numbers. */
export interface BySensor {
  readonly order: Uint32Array;
  readonly starts: Uint32Array;
}

/** Sorts records [from, to) by sensor and leaves each sensor's in order: a count and a pass. */
export function bySensor(load: Load, from: number, to: number): BySensor {
  const { sensor, sensors } = load;
  const starts = new Uint32Array(sensors.length + 1);
  for (let i = from; i < to; i++) starts[(sensor[i] as number) + 1] = (starts[(sensor[i] as number) + 1] as number) + 1;
  for (let s = 0; s < sensors.length; s++) starts[s + 1] = (starts[s + 1] as number) + (starts[s] as number);
  const next = starts.slice();
  const order = new Uint32Array(to - from);
  for (let i = from; i < to; i++) {
    const s = sensor[i] as number;
    order[next[s] as number] = i;
    next[s] = (next[s] as number) + 1;
  }
  return { order, starts };
}
