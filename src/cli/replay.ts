/**
 * `imatrix-mm replay`: puts recordings through a store and takes every record out again, bit for bit; with
 * `--power-cut N` the storing process is killed N times on the way. What it takes and says: docs/replay.md.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { SettingsInput } from '../index.ts';
import { parseSize, resolveSettings, VALUE_TYPES } from '../index.ts';
import { CliError, EXIT_WRONG } from './cli-error.ts';
import type { Format, InputOptions } from './recordings/input.ts';
import { FORMATS } from './recordings/input.ts';
import { REASONS, type SkipReason } from './recordings/sample.ts';
import { inTimeRange, parseTime } from './recordings/time.ts';
import type { Account } from './replay/account.ts';
import { reportText } from './replay/report.ts';
import { resultOf } from './replay/result.ts';
import type { Phase, ReplayListener, ReplayRequest } from './replay/run.ts';
import { replay } from './replay/run.ts';
import { bar, bytesText, Progress, paintFor, plural, thousands } from './screen.ts';

interface ReplayFlags {
  readonly storage: string;
  readonly pool?: string;
  readonly sector?: string;
  readonly quota?: string;
  readonly whenFull?: 'evict-oldest' | 'refuse-new';
  readonly powerCut: number;
  readonly seed: number;
  readonly keep: boolean;
  readonly format?: Format;
  readonly time?: string;
  readonly value?: readonly string[];
  readonly id?: string;
  readonly type?: InputOptions['type'];
  readonly date?: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

const CUTS_MAX = 1000;
const UINT32_MAX = 0xffff_ffff;

export function replayCommand(entry: string): Command {
  return new Command('replay')
    .summary('put recordings through a store and compare every record that comes back')
    .description(
      'Puts recordings through a store and takes every record out again, bit for bit.\n' +
        'Forms: candump -L, NMEA 0183, canboat (NMEA 2000), CSV with a time column; told apart by content.',
    )
    .argument('<file...>', "recordings; '-' is standard input")
    .requiredOption('--storage <dir>', 'directory of the store: a new one, an empty one, or a drained store')
    .option('--pool <size>', 'RAM pool, such as 64KiB (default: 4MiB)')
    .option('--sector <bytes>', 'sector of the pool, 32 to 4096 bytes (default: 256)')
    .option('--quota <size>', 'most bytes on disk; the oldest records go first (default: 256MiB)')
    .addOption(
      new Option('--when-full <rule>', 'at the quota (default: evict-oldest)').choices(['evict-oldest', 'refuse-new']),
    )
    .option('--power-cut <n>', 'kill the storing process n times at random points', whole(0, CUTS_MAX), 0)
    .option('--seed <n>', 'draws the points of the cuts', whole(0, UINT32_MAX), 1)
    .option('--keep', 'compare without acknowledging: the records stay in the store, beside what it held', false)
    .addOption(new Option('--format <form>', 'form of all files, instead of by content').choices([...FORMATS]))
    .option('--time <column>', 'CSV: column with the time, by name or number (default: guessed)')
    .option('--value <column...>', 'CSV: columns with values, by name or number (default: all with numbers)')
    .option('--id <column>', "CSV: column with the sensor's id, 0 to 4294967295")
    .addOption(new Option('--type <type>', 'CSV: type of the values (default: what fits)').choices([...VALUE_TYPES]))
    .option('--date <day>', 'NMEA 0183: first day, for receivers that say no date (2026-01-31)', day)
    .option('--json', 'print one line of JSON instead of the report', false)
    .option('--quiet', 'no progress and no notes on skipped lines', false)
    .addHelpText('after', EXAMPLES)
    .action((files: string[], flags: ReplayFlags) => run(files, flags, entry));
}

const EXAMPLES = `
Examples:
  imatrix-mm replay drive.log --storage ./store
  imatrix-mm replay bus.log gps.nmea machine.csv --storage ./store --pool 64KiB --power-cut 20
  candump -L can0 | imatrix-mm replay - --storage ./store
  imatrix-mm replay plant.csv --time stamp --value pressure flow --storage ./store --json

Exit code: 0 every record accounted for, 1 a record differs or is lost, 2 it could not be done as asked.`;

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
  };
}

function day(text: string): number {
  const timeMs = /^\d{4}-\d{1,2}-\d{1,2}$/.test(text) ? parseTime(text) : null;
  if (timeMs !== null && inTimeRange(timeMs)) return timeMs;
  throw new InvalidArgumentError('Give a day of the years 1980 to 2099, such as 2026-01-31.');
}

/** Setting of the store behind an option, for the messages of the store. */
const OPTION_OF: Readonly<Record<string, string>> = {
  poolBytes: '--pool',
  sectorBytes: '--sector',
  quotaBytes: '--quota',
};

/** @throws CliError naming the option. */
export function settingsFrom(flags: Pick<ReplayFlags, 'pool' | 'sector' | 'quota' | 'whenFull'>): SettingsInput {
  const settings: SettingsInput = {
    ...(flags.pool === undefined ? {} : { poolBytes: size('--pool', flags.pool) }),
    ...(flags.sector === undefined ? {} : { sectorBytes: size('--sector', flags.sector) }),
    ...(flags.quota === undefined ? {} : { quotaBytes: size('--quota', flags.quota) }),
    ...(flags.whenFull === undefined ? {} : { whenDiskFull: flags.whenFull }),
  };
  const resolved = resolveSettings(settings);
  if (resolved.ok) return settings;
  const named = resolved.failure.message.replace(
    /\b(poolBytes|sectorBytes|quotaBytes)\b/g,
    (name) => OPTION_OF[name] ?? name,
  );
  throw new CliError(named);
}

