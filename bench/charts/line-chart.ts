/** Curves over one axis: medians as markers, the spread of the repetitions as a thin line, a label at each curve's end. */
import { type Axis, drawAxes, type Frame, type Placed, placed, spanOf } from './axes.ts';
import { document, LETTER, marker, type Style, sample, WIDTH } from './look.ts';
import { element, label, line } from './svg.ts';

export interface CurvePoint {
  readonly x: number;
  /** Median of the repetitions, and their range. */
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

export interface Curve {
  readonly label: string;
  readonly style: Style;
  readonly points: readonly CurvePoint[];
}

export interface LineChart {
  readonly title: string;
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly curves: readonly Curve[];
}

const HEIGHT = 400;
const LINE_HEIGHT = 18;
/** The drawn piece of curve before a label. */
const SAMPLE = 28;

export function lineChart(chart: LineChart): string {
  const { curves, x: xAxis, y: yAxis } = chart;
  const widest = Math.max(...curves.map((curve) => curve.label.length)) * LETTER + SAMPLE + 24;
  const frame: Frame = { left: 84, right: WIDTH - widest, top: 74, bottom: HEIGHT - 60 };
  const points = curves.flatMap((curve) => curve.points);
  const x = placed(
    xAxis,
    spanOf(
      points.map((point) => point.x),
      xAxis.scale,
    ),
    [frame.left, frame.right - 6],
  );
  const y = placed(
    yAxis,
    spanOf(
      points.flatMap(({ low, high }) => [low, high]),
      yAxis.scale,
    ),
    [frame.bottom, frame.top],
  );
  return document(
    chart,
    HEIGHT,
    drawAxes(frame, [xAxis, x], [yAxis, y]),
    // The store's own curves come last and lie above the others.
    ...[...curves].reverse().map((curve) => drawCurve(curve, x, y)),
    drawLabels(curves, x, y, frame),
  );
}

function drawCurve({ points, style }: Curve, x: Placed, y: Placed): string {
  const at = points.map((point) => [x.at(point.x), y.at(point.y)] as const);
  const spreads = points.map(({ x: where, low, high }) =>
    line(
      [
        [x.at(where), y.at(low)],
        [x.at(where), y.at(high)],
      ],
      { class: `spread ${style}` },
    ),
  );
  return element(
    'g',
    {},
    ...spreads,
    line(at, { class: `curve ${style} line-${style}` }),
    ...at.map(([px, py]) => marker(style, px, py)),
  );
}

/** Beside the last point of each curve; those that would overlap are moved apart, and led back by a thin line. */
function drawLabels(curves: readonly Curve[], x: Placed, y: Placed, frame: Frame): string {
  const wanted = curves.map((curve) => {
    const last = curve.points.at(-1) as CurvePoint;
    return { curve, fromX: x.at(last.x), fromY: y.at(last.y) };
  });
  const heights = apart(
    wanted.map(({ fromY }) => fromY),
    LINE_HEIGHT,
    [frame.top, frame.bottom],
  );
  return wanted
    .map(({ curve, fromX, fromY }, i) => {
      const at = heights[i] as number;
      const left = frame.right + 10;
      return (
        line(
          [
            [fromX + 7, fromY],
            [left - 2, at],
          ],
          { class: 'leader', 'stroke-opacity': 0.6 },
        ) +
        sample(curve.style, left, at) +
        label(left + SAMPLE, at + 4.5, curve.label)
      );
    })
    .join('');
}

/** The wanted heights, moved as little as keeps them `gap` apart and inside; each stays at its place in the list. */
export function apart(wanted: readonly number[], gap: number, [top, bottom]: readonly [number, number]): number[] {
  const order = [...wanted.keys()].sort((a, b) => (wanted[a] as number) - (wanted[b] as number));
  const result = [...wanted];
  let least = top;
  for (const i of order) {
    result[i] = Math.max(least, wanted[i] as number);
    least = (result[i] as number) + gap;
  }
  let most = bottom;
  for (const i of order.reverse()) {
    result[i] = Math.min(most, result[i] as number);
    most = (result[i] as number) - gap;
  }
  return result;
}
