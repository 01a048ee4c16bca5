/**
 * Verify, dump and repair on stores that are damaged by chance: the quick form of `npm run conformance -- --verify`, and the
 * proof that its oracle says no.
 */
import { describe, expect, it } from 'vitest';
import { build } from '../../conformance/damage-matrix/stores.ts';
import { writtenOf } from '../../conformance/damage-matrix/written.ts';
import type { Damage } from '../../conformance/operator-damage/damages.ts';
import { applyDamages } from '../../conformance/operator-damage/damages.ts';
import { writeFiles } from '../../conformance/operator-damage/directory.ts';
import type { Case } from '../../conformance/operator-damage/judge.ts';
import { judge } from '../../conformance/operator-damage/judge.ts';
import { isNamed } from '../../conformance/operator-damage/named.ts';
import { recipeOf } from '../../conformance/operator-damage/recipes.ts';
import { runVerify } from '../../conformance/operator-damage/run.ts';
import { Random } from '../../conformance/random.ts';
import { withPlace } from '../../src/operator/read-only-store.ts';
import { verify } from '../../src/operator/verify/verify.ts';
import { temporaryDirectory } from '../platform/temporary.ts';

const SEED = Number(process.env.CONFORMANCE_SEED ?? 7);
const STORES = 16;

describe('stores damaged by chance', () => {
  // Goal: no crash, every sound record kept, every damage named, on stores of every kind. Method: the mode, with few stores.
  it('are named, planned, repaired and kept', async () => {
    const result = await runVerify({ seed: SEED, count: STORES });
    console.log(
      `operator damage seed ${SEED}: ${result.stores} stores, ${result.damages} damages, ${result.named} named`,
    );
    expect(result.failures).toEqual([]);
    expect(result.named).toBe(result.damages);
    expect(result.kept).toBeGreaterThan(500);
    expect(result.lost).toBeGreaterThan(50);
    expect(result.rows.length).toBeGreaterThan(8);
  }, 60_000);

  // Goal: a store is its seed and its number. Method: twice, and one of them by itself.
  it('are the same again from the same seed', async () => {
    const [first, second] = [await runVerify({ seed: 3, count: 2 }), await runVerify({ seed: 3, count: 2 })];
    expect(second).toEqual(first);
    expect((await runVerify({ seed: 3, count: 2, only: 1 })).damages).toBeLessThan(first.damages);
  });
});

describe('the oracle', () => {
  const aCase = async (): Promise<Case & { readonly damage: Damage }> => {
    const run = await build(recipeOf(new Random(11)));
    const files = run.disk?.files() ?? [];
    const written = writtenOf(run);
    const layout = written.files.find(({ blocks }) => blocks.length > 0);
    const block = layout?.blocks[0];
    if (layout === undefined || block === undefined) throw new Error('this store has blocks');
    const { directory: where, name } = layout;
    const damage: Damage = { kind: 'test', spoil: { directory: where, name, how: 'flip', bit: 8 * (block.to - 6) } };
    const directory = temporaryDirectory();
    await writeFiles(directory, applyDamages(files, [damage]));
    return { directory, written, damages: [damage], live: new Set([`${where}/${name}`]), damage };
  };

  // Goal: silence, a wrong place and a wrong name are seen. Method: real findings, with one thing changed.
  it('says no to a damage that is not named, or named wrongly', async () => {
    const of = await aCase();
    const { findings } = await withPlace(of.directory, verify);
    expect(isNamed(of, of.damage, findings)).toBeNull();
    expect(isNamed(of, of.damage, [])).toMatch(/no finding covers the byte/);
    expect(
      isNamed(
        of,
        of.damage,
        findings.map((each) => ({ ...each, offset: each.offset + each.bytes })),
      ),
    ).toMatch(/no finding covers/);
    const elsewhere = findings.map((each) => ({
      ...each,
      records: each.records.map((range) => ({ ...range, sensor: 99 })),
    }));
    expect(isNamed(of, of.damage, elsewhere)).toMatch(/not said whose block/);
    expect(
      isNamed(
        of,
        of.damage,
        findings.map((each) => ({ ...each, certain: false })),
      ),
    ).toMatch(/not said whose block/);
  });

  // Goal: a record that is gone or wrong, and a sound file that is accused, are seen. Method: tell it of other records, of other damage.
  it('says no to lost records, wrong ones, and to sound files that are accused', async () => {
    const of = await aCase();
    const change = (
      edit: (stream: Case['written']['streams'][number]) => Partial<Case['written']['streams'][number]>,
    ): Case => ({
      ...of,
      written: { ...of.written, streams: of.written.streams.map((stream) => ({ ...stream, ...edit(stream) })) },
    });
    const accused = await judge({ ...of, damages: [] });
    expect(accused.findings.join()).toMatch(/is sound and called damaged/);
    const more = await judge(change(({ retained }) => ({ retained: [...retained, 99_999] })));
    expect(more.findings.join()).toMatch(/lost record 99999, whose block is sound/);
    const wrong = await judge(
      change(({ records }) => ({
        records: new Map([...records].map(([sequence, record]) => [sequence, { ...record, valueBits: 1 }])),
      })),
    );
    expect(wrong.findings.join()).toMatch(/has a wrong record/);
  });
});
