/** Axes: a scale, the ticks that are written and the ones that only have a line, and how a figure is said on it. */
import { scaleLinear, scaleLog } from 'd3-scale';
import { thousands } from '../../src/cli/screen.ts';
import { element, label, line } from './svg.ts';

export interface Axis {
  /** What it counts, with its unit. */
  readonly label: string;
  readonly scale: 'log2' | 'log10' | 'linear';
  readonly tick: (value: number) => string;
}

export interface Placed {
  readonly at: (value: number) => number;
  readonly written: readonly number[];
  readonly unwritten: readonly number[];
}

export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const WRITTEN_MOST = 7;

/** @param span lowest and highest figure, both above 0 on a logarithm. @param pixels where they come to lie. */
export function placed(axis: Axis, span: readonly [number, number], pixels: readonly [number, number]): Placed {
  if (axis.scale === 'linear') {
    const scale = scaleLinear()
      .domain([...span])
      .nice()
      .range([...pixels]);
    return { at: (value) => scale(value), written: scale.ticks(WRITTEN_MOST - 1), unwritten: [] };
  }
  const scale = scaleLog()
    .base(axis.scale === 'log2' ? 2 : 10)
    .domain([...span])
    .range([...pixels]);
  const at = (value: number): number => scale(value);
  if (axis.scale === 'log2') {
    // The scale's own ticks are no powers of two where there are few of them.
    const lowest = Math.ceil(Math.log2(span[0]));
    const powers = Array.from({ length: Math.floor(Math.log2(span[1])) - lowest + 1 }, (_, i) => 2 ** (lowest + i));
    const step = Math.ceil(powers.length / WRITTEN_MOST);
    const isWritten = (i: number): boolean => i % step === 0 || i === powers.length - 1;
    return { at, written: powers.filter((_, i) => isWritten(i)), unwritten: powers.filter((_, i) => !isWritten(i)) };
  }
  const ticks = scale.ticks();
  const decades = Math.log10(span[1] / span[0]);
  const isWritten = (value: number): boolean => {
    const mantissa = Number(value.toExponential().split('e')[0]);
    return decades > 3 ? mantissa === 1 : decades > 1 ? [1, 2, 5].includes(mantissa) : true;
  };
  return {
    at,
    written: ticks.filter(isWritten),
    unwritten: decades > 5 ? [] : ticks.filter((value) => !isWritten(value)),
  };
}

/** Room above and below, so that no point lies on the frame; whole decades would leave half of a chart empty. */
export function spanOf(values: readonly number[], scale: Axis['scale']): [number, number] {
  const least = Math.min(...values);
  const most = Math.max(...values);
  if (scale === 'linear') return [0, most];
  if (scale === 'log2') return [least, most];
  return [least / 1.6, most * 1.6];
}

export function drawAxes(
  frame: Frame,
  [xAxis, x]: readonly [Axis, Placed],
  [yAxis, y]: readonly [Axis, Placed],
): string {
  const { left, right, top, bottom } = frame;
  const parts: string[] = [];
  for (const value of y.written) {
    parts.push(
      line(
        [
          [left, y.at(value)],
          [right, y.at(value)],
        ],
        { class: 'grid' },
      ),
    );
    parts.push(label(left - 8, y.at(value) + 4.5, yAxis.tick(value), { anchor: 'end', of: 'faint' }));
  }
  for (const value of y.unwritten)
    parts.push(
      line(
        [
          [left - 4, y.at(value)],
          [left, y.at(value)],
        ],
        { class: 'axis' },
      ),
    );
  for (const [values, length] of [
    [x.written, 6],
    [x.unwritten, 3],
  ] as const) {
    for (const value of values)
      parts.push(
        line(
          [
            [x.at(value), bottom],
            [x.at(value), bottom + length],
          ],
          { class: 'axis' },
        ),
      );
  }
  for (const value of x.written) {
    parts.push(label(x.at(value), bottom + 21, xAxis.tick(value), { anchor: 'middle', of: 'faint' }));
  }
  parts.push(
    line(
      [
        [left, top],
        [left, bottom],
        [right, bottom],
      ],
      { class: 'axis' },
    ),
  );
  parts.push(label((left + right) / 2, bottom + 42, xAxis.label, { anchor: 'middle' }));
  parts.push(label(16, top - 12, yAxis.label));
  return element('g', {}, ...parts);
}

export const count = (value: number): string => thousands(value);

/** 1.5M, 200k: short enough for a tick. */
export function short(value: number): string {
  if (value >= 1_000_000) return `${trimmed(value / 1_000_000)}M`;
  if (value >= 1_000) return `${trimmed(value / 1_000)}k`;
  return trimmed(value);
}

/** Three digits, without zeros that say nothing. */
export const trimmed = (value: number): string =>
  Math.abs(value) >= 100 ? thousands(value) : String(Number(value.toPrecision(3)));

export function binarySize(bytes: number): string {
  return bytes >= 1_048_576 ? `${trimmed(bytes / 1_048_576)} MiB` : `${trimmed(bytes / 1_024)} KiB`;
}

export function decimalSize(bytes: number): string {
  if (bytes >= 1_000_000) return `${trimmed(bytes / 1_000_000)} MB`;
  return bytes >= 1_000 ? `${trimmed(bytes / 1_000)} kB` : `${bytes} B`;
}

export function duration(ms: number): string {
  if (ms === 0) return '0 s';
  if (ms >= 1_000) return `${trimmed(ms / 1_000)} s`;
  if (ms >= 1) return `${trimmed(ms)} ms`;
  if (ms >= 0.001) return `${trimmed(ms * 1_000)} µs`;
  return `${trimmed(ms * 1_000_000)} ns`;
}
