/**
 * Every chart of docs/performance.md: its figures, how it is drawn, and the sentence that says what it shows. Sentences are
 * made of the same figures; none is typed in.
 */
import { PEERS } from '../peers/all.ts';
import { median } from '../row.ts';
import type { Axis } from './axes.ts';
import { binarySize, count, decimalSize, duration, short, trimmed } from './axes.ts';
import { type Bar, barChart } from './bar-chart.ts';
import { type Curve, type CurvePoint, lineChart } from './line-chart.ts';
import type { Style } from './look.ts';
import type { Results } from './results.ts';
import { type TimeLine, timeChart } from './time-chart.ts';

export interface Drawn {
  /** Name of its file, without `.svg`. */
  readonly name: string;
  /** Heading of its group on the page. */
  readonly section: 'Beside its peers' | 'Over time' | 'Growth';
  readonly title: string;
  readonly reading: string;
  readonly svg: string;
}

type Draw = (results: Results) => Drawn;

const OWN = 'this store';
const TITLES: Readonly<Record<string, string>> = {
  own: OWN,
  'append-log-per-record': 'append log, a sync a record',
  ...Object.fromEntries(PEERS.filter(({ name }) => name !== 'own').map(({ name, title }) => [name, title])),
};

const titleOf = (name: string): string => TITLES[name] ?? name;
const styleOf = (name: string): Style => (name === 'own' ? 'own' : name === 'append-log' ? 'limit' : 'peer');
const last = <T>(list: readonly T[]): T => list.at(-1) as T;
const first = <T>(list: readonly T[]): T => list[0] as T;
const times = (ratio: number): string => `${trimmed(Number(ratio.toPrecision(2)))} times`;
const exponent = (results: Results, id: string): string => {
  const { measured } = results.row(id);
  return (Object.is(Math.round(measured * 100), -0) ? 0 : measured).toFixed(2);
};

const SENSORS: Axis = { label: 'sensors', scale: 'log2', tick: count };
const POOL: Axis = { label: 'pool, bytes', scale: 'log2', tick: binarySize };
const STORED: Axis = { label: 'stored before the work, bytes of files', scale: 'log10', tick: decimalSize };
const NS: Axis = { label: 'time a record, on a logarithm', scale: 'log10', tick: (ns) => duration(ns / 1e6) };
const RATE: Axis = { label: 'durable records a second, on a logarithm', scale: 'log10', tick: short };
const BYTES: Axis = {
  label: 'bytes written a record, on a logarithm',
  scale: 'log10',
  tick: (bytes) => `${trimmed(bytes)} B`,
};

function bars(stores: ReadonlyMap<string, readonly number[]>, order: 'most first' | 'least first'): Bar[] {
  const sign = order === 'most first' ? -1 : 1;
  return [...stores]
    .map(([name, values]) => ({
      label: titleOf(name),
      style: styleOf(name),
      value: median(values),
      low: Math.min(...values),
      high: Math.max(...values),
    }))
    .sort((a, b) => sign * (a.value - b.value));
}

const ownBar = (list: readonly Bar[]): Bar => list.find((bar) => bar.label === OWN) as Bar;

const ingestBars =
  (batch: '16k' | '208k', batchText: string): Draw =>
  (results) => {
    // Rows of the smaller batch do not all say so.
    const isWanted = (id: string): boolean => id.startsWith('ingest-') && id.endsWith('-208k') === (batch === '208k');
    const list = bars(
      results.turns(isWanted, 'recordsPerSecond', `durable ingest in batches of ${batchText}`),
      'most first',
    );
    const own = ownBar(list);
    const rows = list.find((bar) => bar.label === titleOf('sqlite-rows')) ?? last(list);
    const title = `Durable ingest of the reference load, batches of ${batchText}`;
    const reading = `This store makes ${short(own.value)} records a second durable, ${times(own.value / rows.value)} as many as ${rows.label}.`;
    const axis = { label: 'durable records a second, median; the thin line is the range', tick: short };
    const svg = barChart({ title, description: reading, axis, bars: list });
    return { name: `ingest-${batch}`, section: 'Beside its peers', title, reading, svg };
  };

