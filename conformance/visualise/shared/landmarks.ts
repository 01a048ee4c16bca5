/** Steps of a run that somebody looks for. */
import type { TracePage } from '../page-data.ts';
import type { Frame } from './frames.ts';

const isCrash = (frame: Frame): boolean =>
  frame.taken.some(({ event }) => event.type === 'CRASH' || event.type === 'RECOVERY_CRASHED');

export const crashSteps = (frames: readonly Frame[]): number[] =>
  frames.flatMap((each, i) => (isCrash(each) ? [i] : []));

/** The step at which model and engine are not in the same state any more; null when they agree to the end. */
export const divergenceStep = (page: TracePage | null): number | null => page?.failure?.step ?? null;

/** What came back of each stream, once a recovery after step `at` has ended; null when there was none. */
export function recoveryAfter(
  frames: readonly Frame[],
  at: number,
): { step: number; appended: readonly number[] } | null {
  for (let i = at + 1; i < frames.length; i++) {
    for (const { event } of frames[i]?.taken ?? []) {
      if (event.type === 'RECOVERED') return { step: i, appended: event.streams.map(({ appended }) => appended) };
    }
  }
  return null;
}

/** A letter and a word for the kind of a step, for the timeline. */
export function glyphOf(frame: Frame, action: string | null): { readonly glyph: string; readonly kind: string } {
  const types = new Set(frame.taken.map(({ event }) => event.type));
  if (types.has('CRASH') || types.has('RECOVERY_CRASHED')) return { glyph: '⚡', kind: 'crash' };
  if (types.has('RECOVERED')) return { glyph: 'R', kind: 'recovered' };
  if (types.has('FLUSH_FAILED')) return { glyph: '!', kind: 'flush failed' };
  if (types.has('FLUSH_DONE')) return { glyph: 'F', kind: 'flush done' };
  if (types.has('EVICT')) return { glyph: 'E', kind: 'eviction' };
  if (types.has('DAMAGE')) return { glyph: 'D', kind: 'damage' };
  if (types.has('REVERT')) return { glyph: 'N', kind: 'revert' };
  if (types.has('ACKNOWLEDGE')) return { glyph: 'A', kind: 'acknowledge' };
  if (types.has('READ') || types.has('READ_OLDEST')) return { glyph: 'r', kind: 'read' };
  if (types.has('APPEND')) return { glyph: '+', kind: 'append' };
  if (types.size > 0) return { glyph: 'o', kind: [...types].join(' ').toLowerCase().replaceAll('_', ' ') };
  return { glyph: '·', kind: action ?? 'start' };
}
