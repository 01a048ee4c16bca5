/**
 * The wiced store runs in a bare ECMAScript engine, in 12 KiB, metadata included. What runs is the bundle that the
 * package publishes, made by the function that the build calls.
 */
import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleWiced } from '../../.ci/build.ts';
import { runInQuickJs } from './quickjs.ts';
import type { Report } from './scenario.ts';
import { run } from './scenario.ts';

const BUDGET_BYTES = 12 * 1024;

/** As scenario.ts writes it; in the bare engine the bundle answers to that name. */
const WICED = '../../src/wiced.ts';

/** Adds up every buffer that is made, whoever makes it: the budget is counted and not believed. */
const COUNTING = `
  globalThis.buffers = [];
  const Plain = ArrayBuffer;
  globalThis.ArrayBuffer = class extends Plain {
    constructor(bytes) { super(bytes); globalThis.buffers.push(bytes); }
  };
  for (const name of ['Uint8Array', 'Uint16Array', 'Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array']) {
    const Typed = globalThis[name];
    globalThis[name] = class extends Typed {
      constructor(...given) {
        super(...given);
        if (!(given[0] instanceof Plain)) globalThis.buffers.push(this.byteLength);
      }
    };
  }`;

let bundle = '';
let scenario = '';

beforeAll(async () => {
  bundle = await bundleWiced('esm');
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'scenario.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    external: [WICED],
  });
  scenario = outputFiles[0]?.text ?? '';
});

describe('in a bare engine', () => {
  let report: Report;

  beforeAll(async () => {
    report = (await runInQuickJs('scenario', { scenario, [WICED]: bundle })) as Report;
  });

  // Goal: the engine under test has nothing of Node that could help. Method: it looks for the host's names itself.
  test('there is nothing but the language', () => {
    expect(report.hostNames).toEqual([]);
  });

  // Goal: 100 streams of both kinds are appended to, read, acknowledged. Method: each value, time and sequence again.
  test('gives back what 100 streams were given, and frees all of it when acknowledged', () => {
    const expected = Array.from({ length: 100 }, (_, i) => [[0, 1_700_000_000_000 + i, i * 1_000_003]]);
    expect(report.readBack).toEqual(expected);
    expect(report.usedAfterAcknowledge).toBe(0);
    expect(report.retainedAfterAcknowledge).toBe(0);
  });

  // Goal: refusals are codes here too. Method: the 101st stream, and an acknowledgement of nothing that is pending.
  test('refuses the 101st stream and an acknowledgement beyond what is pending', () => {
    expect(report.codes).toEqual(['TOO_MANY_STREAMS', 'BOUNDS_VIOLATION']);
  });

  // Goal: a full pool takes the new and lets the oldest go, into the ledger. Method: 10,000 records into a pool of a
  // few hundred; what is left is the newest of them, without a gap, and the ledger has the rest.
  test('evicts the oldest when full, refuses nothing, and accounts for every record', () => {
    const { refused, evicted, ledgered, retained, sectorsUsedMax, sectors } = report.overflow;
    expect(refused).toBe(0);
    expect(sectorsUsedMax).toBe(sectors);
    expect(retained.length).toBeGreaterThan(50);
    expect(retained).toEqual(Array.from({ length: retained.length }, (_, i) => 5_000 - retained.length + i));
    expect(ledgered).toBe(evicted);
    expect(evicted).toBeGreaterThan(9_000);
  });

  // Goal: oldest means oldest of the store, not of the stream that needs room. Method: one stream fills the pool.
  test('takes the sector that was opened first, whoever owns it', () => {
    expect(report.firstVictims).toEqual([0x1000, 0x1001, 0x1002, 0x1003, 0x1004]);
  });

  // Goal: the bundle is the same store as the sources. Method: the same scenario in Node, field by field.
  test('does exactly what it does in Node', async () => {
    const inNode = await run();
    expect({ ...inNode, hostNames: [] }).toEqual(report);
  });
});

// Goal: pool and metadata take 12 KiB at most (contract section 6). Method: count every buffer that loading the bundle,
// opening a store and making 100 streams allocates in the bare engine.
test(`keeps everything that holds state within ${BUDGET_BYTES} bytes`, async () => {
  const opening = `
    import { openWicedStore } from ${JSON.stringify(WICED)};
    export async function run() {
      const opened = await openWicedStore({ clock: () => 0, storeId: new Uint8Array(16) });
      globalThis.buffers.length = 0;
      const again = await openWicedStore({ clock: () => 0, storeId: new Uint8Array(16) });
      const store = again.value;
      for (let i = 0; i < 100; i++) store.stream({ source: 'host', sensor: i }, { kind: 'evt' });
      return { ok: opened.ok && again.ok, buffers: globalThis.buffers, sectors: store.inspect().pool.sectors };
    }`;
  const measured = (await runInQuickJs('opening', { opening, [WICED]: bundle }, COUNTING)) as {
    ok: boolean;
    buffers: number[];
    sectors: number;
  };
  const bytes = measured.buffers.reduce((sum, each) => sum + each, 0);
  console.log(
    `wiced: ${bytes} bytes in ${measured.buffers.length} buffers, ${measured.sectors} sectors of 32 bytes`,
    measured.buffers,
  );
  expect(measured.ok).toBe(true);
  expect(Math.max(...measured.buffers)).toBeGreaterThan(measured.sectors * 32);
  expect(bytes).toBeLessThanOrEqual(BUDGET_BYTES);
});

// Goal: the test engine is bare indeed. Method: a module that asks for Node is refused.
test('has no module of Node', async () => {
  const asking = `import fs from 'node:fs'; export const run = async () => typeof fs;`;
  await expect(runInQuickJs('asking', { asking })).rejects.toThrow(/node:fs/);
});
