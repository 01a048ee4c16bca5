// Goal: losses that no longer fit in the ledger are counted once, over any number of openings.
// Method: a ledger of one range, evictions of two streams in turn under a tight quota, a power cut, and a recovery.
import { expect, test } from 'vitest';
import { appendAll, unwrap, Workbench } from './workbench.ts';

const lostIn = ({ engine }: Workbench): number => {
  const { entries, foldedRecords } = engine.ledger();
  return entries.reduce((sum, { records }) => sum + records, foldedRecords);
};

test('counts folded losses once when a power cut comes behind batches that folded some', async () => {
  let bench = await Workbench.open({ ledgerMax: 1, quotaBytes: 98_304 });
  for (let life = 0; life < 3; life++) {
    const streams = [bench.stream('host', 1), bench.stream('mgc', 2)] as const;
    for (let flush = 0; flush < 24; flush++) {
      appendAll(streams[(flush % 2) as 0 | 1], [flush, flush]);
      unwrap(await bench.engine.flush());
    }
    const { evicted } = bench.engine.stats();
    const before = lostIn(bench);
    expect(evicted).toBeGreaterThan(4);
    bench = await bench.crash();
    expect(lostIn(bench)).toBe(before);
  }
});
