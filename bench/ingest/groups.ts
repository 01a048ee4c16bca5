/** The rows about durable ingest: which peers, which batches, which demands. */
import { REFERENCE_RECORDS } from '../load.ts';
import type { LoadSpec } from '../load-spec.ts';
import { missingRecordings } from '../recorded-load.ts';
import { figureText } from '../report.ts';
import { type BenchContext, type MeasuredRow, measuredRow, type RowDemand, type RowGroup } from '../row.ts';
import { measureIngest, type Turn } from './ingest.ts';

/** A row and the peers whose best it is held against. */
export interface IngestRow extends RowDemand {
  readonly against: readonly string[];
}

/** At least two batches. */
const RECORDS_QUICK = 208_000;
/** Some five times what the recordings hold. */
const RECORDED_RECORDS = 240_000;
/** It is not held against a demand. */
const RECORDED_REPETITIONS = 3;
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

/** @param recorded measure it on the real recordings, too, if they are there: a sentence in the note, not a demand. */
function ingestGroup(name: string, batchRecords: number, rows: readonly IngestRow[], recorded = false): RowGroup {
  const peers = ['own', ...new Set(rows.flatMap(({ against }) => against))];
  const measureOn = async (context: BenchContext, load: LoadSpec): Promise<readonly MeasuredRow[]> => {
    const warmUpBatches = context.quick ? 1 : Math.ceil(WARM_UP_RECORDS / batchRecords);
    const turns = await measureIngest(context, { peers, batchRecords, load, warmUpBatches });
    return rows.map((row) => ratioRow(row, turns));
  };
  return {
    name,
    rows: rows.map(({ against: _, ...demand }) => demand),
    async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
      const records = context.quick ? Math.max(RECORDS_QUICK, 2 * batchRecords) : REFERENCE_RECORDS;
      const measured = await measureOn(context, { kind: 'reference', seed: context.seed, records });
      return recorded ? withRecordings(context, measured, measureOn) : measured;
    },
  };
}

/** The rows as they are, with what the same peers did on the recordings, or why that is not known. */
async function withRecordings(
  context: BenchContext,
  rows: readonly MeasuredRow[],
  measureOn: (context: BenchContext, load: LoadSpec) => Promise<readonly MeasuredRow[]>,
): Promise<readonly MeasuredRow[]> {
  const missing = missingRecordings();
  if (missing.length > 0) {
    const note = `Not measured on real recordings: ${missing.join(', ')} are not in ../shared/data.`;
    return rows.map((row) => ({ ...row, note }));
  }
  const repetitions = context.quick ? 1 : RECORDED_REPETITIONS;
  const others = await measureOn({ ...context, repetitions }, { kind: 'recordings', records: RECORDED_RECORDS });
  return rows.map((row, i) => {
    const { measured, range, raw } = others[i] as MeasuredRow;
    const note = `On the recordings of real sensors: ${figureText(measured, row.unit)}.`;
    return { ...row, note, raw: { ...row.raw, recordings: { measured, range, ...raw } } };
  });
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

export const ingest16k = ingestGroup(
  'ingest-16k',
  16_000,
  [
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
  ],
  true,
);

export const ingest208k = ingestGroup('ingest-208k', 208_000, [
  ratio('ingest-sqlite-full-208k', 'durable ingest against SQLite rows, batches of 208,000', 30, 'sqlite-rows'),
  ratio(
    'ingest-best-packed-208k',
    'durable ingest against the best packed peer, batches of 208,000',
    2,
    ...['level-packed', 'lmdb-packed'],
  ),
]);