const deviceBars: Draw = (results) => {
  const list = bars(
    results.turns((id) => id.startsWith('bytes-'), 'deviceBytesPerRecord', 'device bytes'),
    'least first',
  );
  const own = ownBar(list);
  const most = last(list);
  const title = 'Bytes that reach the device for each record';
  const reading = `A record costs the device ${trimmed(own.value)} bytes here and ${count(most.value)} with ${most.label}.`;
  const axis = { label: 'device bytes a record, median', tick: (bytes: number) => `${trimmed(bytes)} B` };
  return {
    name: 'device-bytes',
    section: 'Beside its peers',
    title,
    reading,
    svg: barChart({ title, description: reading, axis, bars: list }),
  };
};

const peersOver = (results: Results, id: string, x: string, y: string): Curve[] =>
  ['own', 'append-log', 'sqlite-rows'].map((name) => ({
    label: { own: OWN, 'append-log': 'append log', 'sqlite-rows': 'SQLite rows, FULL' }[name] as string,
    style: styleOf(name),
    points: results.curve(id, ['ingest', name], x, y),
  }));

const pointsOf = (curves: readonly Curve[], i: number): readonly CurvePoint[] => (curves[i] as Curve).points;

/** Smallest ratio of one curve to another at the places that both have. */
function leastRatio(above: readonly CurvePoint[], below: readonly CurvePoint[]): number {
  const ratios = below.flatMap(({ x, y }) => above.filter((point) => point.x === x).map((point) => point.y / y));
  return Math.min(...ratios);
}

const ingestOverSensors: Draw = (results) => {
  const curves = peersOver(results, 'growth-flush-sensors', 'sensors', 'recordsPerSecond');
  const title = 'Durable ingest over the number of sensors, batches of 16,000';
  const own = pointsOf(curves, 0);
  const reading = `From ${count(first(own).x)} to ${count(last(own).x)} sensors this store stays at least ${times(leastRatio(own, pointsOf(curves, 2)))} as fast as SQLite rows; an append log, which cannot be asked for a sensor, is the limit.`;
  return {
    name: 'ingest-over-sensors',
    section: 'Growth',
    title,
    reading,
    svg: lineChart({ title, description: reading, x: SENSORS, y: RATE, curves }),
  };
};

const bytesOverSensors: Draw = (results) => {
  const curves = peersOver(results, 'growth-flush-sensors', 'sensors', 'writtenBytesPerRecord');
  const title = 'Written bytes over the number of sensors, batches of 16,000';
  const own = pointsOf(curves, 0);
  const reading = `With one sensor a record costs ${trimmed(first(own).y)} written bytes, with ${count(last(own).x)} sensors ${trimmed(last(own).y)}, for blocks become shorter; SQLite rows cost ${trimmed(last(pointsOf(curves, 2)).y)} there (counted by the kernel for the process, without the journal).`;
  return {
    name: 'bytes-over-sensors',
    section: 'Growth',
    title,
    reading,
    svg: lineChart({ title, description: reading, x: SENSORS, y: BYTES, curves }),
  };
};

const ingestOverPool: Draw = (results) => {
  const curves = peersOver(results, 'growth-ingest-pool', 'poolBytes', 'recordsPerSecond');
  const title = 'Durable ingest over the size of the pool, 200 sensors';
  const own = pointsOf(curves, 0);
  const reading = `A pool of ${binarySize(first(own).x)} takes ${short(first(own).y)} durable records a second and one of ${binarySize(last(own).x)} ${short(last(own).y)}; the peers commit as many records at a time as a flush took.`;
  return {
    name: 'ingest-over-pool',
    section: 'Growth',
    title,
    reading,
    svg: lineChart({ title, description: reading, x: POOL, y: RATE, curves }),
  };
};

const WORK = ['append', 'flush', 'acknowledge'] as const;
const WORK_STYLES = { append: 'own', flush: 'second', acknowledge: 'third' } as const;

const workOver = (results: Results, over: 'sensors' | 'stored', x: string): Curve[] =>
  WORK.map((work) => ({
    label: work,
    style: WORK_STYLES[work],
    points: results.curve(`growth-${work}-${over}`, ['points', 'own'], x, `${work}NsPerRecord`),
  }));

const slopes = (results: Results, over: string): string =>
  WORK.map((work) => `${work} ${exponent(results, `growth-${work}-${over}`)}`).join(', ');