function size(option: string, text: string): number {
  const parsed = parseSize(option, text);
  if (parsed.ok) return parsed.value;
  throw new CliError(parsed.failure.message);
}

async function run(files: readonly string[], flags: ReplayFlags, entry: string): Promise<void> {
  if (files.filter((name) => name === '-').length > 1) {
    throw new CliError("'-' is given twice: standard input can be read once only");
  }
  if (flags.storage === '' || flags.storage.includes('\0'))
    throw new CliError('--storage: give the path of a directory');
  const options: InputOptions = {
    ...(flags.format === undefined ? {} : { format: flags.format }),
    ...(flags.time === undefined ? {} : { time: flags.time }),
    ...(flags.value === undefined ? {} : { values: flags.value }),
    ...(flags.id === undefined ? {} : { id: flags.id }),
    ...(flags.type === undefined ? {} : { type: flags.type }),
    ...(flags.date === undefined ? {} : { dateMs: flags.date }),
  };
  const result = await replayShown(
    {
      files: files.map((name) => ({ name, options })),
      directory: flags.storage,
      settings: settingsFrom(flags),
      powerCuts: flags.powerCut,
      seed: flags.seed,
      keep: flags.keep,
      entry,
    },
    flags.quiet,
  );
  const poolText = flags.pool ?? '4 MiB';
  const shown = { paint: paintFor(process.stdout), keep: flags.keep, poolText, cutsMax: 50 };
  const text = flags.json ? JSON.stringify(result) : reportText(result, shown);
  process.stdout.write(`${text}\n`);
  if (result.verdict !== 'ok') process.exitCode = EXIT_WRONG;
}

/** Runs a replay with its progress on standard error, and stops it in good order on Ctrl-C. */
export async function replayShown(request: ReplayRequest, quiet: boolean): Promise<ReturnType<typeof resultOf>> {
  const progress = new Progress(quiet);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const outcome = await replay(request, new ShownListener(progress, quiet, request.powerCuts), stop.signal);
    return resultOf(outcome, request.seed);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    progress.end();
  }
}

const EXAMPLES_PER_REASON = 3;
const EXAMPLES_IN_ALL = 12;
const BAR_CELLS = 40;
const FLUSH_SHARE = 0.8;

class ShownListener implements ReplayListener {
  readonly #progress: Progress;
  readonly #quiet: boolean;
  readonly #cuts: number;
  readonly #shown = new Map<SkipReason, number>();
  readonly #examples: string[] = [];
  #phase: Phase = 'reading';
  #phaseMs = performance.now();

  constructor(progress: Progress, quiet: boolean, cuts: number) {
    this.#progress = progress;
    this.#quiet = quiet;
    this.#cuts = cuts;
  }

  skipped(...[input, { line, reason, found }]: Parameters<ReplayListener['skipped']>): void {
    const { defect, text, remedy } = REASONS[reason];
    const shown = this.#shown.get(reason) ?? 0;
    if (this.#quiet || !defect || shown >= EXAMPLES_PER_REASON || this.#examples.length >= EXAMPLES_IN_ALL) return;
    this.#shown.set(reason, shown + 1);
    this.#examples.push(`${input.name}:${line}: skipped, ${text} (${printable(found)}): ${remedy}`);
  }

  /** The first skipped lines of each kind; how many there are in all is in the report. */
  planned(): void {
    for (const example of this.#examples) this.#progress.say(example);
  }

  progress(phase: Phase, records: number, total: number | null, account: Account | null): void {
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#phaseMs = performance.now();
    }
    this.#progress.show(
      () => this.#block(records, total, account),
      () =>
        this.#block(records, total, account)
          .map((line) => line.trim().replace(/\s+/g, ' '))
          .join('; '),
    );
  }

  #block(records: number, total: number | null, account: Account | null): string[] {
    const rate = records / Math.max(0.001, (performance.now() - this.#phaseMs) / 1000);
    const of = total === null ? '' : ` of ${thousands(total)}`;
    const done = total === null ? '' : bar(records / total, BAR_CELLS);
    const lines = [`${this.#phase.padEnd(9)} ${done} ${thousands(records)}${of} records, ${thousands(rate)} a second`];
    if (account === null) return lines;
    const { gauge, flushes, segments, segmentBytes, cuts } = account;
    if (gauge !== null) {
      const share = gauge.poolUsed / gauge.poolSectors;
      const percent = `${Math.round(share * 100)}`.padStart(3);
      lines.push(`RAM pool  ${bar(share, BAR_CELLS, FLUSH_SHARE)} ${percent} % (flush at 80 %)`);
    }
    const cut = this.#cuts === 0 ? '' : `, power cut ${cuts.length} of ${this.#cuts}`;
    lines.push(
      `flash     ${plural(flushes, 'flush', 'flushes')}, ${plural(segments, 'segment')}, ${bytesText(segmentBytes)}${cut}`,
    );
    return lines;
  }
}

/** Without control characters: what a damaged line holds must not reach the terminal. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');
