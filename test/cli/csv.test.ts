/**
 * CSV recordings: which column is what, which cells and rows are taken, which times are understood.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CliError } from '../../src/cli/cli-error.ts';
import { CanSensors } from '../../src/cli/recordings/can-sensor.ts';
import type { CsvLayout } from '../../src/cli/recordings/csv-layout.ts';
import { findLayout, looksLikeCsv, parseCell } from '../../src/cli/recordings/csv-layout.ts';
import type { InputOptions } from '../../src/cli/recordings/input.ts';
import { lookAt, Spool } from '../../src/cli/recordings/input.ts';
import { readRecording } from '../../src/cli/recordings/recording.ts';
import type { Sample, Skip } from '../../src/cli/recordings/sample.ts';
import { parseTime } from '../../src/cli/recordings/time.ts';
import { fitsType, fromBits, toBits, ValueRange } from '../../src/cli/recordings/value-type.ts';
import { scratchDirectory, writeScratch } from './scratch.ts';

const directory = scratchDirectory();

async function read(content: string, options: InputOptions = {}): Promise<{ samples: Sample[]; skips: Skip[] }> {
  const input = await lookAt(writeScratch(directory, content), 1, { format: 'csv', ...options }, new Spool());
  const all: { samples: Sample[]; skips: Skip[] } = { samples: [], skips: [] };
  for await (const { samples, skips } of readRecording(input, new CanSensors())) {
    all.samples.push(...samples);
    all.skips.push(...skips);
  }
  return all;
}

const layoutOf = (content: string, options: InputOptions = {}): CsvLayout => findLayout(content, options, 'x.csv');

describe('columns', () => {
  it('are guessed by name and content, and what is no number is left out', () => {
    const layout = layoutOf('state,time,a,b\non,2026-01-01T00:00:00Z,1,2.5\noff,2026-01-01T00:00:01Z,3,\n');
    expect(layout).toMatchObject({ delimiter: ',', hasHeader: true, time: 1, values: [2, 3], leftOut: ['state'] });
  });

  it('are numbered where there is no header', () => {
    const layout = layoutOf('1767265200;20,5\n1767265201;20,6\n');
    expect(layout).toMatchObject({ delimiter: ';', hasHeader: false, columns: ['1', '2'], time: 0, values: [1] });
  });

  it('are taken by name, whatever its case, or by number', () => {
    const table = 'x,Y,z\n1767265200,1,2\n1767265201,3,4\n';
    expect(layoutOf(table, { time: 'x', values: ['y'] })).toMatchObject({ time: 0, values: [1] });
    expect(layoutOf(table, { time: '1', values: ['3', '2'] })).toMatchObject({ time: 0, values: [2, 1] });
  });

  it.each([
    [
      'a column that is not there',
      'time,a\n2026-01-01,1\n',
      { values: ['b'] },
      /no column 'b' \(--value\); it has time, a/,
    ],
    ['no time at all', 'a,b\n1,2\n3,4\n', {}, /no time column found among a, b; name it with --time/],
    ['nothing but text beside the time', 'time,a\n2026-01-01,on\n2026-01-02,off\n', {}, /no column with numbers/],
    ['an id for two values', 'time,id,a,b\n2026-01-01,7,1,2\n', { id: 'id' }, /--id goes with one value column/],
    ['one column only', 'time\n2026-01-01\n', {}, /at least two columns/],
  ] as const)('are refused in one sentence: %s', (_, table, options, message) => {
    expect(() => layoutOf(table, options)).toThrow(message);
    expect(() => layoutOf(table, options)).toThrow(CliError);
  });

  it('of prose and of binary-looking text are no table', () => {
    expect(looksLikeCsv('Dear reader, this is text.\nIt has commas, too, and goes on, and on.\n')).toBe(false);
  });
});

describe('rows', () => {
  it('give a sample a value column, an id column gives the sensor', async () => {
    const { samples } = await read('time,id,v\n2026-01-01,4294967295,1.5\n2026-01-01,0,2\n', { id: 'id' });
    expect(samples.map(({ source, sensor, value, line }) => [source, sensor, value, line])).toEqual([
      ['mgc', 4_294_967_295, 1.5, 2],
      ['mgc', 0, 2, 3],
    ]);
  });

  it('are skipped alone or cell by cell, each with its reason and line', async () => {
    const table = [
      'time,a,b',
      '2026-01-01T00:00:00Z,1,2',
      '# a comment',
      '1970-01-01T00:00:00Z,1,2',
      '2100-01-01T00:00:00Z,1,2',
      'soon,1,2',
      '2026-01-01T00:00:01Z,NaN,-inf',
      '2026-01-01T00:00:02Z,,x',
      '2026-01-01T00:00:03Z,1e39,3',
      '2026-01-01T00:00:04Z,1',
      '2026-01-01T00:00:05Z,5,6',
      '',
    ].join('\n');
    const { samples, skips } = await read(table);
    expect(samples.map(({ line, value }) => [line, value])).toEqual([
      [2, 1],
      [2, 2],
      [9, 3],
      [11, 5],
      [11, 6],
    ]);
    expect(skips.map(({ line, reason }) => [line, reason])).toEqual([
      [4, 'time-range'],
      [5, 'time-range'],
      [6, 'time-unreadable'],
      [7, 'not-finite'],
      [7, 'not-finite'],
      [8, 'empty-cell'],
      [8, 'not-a-number'],
      [9, 'value-range'],
      [10, 'unreadable'],
    ]);
  });

  it('that end without a newline are taken when whole, and are half-written else', async () => {
    const whole = await read('time,a,b\n2026-01-01,1,2\n2026-01-02,3,4');
    expect(whole.samples.length).toBe(4);
    const cut = await read('time,a,b\n2026-01-01,1,2\n2026-01-02,3');
    expect(cut.samples.length).toBe(2);
    expect(cut.skips.map(({ line, reason }) => [line, reason])).toEqual([[3, 'half-written']]);
  });

  it('with ids beyond 32 bits or values beyond the type asked for are skipped', async () => {
    const ids = await read('time,id,v\n2026-01-01,4294967296,1\n2026-01-01,-1,1\n2026-01-01,7,1\n', { id: 'id' });
    expect(ids.skips.map(({ reason }) => reason)).toEqual(['id-range', 'id-range']);
    const ints = await read('time,v\n2026-01-01,2147483648\n2026-01-01,1.5\n2026-01-01,-7\n', { type: 'int32' });
    expect(ints.skips.map(({ reason }) => reason)).toEqual(['value-range', 'value-range']);
    expect(ints.samples.map(({ value }) => value)).toEqual([-7]);
  });

  // Goal: what a spreadsheet writes is what is read. Method: any numbers, any of four delimiters, quoted or not.
  it('keep every number, whatever the delimiter', async () => {
    const numbers = fc.array(fc.tuple(fc.integer(), fc.float({ noNaN: true, noDefaultInfinity: true })), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(numbers, fc.constantFrom(',', ';', '\t', '|'), fc.boolean(), async (rows, delimiter, quote) => {
        const cell = (text: string): string => (quote ? `"${text}"` : text);
        const lines = rows.map(([a, b], i) => [`${1_767_265_200 + i}`, `${a}`, `${b}`].map(cell).join(delimiter));
        const { samples, skips } = await read(`${['time', 'a', 'b'].join(delimiter)}\n${lines.join('\n')}\n`);
        expect(skips).toEqual([]);
        expect(samples.map(({ value }) => value)).toEqual(rows.flatMap(([a, b]) => [Number(`${a}`), Number(`${b}`)]));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a time', () => {
  it.each([
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026/1/3 4:05', '2026-01-03T04:05:00.000Z'],
    ['2026-01-31 12:00:00.1239', '2026-01-31T12:00:00.123Z'],
    ['2026-01-31T12:00:00+05:30', '2026-01-31T06:30:00.000Z'],
    ['2026-01-31T12:00:00-0100', '2026-01-31T13:00:00.000Z'],
    ['1767265200', '2026-01-01T11:00:00.000Z'],
    ['1767265200.25', '2026-01-01T11:00:00.250Z'],
    ['1767265200250', '2026-01-01T11:00:00.250Z'],
    ['1767265200250999', '2026-01-01T11:00:00.250Z'],
    ['1767265200250999999', '2026-01-01T11:00:00.250Z'],
  ])('%s is understood', (text, iso) => {
    expect(new Date(parseTime(text) ?? 0).toISOString()).toBe(iso);
  });

  it.each(['', 'noon', '2026-02-30', '2026-13-01', '2026-01-01T25:00', '12:00', '01/02/2026', 'NaN', '0x10'])(
    "'%s' is none",
    (text) => {
      expect(parseTime(text)).toBeNull();
    },
  );

  it('in any form that Date writes comes back to the millisecond', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true }), (date) => {
        expect(parseTime(date.toISOString())).toBe(date.getTime());
        if (date.getTime() >= 1e11) expect(parseTime(`${date.getTime()}`)).toBe(date.getTime());
      }),
    );
  });
});

describe('a value', () => {
  it('is a number, or says why it is none', () => {
    expect(
      ['1', '-1.5e3', '.5', '', 'null', 'n/a', 'nan', '-Infinity', '1e999', 'x', '0x10', '1,5'].map((c) =>
        parseCell(c, ','),
      ),
    ).toEqual([
      1,
      -1500,
      0.5,
      'empty-cell',
      'empty-cell',
      'empty-cell',
      'not-finite',
      'not-finite',
      'not-finite',
      'not-a-number',
      'not-a-number',
      'not-a-number',
    ]);
    expect(parseCell('1,5', ';')).toBe(1.5);
  });

  // Goal: the narrowest type holds all values of a stream exactly, and float32 is taken only where it must be.
  it('comes back from the type that its stream is given', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer(), fc.maxSafeNat(), fc.float({ noNaN: true, noDefaultInfinity: true })), {
          minLength: 1,
        }),
        (values) => {
          const range = new ValueRange();
          for (const value of values) range.add(value);
          for (const value of values) {
            expect(fitsType(value, range.type)).toBe(true);
            const back = fromBits(toBits(value, range.type), range.type);
            expect(back).toBe(range.type === 'float32' ? Math.fround(value) : value);
          }
          expect(range.rounded).toBe(values.filter((value) => Math.fround(value) !== value).length);
        },
      ),
    );
  });
});
