/** `imatrix-mm info`: what kind of store a directory holds, and in which state it is. Nothing is touched. */
import { statfs } from 'node:fs/promises';
import { Command } from 'commander';
import { allocatedBytes } from '../core/disk-index.ts';
import { FORMAT_VERSION, SOURCES } from '../index.ts';
import type { Look, Place } from '../operator/read-only-store.ts';
import { mustLook, withPlace } from '../operator/read-only-store.ts';
import { DEFAULT_DIRECTORY, DIRECTORY_HELP } from './operator/common.ts';
import { bytesText, plural, table, thousands } from './screen.ts';

export const infoCommand = (): Command =>
  new Command('info')
    .summary('what kind of store a directory holds, and in which state it is')
    .description('Identity, state and files of a store. Safe beside the program that has it open: nothing is written.')
    .argument('[directory]', DIRECTORY_HELP, DEFAULT_DIRECTORY)
    .option('--json', 'one JSON object instead of the table', false)
    .action((directory: string, { json }: { readonly json: boolean }) =>
      withPlace(directory, async (place) => {
        const info = await infoOf(place);
        process.stdout.write(`${json ? JSON.stringify(info) : infoText(info)}\n`);
      }),
    );

type State = 'open' | 'closed' | 'cut off';

interface Info {
  readonly directory: string;
  readonly formatVersion: number;
  readonly storeId: string;
  /** `cut off`: nobody has it open, and it was not closed; the next opening recovers it. */
  readonly state: State;
  readonly holder: string | null;
  /** Of the last opening; null when no log tells. */
  readonly epoch: number | null;
  readonly generation: number;
  readonly streams: number;
  readonly retained: number;
  readonly segments: readonly { readonly source: string; readonly files: number; readonly bytes: number }[];
  readonly logFiles: number;
  readonly logBytes: number;
  readonly setAsideBytes: number;
  readonly diskBytes: number;
  readonly freeBytes: number;
  /** Written since the store was made. */
  readonly bytesWritten: number | null;
  readonly syncs: number | null;
  /** Records that opening would enter as damaged. */
  readonly damagedRecords: number;
}

async function infoOf(place: Place): Promise<Info> {
  const holder = await place.holder();
  const look = await mustLook(place);
  const { log, files, evidence } = look.found;
  const { store } = log.image;
  const sum = (all: readonly { readonly bytes: number }[]): number =>
    all.reduce((bytes, file) => bytes + allocatedBytes(file.bytes), 0);
  const { bavail, bsize } = await statfs(place.directory);
  return {
    directory: place.directory,
    formatVersion: FORMAT_VERSION,
    storeId: look.state.storeIdHex,
    state: holder !== null ? 'open' : store?.clean === true ? 'closed' : 'cut off',
    holder,
    epoch: evidence.knownEpoch === 0 ? null : evidence.knownEpoch,
    generation: log.generation,
    streams: look.streams.length,
    retained: look.report.records,
    segments: segmentsBySource(look, sum),
    logFiles: log.files.length,
    logBytes: sum(log.files),
    setAsideBytes: files.setAsideBytes,
    diskBytes: sum(files.segments) + sum(log.files) + files.setAsideBytes,
    freeBytes: bavail * bsize,
    bytesWritten: store?.bytesWrittenTotal ?? null,
    syncs: store?.syncsTotal ?? null,
    damagedRecords: look.report.damagedRecords,
  };
}

function segmentsBySource(
  { found }: Look,
  sum: (all: readonly { readonly bytes: number }[]) => number,
): Info['segments'] {
  return SOURCES.map((source, index) => {
    const own = found.files.segments.filter((segment) => segment.source === index);
    return { source, files: own.length, bytes: sum(own) };
  });
}

const STATE_TEXT: Readonly<Record<State, string>> = {
  open: 'open',
  closed: 'closed, everything saved',
  'cut off': 'not closed: power failed or the program was killed; the next opening recovers it',
};

function infoText(info: Info): string {
  const orUnknown = (value: number | null, text: (value: number) => string): string =>
    value === null ? 'not known: the log is lost' : text(value);
  const rows = [
    ['store', info.storeId],
    ['storage format', `${info.formatVersion}`],
    ['state', info.holder === null ? STATE_TEXT[info.state] : `open by ${info.holder}`],
    ['epoch', orUnknown(info.epoch, thousands)],
    ['log', `generation ${info.generation}, ${plural(info.logFiles, 'file')}, ${bytesText(info.logBytes)}`],
    ...info.segments.map(({ source, files, bytes }) => [source, `${plural(files, 'segment')}, ${bytesText(bytes)}`]),
    ['set aside', bytesText(info.setAsideBytes)],
    ['on disk', `${bytesText(info.diskBytes)}; ${bytesText(info.freeBytes)} free on the file system`],
    [
      'written ever',
      orUnknown(info.bytesWritten, (bytes) => `${bytesText(bytes)} in ${plural(info.syncs ?? 0, 'sync')}`),
    ],
    ['streams', thousands(info.streams)],
    [
      'retained',
      `${plural(info.retained, 'record')}${info.state === 'open' ? ' on disk; RAM is not visible from here' : ''}`,
    ],
    [
      'damage',
      info.damagedRecords === 0
        ? 'none found; verify looks at every byte'
        : `${plural(info.damagedRecords, 'record')} lost; verify names where`,
    ],
  ];
  return `${info.directory}\n\n${table(['what', 'is'], rows)}`;
}
