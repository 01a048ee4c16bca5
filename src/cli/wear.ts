/**
 * `imatrix-mm wear`: what a load writes to flash in a day, and how many years a part lasts, for this store, for a write per
 * record, and for SQLite. The model and its constants: docs/wear.md.
 */
import { Command, InvalidArgumentError } from 'commander';
import { parseSize, resolveSettings, StoreError } from '../index.ts';
import { CliError, EXIT_WRONG } from './cli-error.ts';
import { Progress } from './screen.ts';
import { dayOf } from './wear/day.ts';
import type { Load } from './wear/load.ts';
import { describedLoad, REFERENCE, recordedLoad } from './wear/load.ts';
import { measuredWork } from './wear/measured.ts';
import type { Flash } from './wear/model.ts';
import { FLASHES } from './wear/model.ts';
import type { WearReport } from './wear/report.ts';
import { wearReport, wearText } from './wear/report.ts';

interface WearFlags {
  readonly rate: number;
  readonly sensors: number;
  readonly seed: number;
  readonly hoursOffline: number;
  readonly pool: string;
  readonly store?: string;
  readonly days?: number;
  readonly device: string;
  readonly size?: string;
  readonly cycles?: number;
  readonly writeAmplification?: number;
  readonly gate?: number;
  readonly json: boolean;
}

/** Above this a day is more than the reckoning should take. */
const RATE_MAX = 2_000;
const NAMES = FLASHES.map(({ name }) => name).join(', ');

export function wearCommand(): Command {
  return new Command('wear')
    .summary('bytes a day that a load writes to flash, and the years a part lasts')
    .description(
      'Reckons what a load writes to flash in a day and how many years a part lasts: for this store, for a write and a sync\n' +
        'a record, and for SQLite. Without a recording or --store it is the reference load.',
    )
    .argument('[recording...]', 'recordings that are played on and on for a day, instead of a described load')
    .option('--rate <n>', 'records a second of the described load', number(0.001, RATE_MAX), REFERENCE.recordsPerSecond)
    .option('--sensors <n>', 'sensors of the described load', number(1, 2_048, true), REFERENCE.sensors)
    .option('--seed <n>', 'draws its values', number(0, 2 ** 31 - 2, true), REFERENCE.seed)
    .option('--hours-offline <n>', 'hours of the day without the cloud', number(0, 24), 6)
    .option('--pool <size>', 'RAM pool of the store', '4MiB')
    .option('--store <directory>', 'a store in use, instead of a load: what it wrote since it was made')
    .option(
      '--days <n>',
      'with --store: how long it has been in use (default: age of its directory)',
      number(0.04, 36_525),
    )
    .option('--device <name>', `the part: ${NAMES}`, 'emmc-4g-mlc')
    .option('--size <size>', 'its size instead, such as 4GiB')
    .option('--cycles <n>', 'its program and erase cycles instead', number(1, 1e9))
    .option('--write-amplification <n>', 'what it writes inside for each byte it is given, instead', number(1, 1000))
    .option('--gate <percent>', 'exit code 1 when it saves less against the best of the others', number(-1e6, 100))
    .option('--json', 'one JSON object instead of the table', false)
    .action(run);
}

function number(min: number, max: number, whole = false): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= min && value <= max && !(whole && !Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`Give a ${whole ? 'whole ' : ''}number from ${min} to ${max}.`);
  };
}

function flashOf({ device, size, cycles, writeAmplification }: WearFlags): Flash {
  const known = FLASHES.find(({ name }) => name === device);
  if (known === undefined) throw new CliError(`--device ${device}: it is none of ${NAMES}`);
  const parsed = size === undefined ? null : parseSize('--size', size);
  if (parsed !== null && !parsed.ok) throw new CliError(parsed.failure.message);
  return {
    ...known,
    ...(parsed === null ? {} : { bytes: parsed.value }),
    ...(cycles === undefined ? {} : { cycles }),
    ...(writeAmplification === undefined ? {} : { writeAmplification }),
  };
}

async function run(recordings: readonly string[], flags: WearFlags): Promise<void> {
  if (recordings.length > 0 && flags.store !== undefined) {
    throw new CliError('--store and a recording are given: give one of them');
  }
  const flash = flashOf(flags);
  const report =
    flags.store === undefined ? await reckoned(recordings, flags, flash) : await measured(flags.store, flags, flash);
  process.stdout.write(`${flags.json ? JSON.stringify(report) : wearText(report)}\n`);
  if (flags.gate !== undefined && report.savingPercent < flags.gate) {
    process.stderr.write(
      `imatrix-mm: it saves ${report.savingPercent.toFixed(1)} %, --gate asks for ${flags.gate} %\n`,
    );
    process.exitCode = EXIT_WRONG;
  }
}

async function measured(directory: string, { days }: WearFlags, flash: Flash): Promise<WearReport> {
  return wearReport(`the store in ${directory}`, flash, await measuredWork(directory, days), null);
}

async function reckoned(recordings: readonly string[], flags: WearFlags, flash: Flash): Promise<WearReport> {
  const { rate, sensors, seed, hoursOffline, pool } = flags;
  const load: Load =
    recordings.length > 0 ? await recordedLoad(recordings) : describedLoad({ recordsPerSecond: rate, sensors, seed });
  const settings = resolveSettings({ poolBytes: pool, streamsMax: Math.max(2_048, load.streams.length) });
  if (!settings.ok) throw new StoreError(settings.failure);
  const progress = new Progress(flags.json);
  const onProgress = (share: number): void => {
    const line = `  a day of the store: ${Math.floor(share * 100)} %`;
    progress.show(
      () => [line],
      () => line,
    );
  };
  try {
    const day = await dayOf(load, { settings: settings.value, hoursOffline, onProgress });
    const offline = hoursOffline > 0 ? `, ${hoursOffline} hours of the day offline` : '';
    return wearReport(`${load.name}${offline}`, flash, day, day.atRiskMax);
  } finally {
    progress.end();
  }
}
