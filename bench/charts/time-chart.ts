/**
 * The longest append of each store in every hundredth of a second, with the times below at which each made its records
 * durable. One store is a line and the other is squares, so that hundreds of points stay apart.
 */
import { type Axis, drawAxes, type Frame, type Placed, placed, spanOf } from './axes.ts';
import { apart } from './line-chart.ts';
import { document, LETTER, type Style, WIDTH } from './look.ts';
import { element, figure, label, line } from './svg.ts';

export interface TimeLine {
  readonly label: string;
  /** For the row of marks below. */
  readonly flushLabel: string;
  readonly style: Style;
  readonly bucketMs: number;
  /** By bucket; 0 where nothing was appended. */
  readonly longestAppendMs: readonly number[];
  readonly flushes: readonly (readonly [fromMs: number, toMs: number])[];
}

export interface TimeChart {
  readonly title: string;
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly [drawnAsLine: TimeLine, drawnAsSquares: TimeLine];
}

const HEIGHT = 460;
const MARKS = 22;
const LABEL_GAP = 18;

export function timeChart(chart: TimeChart): string {
  const { lines } = chart;
  const widest = Math.max(...lines.flatMap((each) => [each.label.length, each.flushLabel.length])) * LETTER + 30;
  const frame: Frame = { left: 84, right: WIDTH - widest, top: 74, bottom: HEIGHT - 60 - lines.length * MARKS - 8 };
  const endMs = Math.max(...lines.map((each) => each.longestAppendMs.length * each.bucketMs));
  const x = placed(chart.x, [0, endMs], [frame.left, frame.right]);
  const values = lines.flatMap((each) => each.longestAppendMs.filter((ms) => ms > 0));
  const y = placed(chart.y, spanOf(values, chart.y.scale), [frame.bottom, frame.top]);
  const below: Frame = { ...frame, bottom: frame.bottom + lines.length * MARKS + 8 };
  return document(
    chart,
    HEIGHT,
    drawAxes(below, [chart.x, x], [chart.y, y]),
    drawSquares(lines[1], x, y),
    drawLine(lines[0], x, y),
    drawLabels(lines, y, frame),
    ...lines.map((each, i) => drawFlushes(each, frame.bottom + 8 + i * MARKS, x, endMs, frame.right)),
  );
}

const pointsOf = ({ longestAppendMs, bucketMs }: TimeLine, x: Placed, y: Placed): (readonly [number, number])[] =>
  [...longestAppendMs.entries()]
    .filter(([, ms]) => ms > 0)
    .map(([bucket, ms]) => [x.at((bucket + 0.5) * bucketMs), y.at(ms)] as const);

const drawLine = (each: TimeLine, x: Placed, y: Placed): string =>
  line(pointsOf(each, x, y), { class: `curve ${each.style}`, 'stroke-width': 1.3 });

const drawSquares = (each: TimeLine, x: Placed, y: Placed): string =>
  element('path', {
    d: pointsOf(each, x, y)
      .map(([px, py]) => `M${figure(px - 1.5)},${figure(py - 1.5)}h3v3h-3z`)
      .join(''),
    class: `fill-${each.style}`,
  });

/** At the height of its middle value, moved where two would overlap. */
function drawLabels(lines: readonly TimeLine[], y: Placed, { right, top, bottom }: Frame): string {
  const middles = lines.map(({ longestAppendMs }) => {
    const used = longestAppendMs.filter((ms) => ms > 0).sort((a, b) => a - b);
    return y.at(used[used.length >> 1] as number);
  });
  const heights = apart(middles, LABEL_GAP, [top, bottom]);
  return lines
    .map(({ label: text, style }, i) => {
      const at = heights[i] as number;
      const box = element('rect', { x: right + 8, y: at - 5, width: 10, height: 10, class: `fill-${style}` });
      return box + label(right + 24, at + 4.5, text);
    })
    .join('');
}

function drawFlushes(
  { flushes, flushLabel, style }: TimeLine,
  top: number,
  x: Placed,
  endMs: number,
  right: number,
): string {
  const marks = flushes
    .filter(([fromMs]) => fromMs < endMs)
    .map(([fromMs, toMs]) => {
      const left = x.at(fromMs);
      const width = Math.max(0.8, x.at(Math.min(toMs, endMs)) - left);
      return `M${figure(left)},${figure(top)}h${figure(width)}v12h${figure(-width)}z`;
    });
  return (
    element('path', { d: marks.join('') || 'M0,0', class: `fill-${style}`, 'fill-opacity': 0.75 }) +
    label(right + 8, top + 10.5, flushLabel, { of: 'faint' })
  );
}
