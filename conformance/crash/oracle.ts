/**
 * What a store that is found after a crash may be: the set of contract section 7, over plain data.
 *
 * It knows what callers were told and what they appended (`Account`), and what a store gave them after it was opened
 * again (`Found`). It knows nothing of files, batches, segments, or of how a store recovers.
 */
import { coverSpan, passHoles, spanRecords } from '../../model/spans.ts';
import type { ModelRecord, Span } from '../../model/vocabulary.ts';

/** A stream as its callers knew it when the crash came. */
export interface StreamAccount {
  readonly name: string;
  /** Everything appended that could come back, by sequence number, ascending; without what was known to be damaged. */
  readonly records: readonly ModelRecord[];
  /** Nothing synced may be lost, nothing acknowledged before the last checkpoint may return. */
  readonly appendedMin: number;
  readonly appendedMax: number;
  readonly headMin: number;
  readonly headMax: number;
  /** Head behind an eviction that was being made durable, of which the ledger must have what it took; null without one. */
  readonly evictingTo: number | null;
  /** Records that the ledger has as evicted. */
  readonly evicted: number;
  /**
   * Records that were acknowledged or discarded while their eviction was being made durable: after the crash the ledger
   * may have them, for the owner's word came too late to be kept.
   */
  readonly alsoEvicted: number;
  /** What files held in which the run itself has spoiled bytes: it may be lost, and is in the ledger as damaged then. */
  readonly spoiled: readonly Span[];
}

export interface Account {
  /** Of the store that crashed; null when it was never opened. */
  readonly storeId: string | null;
  readonly epoch: number;
  /** Opens that were cut off may have raised the epoch, once each. */
  readonly opensCutOff: number;
  readonly streams: readonly StreamAccount[];
}

/** A range of the loss ledger; of its records the others had left before. */
export interface FoundLoss extends Span {
  readonly records: number;
  readonly reason: string;
}

export interface FoundStream {
  readonly head: number;
  readonly read: number;
  readonly appended: number;
  /** All that it gives from the head on, in the order given. */
  readonly records: readonly ModelRecord[];
  readonly losses: readonly FoundLoss[];
}

/** A store that was opened after a crash. */
export interface Found {
  readonly storeId: string;
  readonly epoch: number;
  readonly streams: readonly FoundStream[];
}

/** What is wrong, and the invariant that says so. */
export interface Finding {
  readonly breaks: string;
  readonly message: string;
}

const showRecord = ({ sequence, epoch, valueBits, timeMs }: ModelRecord): string =>
  `${sequence} of epoch ${epoch}: 0x${valueBits.toString(16).padStart(8, '0')} at ${timeMs}`;

const isSame = (a: ModelRecord, b: ModelRecord): boolean =>
  a.sequence === b.sequence && a.epoch === b.epoch && a.valueBits === b.valueBits && a.timeMs === b.timeMs;

/** @returns the first thing that the contract does not allow; null when there is none. */
export function judgeFound(account: Account, found: Found): Finding | null {
  return judgeIdentity(account, found) ?? first(account.streams, (stream, i) => judgeStream(stream, found.streams[i]));
}

/**
 * INV-18: a recovery that was cut off and begun again ends where one that was not cut off does.
 * @returns how `again` differs from `once` in what it gives; null when it does not.
 */
export function judgeRepeated(names: readonly string[], once: Found, again: Found): Finding | null {
  return first(once.streams, (stream, i) => {
    const other = again.streams[i];
    return JSON.stringify(stream) === JSON.stringify(other)
      ? null
      : {
          breaks: 'INV-18',
          message: `${names[i]} is ${showStream(other)}, without the second crash ${showStream(stream)}`,
        };
  });
}

function showStream(stream: FoundStream | undefined): string {
  if (stream === undefined) return 'not there';
  const { head, appended, records, losses } = stream;
  const lost = losses.map(({ from, to, reason }) => ` [${from}, ${to}) ${reason}`).join();
  return `[${head}, ${appended}) of ${records.length} records${lost}`;
}

function first<T>(items: readonly T[], judge: (item: T, index: number) => Finding | null): Finding | null {
  for (const [index, item] of items.entries()) {
    const finding = judge(item, index);
    if (finding !== null) return finding;
  }
  return null;
}

