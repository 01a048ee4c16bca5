/**
 * Damaged tables: what is wrong with a line costs that line and no other, and which column is the time does not depend on
 * the order of the columns.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scratchDirectory } from '../scratch.ts';
import { readAll } from './read-all.ts';

const directory = scratchDirectory();
const read = (content: string) => readAll(directory, content, { format: 'csv' });
const second = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();

describe('a table', () => {
  it.each([
    ['at its end', ['"v0"', '"v1"', '"v2"'], 2, '"', 'half-written'],
    ['in the middle', ['"v0"', '"v1"', '"v2"'], 1, '"\n', 'unreadable'],
    ['in a cell of its own', ['v0', '"v1"', 'v2', 'v3'], 1, '"\n', 'unreadable'],
  ] as const)('with a line torn inside quotes %s gives every other row', async (_, cells, torn, cut, reason) => {
    const rows = cells.map((cell, i) => `${second(i)},${cell.replace(/v(\d)/, '$1')}\n`);
    rows[torn] = (rows[torn] as string).replace('"\n', cut === '"' ? '' : '\n');
    const { samples, skips } = await read(`time,v\n${rows.join('')}`);
    const expected = cells.map((_, i) => i).filter((i) => i !== torn);
    expect(samples.map(({ value }) => value)).toEqual(expected);
    expect(skips.map(({ line, reason }) => [line, reason])).toEqual([[torn + 2, reason]]);
  });

  it('with an endless line gives the rows around it', async () => {
    const { samples, skips } = await read(`time,v\n${second(0)},1\n${'x'.repeat(200_000)}\n${second(1)},2\n`);
    expect(samples.map(({ line, value }) => [line, value])).toEqual([
      [2, 1],
      [4, 2],
    ]);
    expect(skips.map(({ line, reason }) => [line, reason])).toEqual([[3, 'line-too-long']]);
  });

  // Two tools wrote it, or two systems: the first line decides nothing about the others.
  it('whose lines end in both ways is read line by line', async () => {
    const { samples, skips } = await read(`time,v\r\n${second(0)},1\n${second(1)},2\r\n${second(2)},3\n`);
    expect(skips).toEqual([]);
    expect(samples.map(({ line, value }) => [line, value])).toEqual([
      [2, 1],
      [3, 2],
      [4, 3],
    ]);
  });

  it('with a text cell of several lines is read on behind it', async () => {
    const note = '"opened\nand ""closed"",\nthen left"';
    const { samples, skips } = await read(`time,note,v\n${second(0)},${note},1\n${second(1)},"one, line",2\n`);
    expect(skips).toEqual([]);
    expect(samples.map(({ line, value }) => [line, value])).toEqual([
      [2, 1],
      [5, 2],
    ]);
  });

  it('never stores half a number that a decimal comma has cut in two', async () => {
    const { samples, skips } = await read(`time,v\n${second(0)},1\n${second(1)},1,5\n${second(2)},2,\n`);
    expect(samples.map(({ value }) => value)).toEqual([1, 2]);
    expect(skips).toEqual([{ line: 3, reason: 'unreadable', found: '3 of 2 columns' }]);
  });

  it('takes lines of blanks and a comment as such', async () => {
    const { samples, skips } = await read(`time,v\n  # indented\n \t \n${second(0)},1\n`);
    expect([samples.length, skips]).toEqual([1, []]);
  });

  // Goal: no damage reaches beyond its line. Method: rows of quoted cells, any of them cut anywhere, in a table longer than
  // a batch; exactly the others are read, and exactly the cut ones are noted.
  it('loses no row beside a damaged one, and makes none of two halves', async () => {
    const row = fc.oneof(fc.integer({ min: 0, max: 1199 }), fc.integer({ min: 505, max: 519 }));
    const cuts = fc.uniqueArray(fc.tuple(row, fc.nat({ max: 40 })), {
      selector: ([row]) => row,
      maxLength: 30,
      size: 'max',
    });
    await fc.assert(
      fc.asyncProperty(cuts, async (damage) => {
        const cutAt = new Map(damage);
        const lines = Array.from({ length: 1200 }, (_, i) => `"${second(i)}","${i + 0.5}"`).map((line, i) => {
          const at = cutAt.get(i);
          return at === undefined ? line : line.slice(0, at % line.length);
        });
        const { samples, skips } = await read(`"time","v"\n${lines.join('\n')}\n`);
        const whole = lines.map((_, i) => i).filter((i) => !cutAt.has(i));
        expect(samples.map(({ line, value }) => [line, value])).toEqual(whole.map((i) => [i + 2, i + 0.5]));
        const torn = lines.map((line, i) => ({ line, i })).filter(({ line, i }) => cutAt.has(i) && line !== '');
        expect(skips.map(({ line }) => line)).toEqual(torn.map(({ i }) => i + 2));
      }),
      { numRuns: 12 },
    );
  });
});

describe('the time column', () => {
  it.each([
    ['a running time before it', 'uptime,timestamp,v', [10, second(0), 1], 'timestamp'],
    ['a temperature called t before it', 't,v,time', [20.5, 1, second(0)], 'time'],
    ['a name that says nothing', 'runtime,when,v', [10, second(0), 1], 'when'],
    ['a name that says nothing, in numbers', 'x,when,v', [10, 1_767_265_200, 1], 'when'],
    ['columns named by numbers', 'time,1,2', [second(0), 1, 2], 'time'],
    ['times that nobody believes', 'time,v', ['1970-01-01', 1], 'time'],
  ])('is found with %s', async (_, header, row, name) => {
    const rows = Array.from({ length: 3 }, () => row.join(',')).join('\n');
    const { input } = await read(`${header}\n${rows}\n`);
    expect(input.layout?.columns).toEqual(header.split(','));
    expect(input.layout?.columns[input.layout.time]).toBe(name);
  });

  it('does not make a header of a first row with a bad time', async () => {
    const { samples, skips } = await read(`0,7\n${second(0)},8\n${second(1)},9\n`);
    expect(samples.map(({ value }) => value)).toEqual([8, 9]);
    expect(skips.map(({ line, reason }) => [line, reason])).toEqual([[1, 'time-range']]);
  });
});
