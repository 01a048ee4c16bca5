/** docs/deployment.md: it names every check, and every command in it is one that there is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PREFLIGHT } from '../../src/deploy/checks.ts';
import { imatrixMm, ROOT } from '../cli/scratch.ts';

const page = readFileSync(join(ROOT, 'docs/deployment.md'), 'utf8');

// Goal: an operator finds each check explained. Method: the rows of the table against the ids, in order.
test('explains each check of the preflight, and no other', () => {
  const [, section = ''] = page.split('| check | fails | warns |');
  const rows = (section.split('\n\n')[0] ?? '').split('\n').flatMap((row) => /^\| `([^`]+)` \|/.exec(row)?.[1] ?? []);
  const nothing = {
    ...{ nodeVersion: '24.0.0', uid: 1, directory: '/d', found: null, writable: true, mountOptions: null },
    ...{ space: { freeBytes: 0, freeInodes: 0, type: 0 }, nowMs: 0, steadyMs: 0, wallMs: 0, quotaBytes: 0 },
    ...{ configurationProblems: null, holder: null },
  };
  expect(rows).toEqual([...PREFLIGHT.map((check) => check(nothing).id), 'round']);
});

// Goal: no command of the page is refused for how it is written. Method: its words and options against the command's own help.
test('writes commands with the options that they have', async () => {
  const written = [...page.matchAll(/^\$ imatrix-mm (.*)$/gm)].map(([, line = '']) => line.split(' '));
  expect(written.length).toBeGreaterThan(3);
  for (const words of written) {
    const name = words.slice(0, words[0] === 'deploy' ? 2 : 1);
    const { code, stdout } = await imatrixMm([...name, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`imatrix-mm ${name.join(' ')}`);
    const options = words.filter((word) => word.startsWith('--'));
    expect(
      options.filter((option) => !stdout.includes(`${option} `)),
      words.join(' '),
    ).toEqual([]);
  }
});
