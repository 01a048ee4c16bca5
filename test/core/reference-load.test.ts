/**
 * The figures that docs/design.md states for the reference load are what the engine does.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { referenceLoad } from '../tools/reference-load.ts';

// Goal: less than one flush an hour online, the documented figure offline, and documents that are true. Method: run the load, compare with the table in docs/design.md, line by line.
it('flushes as often, and writes as much, as docs/design.md says', async () => {
  const figures = await referenceLoad();
  expect(figures.onlineFlushesPerHour).toBeLessThan(1);
  expect(figures.offlineFlushesPerHour).toBeLessThan(1);
  expect(figures.drained).toBeGreaterThanOrEqual(figures.offlineRecords);
  const text = readFileSync(fileURLToPath(new URL('../../docs/design.md', import.meta.url)), 'utf8');
  const documented = [...text.matchAll(/^\| `(\w+)` \| ([\d.,]+) \|/gm)].map(([, name, value]) => [
    name,
    Number((value as string).replaceAll(',', '')),
  ]);
  expect(documented.length).toBeGreaterThan(8);
  for (const [name, value] of documented) {
    const measured = figures[name as keyof typeof figures];
    // A byte more or less in the log is no news.
    expect(Math.abs(measured - (value as number)), `${name}: ${measured}`).toBeLessThanOrEqual(0.02 * measured);
  }
  expect(documented.map(([name]) => name)).toEqual(Object.keys(figures));
});
