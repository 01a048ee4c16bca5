/**
 * What a user can do wrong with `imatrix-mm`: each case ends with exit code 2 and one line on stderr that names what,
 * where and what to do, never with a stack trace, and leaves nothing behind.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FIXTURES, imatrixMm, scratchDirectory, writeScratch } from './scratch.ts';

const directory = scratchDirectory();
const PLANT = join(FIXTURES, 'plant.csv');
const BUS = join(FIXTURES, 'bus.candump.log');
const NEW = join(directory, 'new-store');
const to = (...args: string[]): string[] => ['replay', PLANT, '--storage', NEW, ...args];
const file = (content: string | Uint8Array): string => writeScratch(directory, content);
const of = (content: string | Uint8Array, ...args: string[]): string[] => [
  'replay',
  file(content),
  '--storage',
  NEW,
  ...args,
];

mkdirSync(join(directory, 'other'));
writeScratch(join(directory, 'other'), 'mine', 'thesis.txt');
const sealed = join(directory, 'sealed');
mkdirSync(sealed);
chmodSync(sealed, 0o555);
/** To root nothing of a plain file system is closed. */
const UNWRITABLE = process.getuid?.() === 0 ? '/sys/none' : join(sealed, 'none');

type Case = readonly [what: string, args: readonly string[], says: RegExp];

const CASES: readonly Case[] = [
  ['an unknown command', ['reply'], /unknown command 'reply'.*replay/],
  ['an unknown option', to('--poll', '64KiB'), /unknown option '--poll'.*--pool/],
  ['no storage', ['replay', PLANT], /--storage/],
  ['no file', ['replay', '--storage', NEW], /missing required argument 'file'/],
  ['an option without its value', to('--pool'), /'--pool <size>' argument missing/],
  ['a pool in decimal units', to('--pool', '64KB'), /--pool is '64KB'.*64KiB/],
  ['a pool that is no size', to('--pool', 'big'), /--pool is 'big'/],
  ['a pool too small', to('--pool', '64'), /--pool is 64 bytes.*between/],
  ['a pool too large', to('--pool', '2GiB'), /--pool is 2147483648 bytes.*between/],
  ['a pool of less than four sectors', to('--pool', '1KiB', '--sector', '512'), /--pool is 1024.*4 sectors/],
  ['a sector too small', to('--sector', '16'), /--sector is 16 bytes.*between 32 and 4096/],
  ['a sector too large', to('--sector', '8KiB'), /--sector is 8192 bytes.*between/],
  ['a sector that is no multiple of 8', to('--sector', '100'), /--sector is 100.*multiple of 8/],
  ['a negative sector', to('--sector', '-256'), /--sector is '-256'/],
  ['a quota too small', to('--quota', '1KiB'), /--quota is 1024 bytes.*between/],
  ['a quota that one flush would pass', to('--quota', '1MiB'), /--quota is 1048576.*raise --quota or lower --pool/],
  [
    'cuts that are no number',
    to('--power-cut', 'many'),
    /--power-cut <n>' argument 'many'.*whole number from 0 to 1000/,
  ],
  ['a negative number of cuts', to('--power-cut', '-1'), /whole number from 0 to 1000/],
  ['half a cut', to('--power-cut', '1.5'), /whole number from 0 to 1000/],
  ['too many cuts', to('--power-cut', '1001'), /whole number from 0 to 1000/],
  ['a seed of 33 bits', to('--seed', '4294967296'), /whole number from 0 to 4294967295/],
  ['a form that is not known', to('--format', 'pcap'), /'pcap' is invalid.*candump, canboat, nmea, csv/],
  ['a type that is not known', to('--type', 'float64'), /'float64' is invalid.*uint32, int32, float32/],
  ['a rule that is not known', to('--when-full', 'panic'), /'panic' is invalid.*evict-oldest, refuse-new/],
  ['a day of the year 1970', to('--date', '1970-01-01'), /1980 to 2099/],
  ['a day of the year 2100', to('--date', '2100-01-01'), /1980 to 2099/],
  ['a day that does not exist', to('--date', '2026-02-30'), /1980 to 2099/],
  ['a file that is not there', ['replay', join(directory, 'none.log'), '--storage', NEW], /none\.log: no such file/],
  ['a directory as a file', ['replay', directory, '--storage', NEW], /is a directory; give its files/],
  ['an empty file', of(''), /empty; give a recording/],
  ['a binary file', of(Uint8Array.from({ length: 4096 }, (_, i) => (i * 31) % 256)), /binary data, no recording/],
  ['a file of zeros', of(new Uint8Array(4096)), /binary data, no recording/],
  [
    'prose',
    of('It was a dark and stormy night;\nthe rain fell in torrents.\n'),
    /no recording that is known.*--format/,
  ],
  ['comments alone', of('# nothing\n\n'), /only comments/],
  [
    'a table without a time',
    of('a,b\n1,2\n3,4\n', '--format', 'csv'),
    /no time column found among a, b; name it with --time/,
  ],
  ['a table without a number', of('time,a\n2026-01-01,x\n'), /no recording that is known|no column with numbers/],
  ['a table with a header alone', of('time,a\n', '--format', 'csv'), /no time column|nothing that could be stored/],
  ['a time column that is not there', to('--time', 'when'), /no column 'when' \(--time\); it has time, line pressure/],
  ['a value column that is not there', to('--value', 'flow'), /no column 'flow' \(--value\)/],
  ['an id column that is not there', to('--id', 'device'), /no column 'device' \(--id\)/],
  ['an id for several values', to('--id', 'counter'), /--id goes with one value column/],
  [
    'times of the year 1970 alone',
    of('(0000000005.000000) can0 123#00\n'),
    /:1: nothing that could be stored.*1980 to 2099/,
  ],
  [
    'times of the year 2100 alone',
    of('time,v\n2100-01-01,1\n2100-01-02,1\n'),
    /:2: nothing that could be stored.*1980 to 2099/,
  ],
  [
    'NaN alone',
    of('time,v\n2026-01-01,NaN\n', '--value', 'v', '--format', 'csv'),
    /:2: nothing that could be stored.*NaN/,
  ],
  [
    'ids over 32 bits alone',
    of('(1767265200.000000) can0 1FFFFFFFF#00\n'),
    /:1: nothing that could be stored.*id does not fit/,
  ],
  [
    'values over their type alone',
    of('time,v\n2026-01-01,5e9\n', '--type', 'uint32'),
    /:2: nothing that could be stored.*does not fit its type/,
  ],
  [
    'a half-written line alone',
    of('(1767265200.000000) can0 123#00'),
    /:1: nothing that could be stored.*half-written/,
  ],
  [
    'the wrong form',
    ['replay', BUS, '--storage', NEW, '--format', 'nmea'],
    /:2: nothing that could be stored.*--format/,
  ],
  ['an empty name for the storage', ['replay', PLANT, '--storage', ''], /--storage: give the path/],
  ['a file as storage', ['replay', PLANT, '--storage', PLANT], /it is a file; give a directory/],
  ['a storage below a file', ['replay', PLANT, '--storage', join(PLANT, 'x')], /not a directory/],
  [
    "a storage with other people's files",
    ['replay', PLANT, '--storage', join(directory, 'other')],
    /thesis\.txt.*new directory/,
  ],
  ['standard input twice', ['replay', '-', '-', '--storage', NEW], /'-' is given twice/],
  ['standard input without data', ['replay', '-', '--storage', NEW], /standard input: the file is empty/],
  ['a storage where none can be', ['replay', PLANT, '--storage', '/proc/none/x'], /\/proc\/none/],
  ['a storage that may not be written', ['replay', PLANT, '--storage', UNWRITABLE], /not permitted to user/],
];