const workOverSensors: Draw = (results) => {
  const limit = results.curve('growth-append-sensors', ['limits', 'bare-loop'], 'sensors', 'nsPerRecord');
  const curves = [
    ...workOver(results, 'sensors', 'sensors'),
    { label: 'bare loop', style: 'limit', points: limit } satisfies Curve,
  ];
  const title = 'Time a record over the number of sensors';
  const own = pointsOf(curves, 0);
  const reading = `Growth as an exponent, where 0 is flat: ${slopes(results, 'sensors')}; an append takes ${duration(first(own).y / 1e6)} with ${count(first(own).x)} sensor and ${duration(last(own).y / 1e6)} with ${count(last(own).x)}.`;
  return {
    name: 'work-over-sensors',
    section: 'Growth',
    title,
    reading,
    svg: lineChart({ title, description: reading, x: SENSORS, y: NS, curves }),
  };
};

const workOverStored: Draw = (results) => {
  const curves = workOver(results, 'stored', 'storedBytes');
  const title = 'Time a record over what is stored';
  const own = pointsOf(curves, 0);
  const reading = `From an empty store (whose log is ${decimalSize(first(own).x)}) to ${decimalSize(last(own).x)}, growth as an exponent, where 0 is flat: ${slopes(results, 'stored')}.`;
  return {
    name: 'work-over-stored',
    section: 'Growth',
    title,
    reading,
    svg: lineChart({ title, description: reading, x: STORED, y: NS, curves }),
  };
};

const recoveryOverStored: Draw = (results) => {
  const of = (name: string): CurvePoint[] =>
    results.curve('growth-recovery', ['recovery', name], 'storedBytes', 'recoveryMs');
  const curves: Curve[] = [
    { label: 'recovery', style: 'own', points: of('own') },
    { label: 'bare read and checksum', style: 'limit', points: of('bare-read') },
  ];
  const title = 'Time to open a store over what is stored';
  const own = pointsOf(curves, 0);
  const reading = `${decimalSize(last(own).x)} open in ${duration(last(own).y)}; growth as an exponent, where 1 is linear: ${exponent(results, 'growth-recovery')} from 8 MB on, less what opening an empty store takes.`;
  const y: Axis = { label: 'time to open, on a logarithm', scale: 'log10', tick: duration };
  const x: Axis = { ...STORED, label: 'stored, bytes of files' };
  return {
    name: 'recovery-over-stored',
    section: 'Growth',
    title,
    reading,
    svg: lineChart({ title, description: reading, x, y, curves }),
  };
};

const timeLine = (results: Results, name: string, style: Style, labels: readonly [string, string]): TimeLine => ({
  ...results.timeline('growth-append-time', name),
  label: labels[0],
  flushLabel: labels[1],
  style,
});

const appendOverTime: Draw = (results) => {
  const own = timeLine(results, 'own', 'own', [OWN, 'its flushes']);
  const rows = timeLine(results, 'sqlite-rows', 'peer', ['SQLite rows, FULL', 'its commits']);
  const longest = (each: TimeLine): number => Math.max(...each.longestAppendMs);
  const title = 'Longest append in each 10 ms, 200,000 records a second';
  const reading = `While ${count(own.flushes.length)} flushes ran beside it, the longest append of this store took ${duration(longest(own))}; SQLite commits inside an append, and its longest took ${duration(longest(rows))}.`;
  const x: Axis = {
    label: 'time since the producer began, and when each made its records durable',
    scale: 'linear',
    tick: duration,
  };
  const y: Axis = { label: 'longest append, on a logarithm', scale: 'log10', tick: duration };
  return {
    name: 'append-over-time',
    section: 'Over time',
    title,
    reading,
    svg: timeChart({ title, description: reading, x, y, lines: [own, rows] }),
  };
};

const CHARTS: readonly Draw[] = [
  ingestBars('16k', '16,000'),
  ingestBars('208k', '208,000'),
  deviceBars,
  appendOverTime,
  workOverSensors,
  ingestOverSensors,
  bytesOverSensors,
  ingestOverPool,
  workOverStored,
  recoveryOverStored,
];

/** @throws CliError that names the row, when the results lack what a chart needs. */
export const drawAll = (results: Results): Drawn[] => CHARTS.map((draw) => draw(results));
