/**
 * What stands in the way of rows that were short when they were looked into: told beside the figure while a row is short, and not
 * when it is met. Times belong to the run, not here; what is counted is the same in every run.
 */

const INGEST =
  'A batch of 16,000 is 8 records of each of 2,000 sensors: 2,000 blocks, each with a head, codes and a checksum of its own. Appends and packing ' +
  'keep the processor busy for most of the time; then segments are synced side by side, and behind them the log that commits them: two rounds.';
const ONE_WRITE =
  `${INGEST} The other side packs nothing, copies 16 bytes a record into one buffer, and waits for one sync: it is faster by what this store does ` +
  'so that one sensor can be read, damage stays in a block, and a record takes a quarter of the bytes.';
const PACKED =
  'The other side copies 12 bytes a record into a blob for each sensor; this store checks each append, one call a record, and codes each value and time.';
const LARGE =
  'About two fifths of the time are the appends, one call a record, and most of the rest is coding values and times; the disk has little part in it any more.';
const RECOVERY =
  'Opening reads the head of every block to build the index, in a process whose code is compiled while it runs; the other side looks at no byte. ' +
  'The more records a block has, the fewer heads there are.';

/** By the row's id. */
export const LIMITS: Readonly<Record<string, string>> = {
  'ingest-sqlite-full-16k': INGEST,
  'ingest-best-row-store': INGEST,
  'ingest-best-packed-16k': INGEST,
  'ingest-append-log': ONE_WRITE,
  'ingest-sqlite-blob': ONE_WRITE,
  'ingest-sqlite-full-208k': LARGE,
  'ingest-best-packed-208k': PACKED,
  'bytes-sqlite-full-16k':
    'The packed records alone are 3.6 bytes each in blocks of 8, of which head and checksum are 1.6. SQLite would have to write more than it does: its table has one tree and no index.',
  'append-share':
    'The bare loop is one store into a column. Gathering and packing alone take longer than the row leaves, before any append has looked at its time, its type and its room.',
  'append-many-share':
    'The bare loop is one store into a column. Gathering and packing alone take longer than the row leaves.',
  'longest-append-sqlite-full':
    'Most runs have no append of half a millisecond; in some one of a million is stopped by the scheduler for one to three, for the loop shares two ' +
    'processors with the threads that write and sync. The loop that keeps nothing is stopped as well, less often.',
  'longest-append-slow-sync':
    'Both sides are the longest of a million calls, a tenth of a millisecond where the scheduler leaves the loop alone and one to three where it does not: the ratio is that of two such draws.',
  'drain-segment-order':
    "Each record's value and time are decoded from their codes, each block's checksum is verified, and what was read is acknowledged and its segments given back.",
  'memory-growth':
    "The pool is more than 4 MB of it, and V8's young generation is 8 MB larger than in a process that idles as soon as something lives in it; the rest is streams, index and compiled code.",
  'recovery-share': RECOVERY,
  'recovery-cold': RECOVERY,
};
