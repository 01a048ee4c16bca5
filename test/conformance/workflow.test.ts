/**
 * Goal: the workflow file that consumers copy names only commands, options and modes that there are.
 * Method: the file read by its structure (indentation and keys), each of its commands against the kit's own options.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addCommonOptions, duration, jobsOf, shardOf } from '../../conformance/cli/arguments.ts';
import { MODE_TABLE } from '../../conformance/cli/modes.ts';
import { ROOT } from '../tools/project-files.ts';

const text = readFileSync(join(ROOT, 'docs/ci/conformance.yml'), 'utf8');
const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** What stands under a key, its own line first; one entry for each place where the key is. */
function blocks(key: string, within: readonly string[] = lines): string[][] {
  return within.flatMap((line, at) => {
    if (!new RegExp(`^\\s*(- )?${key}:`).test(line)) return [];
    const rest = within.slice(at + 1);
    const depth = indentOf(line) + (line.trim().startsWith('- ') ? 2 : 0);
    const end = rest.findIndex((each) => indentOf(each) <= depth);
    return [[line, ...rest.slice(0, end < 0 ? rest.length : end)]];
  });
}

/** The shell commands, each in one line. */
const commands = blocks('run').map((block) =>
  block
    .join(' ')
    .replace(/^\s*(- )?run: *(>-)?/, '')
    .replace(/\s+/g, ' ')
    .trim(),
);

/** Where one of the modes of the matrix is put in. */
const NAMED_MODE = /"--\$\{\{ matrix\.mode \}\}"/;

describe('the workflow for a consumer', () => {
  it('is indented in steps of two, without tabs, and has every quote closed', () => {
    expect(text).not.toContain('\t');
    expect(lines.filter((line) => indentOf(line) % 2 !== 0)).toEqual([]);
    expect(lines.filter((line) => (line.match(/"/g)?.length ?? 0) % 2 !== 0)).toEqual([]);
    expect(lines.filter((line) => (line.match(/\$\{\{/g)?.length ?? 0) !== (line.match(/\}\}/g)?.length ?? 0))).toEqual(
      [],
    );
    expect(lines.filter((line) => indentOf(line) === 0).map((line) => line.replace(/:.*/, ''))).toEqual([
      'name',
      'on',
      'permissions',
      'env',
      'jobs',
    ]);
  });

  it('gives every step something to do, pinned to a version where it is somebody else’s', () => {
    const steps = lines.filter((line) => /^ {6}- /.test(line));
    expect(blocks('uses').length + commands.length).toBe(steps.length);
    for (const [line = ''] of blocks('uses')) expect(line).toMatch(/uses: actions\/[a-z/-]+@v\d+$/);
  });

  it('starts the kit with options and modes that there are, and with values that they take', async () => {
    const starts = commands.filter((command) => command.includes('imatrix-mm conformance'));
    expect(starts).toHaveLength(2);
    for (const start of starts) {
      const mode = NAMED_MODE.test(start) ? 'faults' : 'random';
      const command = addCommonOptions(new Command());
      (await MODE_TABLE.find(({ name }) => name === mode)?.load())?.options?.(command);
      const known = command.options.map(({ long }) => long);
      const given = start.replace(NAMED_MODE, '').match(/--[a-z-]+/g) ?? [];
      expect(given.filter((flag) => !known.includes(flag))).toEqual([]);
    }
    const [, time = ''] = /--time (\S+)/.exec(text) ?? [];
    const [, jobs = ''] = /--jobs (\S+)/.exec(text) ?? [];
    expect([duration(time), jobsOf(jobs)]).toEqual([600, 4]);
    const [, modes = ''] = /mode: \[(.*)\]/.exec(text) ?? [];
    const flags = MODE_TABLE.map(({ flag }) => flag);
    expect(modes.split(', ').filter((mode) => !flags.includes(`--${mode}`))).toEqual([]);
    expect(modes).not.toBe('');
  });

  it('runs each shard there is once, and keeps what it names', () => {
    const [, list = ''] = /shard: \[(.*)\]/.exec(text) ?? [];
    const shards = list.split(', ').map(Number);
    const [, of = ''] = /--shard "\$\{\{ matrix\.shard \}\}\/(\d+)"/.exec(text) ?? [];
    expect(shards).toEqual(Array.from({ length: Number(of) }, (_, i) => i + 1));
    for (const shard of shards) expect(shardOf(`${shard}/${of}`).number).toBe(shard);
    for (const path of ['conformance/state.json', 'conformance/regressions', 'conformance/evidence']) {
      expect(text).toMatch(new RegExp(`--(resume|out|evidence) ${path}`));
      expect(text).toMatch(new RegExp(`(path: |^ {12})${path}`, 'm'));
    }
  });
});
