/**
 * The import table holds for every file of the project, and the checker that says so can say no.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectFiles, ROOT } from '../tools/project-files.ts';
import { breaches, ROOMS } from './rooms.ts';
import { COMPUTED, readSource } from './sources.ts';

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  dependencies?: object;
  devDependencies: object;
};
const declared = new Set(Object.keys(manifest.devDependencies));
const sources = projectFiles().filter((path) => /\.tsx?$/.test(path));

describe('the project', () => {
  // Goal: no file imports what its room may not. Method: parse every source, look up each import in the table.
  test('keeps the import table in every file', () => {
    const found = sources.flatMap((path) => breaches(path, readFileSync(join(ROOT, path), 'utf8'), declared));
    expect(found).toEqual([]);
  });

  // Goal: the test above looked at something. Method: the engine's ways in are among the files it read.
  test('is really read', () => {
    expect(sources).toEqual(expect.arrayContaining(['src/core/engine.ts', 'src/index.ts', 'model/machine.ts']));
  });

  // Goal: a consumer of the engine installs the engine and nothing else. Method: the manifest.
  test('has no runtime dependency', () => {
    expect(manifest.dependencies).toBeUndefined();
  });
});

// Goal: each row of the table can go red. Method: a file with one bad line a room, and the sentence it must earn.
describe('refuses', () => {
  test.each([
    ['src/core/flush.ts', `import { readFile } from 'node:fs';`, 'imports node:fs, which src/core'],
    ['src/core/flush.ts', `import type { Stats } from 'node:fs';`, 'imports node:fs, which src/core'],
    ['src/core/flush.ts', `import { match } from 'ts-pattern';`, 'imports ts-pattern, which src/core'],
    ['src/core/flush.ts', `import { create } from '../platform/linux.ts';`, 'imports ../platform/linux.ts, which'],
    ['src/core/flush.ts', `export * from '../store.ts';`, 'imports ../store.ts, which'],
    ['src/core/flush.ts', `const later = await import(where);`, `imports ${COMPUTED}, which`],
    ['src/core/flush.ts', `type Model = import('../../model/machine.ts').Model;`, 'imports ../../model/machine.ts'],
    ['src/core/flush.ts', `const nowMs = Date.now();`, 'uses Date, which'],
    ['src/core/flush.ts', `const now = new Date();`, 'uses Date, which'],
    ['src/core/flush.ts', `const jitter = Math.random();`, 'uses Math.random, which'],
    ['src/core/flush.ts', `const { random } = Math;`, 'uses Math.random, which'],
    ['src/core/flush.ts', `setTimeout(() => retry(), 1000);`, 'uses setTimeout, which'],
    ['src/core/flush.ts', `setInterval(tick, 1);`, 'uses setInterval, which'],
    ['src/core/flush.ts', `const t = performance.now();`, 'uses performance, which'],
    ['src/core/flush.ts', `if (process.env.DEBUG) flush();`, 'uses process, which'],
    ['src/core/flush.ts', `const bytes = Buffer.alloc(8) as Uint8Array;`, 'uses Buffer, which'],
    ['src/core/flush.ts', `console.log('here');`, 'uses console, which'],
    ['src/core/flush.ts', `const self = globalThis;`, 'uses globalThis, which'],
    ['src/core/flush.ts', `const options = { crypto };`, 'uses crypto, which'],
    ['src/core/flush.ts', `const here = import.meta.url;`, 'uses import.meta, which'],
    ['src/platform/wiced.ts', `import 'node:crypto';`, 'imports node:crypto, which src/platform/wiced.ts'],
    [
      'src/platform/linux.ts',
      `import { Engine } from '../core/engine.ts';`,
      'imports ../core/engine.ts, which src/platform',
    ],
    ['src/platform/linux.ts', `import pc from 'picocolors';`, 'imports picocolors, which src/platform'],
    ['src/wiced.ts', `import { linux } from './platform/linux.ts';`, 'imports ./platform/linux.ts, which src/wiced.ts'],
    ['src/store.ts', `import { run } from './cli/main.ts';`, 'imports ./cli/main.ts, which src'],
    ['src/store.ts', `import { setup } from 'xstate';`, 'imports xstate, which src'],
    ['src/migration/map.ts', `import { run } from '../cli/main.ts';`, 'imports ../cli/main.ts, which src/migration'],
    ['src/deploy/checks.ts', `import { run } from '../cli/main.ts';`, 'imports ../cli/main.ts, which src/deploy'],
    ['src/rollout/decide.ts', `import { run } from '../cli/main.ts';`, 'imports ../cli/main.ts, which src/rollout'],
    ['src/operator/repair.ts', `import { run } from '../cli/main.ts';`, 'imports ../cli/main.ts, which src/operator'],
    [
      'src/cli/main.ts',
      `import { explore } from '../../model/explore.ts';`,
      'imports ../../model/explore.ts, which src/cli',
    ],
    ['src/cli/main.ts', `import left from 'not-in-package-json';`, 'imports not-in-package-json, which src/cli'],
    [
      'model/machine.ts',
      `import { Engine } from '../src/core/engine.ts';`,
      'imports ../src/core/engine.ts, which model',
    ],
    [
      'model/machine.ts',
      `import type { Stats } from '../src/core/types.ts';`,
      'imports ../src/core/types.ts, which model',
    ],
    ['model/explore-cli.ts', `import '../src/index.ts';`, 'imports ../src/index.ts, which commands of model'],
    ['conformance/driver.ts', `import { test } from 'vitest';`, 'imports vitest, which conformance'],
    ['conformance/driver.ts', `import '../coverage/gate.ts';`, 'imports ../coverage/gate.ts, which conformance'],
    [
      'conformance/cli/main.ts',
      `import '../../test/tools/x.ts';`,
      'imports ../../test/tools/x.ts, which commands of conformance',
    ],
    ['conformance/museum/run.ts', `import 'commander';`, 'imports commander, which conformance/museum'],
    ['conformance/soak/run.ts', `import { Machine } from 'xstate';`, 'imports xstate, which conformance/soak'],
    [
      'conformance/visualise/page/app.tsx',
      `import '../../../test/tools/x.ts';`,
      'imports ../../../test/tools/x.ts, which conformance/visualise',
    ],
    ['coverage/gate.ts', `import '../test/tools/x.ts';`, 'imports ../test/tools/x.ts, which coverage'],
    ['bench/run.ts', `import '../test/tools/x.ts';`, 'imports ../test/tools/x.ts, which bench'],
    ['.ci/check.ts', `import '../test/tools/x.ts';`, 'imports ../test/tools/x.ts, which .ci'],
    ['test/a.test.ts', `import nothing from 'not-in-package-json';`, 'imports not-in-package-json, which test'],
    ['scripts/new.ts', ``, 'is in no room of the import table'],
  ])('in %s: %s', (path, source, sentence) => {
    expect(breaches(path, source, declared)).toEqual([expect.stringContaining(`${path} ${sentence}`)]);
  });

  // Goal: no row of the table goes untried. Method: the cases above, by room; a new room needs a case.
  test('something in every room', () => {
    const tried = [
      'src/core/',
      'src/platform/',
      'src/',
      'src/cli/',
      'src/operator/',
      'src/rollout/',
      'src/deploy/',
      'src/migration/',
      'model/',
      'conformance/',
      'conformance/visualise/',
      'conformance/soak/',
      'conformance/museum/',
      'coverage/',
      'bench/',
      '.ci/',
    ];
    for (const { name, pattern } of ROOMS) {
      const sample = [...tried, 'test/'].flatMap((folder) =>
        ['x.ts', 'wiced.ts', 'x-cli.ts'].map((file) => folder + file),
      );
      expect(
        sample.some((path) => ROOMS.find((room) => room.pattern.test(path))?.name === name),
        name,
      ).toBe(true);
      expect(
        sample.some((path) => pattern.test(path)),
        name,
      ).toBe(true);
    }
  });
});

// Goal: the scanner reports uses, not words. Method: sources in which the banned words stand where they do no harm.
describe('lets pass', () => {
  test.each([
    `// Date.now() would order by clock\nconst a = 1;`,
    `const word = 'Math.random';`,
    `const clock = port.Date;`,
    `class Pool { process(): void {} }`,
    `const options = { console: 1 };`,
    `let when: Date;`,
    `const most = Math.max(1, 2);`,
    `import { Buffer as bytes } from './bytes.ts';`,
  ])('%s', (source) => {
    expect(breaches('src/core/flush.ts', source, declared)).toEqual([]);
  });

  test('whatever a value is wrapped in: the words inside are still uses', () => {
    const { ambient } = readSource(
      `const a = (Date as unknown)!; const b = { [process]: [console] } satisfies object;`,
    );
    expect(ambient).toEqual(['Date', 'process', 'console']);
  });
});
