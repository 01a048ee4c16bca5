/**
 * Goal: whoever reads docs/conformance.md finds every demand, the command that shows it, and its row in the report.
 * Method: the table of the page against the list that the report is made from; the test files that rows name.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DEMANDS } from '../../coverage/report/demands.ts';
import { ROOT } from '../tools/project-files.ts';

test('the page has the rows of the report, in its order, each with its command', () => {
  const page = readFileSync(join(ROOT, 'docs/conformance.md'), 'utf8');
  const rows = [...page.matchAll(/^\| ([A-Z]\d+[a-z]?) \| (.+) \| `(.+)` \|$/gm)];
  expect(rows.map(([, id, demand, command]) => ({ id, demand, command }))).toEqual(
    DEMANDS.map(({ id, demand, command }) => ({ id, demand, command })),
  );
});

test('no row is there twice, and each that a test holds names one that there is', () => {
  expect(new Set(DEMANDS.map(({ id }) => id)).size).toBe(DEMANDS.length);
  const missing = DEMANDS.flatMap((demand) => ('tests' in demand ? demand.tests : []));
  expect(missing.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

// Goal: a command that a row names is one that can be typed. Method: npm scripts by name, modes by their flags.
test('each command is a script of the project or a page', async () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  const { MODE_TABLE } = await import('../../conformance/cli/modes.ts');
  const flags = new Set([...MODE_TABLE.map(({ flag }) => flag), '--steps', '--time']);
  for (const command of DEMANDS.flatMap(({ command: line }) => line.split('; '))) {
    if (command.startsWith('docs/')) {
      expect(existsSync(join(ROOT, command)), command).toBe(true);
      continue;
    }
    const [, script = '', flag] = /^npm (?:run )?(\S+)(?: -- (\S+))?/.exec(command) ?? [];
    expect(Object.keys(scripts), command).toContain(script);
    if (script === 'conformance' && flag !== undefined) expect([...flags], command).toContain(flag);
  }
});
