/**
 * What is done to the files of a store: every bit and every cut of each, and each way in which files themselves can be wrong.
 */
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import type { Directory } from '../../src/core/port.ts';
import { SOURCE_DIRECTORIES } from '../../src/core/port.ts';
import type { FileLayout, Place } from './layout.ts';
import { ofStore, placeOf } from './layout.ts';
import type { FileName, Spoil, Spoiling } from './spoil.ts';

export interface DamageCase extends Spoiling {
  /** What was done, for the table. */
  readonly kind: string;
  /** Where in the layout, or what the file is. */
  readonly where: Place | 'segment' | 'log' | 'beside';
}

export interface StoreFile extends FileName {
  readonly content: Uint8Array;
}

const at = ({ directory, name }: FileName): FileName => ({ directory, name });

const made = (kind: string, where: DamageCase['where'], ...spoils: Spoil[]): DamageCase => ({
  kind,
  where,
  spoils,
  expected: 'opens',
  whileOpen: false,
});

/** Of what says nothing one byte in so many is enough. */
const PADDING_BYTES_STEP = 64;
const SAYS_NOTHING: ReadonlySet<Place> = new Set(['log padding', 'behind the segment', 'made ahead']);

function* bytesOf(file: FileLayout): Generator<number> {
  for (const { place, from, to } of file.regions) {
    const step = SAYS_NOTHING.has(place) && to - from > 8 ? PADDING_BYTES_STEP : 1;
    for (let byte = from; byte < to; byte += step) yield byte;
  }
}

function* flips(file: FileLayout): Generator<DamageCase> {
  for (const byte of bytesOf(file)) {
    for (let bit = 8 * byte; bit < 8 * byte + 8; bit++)
      yield made('bit flipped', placeOf(file, byte), { ...at(file), how: 'flip', bit });
  }
}

/** What the store read when it was opened has gone bad since. */
function* flipsWhileOpen(file: FileLayout): Generator<DamageCase> {
  if (file.directory === '') return;
  for (const byte of bytesOf(file)) {
    const bit = 8 * byte + (byte % 8);
    yield {
      ...made('bit flipped while open', placeOf(file, byte), { ...at(file), how: 'flip', bit }),
      whileOpen: true,
    };
  }
}

function* cuts(file: FileLayout): Generator<DamageCase> {
  for (const bytes of bytesOf(file))
    yield made('cut short', placeOf(file, bytes), { ...at(file), how: 'truncate', bytes });
}

/** A bit of the header and one of its copy: nothing says any more what the segment is. */
function* bothHeaders(file: FileLayout): Generator<DamageCase> {
  if (file.number === null) return;
  const trailerAt = file.segmentBytes - 64;
  for (let byte = 0; byte < 64; byte++) {
    const spoils = [byte, trailerAt + ((byte * 37) % 64)].map(
      (each): Spoil => ({ ...at(file), how: 'flip', bit: 8 * each + (byte % 8) }),
    );
    yield made('header and trailer', 'segment', ...spoils);
  }
}

const TEXT = Buffer.from('this is no file of the store, whoever put it here\n'.repeat(9)).toString('base64');
const ANOTHER_STORE = Uint8Array.from({ length: 16 }, (_, i) => 0xe0 + i);
const ZEROS = Buffer.alloc(300).toString('base64');
const LAST_NUMBER = 2 ** 36 - 1;

const segmentFile = (number: number): string => `${number.toString().padStart(12, '0')}.seg`;
const logFile = (generation: number, part = 0): string =>
  `checkpoint-${generation.toString(16).padStart(8, '0')}-${part.toString(16).padStart(2, '0')}.log`;

/** The file itself is wrong: gone, empty, strange, somebody else's, a directory, not to be read. */
function* wholeFile(file: StoreFile, layout: FileLayout): Generator<DamageCase> {
  const where = file.directory === '' ? 'log' : 'segment';
  const here = at(file);
  yield made('missing', where, { ...here, how: 'remove' });
  yield made('empty', where, { ...here, how: 'truncate', bytes: 0 });
  yield made('text', where, { ...here, how: 'place', base64: TEXT });
  yield made('zeros', where, { ...here, how: 'place', base64: ZEROS });
  yield made('unreadable', where, { ...here, how: 'unreadable', code: 'IO' });
  yield { ...made('not permitted', where, { ...here, how: 'unreadable', code: 'DENIED' }), expected: 'IO_FAILED' };
  yield made('a directory', where, { ...here, how: 'directory' });
  const foreign = Buffer.from(ofStore(layout, file.content, ANOTHER_STORE));
  yield made('of another store', where, { ...here, how: 'foreign', base64: foreign.toString('base64') });
  // Damaged where a file of the name that it would be given stands already.
  const taken = ['.damaged', '.1.damaged', '.2.damaged'].map(
    (suffix): Spoil => ({ directory: file.directory, name: `${file.name}${suffix}`, how: 'place', base64: TEXT }),
  );
  yield made('set aside once more', where, ...taken, { ...here, how: 'place', base64: TEXT });
}

