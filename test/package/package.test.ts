/**
 * What is published works for someone who has nothing else: the packed tarball in an empty project.
 */
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../tools/project-files.ts';
import { type Consumer, makeConsumer, type Run, run } from './consumer.ts';

let consumer: Consumer;
let installed = '';

beforeAll(async () => {
  consumer = await makeConsumer();
  installed = join(consumer.folder, 'node_modules/imatrix-memory-manager');
});

// Without a consumer the set-up has failed, and has said so.
afterAll(() => consumer?.remove());

/** The README's example: the one fenced block that is marked as such. */
async function readmeExample(): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```ts example\n([\s\S]*?)^```$/gm)].map(([, code]) => code as string);
  expect(blocks).toHaveLength(1);
  return blocks[0] as string;
}

const COMPILER_OPTIONS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  module: 'nodenext',
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable'],
  // A consumer that checks its libraries too must find ours without a fault.
  skipLibCheck: false,
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules/@types')],
  rootDir: '.',
  outDir: 'out',
};

/** Compiles one file of the consumer under strict TypeScript. @returns the compiler's complaints, '' for none. */
async function compile(name: string, source: string): Promise<string> {
  await writeFile(join(consumer.folder, `${name}.ts`), source);
  const config = { compilerOptions: COMPILER_OPTIONS, files: [`${name}.ts`] };
  await writeFile(join(consumer.folder, `tsconfig.${name}.json`), JSON.stringify(config));
  const { stdout } = await run(consumer.folder, 'tsc', '-p', `tsconfig.${name}.json`);
  return stdout;
}

