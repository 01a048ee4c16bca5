/** The rows about durable ingest: which peers, which batches, which demands. */
import { REFERENCE_RECORDS } from '../load.ts';
import { type BenchContext, type MeasuredRow, measuredRow, type RowDemand, type RowGroup } from '../row.ts';
import { measureIngest, type Turn } from './ingest.ts';

/** A row and the peers whose best it is held against. */
export interface IngestRow extends RowDemand {
  readonly against: readonly string[];
}

const RECORDS_QUICK = 416_000;
/** Enough for the code to be compiled before the clock starts. */
const WARM_UP_RECORDS = 208_000;

const ratio = (id: string, title: string, demand: number, ...against: string[]): IngestRow => ({
  id,
  title,
  compare: 'at-least',
  demand,
  unit: 'x',
  against,
});

function ingestGroup(name: string, batchRecords: number, rows: readonly IngestRow[]): RowGroup {
  return {
    name,
    rows: rows.map(({ against: _, ...demand }) => demand),
    async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
      const records = context.quick ? RECORDS_QUICK : REFERENCE_RECORDS;
      const turns = await measureIngest(context, {
        peers: ['own', ...new Set(rows.flatMap(({ against }) => against))],
        batchRecords,
        load: { kind: 'reference', seed: context.seed, records },
        warmUpBatches: Math.ceil(WARM_UP_RECORDS / batchRecords),
      });
      return rows.map((row) => ratioRow(row, turns));
    },
  };
}

/** How many times as fast as the best of the peers that the row names, repetition by repetition. */
export function ratioRow({ against, ...demand }: IngestRow, turns: ReadonlyMap<string, readonly Turn[]>): MeasuredRow {
  const own = turns.get('own') ?? [];
  const ratios = own.map((turn, i) => {
    const best = Math.max(...against.map((peer) => turns.get(peer)?.[i]?.recordsPerSecond ?? Number.NaN));
    return turn.recordsPerSecond / best;
  });
  const peers = Object.fromEntries(['own', ...against].map((peer) => [peer, turns.get(peer)]));
  return measuredRow(demand, ratios, { load: own[0]?.load, ratios, peers });
}

export const ingest16k = ingestGroup('ingest-16k', 16_000, [
  ratio('ingest-sqlite-full-16k', 'durable ingest against SQLite rows, batches of 16,000', 50, 'sqlite-rows'),
  ratio(
    'ingest-best-row-store',
    'durable ingest against the best row store, batches of 16,000',
    15,
    ...['level-rows', 'lmdb-rows', 'sqlite-rows-tuned'],
  ),
  ratio(
    'ingest-best-packed-16k',
    'durable ingest against the best packed peer, batches of 16,000',
    5,
    ...['level-packed', 'lmdb-packed'],
  ),
  ratio('ingest-append-log', 'durable ingest against a 16-byte append log, batches of 16,000', 1, 'append-log'),
  ratio('ingest-sqlite-blob', 'durable ingest against a blob a batch in SQLite, batches of 16,000', 1, 'sqlite-blob'),
]);

export const ingest208k = ingestGroup('ingest-208k', 208_000, [
  ratio('ingest-sqlite-full-208k', 'durable ingest against SQLite rows, batches of 208,000', 30, 'sqlite-rows'),
  ratio(
    'ingest-best-packed-208k',
    'durable ingest against the best packed peer, batches of 208,000',
    2,
    ...['level-packed', 'lmdb-packed'],
  ),
]);
