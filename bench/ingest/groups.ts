/** The rows about durable ingest: which peers, which batches, which demands. */
import { REFERENCE_RECORDS } from '../load.ts';
import { type BenchContext, type MeasuredRow, measuredRow, type RowDemand, type RowGroup } from '../row.ts';
import { measureIngest, type Turn } from './ingest.ts';

/** A row and the peers whose best it is held against. */
interface IngestRow extends RowDemand {
  readonly against: readonly string[];
}

const RECORDS_QUICK = 500_000;

function ingestGroup(name: string, batchRecords: number, rows: readonly IngestRow[]): RowGroup {
  return {
    name,
    rows,
    async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
      const records = context.quick ? RECORDS_QUICK : REFERENCE_RECORDS;
      const peers = ['own', ...new Set(rows.flatMap(({ against }) => against))];
      const load = { kind: 'reference', seed: context.seed, records } as const;
      const turns = await measureIngest(context, { peers, batchRecords, load, warmUpBatches: 10 });
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
  const raw = Object.fromEntries(['own', ...against].map((peer) => [peer, turns.get(peer)]));
  return measuredRow(demand, ratios, { load: own[0]?.load, ratios, ...raw });
}

export const ingest16k = ingestGroup('ingest-16k', 16_000, [
  {
    id: 'ingest-append-log',
    title: 'durable ingest against an append log, batches of 16,000',
    compare: 'at-least',
    demand: 1,
    unit: 'x',
    against: ['append-log'],
  },
]);