describe('imatrix-mm answers with one line and exit code 2 to', () => {
  it.concurrent.each(CASES)('%s', async (_, args, says) => {
    const { code, stdout, stderr } = await imatrixMm(args);
    expect(stderr).toMatch(says);
    expect(stderr.trimEnd().split('\n').length, stderr).toBe(1);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(stderr.startsWith('imatrix-mm: ')).toBe(true);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('and makes no store for it', () => {
    expect(existsSync(NEW)).toBe(false);
    expect(readdirSync(join(directory, 'other'))).toEqual(['thesis.txt']);
  });
});

describe('a recording with good and bad lines', () => {
  it('is stored but for the bad ones, which are shown with file and line and counted', async () => {
    const frames = Array.from(
      { length: 40 },
      (_, i) => `(17672652${`${i}`.padStart(2, '0')}.500000) can0 123#${i % 2 === 0 ? '0102' : '03'}`,
    );
    const bad = [
      '(0000000005.000000) can0 123#00',
      '(4102444800.000000) can0 123#00',
      '(1767265300.000000) can0 1FFFFFFFF#00',
      '(1767265300.000000) can0 123#123',
      'what is this',
      ...Array.from({ length: 20 }, () => 'and this'),
    ];
    const path = file(`${[...frames, ...bad, '(1767265400.000000) can0 123#00'].join('\n')}`);
    const store = join(directory, 'partly');
    const { code, stdout, stderr } = await imatrixMm(['replay', path, '--storage', store, '--json']);
    const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
    expect(code).toBe(0);
    expect(result).toMatchObject({ input: 40, skipped: 26, appended: 40, drained: 40, verdict: 'ok' });
    expect(result).toMatchObject({
      recordings: [{ skipped: { 'time-range': 2, 'id-range': 1, payload: 1, unreadable: 21, 'half-written': 1 } }],
    });
    expect(stderr).toContain(`${path}:41: skipped, time outside the years 1980 to 2099 (1970-01-01T00:00:05.000Z)`);
    expect(stderr).toContain(`${path}:66: skipped, half-written last line`);
    expect(stderr.match(/not a line of this format/g)?.length).toBe(3);
  });

  it('names them without letting their bytes reach the terminal', async () => {
    const path = file(`${'(1767265200.000000) can0 123#00\n'.repeat(9)}\u001b[31mred\u0007\n`);
    const { stderr } = await imatrixMm(['replay', path, '--storage', join(directory, 'calm')]);
    expect(stderr).toContain(':10: skipped');
    expect(stderr.includes('\u001b') || stderr.includes('\u0007')).toBe(false);
  });
});
