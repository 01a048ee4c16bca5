/**
 * The commands for operators beside the process that has the store open: they change nothing of its directory, tell what is
 * there, and the store goes on.
 */
import { describe, expect, test } from 'vitest';
import { stateOf } from '../../conformance/operator-damage/directory.ts';
import { dump } from '../../src/operator/dump.ts';
import { mustLook, withPlace } from '../../src/operator/read-only-store.ts';
import { verify } from '../../src/operator/verify/verify.ts';
import { imatrixMm } from '../cli/scratch.ts';
import { temporaryDirectory } from '../platform/temporary.ts';
import { startOwner } from './owner.ts';

describe('beside the owner of a store', () => {
  // Goal: each command is safe to run on a store at work. Method: every command while another process holds it; names, inodes, times and bytes before and after; then the owner appends and flushes.
  test('each command changes nothing, says who has the store open, and lets it go on', async () => {
    const directory = temporaryDirectory();
    const owner = await startOwner(directory);
    await owner.tell('append 500');
    await owner.tell('flush');
    await owner.tell('append 7');
    const before = await stateOf(directory);
    const runs = [['stats'], ['info'], ['verify'], ['dump'], ['ledger'], ['repair', '--dry-run'], ['repair']] as const;
    const ends = await Promise.all(runs.map(([name, ...more]) => imatrixMm([name, directory, ...more])));
    expect(await stateOf(directory)).toBe(before);
    for (const [i, end] of ends.entries()) {
      const name = runs[i]?.[0] as string;
      expect(end.code, `${name}: ${end.stderr}`).toBe(name === 'repair' ? 2 : 0);
      if (name === 'repair')
        expect(end.stderr).toMatch(/^imatrix-mm: the store is open elsewhere: pid \d+ .*close it there first\n$/);
      else if (name !== 'dump') expect(end.stdout).toContain(`pid ${owner.pid}`);
    }
    expect(ends[0]?.stdout).toMatch(/host +7 +evt +500 +500 +0 +\? +500/);
    expect(ends[0]?.stdout).toContain('RAM is not visible from here');
    expect(ends[3]?.stdout.trim().split('\n')).toHaveLength(501);
    await owner.tell('append 100');
    await owner.tell('flush');
    expect((await owner.stats()).retained).toBe(607);
  }, 60_000);

  // Goal: figures of a running store have RAM in them. Method: the owner shows its store; its own figures against the command's.
  test('stats asks a store that is shown for what is in RAM', async () => {
    const directory = temporaryDirectory();
    const owner = await startOwner(directory, 'shown');
    await owner.tell('append 300');
    await owner.tell('flush');
    await owner.tell('append 40');
    await owner.tell('read 100');
    await owner.tell('acknowledge 30');
    const { code, stdout } = await imatrixMm(['--memory-stats', '--json', directory]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      from: 'live',
      ramVisible: true,
      totals: { retained: 310, pending: 70, ram: 40, disk: 270 },
    });
    expect(report.live).toMatchObject({ atRisk: 40, retained: (await owner.stats()).retained });
  }, 60_000);

  // Goal: what is said belongs to one moment, however fast the store changes. Method: an owner that flushes, acknowledges and removes segments without pause; many looks, each of which must be whole.
  test('a store that changes all the time is looked at whole', async () => {
    const directory = temporaryDirectory();
    const owner = await startOwner(directory);
    await owner.tell('append 100');
    await owner.tell('flush');
    await owner.tell('work');
    let last = 0;
    for (let i = 0; i < 12; i++) {
      await withPlace(directory, async (found) => {
        // A small store's segments are in memory with its log; a large one's are read when they are needed, and may be gone.
        const place = i % 4 === 0 ? { ...found, prefetchBytes: 0 } : found;
        const verdict = await verify(place);
        expect(verdict.refused).toBeNull();
        expect(verdict.findings.filter(({ level }) => level === 'damage')).toEqual([]);
        expect(verdict.lost).toEqual([]);
        const sequences: number[] = [];
        for await (const { sequence } of dump(place)) sequences.push(sequence);
        expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
        const { streams } = await mustLook(place);
        expect(streams[0]?.appended).toBeGreaterThanOrEqual(last);
        last = streams[0]?.appended ?? 0;
      });
    }
    await owner.tell('append 1');
    const { appended } = await owner.stats();
    expect(appended).toBeGreaterThan(last);
    await owner.tell('close');
  }, 60_000);
});
