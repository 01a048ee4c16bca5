/** Goal: docs/migration.md says what is so. Method: its call sites against the tested ones, its tables against the code. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PLANTED } from '../../conformance/legacy/planted.ts';
import * as mm from '../../src/legacy/index.ts';
import { ROOT } from '../tools/project-files.ts';

const page = readFileSync(join(ROOT, 'docs/migration.md'), 'utf8');

it('shows the call sites that are tested, word by word', () => {
  const tested = readFileSync(join(ROOT, 'test/legacy/call-sites.test.ts'), 'utf8');
  const shown = [...page.matchAll(/^```ts call-site\n([\s\S]*?)^```$/gm)].map(([, code]) => code as string);
  expect(shown).toHaveLength(3);
  for (const code of shown) expect(tested).toContain(code);
});

it('has each code with its number and its name', () => {
  const rows = [...page.matchAll(/^\| (\d+) \| ([A-Z_]+) \|/gm)].map(([, number, name]) => [Number(number), name]);
  expect(rows).toEqual(mm.CODE_NAMES.map((name, code) => [code, name]));
});

it('has the table of the store’s codes as the layer has it', () => {
  const rows = [...page.matchAll(/^\| ([A-Z_]+) \| ([A-Z_]+) \|$/gm)].map(([, code, old]) => [code, old]);
  expect(Object.fromEntries(rows)).toEqual(
    Object.fromEntries(Object.entries(mm.CODE_OF).map(([code, old]) => [code, mm.CODE_NAMES[old]])),
  );
});

it('names every call that there is', () => {
  const calls = Object.entries(mm).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  for (const name of calls) expect(page).toContain(`\`${name}(`);
});

it('names a planted bug that there is, and decisions that there are', () => {
  expect(PLANTED.map(({ id }) => id)).toContain(/--plant ([a-z-]+)/.exec(page)?.[1]);
  for (const [, path] of page.matchAll(/\((decisions\/[^)]+)\)/g))
    expect(existsSync(join(ROOT, 'docs', path as string))).toBe(true);
});
