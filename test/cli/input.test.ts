/**
 * The first look at a file: its form by content, its lines in chunks of any size, and what is no recording.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkUnchanged, lookAt, Spool } from '../../src/cli/recordings/input.ts';
import type { Line } from '../../src/cli/recordings/lines.ts';
import { LINE_CHARS_MAX, readLines } from '../../src/cli/recordings/lines.ts';
import { FIXTURES, scratchDirectory, writeScratch } from './scratch.ts';

const directory = scratchDirectory();
const look = (path: string) => lookAt(path, 1, {}, new Spool());

async function linesOf(path: string, bytes: number): Promise<Line[]> {
  const all: Line[] = [];
  for await (const lines of readLines(path, bytes)) all.push(...lines);
  return all;
}

describe('the form', () => {
  it.each([
    ['bus.candump.log', 'candump'],
    ['boat.canboat.log', 'canboat'],
    ['ship.nmea.log', 'nmea'],
    ['plant.csv', 'csv'],
  ])('of %s is told by its content', async (name, format) => {
    expect((await look(join(FIXTURES, name))).format).toBe(format);
  });

  it.each([
    ['an empty file', '', /empty/],
    ['zeros', new Uint8Array(100), /binary/],
    ['a picture', Uint8Array.from({ length: 2000 }, (_, i) => (i * 97) % 256), /binary/],
    ['comments alone', '# one\n\n# two\n', /only comments/],
    ['prose', 'It was a dark and stormy night;\nthe rain fell in torrents.\n', /no recording that is known/],
  ])('of %s is none', async (_, content, message) => {
    await expect(look(writeScratch(directory, content))).rejects.toThrow(message);
  });

  it('is told by a single good line among damaged ones', async () => {
    const path = writeScratch(directory, 'xx\nyy\n(1767265200.000000) can0 123#1122\nzz\n');
    expect((await look(path)).format).toBe('candump');
  });
});

describe('lines', () => {
  // Goal: lines are the same whatever the chunks. Method: lines longer and shorter than a chunk, compared with split.
  it('are those of the file, streamed', async () => {
    const line = fc.oneof(
      fc.string({ maxLength: 20, unit: fc.constantFrom('a', ',', '\r', '#') }),
      fc.integer({ min: 60_000, max: 65_000 }).map((length) => 'x'.repeat(length)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 8 }), fc.boolean(), async (texts, ended) => {
        const content = texts.join('\n') + (ended && texts.length > 0 ? '\n' : '');
        const lines = await linesOf(writeScratch(directory, content), content.length);
        const expected = content.split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect(lines.map(({ text }) => text)).toEqual(expected.map((text) => text.replace(/\r$/, '')));
        expect(lines.map(({ number }) => number)).toEqual(expected.map((_, i) => i + 1));
        expect(lines.filter(({ unterminated }) => unterminated).length).toBe(
          content === '' || content.endsWith('\n') ? 0 : 1,
        );
      }),
      { numRuns: 40 },
    );
  });

  it('of any length cost no more memory than the longest that is read', async () => {
    const path = writeScratch(directory, `${'x'.repeat(1_000_000)}\nshort\n`);
    const lines = await linesOf(path, 1_000_007);
    expect(lines.map(({ tooLong, text }) => [tooLong, text.length <= LINE_CHARS_MAX + 65_536])).toEqual([
      [true, true],
      [false, true],
    ]);
  });

  it('written after the first look are not read, and a file that was cut is noticed', async () => {
    const path = writeScratch(directory, 'time,v\n2026-01-01,1\n');
    const input = await look(path);
    appendFileSync(path, '2026-01-02,2\n');
    expect((await linesOf(path, input.bytes)).length).toBe(2);
    await expect(checkUnchanged(input)).resolves.toBeUndefined();
    writeScratch(directory, 'time,v\n', path.slice(directory.length + 1));
    await expect(checkUnchanged(input)).rejects.toThrow(/changed while it was replayed/);
  });
});