function judgeIdentity({ storeId, epoch, opensCutOff }: Account, found: Found): Finding | null {
  if (storeId !== null && found.storeId !== storeId)
    return { breaks: 'INV-17', message: `the store is ${found.storeId} now, it was ${storeId}` };
  const [min, max] = [epoch + 1, epoch + 1 + opensCutOff];
  return found.epoch >= min && found.epoch <= max
    ? null
    : { breaks: 'INV-17', message: `the epoch is ${found.epoch}, it must be ${min}${max > min ? ` to ${max}` : ''}` };
}

function judgeStream(account: StreamAccount, found: FoundStream | undefined): Finding | null {
  const { name } = account;
  if (found === undefined) return { breaks: 'INV-20', message: `${name} is not there` };
  return judgeMarks(account, found) ?? judgeLosses(account, found) ?? judgeRecords(account, found);
}

function judgeMarks(account: StreamAccount, { head, read, appended }: FoundStream): Finding | null {
  const { name, appendedMin, appendedMax, headMin, headMax, evictingTo, spoiled } = account;
  if (appended < appendedMin)
    return { breaks: 'INV-15', message: `${name} ends at ${appended}: what was synced up to ${appendedMin} is lost` };
  if (appended > appendedMax)
    return { breaks: 'INV-16', message: `${name} ends at ${appended}: only ${appendedMax} were appended` };
  if (head < headMin) return { breaks: 'INV-15', message: `the head of ${name} is ${head}: ${headMin} was durable` };
  // A mark never rests on a hole; it stands behind it.
  if (head > passHoles(spoiled, Math.max(headMax, evictingTo ?? 0)))
    return { breaks: 'INV-12', message: `the head of ${name} is ${head}: it was at ${headMax}` };
  if (read !== head) return { breaks: 'INV-13', message: `${name} is read to ${read}, its head is ${head}` };
  return null;
}

const holds = (spans: readonly Span[], sequence: number): boolean =>
  spans.some(({ from, to }) => from <= sequence && sequence < to);

function judgeLosses(account: StreamAccount, { head, losses }: FoundStream): Finding | null {
  const { name, headMin, headMax, evictingTo, evicted, alsoEvicted, spoiled } = account;
  const unknown = losses.find(({ reason, from, to }) => reason !== 'evicted' && !coverSpan(spoiled, from, to));
  if (unknown !== undefined) {
    const { from, to, reason } = unknown;
    return { breaks: 'INV-19', message: `${name} [${from}, ${to}) is called ${reason}, and nothing there was spoiled` };
  }
  for (let sequence = headMax; sequence < head; sequence++) {
    if (!holds(losses, sequence))
      return { breaks: 'INV-12', message: `record ${sequence} of ${name} is gone and not in the ledger` };
  }
  const lost = losses.reduce((sum, { records, reason }) => sum + (reason === 'evicted' ? records : 0), 0);
  // What is evicted may turn out to be damaged, and the other way round: each of these is in one of the two counts.
  const either = spanRecords(spoiled);
  const evictedMax = evicted + alsoEvicted + Math.max(0, (evictingTo ?? 0) - headMin) + either;
  return lost >= evicted - either && lost <= evictedMax
    ? null
    : { breaks: 'INV-22', message: `the ledger has ${lost} records of ${name}, ${evicted} were evicted` };
}

function judgeRecords(
  { name, records }: StreamAccount,
  { head, appended, records: given, losses }: FoundStream,
): Finding | null {
  const damaged = losses.filter(({ reason }) => reason !== 'evicted');
  const wanted: number[] = [];
  for (let sequence = head; sequence < appended; sequence++) if (!holds(damaged, sequence)) wanted.push(sequence);
  if (given.length !== wanted.length) {
    const message = `${name} gives ${given.length} records between its marks ${head} and ${appended}`;
    return { breaks: given.length < wanted.length ? 'INV-15' : 'INV-03', message };
  }
  const start = records[0]?.sequence ?? 0;
  return first(given, (record, i) => {
    const sequence = wanted[i] as number;
    const near = records[sequence - start];
    const expected = near?.sequence === sequence ? near : records.find((each) => each.sequence === sequence);
    if (expected !== undefined && isSame(expected, record)) return null;
    const told =
      expected === undefined ? `nothing that could come back was there` : `appended was ${showRecord(expected)}`;
    return { breaks: 'INV-16', message: `${name} gives ${showRecord(record)}; ${told}` };
  });
}
