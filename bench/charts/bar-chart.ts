/**
 * One figure of each store, the label left of it and the figure right of it. Bars from nothing on as long as the shortest
 * can be seen; where figures span more than two decades, markers on a logarithm, for a bar has no beginning there.
 */
import { type Axis, placed, spanOf } from './axes.ts';
import { document, LETTER, marker, type Style, WIDTH } from './look.ts';
import { element, label, line } from './svg.ts';

export interface Bar {
  readonly label: string;
  readonly style: Style;
  /** Median of the repetitions, and their range. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface BarChart {
  readonly title: string;
  readonly description: string;
  /** Its scale is chosen here. */
  readonly axis: Omit<Axis, 'scale'>;
  readonly bars: readonly Bar[];
}

const ROW = 30;
const TOP = 58;
const BAR = 16;
const BARS_SPAN_MOST = 100;

export function barChart(chart: BarChart): string {
  const { bars, axis } = chart;
  const values = bars.flatMap(({ low, high }) => [low, high]);
  const scale = Math.max(...values) / Math.min(...values) > BARS_SPAN_MOST ? 'log10' : 'linear';
  const left = Math.max(...bars.map((bar) => bar.label.length)) * LETTER + 30;
  const right = WIDTH - Math.max(...bars.map(({ value }) => axis.tick(value).length)) * LETTER - 36;
  const x = placed({ ...axis, scale }, spanOf(values, scale), [left, right]);
  const bottom = TOP + bars.length * ROW;
  const grid = x.written.map(
    (value) =>
      line(
        [
          [x.at(value), TOP - 6],
          [x.at(value), bottom],
        ],
        { class: 'grid' },
      ) + label(x.at(value), bottom + 20, axis.tick(value), { anchor: 'middle', of: 'faint' }),
  );
  return document(
    chart,
    bottom + 60,
    ...grid,
    line(
      [
        [left, TOP - 6],
        [left, bottom],
      ],
      { class: 'axis' },
    ),
    ...bars.map((bar, i) => drawBar(bar, TOP + (i + 0.5) * ROW - 3, left, x.at, scale === 'linear', axis.tick)),
    label((left + right) / 2, bottom + 44, axis.label, { anchor: 'middle' }),
  );
}

function drawBar(
  bar: Bar,
  y: number,
  left: number,
  at: (value: number) => number,
  isBar: boolean,
  said: (value: number) => string,
): string {
  const end = at(bar.value);
  const body = isBar
    ? element('rect', {
        x: left,
        y: y - BAR / 2,
        width: Math.max(1, end - left),
        height: BAR,
        class: `fill-${bar.style}`,
      })
    : line(
        [
          [left, y],
          [end, y],
        ],
        { class: `curve ${bar.style} line-${bar.style}` },
      ) + marker(bar.style, end, y, 70);
  const spread = line(
    [
      [at(bar.low), y],
      [at(bar.high), y],
    ],
    { class: isBar ? 'axis' : `spread ${bar.style}` },
  );
  return element(
    'g',
    {},
    label(left - 10, y + 4.5, bar.label, { anchor: 'end' }),
    body,
    spread,
    label(Math.max(end, at(bar.high)) + 10, y + 4.5, said(bar.value)),
  );
}
