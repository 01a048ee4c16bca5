/**
 * Compares the loss ledgers: not only how many records were lost, but which, and why (INV-12, INV-19).
 *
 * The engine joins ranges that touch and folds the oldest when its table is full; the model keeps the newest entries as
 * they came. So ranges are compared as sets, and only while neither has forgotten one. An evicted range may reach over
 * records that were damaged before, or end before them: they had left already, so they are left out of both. What an open finds is the start:
 * a crash may take a loss that was not logged yet, and may bring one of records whose acknowledgement it took. No
 * eviction that was announced is missing from it, for that is logged first.
 */
import { addSpan } from '../model/spans.ts';
import type { Loss, Span } from '../model/vocabulary.ts';
import { LEDGER_MAX } from '../model/vocabulary.ts';
import type { Ledger, LossEntry, LossReason } from '../src/core/types.ts';
import type { ScenarioStream } from './actions.ts';
import { expect } from './divergence.ts';

const REASONS = ['evicted', 'damaged'] as const;

const join = (spans: readonly Span[]): readonly Span[] =>
  spans.reduce<readonly Span[]>((joined, { from, to }) => addSpan(joined, { from, to }), []);

/** The spans without what lies in `gone`. */
const without = (spans: readonly Span[], gone: readonly Span[]): readonly Span[] =>
  gone.reduce<readonly Span[]>(
    (left, hole) =>
      left.flatMap(({ from, to }) =>
        [
          { from, to: Math.min(to, hole.from) },
          { from: Math.max(from, hole.to), to },
        ].filter((span) => span.from < span.to),
      ),
    spans,
  );

const show = (spans: readonly Span[]): string => spans.map(({ from, to }) => `[${from},${to})`).join(' ') || 'nothing';

export class LossWatch {
  readonly #streams: readonly ScenarioStream[];
  /** Losses of the model that an open came behind. */
  #before: ReadonlySet<Loss> = new Set();
  #found: readonly LossEntry[] = [];

  constructor(streams: readonly ScenarioStream[]) {
    this.#streams = streams;
  }

  /** The store is open with this ledger. @param keeps false when every open begins anew, for there is no disk. */
  opened(model: readonly Loss[], { entries, foldedRecords }: Ledger, keeps: boolean): void {
    const evicted = model.filter(({ reason }) => reason === 'evicted');
    if (keeps && model.length < LEDGER_MAX && foldedRecords === 0) {
      this.#each((index, reason, isOf) => {
        if (reason !== 'evicted') return;
        const found = join(entries.filter(isOf));
        const holes = model.filter((loss) => loss.stream === index && loss.reason === 'damaged');
        const lost = without(
          evicted.filter(({ stream }) => stream === index),
          holes,
        );
        const kept = show(join([...found, ...lost])) === show(found);
        expect(kept, 'INV-12', () => `the ledger has ${show(found)}, evicted were ${show(join(lost))}`);
      });
    }
    this.#before = new Set(model);
    this.#found = entries;
  }

  compare(model: readonly Loss[], { entries, foldedRecords }: Ledger): void {
    if (model.length >= LEDGER_MAX || foldedRecords > 0) return;
    const since = model.filter((loss) => !this.#before.has(loss));
    this.#each((index, reason, isOf, name) => {
      const lost = since.filter((loss) => loss.stream === index && loss.reason === reason);
      const isHole = (loss: Loss): boolean => loss.stream === index && loss.reason === 'damaged';
      const before = reason === 'evicted' ? model.filter(isHole) : [];
      const wanted = show(without(join([...this.#found.filter(isOf), ...lost]), before));
      const found = show(without(join(entries.filter(isOf)), before));
      expect(found === wanted, 'INV-12', () => `${name}: the ledger has ${found} ${reason}, the model ${wanted}`);
    });
  }

  #each(look: (index: number, reason: LossReason, isOf: (entry: LossEntry) => boolean, name: string) => void): void {
    for (const [index, { source, sensor }] of this.#streams.entries()) {
      for (const reason of REASONS) {
        const isOf = (entry: LossEntry): boolean =>
          entry.source === source && entry.sensor === sensor && entry.reason === reason;
        look(index, reason, isOf, `${source}/${sensor}`);
      }
    }
  }
}
