/**
 * Damage of every part of every file, as part of every test run in its quick form, and the proof that the mode can fail.
 */
import { describe, expect, it } from 'vitest';
import { casesOf } from '../../conformance/damage-matrix/cases.ts';
import { layOut, ofStore } from '../../conformance/damage-matrix/layout.ts';
import { Oracle } from '../../conformance/damage-matrix/oracle.ts';
import { QUICK_ONE_IN, runDamage } from '../../conformance/damage-matrix/run.ts';
import { build, STORES } from '../../conformance/damage-matrix/stores.ts';
import type { Written } from '../../conformance/damage-matrix/written.ts';
import { writtenOf } from '../../conformance/damage-matrix/written.ts';
import { runActions } from '../../conformance/execute.ts';
import { SimulatedDisk } from '../../conformance/simulated-disk.ts';
import { VirtualClock } from '../../conformance/virtual-clock.ts';
import { runWith } from './planted-copy.ts';

const SEED = Number(process.env.CONFORMANCE_SEED ?? 7);
const LONG_MS = 200_000;

const aStore = async () => {
  const [recipe] = STORES;
  if (recipe === undefined) throw new Error('there are stores');
  const run = await build(recipe);
  return { recipe, disk: run.disk as SimulatedDisk, written: writtenOf(run) };
};

describe('damage', () => {
  // Goal: no wrong record, no refusal, nothing sound lost, everything lost in the ledger. Method: a share of all cases.
  it(
    'costs what it hits and nothing else, wherever it is',
    async () => {
      const { outcome, rows } = await runDamage({ seed: SEED, oneIn: QUICK_ONE_IN, command: 'test' });
      console.log(`damage seed ${SEED}: ${outcome.evidence.steps} cases`);
      expect(outcome.failure?.message).toBeUndefined();
      expect(rows.reduce((sum, { costly }) => sum + costly, 0)).toBeGreaterThan(100);
      expect(new Set(rows.map(({ where }) => where)).size).toBeGreaterThanOrEqual(12);
    },
    LONG_MS,
  );

  // Goal: the layout is that of the bytes, not of the engine. Method: regions without gap or overlap; a copy of another store's reads back.
  it('is put where docs/format.md says that something is', async () => {
    const { disk, written } = await aStore();
    for (const file of written.files) {
      let at = 0;
      for (const { from, to } of file.regions) {
        expect(from).toBe(at);
        at = to;
      }
      expect(at).toBe(file.bytes);
    }
    const resealed = disk.files().map((file, i) => {
      const layout = written.files[i];
      if (layout === undefined) throw new Error('every file of this store is laid out');
      return { ...file, content: ofStore(layout, file.content, new Uint8Array(16).fill(9)) };
    });
    expect(layOut(resealed, new Set()).map(({ blocks }) => blocks)).toEqual(written.files.map(({ blocks }) => blocks));
  });

  // Goal: the oracle says no. Method: tell it that other records were written, that more was retained, that a sound file was expected to be refused.
  it('is judged by what was written', async () => {
    const { disk, written } = await aStore();
    const judge = async (change: (stream: Written['streams'][number]) => Written['streams'][number]) => {
      const clock = new VirtualClock();
      const copy = SimulatedDisk.restore(clock, disk.snapshot());
      const told = { ...written, streams: written.streams.map((stream, i) => (i === 0 ? change(stream) : stream)) };
      return (await new Oracle(told, copy, clock).judge({ spoils: [], expected: 'opens', whileOpen: false })).finding;
    };
    expect(await judge((stream) => stream)).toBeNull();
    expect(await judge((stream) => ({ ...stream, retained: [...stream.retained, 99] }))).toMatch(/lost record 99/);
    const wrong = (stream: Written['streams'][number]) =>
      new Map([...stream.records].map(([sequence, record]) => [sequence, { ...record, valueBits: 1 }] as const));
    expect(await judge((stream) => ({ ...stream, records: wrong(stream) }))).toMatch(/gives a wrong record/);
    const clock = new VirtualClock();
    const refused = { spoils: [], expected: 'UNSUPPORTED_FORMAT', whileOpen: false } as const;
    const { finding } = await new Oracle(written, SimulatedDisk.restore(clock, disk.snapshot()), clock).judge(refused);
    expect(finding).toMatch(/not refused with UNSUPPORTED_FORMAT/);
  });

  // Goal: a case is a trace. Method: take one of each kind as the last step of the store's own trace.
  it('is a step of a trace, which can be replayed', async () => {
    const { recipe, disk, written } = await aStore();
    const kinds = new Set<string>();
    for (const { kind, spoils, expected, whileOpen } of casesOf({ layouts: written.files, files: disk.files() })) {
      if (kinds.has(kind)) continue;
      kinds.add(kind);
      const actions = [...recipe.actions, { do: 'spoil', spoils, expected, whileOpen } as const];
      const outcome = await runActions(recipe.scenario, actions);
      expect(outcome.failure, kind).toBeNull();
      expect(outcome.actions.at(-1)?.do).toBe('spoil');
    }
    expect(kinds.size).toBeGreaterThanOrEqual(20);
  });

  // Goal: the mode can fail. Method: bugs in a copy of the engine.
  it.each([
    [
      'a checksum of a block is not verified',
      {
        file: 'src/core/segment.ts',
        search:
          '  if (crc32(bytes, offset, end, (seed ^ offset) >>> 0, native) !== readU32(bytes, end)) return null;\n',
        replace: '',
      },
    ],
    [
      'a stray name leads the numbers of segments astray',
      {
        file: 'src/core/recovery-evidence.ts',
        search: '    for (const { file } of found) if (file < near)',
        replace: '    for (const { file } of found) if (near > 0)',
      },
    ],
  ])(
    'is seen to be wrong when %s',
    async (_, bug) => {
      const { failures, failure } = await runWith(bug, ['--damage', '--quick', '--seed', '7']);
      console.log(`caught: ${failure?.message} (${failure?.steps} steps)`);
      expect(failures).toBe(1);
      expect(failure?.breaks).toBe('INV-19');
    },
    LONG_MS,
  );
});
