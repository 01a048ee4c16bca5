/**
 * Where the records of a stream are, as pieces of a lane: what the reader has done with them crossed with what holds
 * them. Widths in whole pixels, made from one rounded cut per mark, so that they add up to the lane.
 */
import type { StreamState } from '../../../model/vocabulary.ts';
import { syncedMark } from '../../../model/vocabulary.ts';

export interface Piece {
  readonly from: number;
  readonly to: number;
  readonly reader: 'erased' | 'pending' | 'unread';
  /** What is erased is nowhere any more. */
  readonly place: 'disk' | 'ram' | 'gone';
  readonly left: number;
  readonly width: number;
}

/** Where sequence number `at` is in a lane of `pixels` that shows [from, to). */
export const pixelOf = (at: number, from: number, to: number, pixels: number): number =>
  to <= from ? 0 : Math.round((pixels * (Math.min(to, Math.max(from, at)) - from)) / (to - from));

/** @param from @param to records that the lane shows. @param pixels its width. */
export function piecesOf(stream: StreamState, from: number, to: number, pixels: number): Piece[] {
  const { head, read, appended } = stream;
  const synced = syncedMark(stream);
  const cuts = [...new Set([from, head, read, synced, appended])].filter((at) => at >= from && at <= appended);
  cuts.sort((a, b) => a - b);
  return cuts.slice(1).map((end, i): Piece => {
    const begin = cuts[i] as number;
    const left = pixelOf(begin, from, to, pixels);
    return {
      from: begin,
      to: end,
      reader: end <= head ? 'erased' : end <= read ? 'pending' : 'unread',
      place: end <= head ? 'gone' : end <= synced ? 'disk' : 'ram',
      left,
      width: pixelOf(end, from, to, pixels) - left,
    };
  });
}
