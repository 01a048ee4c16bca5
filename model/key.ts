/**
 * When two nodes of the search are the same: a string of everything that decides what can happen next.
 *
 * Left out is what no guard reads and no later event depends on, so that leaving it out merges only nodes with the same
 * future: the values and times of records (nothing decides by them; an on-grid sample is on grid relative to the last
 * one), how often power failed or a flush, epochs and store ids (only their order counts, and it is that of opening), ordinals and segment numbers (only
 * their order counts), the accounts and the statistics. The invariants on those compare the two ends of an edge, and
 * every edge is checked, also one that leads to a known node.
 */

import type { Harm, Scope } from './scope.ts';
import type { ModelState } from './step.ts';
import { lifecycleOf } from './step.ts';
import type { Context, IdentitySpan, StreamState } from './vocabulary.ts';

/** Identities given in this store and epoch at or above `appended`: 0 unless one is about to be given twice. */
function reusable({ identities, appended }: StreamState, { storeId, epoch }: Context): number {
  const newest: IdentitySpan | undefined = identities[identities.length - 1];
  return newest !== undefined && newest.storeId === storeId && newest.epoch === epoch
    ? Math.max(0, newest.to - appended)
    : 0;
}

function streamKey(stream: StreamState, context: Context, takesOperations: boolean): string {
  const { head, read, synced, appended, durableHead, forgiven, lastTimeMs, holes, sectors } = stream;
  let key = `${head},${synced},${appended},${durableHead},${forgiven}${lastTimeMs === null ? '-' : '+'}`;
  if (takesOperations) key += read;
  for (const { from, to } of holes) key += `h${from}.${to}`;
  for (const { count } of sectors) key += `s${count}`;
  const again = reusable(stream, context);
  return again === 0 ? key : `${key}!${again}`;
}

/** Without a disk the oldest sector of all is the next to go. */
function sectorOrder(context: Context): string {
  if (context.bounds.disk) return '';
  const all = context.streams.flatMap(({ sectors }, stream) => sectors.map(({ ordinal }) => ({ ordinal, stream })));
  return all
    .sort((a, b) => a.ordinal - b.ordinal)
    .map(({ stream }) => stream)
    .join('');
}

/**
 * What lies below the durable head can never be asked for again; of a segment that has nothing else only its weight is
 * left. Block bounds inside a segment are where damage may hit, and nothing else.
 */
function segmentsKey({ segments, streams }: Context, damageComes: boolean): string {
  let key = '';
  for (const { bytes, source, blocks } of segments) {
    let live = '';
    let last = -1;
    for (const { stream, from, to } of blocks) {
      const low = Math.max(from, streams[stream]?.durableHead ?? 0);
      if (to <= low) continue;
      live += damageComes || stream !== last ? `${live === '' ? source[0] : ''}b${stream}:${low}.${to}` : `.${to}`;
      last = stream;
    }
    key += `/${bytes}${live}`;
  }
  return key;
}

export function nodeKey(state: ModelState, scope: Scope, harm: Harm): string {
  const { context } = state;
  const { flush, flushRequested, retryWaiting, attempts, free } = context;
  const lifecycle = lifecycleOf(state);
  let key = `${lifecycle}|${harm.damages}${harm.emergencies}`;
  key += `|${flushRequested ? 'q' : ''}${retryWaiting ? 'w' : ''}${attempts},${free}`;
  if (flush !== null) key += `f${flush.targets.join()};${flush.heads.join()}${flush.emergency ? '!' : ''}`;
  const takesOperations = lifecycle === 'ram' || lifecycle === 'flushing';
  for (const stream of context.streams) key += `|${streamKey(stream, context, takesOperations)}`;
  return `${key}|${sectorOrder(context)}${segmentsKey(context, harm.damages < scope.damagesMax)}`;
}
