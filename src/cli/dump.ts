/**
 * `imatrix-mm dump`: every record that opening a store would give, as CSV or NDJSON on standard output. Nothing is touched,
 * and nothing counts as read.
 */
import { once } from 'node:events';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { DumpedRecord } from '../operator/dump.ts';
import { dump } from '../operator/dump.ts';
import { withPlace } from '../operator/read-only-store.ts';
import type { StreamName } from './operator/common.ts';
import { DEFAULT_DIRECTORY, DIRECTORY_HELP, streamName } from './operator/common.ts';
import { parseTime } from './recordings/time.ts';
import { Progress, plural } from './screen.ts';

interface DumpFlags {
  readonly format: 'csv' | 'ndjson';
  readonly json: boolean;
  readonly stream?: readonly StreamName[];
  readonly from?: number;
  readonly to?: number;
  readonly order: 'stream' | 'time';
}

/** Text that is gathered before it is written. */
const CHUNK_CHARACTERS = 65_536;
const COLUMNS = ['source', 'sensor', 'kind', 'type', 'epoch', 'sequence', 'time', 'time_ms', 'value', 'bits'] as const;

function time(text: string): number {
  const timeMs = parseTime(text);
  if (timeMs === null)
    throw new InvalidArgumentError('give a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970');
  return timeMs;
}

export const dumpCommand = (): Command =>
  new Command('dump')
    .summary('every record of a store, as CSV or NDJSON')
    .description(
      'Every record that opening the store would give, on standard output. Nothing counts as read.\n' +
        'Safe beside the program that has it open: nothing is written, and what is in RAM is not seen.',
    )
    .argument('[directory]', DIRECTORY_HELP, DEFAULT_DIRECTORY)
    .addOption(new Option('--format <form>', 'form of the output').choices(['csv', 'ndjson']).default('csv'))
    .option('--json', 'the same as --format ndjson', false)
    .option('--stream <source/sensor>', 'of this stream only; may be given again', streamName)
    .option('--from <time>', 'from this time on, such as 2026-01-31T12:00:00Z', time)
    .option('--to <time>', 'before this time', time)
    .addOption(
      new Option('--order <order>', 'stream by stream, or all of them by time')
        .choices(['stream', 'time'])
        .default('stream'),
    )
    .action(run);

async function run(directory: string, { format, json, stream, from, to, order }: DumpFlags): Promise<void> {
  const filter = {
    ...(stream === undefined ? {} : { streams: stream }),
    ...(from === undefined ? {} : { fromMs: from }),
    ...(to === undefined ? {} : { toMs: to }),
  };
  const lineOf = json || format === 'ndjson' ? ndjsonLine : csvLine;
  const progress = new Progress(false);
  let records = 0;
  let text = lineOf === csvLine ? `${COLUMNS.join(',')}\n` : '';
  await withPlace(directory, async (place) => {
    for await (const record of dump(place, filter, order)) {
      text += lineOf(record);
      records++;
      if (text.length < CHUNK_CHARACTERS) continue;
      // The reader of our output says how fast this goes: no more is held than a chunk.
      if (!process.stdout.write(text)) await once(process.stdout, 'drain');
      text = '';
      // On a terminal the records themselves are the progress.
      if (process.stdout.isTTY !== true)
        progress.show(
          () => [plural(records, 'record')],
          () => plural(records, 'record'),
        );
    }
  }).finally(() => progress.end());
  process.stdout.write(text);
}

/** Of a time that no calendar has, nothing: `time_ms` says it. */
const isoTime = (timeMs: number): string => (Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : '');

const csvLine = ({ source, sensor, kind, type, epoch, sequence, timeMs, value, bits }: DumpedRecord): string =>
  `${source},${sensor},${kind},${type},${epoch},${sequence},${isoTime(timeMs)},${timeMs},${valueText(value)},${bits}\n`;

/** -0 stays what it is. */
const valueText = (value: number): string => (Object.is(value, -0) ? '-0' : `${value}`);

function ndjsonLine({ timeMs, value, ...record }: DumpedRecord): string {
  // JSON has no NaN and no infinity: they are text, and `bits` says all of it.
  const shown = Number.isFinite(value) ? value : `${value}`;
  return `${JSON.stringify({ ...record, time: isoTime(timeMs), timeMs, value: shown })}\n`;
}