/** A version of the future, under a right checksum. */
function* futureVersions({ content, ...file }: StoreFile): Generator<DamageCase> {
  for (const version of [0, 4, 0xffff]) {
    const bytes = Buffer.from(content);
    bytes.writeUInt16LE(version, 8);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 60), 0), 60);
    const spoil: Spoil = { ...at(file), how: 'place', base64: bytes.toString('base64') };
    const where = file.directory === '' ? 'log header' : 'header';
    yield { ...made('unknown version', where, spoil), expected: 'UNSUPPORTED_FORMAT' };
  }
}

/** Files change places, or stand where they do not belong. */
function* misplaced(files: readonly StoreFile[], next: number): Generator<DamageCase> {
  const segments = files.filter(({ directory, name }) => directory !== '' && name.endsWith('.seg'));
  for (const [i, file] of segments.entries()) {
    for (const other of segments.slice(i + 1)) {
      yield made('two files swapped', 'segment', { ...at(file), how: 'swap', to: at(other) });
      yield made('a copy over another', 'segment', { ...at(file), how: 'copy', to: at(other) });
      yield made('a copy over another', 'segment', { ...at(other), how: 'copy', to: at(file) });
    }
    for (const number of [next, next + 3, LAST_NUMBER, LAST_NUMBER + 1])
      yield made('a copy beside', 'beside', {
        ...at(file),
        how: 'copy',
        to: { ...at(file), name: segmentFile(number) },
      });
    for (const directory of SOURCE_DIRECTORIES) {
      if (directory === file.directory) continue;
      const to = { directory, name: file.name };
      yield made('a copy in another source', 'beside', { ...at(file), how: 'copy', to });
      yield made('its number in another source', 'beside', { ...to, how: 'stuck', base64: TEXT });
      yield made(
        'moved to another source',
        'segment',
        { ...at(file), how: 'copy', to },
        { ...at(file), how: 'remove' },
      );
    }
  }
}

/** Names that almost are the store's, and its next ones taken. */
function* strangeNames(files: readonly StoreFile[], next: number): Generator<DamageCase> {
  const logs = files.filter(({ directory, name }) => directory === '' && name.endsWith('.log'));
  const newest = logs.reduce((highest, { name }) => Math.max(highest, Number.parseInt(name.slice(11, 19), 16)), 0);
  const rootNames = [
    ...[0xffff_ffff, 0xf000_0000, 0xefff_ffff, newest + 1, newest + 2, 0].map((generation) => logFile(generation)),
    logFile(newest, 1),
    logFile(newest, 0xff),
    logFile(newest + 1).toUpperCase(),
    logFile(0xabcd_ef00).replace('abcdef00', 'ABCDEF00'),
    'checkpoint-1-0.log',
    'checkpoint-00000001-00.log.tmp',
    'checkpoint-00000001-000000.log',
    '.checkpoint-00000001-00.log',
  ];
  const sourceNames = [
    ...[next, next + 1, LAST_NUMBER, LAST_NUMBER + 1, 999_999_999_999, 0].map(segmentFile),
    segmentFile(1).toUpperCase(),
    '1.seg',
    '0000000000001.seg',
    '000000000001.seg~',
    '00000000000a.seg',
  ];
  const fill: readonly (readonly [string, string])[] = [
    ['empty', ''],
    ['text', TEXT],
    ['zeros', ZEROS],
  ];
  const strange = (directory: Directory, name: string): DamageCase[] => {
    if (files.some((file) => file.directory === directory && file.name === name)) return [];
    return [
      ...fill.map(([what, base64]) =>
        made(`strange name, ${what}`, 'beside', { directory, name, how: 'place', base64 }),
      ),
      made('strange name, a directory', 'beside', { directory, name, how: 'directory' }),
    ];
  };
  for (const name of rootNames) yield* strange('', name);
  for (const directory of SOURCE_DIRECTORIES) for (const name of sourceNames) yield* strange(directory, name);
  for (const log of logs)
    for (const generation of [0xffff_ffff, newest + 1])
      yield made('a copy of the log', 'beside', {
        ...at(log),
        how: 'copy',
        to: { directory: '', name: logFile(generation) },
      });
}

export interface SpoiledStore {
  readonly layouts: readonly FileLayout[];
  readonly files: readonly StoreFile[];
}

/** Every case of a store, in order. */
export function* casesOf({ layouts, files }: SpoiledStore): Generator<DamageCase> {
  for (const layout of layouts) {
    yield* flips(layout);
    yield* cuts(layout);
    yield* bothHeaders(layout);
    yield* flipsWhileOpen(layout);
  }
  const known: StoreFile[] = [];
  for (const layout of layouts) {
    const file = files.find(({ directory, name }) => layout.directory === directory && layout.name === name);
    if (file === undefined) continue;
    known.push(file);
    yield* wholeFile(file, layout);
    // One that was made ahead has no version: it says nothing.
    if (layout.directory === '' || layout.number !== null) yield* futureVersions(file);
  }
  const next = known.reduce((highest, { name }) => Math.max(highest, Number.parseInt(name, 10) || 0), 0) + 1;
  yield* misplaced(known, next);
  yield* strangeNames(files, next);
}