/** Imports a subpath in a process of its own. @returns the modules that were loaded for it, or how it failed. */
async function load(specifier: string): Promise<{ error: string; loaded: string[] }> {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    let error = '';
    try { await import(${JSON.stringify(specifier)}); } catch (failure) { error = failure.message; }
    console.log(JSON.stringify({ error, loaded }));`;
  const { stdout } = await run(consumer.folder, 'node', '--input-type=module', '--eval', script);
  return JSON.parse(stdout) as { error: string; loaded: string[] };
}

describe('installed in an empty project', () => {
  // Goal: nothing comes along. Method: look into the project's node_modules.
  test('it is the only package', async () => {
    const packages = (await readdir(join(consumer.folder, 'node_modules'))).filter((name) => !name.startsWith('.'));
    expect(packages).toEqual(['imatrix-memory-manager']);
  });

  // Goal: the first thing a user copies works. Method: compile it strictly, run it, look at what it prints.
  test('the README example compiles under strict TypeScript and runs', async () => {
    expect(await compile('example', await readmeExample())).toBe('');
    const { ok, stdout, stderr } = await run(consumer.folder, 'node', 'out/example.js');
    expect(stderr).toBe('');
    expect(ok).toBe(true);
    expect(stdout).toBe('60 records, the first is 800\n');
  });

  // Goal: the types are really seen. Method: a wrong source must be refused by the compiler.
  test('the compiler sees its types', async () => {
    const complaint = await compile(
      'wrong',
      `import { openStore } from 'imatrix-memory-manager';
       const store = await openStore({});
       store.stream('somewhere', 1, { kind: 'tsd', periodMs: 1000 });`,
    );
    expect(complaint).toMatch(/wrong\.ts.*'"somewhere"' is not assignable/s);
  });

  // Goal: importing the engine costs the engine. Method: every module that Node loads for it.
  test('the engine alone loads neither xstate nor fast-check, nor anything but itself and node:', async () => {
    const { error, loaded } = await load('imatrix-memory-manager');
    expect(error).toBe('');
    const foreign = loaded.filter(
      (url) => !url.startsWith('node:') && !url.includes('/imatrix-memory-manager/dist/src/'),
    );
    expect(foreign).toEqual([]);
    expect(loaded.some((url) => url.endsWith('/dist/src/core/engine.js'))).toBe(true);
  });

  // Goal: the wiced subpath is one file that needs nothing. Method: as above.
  test('the wiced subpath loads one file', async () => {
    const { error, loaded } = await load('imatrix-memory-manager/wiced');
    expect(error).toBe('');
    expect(loaded.map((url) => url.replace(/^.*\/dist\//, ''))).toEqual(['wiced.js']);
    expect(
      await compile('wiced', `import { openWicedStore } from 'imatrix-memory-manager/wiced'; void openWicedStore;`),
    ).toBe('');
  });

  // Goal: an application of the first memory manager needs this package and no other. Method: its calls, compiled and run.
  test('the old calls run from the legacy subpath', async () => {
    const application = `
      import * as mm from 'imatrix-memory-manager/legacy';
      mm.set_memory_mode(mm.MODE_RAM_PRIMARY);
      mm.set_disk_path('./legacy-storage');
      if ((await mm.memory_manager_v2_init()) !== mm.SUCCESS) throw new Error('not opened');
      mm.write_tsd_evt_unified(mm.CSD_TYPE_CAN_CONTROLLER, { sensor_id: 7, value: 0, utc_time: 1700000000 });
      const record: mm.ReadRecord = {};
      const position = { value: 0 };
      const codes = [
        mm.read_tsd_evt_ptr_unified(mm.CSD_TYPE_CAN_CONTROLLER, record, position),
        mm.atomic_erase_records(mm.CSD_TYPE_CAN_CONTROLLER, position.value),
        mm.read_tsd_evt_ptr_unified(mm.CSD_TYPE_CAN_CONTROLLER, record, position),
        await mm.memory_manager_v2_shutdown(),
      ];
      console.log(codes.join(' '), record.sensor_id, record.value, record.utc_time);`;
    expect(await compile('application', application)).toBe('');
    const { stdout, stderr } = await run(consumer.folder, 'node', 'out/application.js');
    expect({ stdout, stderr }).toEqual({ stdout: '0 0 3 0 7 0 1700000000\n', stderr: '' });
    const { loaded } = await load('imatrix-memory-manager/legacy');
    const foreign = loaded.filter(
      (url) => !url.startsWith('node:') && !url.includes('/imatrix-memory-manager/dist/src/'),
    );
    expect(foreign).toEqual([]);
  });

  // Goal: the reader of configuration files comes along inside. Method: a program that loads a file, compiled and run.
  test('a configuration file is read from the config subpath', async () => {
    await writeFile(join(consumer.folder, 'memory.ini'), '[memory_manager_v2]\ndisk_limit_mb = 64 ; MiB\n');
    const program = `
      import { loadConfiguration } from 'imatrix-memory-manager/config';
      const loaded = loadConfiguration({ file: 'memory.ini', environment: {} });
      if (!loaded.ok) throw new Error(loaded.failure.message);
      console.log(loaded.value.settings.quotaBytes, JSON.stringify(loaded.value.origins.disk_limit_mb));`;
    expect(await compile('configured', program)).toBe('');
    const { stdout, stderr } = await run(consumer.folder, 'node', 'out/configured.js');
    expect({ stdout, stderr }).toEqual({
      stdout: '67108864 {"kind":"file","file":"memory.ini","line":2}\n',
      stderr: '',
    });
  });

  // Goal: files that are not in the exports are nobody's interface. Method: ask for one.
  test('nothing but the subpaths can be imported', async () => {
    expect((await load('imatrix-memory-manager/dist/src/core/engine.js')).error).toMatch(/not defined by "exports"/);
  });

  // Goal: the command runs from its bundle. Method: as npx would start it.
  test('the command prints its version and its help', async () => {
    const version = await run(consumer.folder, join(consumer.folder, 'node_modules/.bin/imatrix-mm'), '--version');
    const { version: packed } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(version).toMatchObject({ ok: true, stderr: '' });
    expect(version.stdout).toContain(packed);
    const help = await run(consumer.folder, join(consumer.folder, 'node_modules/.bin/imatrix-mm'), '--help');
    expect(help.stdout).toMatch(/^Usage: imatrix-mm/);
  });

  // Goal: the bundle is whole, the process that it starts and kills included. Method: a recording with two power cuts.
  test('the command puts a recording through a store, power cuts included', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => `${1_700_000_000 + i * 60},${20 + (i % 7)}.5`);
    await writeFile(join(consumer.folder, 'boiler.csv'), ['time,value', ...rows].join('\n'));
    const bin = join(consumer.folder, 'node_modules/.bin/imatrix-mm');
    const args = ['replay', 'boiler.csv', '--storage', 'replayed', '--power-cut', '2', '--json'];
    const { ok, stdout, stderr } = await run(consumer.folder, bin, ...args);
    expect(ok, stderr).toBe(true);
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    expect(result).toMatchObject({ input: 300, lostSynced: 0, altered: 0, verdict: 'ok' });
    expect(result.powerCuts).toHaveLength(2);
  });

  // Goal: a subpath says which package it lacks, and works when that package is there. Method: without, then with.
  test('model, conformance and metrics need their peers and nothing else', async () => {
    expect((await load('imatrix-memory-manager/model')).error).toMatch(/xstate|ts-pattern/);
    expect((await load('imatrix-memory-manager/conformance')).error).toMatch(/xstate|fast-check|ts-pattern/);
    expect((await load('imatrix-memory-manager/metrics')).error).toMatch(/@prometheus-io\/client/);
    const bin = join(consumer.folder, 'node_modules/.bin/imatrix-mm');
    const command = [bin, 'conformance', '--seed', '1', '--runs', '60', '--jobs', '2', '--json'] as const;
    expect(await run(consumer.folder, ...command)).toEqual({
      ok: false,
      stdout: '',
      stderr:
        'imatrix-mm: conformance needs xstate, fast-check, ts-pattern, which this project does not have: ' +
        'npm install --save-dev xstate fast-check ts-pattern\n',
    });
    const { peerDependencies } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
      peerDependencies: Record<string, string>;
    };
    for (const peer of Object.keys(peerDependencies)) await consumer.addPeer(peer);
    expect((await load('imatrix-memory-manager/model')).error).toBe('');
    expect((await load('imatrix-memory-manager/conformance')).error).toBe('');
    expect((await load('imatrix-memory-manager/metrics')).error).toBe('');
    const campaign = `
      import { runCampaign } from 'imatrix-memory-manager/conformance';
      const of = { seed: 1, profiles: ['linux', 'wiced'], runs: 4, steps: Infinity, regressions: null };
      const { runs, steps, failure } = await runCampaign(of);
      console.log(JSON.stringify({ runs, worked: steps > 50, failure }));`;
    const { stdout, stderr } = await run(consumer.folder, 'node', '--input-type=module', '--eval', campaign);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ runs: 4, worked: true, failure: null });
    const started = await run(consumer.folder, ...command);
    expect(started.ok, started.stderr).toBe(true);
    const report = JSON.parse(started.stdout) as { regressions: number };
    expect(report).toMatchObject({ seed: 1, runs: 60, failures: 0 });
    expect(report.regressions).toBeGreaterThan(0);
  });
});

/** A test of the consumer's own, in the form that both runners have. */
const consumersTest = (from: string, wrong: string): string => `
  import { ${from === 'vitest' ? 'expect, ' : ''}test } from '${from}';
  import { checkPlatform } from 'imatrix-memory-manager/conformance';
  import { cutPower, dispose, makePlatform } from './memory-platform.mjs';
  test('my flash is a disk', async () => {
    const { notTried } = await checkPlatform(makePlatform('${wrong}'), { name: 'my flash', cutPower, dispose }, { seed: 1, runs: 20 });
    if (notTried.join() !== 'PORT-40') throw new Error('not tried: ' + notTried);
  });`;

describe('the conformance kit in the tests of a project that installed it', () => {
  const runners: Record<string, (file: string) => Promise<Run>> = {
    'node:test': (file) => run(consumer.folder, 'node', '--test', '--test-reporter', 'spec', file),
    vitest: (file) => run(consumer.folder, 'vitest', 'run', '--root', '.', '--reporter', 'verbose', file),
  };

  beforeAll(async () => {
    await cp(join(ROOT, 'test/package/fixtures/memory-platform.mjs'), join(consumer.folder, 'memory-platform.mjs'));
    for (const peer of ['fast-check', 'ts-pattern', 'xstate', 'vitest']) await consumer.addPeer(peer);
  });

  // Goal: whoever writes an adapter sees the kit pass it, or fail it with the law and the calls that show it. Method: an
  // adapter of a few lines, right and with two mistakes, under both runners.
  test.each(Object.keys(runners))('%s', async (runner) => {
    const go = async (wrong: string): Promise<Run> => {
      const file = `flash-${wrong}${runner === 'vitest' ? '-vitest' : ''}.test.mjs`;
      await writeFile(join(consumer.folder, file), consumersTest(runner, wrong));
      return (runners[runner] as (file: string) => Promise<Run>)(file);
    };
    const right = await go('nothing');
    expect(right.stdout + right.stderr).toMatch(
      /checkPlatform: my flash, seed 1, 34 laws \(1 not tried\), 20 runs, \d+ steps/,
    );
    expect(right.ok).toBe(true);
    for (const [wrong, ...sentences] of [
      [
        'sync',
        'my flash breaks PORT-31: sync makes content durable',
        'read of a: 0 bytes, 700 were expected',
        'power is cut',
      ],
      ['rename', 'my flash breaks PORT-17: rename replaces nothing', 'rename host/a to b', 'IO was expected'],
    ] as const) {
      const { ok, stdout, stderr } = await go(wrong);
      expect(ok).toBe(false);
      for (const sentence of sentences) expect(stdout + stderr).toContain(sentence);
    }
  });

  // Goal: the types of it are there, under the strictest compiler. Method: a store written against them.
  test('strict TypeScript', async () => {
    const source = `
      import type { StoreRecord, StoreUnderTest } from 'imatrix-memory-manager/conformance';
      import { checkStore } from 'imatrix-memory-manager/conformance';
      class Mine implements StoreUnderTest {
        readonly #records: StoreRecord[] = [];
        append(_: number, bits: number, timeMs: number): undefined { this.#records.push({ bits, timeMs }); }
        read(_: number, max: number): StoreRecord[] { return this.#records.slice(0, max); }
        acknowledge(_: number, n: number): { readonly refused: 'BOUNDS_VIOLATION' } | undefined {
          return n > this.#records.length ? { refused: 'BOUNDS_VIOLATION' } : void this.#records.splice(0, n);
        }
      }
      await checkStore(() => new Mine(), { durable: false, streamsMax: 1 }, { seed: 1, log: () => {} }).then(
        () => console.log('nothing found'),
        (failure: Error) => console.log(failure.message.split('\\n')[0]),
      );`;
    // xstate's own declarations do not stand exactOptionalPropertyTypes; ours have to.
    const complaints = (await compile('judged', source)).split('\n').filter((line) => /^\S/.test(line));
    expect(complaints.filter((line) => !line.includes('node_modules/xstate/'))).toEqual([]);
    const { stdout, stderr } = await run(consumer.folder, 'node', 'out/judged.js');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^checkStore: the store breaks INV-03 \(exact content/);
  });
});

describe('the tarball', () => {
  // Goal: only what a user needs is in it, and nothing of the machine that packed it. Method: every file of it.
  test('holds the build and the documents, and no path of this machine', async () => {
    const files = (await readdir(installed, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => relative(installed, join(entry.parentPath, entry.name)));
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'dist/cli/imatrix-mm.js', 'dist/wiced.js']),
    );
    expect(
      files.filter((file) => !/^(dist|docs)\/|^(LICENSE|README\.md|CHANGELOG\.md|package\.json)$/.test(file)),
    ).toEqual([]);
    const texts = await Promise.all(files.map((file) => readFile(join(installed, file), 'utf8')));
    expect(files.filter((_, i) => texts[i]?.includes(ROOT))).toEqual([]);
  });

  // Goal: the licences of what is bundled travel with it. Method: a package that is surely inside is named.
  test('carries the licences of the packages inside the command', async () => {
    const notice = await readFile(join(installed, 'dist/cli/THIRD-PARTY-LICENSES.txt'), 'utf8');
    expect(notice).toMatch(/^commander \d.*\(MIT\)$/m);
    expect(notice).toMatch(/Permission is hereby granted/);
  });

  // Goal: tools and bundlers read the manifest as meant. Method: publint over the packed files.
  test('passes publint', async () => {
    const tarball = await readFile(consumer.tarball);
    const { messages, pkg } = await publint({ pack: { tarball: Uint8Array.from(tarball).buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  // Goal: every subpath has the types that belong to it, for each way of resolving. Method: attw over the tarball.
  test('passes attw', async () => {
    const { ok, stdout, stderr } = await run(
      consumer.folder,
      ...(['attw', consumer.tarball, '--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii'] as const),
    );
    expect(ok ? '' : stdout + stderr).toBe('');
  });
});
