/**
 * How charts look: sizes, colours by day and by night, and for each curve a colour, a dash and a marker, so that no two are
 * told apart by colour alone. Colours have a contrast of 4.5 or more to their ground.
 */
import { type SymbolType, symbol, symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape';
import { element, escaped } from './svg.ts';

export const WIDTH = 800;
const FONT = 'system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif';
/** Of the text's 13 pixels, on average: enough to leave room, for the font is the reader's. */
export const LETTER = 7.4;

/** The store itself is `own`, whatever it stands beside; `limit` is what cannot be beaten. */
export type Style = 'own' | 'second' | 'third' | 'peer' | 'limit';

interface Look {
  readonly day: string;
  readonly night: string;
  readonly width: number;
  readonly dash: string;
  readonly marker: SymbolType;
}

const LOOKS: Readonly<Record<Style, Look>> = {
  own: { day: '#0a58ca', night: '#7db3ff', width: 2.6, dash: '', marker: symbolCircle },
  second: { day: '#a3400b', night: '#ffb077', width: 2.2, dash: '9 3', marker: symbolSquare },
  third: { day: '#1a6e3c', night: '#74d99f', width: 2.2, dash: '4 3', marker: symbolTriangle },
  peer: { day: '#a3400b', night: '#ffb077', width: 2, dash: '7 4', marker: symbolSquare },
  limit: { day: '#5c636a', night: '#b3bac1', width: 1.6, dash: '2 3', marker: symbolDiamond },
};

const GROUND = { day: '#ffffff', night: '#14181d' };
const INK = { day: '#1f2328', night: '#e6e9ec' };
const FAINT = { day: '#57606a', night: '#a9b2bc' };
const GRID = { day: '#dfe3e8', night: '#2f363e' };

type Time = 'day' | 'night';

function colours(time: Time): string {
  const curves = Object.entries(LOOKS).map(
    ([style, look]) => `.${style}{stroke:${look[time]}}.fill-${style}{fill:${look[time]}}`,
  );
  return [
    `.ground{fill:${GROUND[time]}}.ink{fill:${INK[time]}}.faint{fill:${FAINT[time]}}`,
    `.grid{stroke:${GRID[time]}}.axis{stroke:${FAINT[time]}}.leader{stroke:${FAINT[time]}}.band{fill:${GRID[time]}}`,
    ...curves,
  ].join('');
}

const STYLE = [
  `.text{font:13px ${FONT}}.title{font-weight:600;font-size:15px}.small{font-size:12px}`,
  `.curve{fill:none;stroke-linejoin:round}.grid,.axis,.leader{fill:none;stroke-width:1}.spread{stroke-width:1.2;fill:none;opacity:.55}`,
  ...Object.entries(LOOKS).map(
    ([style, { width, dash }]) =>
      `.line-${style}{stroke-width:${width}${dash === '' ? '' : `;stroke-dasharray:${dash}`}}`,
  ),
  colours('day'),
  `@media (prefers-color-scheme:dark){${colours('night')}}`,
].join('');

/** The whole file: named and described for those who do not see it. */
export function document(
  { title, description }: { readonly title: string; readonly description: string },
  height: number,
  ...content: readonly string[]
): string {
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${WIDTH} ${height}`,
      width: WIDTH,
      height,
      role: 'img',
      'aria-labelledby': 'title description',
    },
    element('title', { id: 'title' }, escaped(title)),
    element('desc', { id: 'description' }, escaped(description)),
    element('style', {}, STYLE),
    element('rect', { class: 'ground', width: WIDTH, height }),
    element('text', { x: 16, y: 26, class: 'text title ink' }, escaped(title)),
    ...content,
  )}\n`;
}

/** The curve's marker at a point. */
export const marker = (style: Style, x: number, y: number, size = 44): string =>
  element('path', {
    d: symbol(LOOKS[style].marker, size)() ?? '',
    transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`,
    class: `fill-${style}`,
  });

/** A short piece of a curve, as it is drawn: what a label begins with. */
export const sample = (style: Style, x: number, y: number): string =>
  element('path', { d: `M${x},${y}h22`, class: `curve ${style} line-${style}` }) + marker(style, x + 11, y, 36);
