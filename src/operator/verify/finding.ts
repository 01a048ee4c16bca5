/** What verify says: one finding for each thing that is not as a store at rest has it. */
import type { Source } from '../../core/types.ts';

export const FINDING_KINDS = [
  // Of a segment.
  'block',
  'header',
  'trailer',
  'cut short',
  'unreadable',
  'foreign',
  'misplaced',
  'missing',
  'cut off',
  'leftover',
  'free',
  // Of the log.
  'log header',
  'log frame',
  'log tail',
  'log padding',
  'log lost',
  // Beside them.
  'set aside',
  'strange',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** Records [from, to) of a stream. */
export interface RecordRange {
  readonly source: Source;
  readonly sensor: number;
  readonly from: number;
  readonly to: number;
}

export interface Finding {
  /** `note`: what a power cut or a running store leaves too, and what costs nothing. */
  readonly level: 'damage' | 'note';
  readonly what: FindingKind;
  /** From the store's directory. */
  readonly file: string;
  /** First byte that is wrong, or the first of the unit that it lies in; and how many. */
  readonly offset: number;
  readonly bytes: number;
  /**
   * What stood there. One range when `certain`; else every range that it can have been, of which it was one or more.
   * Empty: nothing that the store retains.
   */
  readonly records: readonly RecordRange[];
  readonly certain: boolean;
  /** One sentence: what it is, how that is known, what it costs. */
  readonly text: string;
}

export const rangeText = ({ source, sensor, from, to }: RecordRange): string =>
  `${source}/${sensor} records ${from} to ${to - 1}`;

const LISTED_MAX = 8;

/** A few of many, and how many more there are. */
export function listText(ranges: readonly RecordRange[]): string {
  const shown = ranges.slice(0, LISTED_MAX).map(rangeText).join(', ');
  return ranges.length > LISTED_MAX ? `${shown} and ${ranges.length - LISTED_MAX} more` : shown;
}
