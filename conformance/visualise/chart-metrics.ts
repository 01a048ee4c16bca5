/** What the layout of the statechart, made in Node, and its drawing in the page must agree on: the text and its size. */
import type { ChartTransition } from '../../model/chart.ts';

/** Pixels of a line of text, in the font that the page draws the chart in: 12 px, fixed width. */
export const LINE = 18;
/** Pixels of a state's own name. */
export const TITLE = 24;

/** Characters up to which guards are named; a longer label would push the drawing apart. */
const LABEL_MAX = 34;

/** What is written at a transition: its event, and its guards, or how many there are when they are too long to name. */
export function transitionLabel({ event, guards }: Pick<ChartTransition, 'event' | 'guards'>): string {
  if (guards.length === 0) return event;
  const named = `${event} [${guards.join(', ')}]`;
  return named.length <= LABEL_MAX ? named : `${event} [${guards.length} guards]`;
}
