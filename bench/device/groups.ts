/** The rows about device bytes: which peers, at which cadence, which demands. */
import { thousands } from '../../src/cli/screen.ts';
import { peerNamed } from '../peers/all.ts';
import { type BenchContext, type MeasuredRow, measuredRow, type RowDemand, type RowGroup } from '../row.ts';
import { countingHere, describeCounting } from './counting.ts';
import { type CountedTurn, measureDeviceBytes, type Writer } from './device-bytes.ts';

/** A row and the writers whose best it is held against. */
export interface BytesRow extends RowDemand {
  readonly against: readonly string[];
}

const BATCH_RECORDS = 16_000;
/** Bytes are counted, not timed, and a record costs as many in the second million as in the fifth. */
const RECORDS = 2_000_000;
const RECORDS_QUICK = 208_000;
/** Each costs a sync of its own: a few are enough to know what the next one costs. */
const SINGLE_RECORDS = 2_000;
const SINGLE_RECORDS_QUICK = 500;
const PER_RECORD = 'append-log-per-record';

const less = (id: string, title: string, demand: number, ...against: string[]): BytesRow => ({
  id,
  title,
  compare: 'at-least',
  demand,
  unit: 'x',
  against,
});

const ROWS: readonly BytesRow[] = [
  less('bytes-sqlite-full-16k', 'fewer device bytes a record than SQLite rows, batches of 16,000', 400, 'sqlite-rows'),
  less(
    'bytes-best-row-store',
    'fewer device bytes a record than the best row store, batches of 16,000',
    20,
    ...['level-rows', 'lmdb-rows'],
  ),
  less('bytes-append-log', 'fewer device bytes a record than a 16-byte append log, batches of 16,000', 4, 'append-log'),
  less(
    'bytes-append-sync-per-record',
    'fewer device bytes a record than an append and sync a record',
    2_000,
    PER_RECORD,
  ),
];

function writersOf(records: number, singleRecords: number): Writer[] {
  const batched = ['own', 'sqlite-rows', 'level-rows', 'lmdb-rows', 'append-log'].map((peer): Writer => {
    const most = peerNamed(peer).recordsMax ?? records;
    return { name: peer, peer, batchRecords: BATCH_RECORDS, records: Math.min(records, most) };
  });
  return [...batched, { name: PER_RECORD, peer: 'append-log', batchRecords: 1, records: singleRecords }];
}

const AT_RISK =
  `At risk in a power cut: one record there, and here what was appended since the last flush, at this cadence up to ` +
  `${thousands(BATCH_RECORDS)} records.`;

/** How many times as many bytes a record the thriftiest of the writers takes that the row names. */
export function bytesRow(
  { against, ...demand }: BytesRow,
  turns: ReadonlyMap<string, readonly CountedTurn[]>,
  note: string,
): MeasuredRow {
  const own = turns.get('own') ?? [];
  const ratios = own.map((turn, i) => {
    const best = Math.min(...against.map((name) => turns.get(name)?.[i]?.deviceBytesPerRecord ?? Number.NaN));
    return best / turn.deviceBytesPerRecord;
  });
  const writers = Object.fromEntries(['own', ...against].map((name) => [name, turns.get(name)]));
  const single = against.includes(PER_RECORD);
  const risk = single ? { recordsAtRisk: { own: BATCH_RECORDS, [PER_RECORD]: 1 } } : {};
  const said = single ? `${note} ${AT_RISK}` : note;
  return measuredRow(demand, ratios, { load: own[0]?.load, ratios, ...risk, writers }, said);
}

export const deviceBytes: RowGroup = {
  name: 'device-bytes',
  rows: ROWS.map(({ against: _, ...demand }) => demand),
  async measure(context: BenchContext): Promise<readonly MeasuredRow[]> {
    const [records, singleRecords] = context.quick ? [RECORDS_QUICK, SINGLE_RECORDS_QUICK] : [RECORDS, SINGLE_RECORDS];
    const load = { kind: 'reference', seed: context.seed, records } as const;
    const turns = await measureDeviceBytes(context, load, writersOf(records, singleRecords));
    const note = `Device bytes are ${describeCounting(countingHere())}.`;
    return ROWS.map((row) => bytesRow(row, turns, note));
  },
};
