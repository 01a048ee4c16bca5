/**
 * What the callers of a run know at a moment: the oracle's `Account`, from the model's own state.
 *
 * The model has it from the calls and their answers; what the engine believes of its files is not in it.
 */
import { addSpan } from '../../model/spans.ts';
import type { Span } from '../../model/vocabulary.ts';
import type { StoreRun } from '../driver.ts';
import type { Evicting } from './coming.ts';
import type { Account, StreamAccount } from './oracle.ts';

/** What is known beside the marks. */
export interface Beside {
  /** Of the store that is open, or was last; null when none was. */
  readonly storeId: string | null;
  readonly evicting: Evicting;
  /** By stream, see `StreamAccount.alsoEvicted`. */
  readonly alsoEvicted: readonly number[];
}

/** Joined, ascending. */
const rangesOf = ({ spoiledRanges }: StoreRun, index: number): readonly Span[] =>
  spoiledRanges
    .filter(({ stream }) => stream === index)
    .reduce<readonly Span[]>((joined, { from, to }) => addSpan(joined, { from, to }), []);

export function accountOf(run: StoreRun, { storeId, evicting, alsoEvicted }: Beside): Account {
  const { scenario, model } = run;
  const { epoch, attempts, streams } = model.context;
  return {
    storeId,
    epoch,
    opensCutOff: attempts,
    streams: scenario.streams.map(({ source, sensor }, i): StreamAccount => {
      const stream = streams[i] as (typeof streams)[number];
      const { head, synced, appended, durableHead, evicted, records } = stream;
      return {
        name: `${source}/${sensor}`,
        records,
        appendedMin: Math.max(synced, durableHead),
        appendedMax: appended,
        headMin: durableHead,
        headMax: head,
        evictingTo: evicting?.[i] ?? null,
        evicted,
        alsoEvicted: alsoEvicted[i] ?? 0,
        spoiled: rangesOf(run, i),
      };
    }),
  };
}

/** `alsoEvicted` behind a step, from what it was before: the next batch without an eviction sets it right. */
export function alsoEvictedAfter({ observedStates, observed }: StoreRun, before: readonly number[]): readonly number[] {
  let now = before;
  for (const [at, { type }] of observed.entries()) {
    const { before: from, after: to } = observedStates[at] as (typeof observedStates)[number];
    if (type === 'CHECKPOINT' || type === 'FLUSH_DONE' || type === 'RECOVERED') now = [];
    if (type !== 'EVICT') continue;
    now = to.context.streams.map(({ durableHead, evicted }, i) => {
      const was = from.context.streams[i] as (typeof to.context.streams)[number];
      return (now[i] ?? 0) + Math.max(0, durableHead - was.durableHead - (evicted - was.evicted));
    });
  }
  return now;
}
