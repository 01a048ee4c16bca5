/**
 * SVG as text. A number that is none cannot get in, and what is text is escaped: the file is XML whatever it shows.
 */

export type Attributes = Readonly<Record<string, string | number>>;

/** @throws RangeError for a number that is not finite. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? figure(value) : escaped(value)}"`)
    .join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

/** A tenth of a pixel is what anybody sees. @throws RangeError for a number that is not finite. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`a chart cannot show ${value}`);
  return String(Math.round(value * 10) / 10);
}

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** `anchor` says which end of the text is at x. */
export const label = (
  x: number,
  y: number,
  text: string,
  { anchor = 'start', of = 'ink' }: { readonly anchor?: 'start' | 'middle' | 'end'; readonly of?: string } = {},
): string =>
  element(
    'text',
    { x, y, class: `text ${of}`, ...(anchor === 'start' ? {} : { 'text-anchor': anchor }) },
    escaped(text),
  );

/** A path of straight pieces. */
export const line = (points: readonly (readonly [x: number, y: number])[], attributes: Attributes): string =>
  element('path', {
    d: points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${figure(x)},${figure(y)}`).join(''),
    ...attributes,
  });
