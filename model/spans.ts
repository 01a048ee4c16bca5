/**
 * Arithmetic of sequence numbers with holes: counting records between two marks, and moving a mark by records.
 * A mark never rests on a hole; it stands behind it.
 */
import type { Span } from './vocabulary.ts';

/** The mark itself, or the end of the hole it would rest on. */
export function passHoles(holes: readonly Span[], mark: number): number {
  for (const hole of holes) {
    if (hole.from > mark) return mark;
    if (mark < hole.to) return hole.to;
  }
  return mark;
}

export const spanRecords = (spans: readonly Span[]): number => spans.reduce((sum, { from, to }) => sum + to - from, 0);

/** Sequence numbers of [from, to) that lie in a hole. */
export function holeRecords(holes: readonly Span[], from: number, to: number): number {
  let records = 0;
  for (const hole of holes) records += Math.max(0, Math.min(hole.to, to) - Math.max(hole.from, from));
  return records;
}

/** Records of [from, to) that are not lost in a hole. */
export const liveRecords = (holes: readonly Span[], from: number, to: number): number =>
  Math.max(0, to - from) - holeRecords(holes, from, to);

/** Where a mark stands after it has passed `n` records. */
export function advance(holes: readonly Span[], mark: number, n: number): number {
  let at = passHoles(holes, mark);
  let left = n;
  for (const hole of holes) {
    if (hole.from < at) continue;
    const run = hole.from - at;
    if (left < run) break;
    left -= run;
    at = hole.to;
  }
  return at + left;
}

/** The list with one span more: ascending, spans that touch or overlap joined. */
export function addSpan(spans: readonly Span[], added: Span): readonly Span[] {
  const joined: Span[] = [];
  let { from, to } = added;
  for (const span of spans) {
    if (span.to < from || span.from > to) joined.push(span);
    else {
      from = Math.min(from, span.from);
      to = Math.max(to, span.to);
    }
  }
  joined.push({ from, to });
  return joined.sort((a, b) => a.from - b.from);
}

/** The list without what lies below `mark`. */
export function cutSpans(spans: readonly Span[], mark: number): readonly Span[] {
  if (spans.length === 0 || (spans[0] as Span).from >= mark) return spans;
  return spans.filter((span) => span.to > mark).map((span) => ({ from: Math.max(span.from, mark), to: span.to }));
}

/** Whether the spans, in any order, contain every sequence number of [from, to). */
export function coverSpan(spans: readonly Span[], from: number, to: number): boolean {
  let at = from;
  while (at < to) {
    const span = spans.find((each) => each.from <= at && at < each.to);
    if (span === undefined) return false;
    at = span.to;
  }
  return true;
}
