/**
 * The crash matrix: what is enumerated, what the oracle refuses, that a small part of the matrix passes, and that bugs
 * which only a crash shows are found by it alone.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Account, Found } from '../../conformance/crash/oracle.ts';
import { judgeFound, judgeRepeated } from '../../conformance/crash/oracle.ts';
import { residuesOf } from '../../conformance/crash/residues.ts';
import { QUICK, runCrash } from '../../conformance/crash/run.ts';
import { CrashSite, imageKey } from '../../conformance/crash/site.ts';
import { crashTrace, TRACES_WRITTEN } from '../../conformance/crash/traces.ts';
import { StoreRun } from '../../conformance/driver.ts';
import { newCoverage } from '../../conformance/model-run.ts';
import { plantingOf } from '../../conformance/museum/exhibit.ts';
import { EXHIBITS } from '../../conformance/museum/run.ts';
import { visit } from '../../conformance/museum/visit.ts';
import { SimulatedDisk } from '../../conformance/simulated-disk.ts';
import { VirtualClock } from '../../conformance/virtual-clock.ts';

const ROOT = join(import.meta.dirname, '../..');
const SEED = 7;

/** A disk with two files of `bytes` bytes each, written and not synced. */
async function unsynced(bytes: number): Promise<CrashSite> {
  const disk = new SimulatedDisk(new VirtualClock());
  await disk.write('host', 'a', 0, new Uint8Array(bytes).fill(1));
  await disk.write('mgc', 'b', 0, new Uint8Array(bytes).fill(2));
  return new CrashSite(disk);
}

const images = (site: CrashSite): Map<string, string[]> => {
  const seen = new Map<string, string[]>();
  for (const { of, choice } of residuesOf(site.units, SEED)) {
    const key = imageKey(site.leaves(choice, new VirtualClock()));
    seen.set(key, [...(seen.get(key) ?? []), of]);
  }
  return seen;
};

describe('what a crash may leave', () => {
  // Goal: nothing is left out while it can be enumerated. Method: two files of one piece each are two names, two pieces and
  // two lengths; each file is absent, empty, zeros or whole.
  it('is every subset of a few units', async () => {
    expect(images(await unsynced(100)).size).toBe(4 * 4);
  });

  // Goal: a write is torn at each of its boundaries. Method: two files of 20 pieces; prefixes of the pieces of one.
  it('tears a write at each 512-byte boundary', async () => {
    const site = await unsynced(20 * 512);
    const torn = [...residuesOf(site.units, SEED)].filter(({ of }) => of === 'torn');
    expect(torn).toHaveLength(2 * 19);
    const lengths = torn.map(({ choice }) => {
      const files = site.leaves(choice, new VirtualClock()).files();
      return files.map(({ content }) => content.length).join('+');
    });
    expect(lengths.slice(0, 3)).toEqual(['512', '1024', '1536']);
    expect(lengths.at(-1)).toBe(`${20 * 512}+${19 * 512}`);
  });

  // Goal: a crash that is tried changes nothing. Method: the same site left twice, and the disk goes on in between.
  it('leaves the same disk each time, whatever happens to the one before', async () => {
    const site = await unsynced(700);
    const choice = { kind: 'kill', underWay: 'done' } as const;
    const first = site.leaves(choice, new VirtualClock());
    const before = imageKey(first);
    await first.write('host', 'a', 0, new Uint8Array(9).fill(7));
    expect(imageKey(first)).not.toBe(before);
    expect(imageKey(site.leaves(choice, new VirtualClock()))).toBe(before);
  });
});

describe('the oracle', () => {
  const record = (sequence: number, change = {}) => ({
    sequence,
    epoch: 1,
    valueBits: 100 + sequence,
    timeMs: 1_000 * sequence,
    ...change,
  });
  const records = [2, 3, 4, 5, 6, 7].map((sequence) => record(sequence));
  const account: Account = {
    storeId: 'id',
    epoch: 1,
    opensCutOff: 0,
    streams: [
      {
        name: 'host/1',
        records,
        appendedMin: 5,
        appendedMax: 8,
        headMin: 2,
        headMax: 4,
        evictingTo: null,
        evicted: 1,
        alsoEvicted: 0,
        spoiled: [],
      },
    ],
  };
  const ledger = [{ from: 0, to: 1, records: 1, reason: 'evicted' }];
  const stream = { head: 3, read: 3, appended: 6, records: records.slice(1, 4), losses: ledger };
  const found = (change: object = {}, store: object = {}): Found => ({
    storeId: 'id',
    epoch: 2,
    streams: [{ ...stream, ...change }],
    ...store,
  });

  // Goal: section 7 is a set: all of it is allowed. Method: each pair of marks in it, with the records between them.
  it('allows every head between the durable one and the last, with every end between synced and appended', () => {
    for (let head = 2; head <= 4; head++) {
      for (let appended = 5; appended <= 8; appended++) {
        const given = records.filter(({ sequence }) => sequence >= head && sequence < appended);
        expect(judgeFound(account, found({ head, read: head, appended, records: given }))).toBeNull();
      }
    }
  });

  // Goal: less than the set and more than it are both failures, each with its invariant. Method: one thing wrong at a time.
  it.each([
    ['a synced record is gone', { appended: 4, records: [record(3)] }, 'INV-15'],
    ['a record more than was appended', { appended: 9, records: [...records.slice(1), record(8)] }, 'INV-16'],
    ['a value is altered', { records: [record(3), record(4, { valueBits: 1 }), record(5)] }, 'INV-16'],
    ['a time is altered', { records: [record(3, { timeMs: 1 }), record(4), record(5)] }, 'INV-16'],
    ['two records are swapped', { records: [record(4), record(3), record(5)] }, 'INV-16'],
    ['an identity is another epoch’s', { records: [record(3, { epoch: 2 }), record(4), record(5)] }, 'INV-16'],
    ['a record is missing in between', { records: [record(3), record(5)] }, 'INV-15'],
    ['a record comes twice', { records: [record(3), record(3), record(4), record(5)] }, 'INV-03'],
    ['the head is beyond what was acknowledged', { head: 5, read: 5, records: [record(5)] }, 'INV-12'],
    [
      'the head is behind what was durable',
      { head: 1, read: 1, records: [record(1), ...records.slice(0, 4)] },
      'INV-15',
    ],
    ['something is pending', { read: 4 }, 'INV-13'],
    ['an eviction is forgotten', { losses: [] }, 'INV-22'],
    ['an eviction is made up', { losses: [{ from: 0, to: 2, records: 2, reason: 'evicted' }] }, 'INV-22'],
    ['sound records are called damaged', { losses: [{ ...ledger[0], reason: 'damaged' }] }, 'INV-19'],
  ])('refuses a store in which %s', (_, change, breaks) => {
    expect(judgeFound(account, found(change))?.breaks).toBe(breaks);
  });

  // Goal: an identity is never given twice. Method: the same epoch again, one too many, another store.
  it.each([{ epoch: 1 }, { epoch: 3 }, { storeId: 'other' }, { streams: [] }])('refuses %j', (store) => {
    expect(judgeFound(account, found({}, store))).not.toBeNull();
    expect(judgeFound({ ...account, opensCutOff: 1 }, found({}, { epoch: 3 }))).toBeNull();
  });

  // Goal: an eviction that power cut short may be done or not, and is in the ledger when it is. Method: both, and a lie.
  it('allows an eviction that was under way, with its records in the ledger', () => {
    const evicting: Account = {
      ...account,
      streams: [{ ...(account.streams[0] as Account['streams'][0]), evictingTo: 6 }],
    };
    const gone = { head: 6, read: 6, appended: 6, records: [] };
    const losses = [{ from: 0, to: 6, records: 5, reason: 'evicted' }];
    expect(judgeFound(evicting, found({ ...gone, losses }))).toBeNull();
    expect(judgeFound(evicting, found())).toBeNull();
    expect(judgeFound(evicting, found(gone))?.breaks).toBe('INV-12');
  });

  // Goal: what the run itself spoiled may be lost, and is in the ledger then; nothing else may. Method: a stream of which one
  // record was spoiled, with that record given, ledgered, both, neither, and more than it ledgered.
  it('allows spoiled records to be lost, into the ledger', () => {
    const spoiled: Account = {
      ...account,
      streams: [{ ...(account.streams[0] as Account['streams'][0]), spoiled: [{ from: 4, to: 5 }] }],
    };
    const damaged = (from: number, to: number) => [...ledger, { from, to, records: to - from, reason: 'damaged' }];
    const without = [record(3), record(5)];
    const judge = (change: object) => judgeFound(spoiled, found(change))?.breaks ?? null;
    expect(judge({})).toBeNull();
    expect(judge({ records: without, losses: damaged(4, 5) })).toBeNull();
    expect(judge({ losses: damaged(4, 5) })).toBe('INV-03');
    expect(judge({ records: without })).toBe('INV-15');
    expect(judge({ records: [record(3)], losses: damaged(4, 6) })).toBe('INV-19');
    // A mark stands behind what is lost.
    const behind = { head: 5, read: 5, records: [record(5)] };
    expect(judge({ ...behind, losses: damaged(4, 5) })).toBeNull();
    expect(judge(behind)).toBe('INV-12');
  });

  // Goal: a recovery that was cut off ends where one that was not does (INV-18). Method: the same, a later epoch, and each
  // difference that the set of section 7 would let pass.
  it('refuses a second recovery that gives anything else', () => {
    const repeated = (change: object = {}) => judgeRepeated(['host/1'], found(), found(change, { epoch: 3 }));
    expect(repeated()).toBeNull();
    expect(repeated({ appended: 5, records: records.slice(1, 3) })?.breaks).toBe('INV-18');
    expect(repeated({ head: 2, read: 2, records: records.slice(0, 4) })?.breaks).toBe('INV-18');
    expect(repeated({ losses: [] })?.breaks).toBe('INV-18');
  });
});

/** What a written run does, step by step, in words. */
async function deedsOf(index: number): Promise<Set<string>> {
  const { scenario, actions } = await crashTrace(SEED, index);
  const run = new StoreRun(scenario, newCoverage());
  const deeds = new Set<string>([`durableAcknowledge ${scenario.durableAcknowledge}`]);
  const logs = new Set<string>();
  run.watcher = {
    asked: () => {},
    ended: ({ kind, name, directory }, code) => {
      const recovering = run.model.lifecycle === 'recovering';
      if (kind === 'rename') deeds.add('a segment is set aside');
      if (kind === 'write' && directory !== '' && recovering) deeds.add('recovery salvages');
      if (kind === 'write' && directory === '' && !logs.has(name)) {
        if (!recovering) deeds.add('a generation of the log begins while the store is open');
        logs.add(name);
      }
      if (code !== null) deeds.add(`${kind} fails`);
    },
  };
  for (const action of actions) {
    deeds.add(action.do);
    await run.take(action);
    for (const { type } of run.observed) deeds.add(type);
  }
  return deeds;
}

describe('the written runs', () => {
  // Goal: what a crash may fall into is there whatever the seed. Method: all written runs, watched at the disk and at the model.
  it('between them do everything that a store does to its disk', async () => {
    const deeds = new Set<string>();
    for (let index = 0; index < TRACES_WRITTEN; index++) for (const deed of await deedsOf(index)) deeds.add(deed);
    for (const deed of [
      ...['OPEN', 'RECOVERED', 'FLUSH_DONE', 'FLUSH_FAILED', 'RETRY_DUE', 'CHECKPOINT', 'EVICT', 'REMOVE_SEGMENT'],
      ...['CLOSED', 'CRASH', 'damage', 'discard', 'emergencyFlush', 'durableAcknowledge true'],
      ...['a segment is set aside', 'recovery salvages', 'a generation of the log begins while the store is open'],
      ...['write fails', 'sync fails'],
    ])
      expect(deeds, deed).toContain(deed);
  });
});

describe('the matrix', () => {
  // Goal: every image of a part of the matrix recovers as the contract says, with a crash in recovery too, and a seed is a
  // run. Method: the quick form with one job and with two.
  it('recovers from every image of its quick form, the same with one job and with two', async () => {
    const run = (jobs: number) => runCrash({ ...QUICK, draws: 3, oneIn: 7, seed: SEED, jobs, command: '' });
    const [one, two] = [await run(1), await run(2)];
    expect(one.outcome.failure).toBeNull();
    const { images: found = 0, doubleCrashes = 0 } = one.outcome.evidence.figures;
    expect(found).toBeGreaterThan(500);
    expect(doubleCrashes).toBeGreaterThan(50);
    expect(one.outcome.evidence.cells.length).toBeGreaterThan(30);
    expect(two.outcome.evidence.traceHash).toBe(one.outcome.evidence.traceHash);
    expect([...two.counts]).toEqual([...one.counts]);
  });

  // Goal: the matrix can fail. Method: bugs that only a crash shows, in copies of the engine, with no other mode to help.
  it.each(['K2', 'K3', 'K11'])(
    'finds %s by itself',
    async (id) => {
      const exhibit = EXHIBITS.find((each) => each.id === id);
      if (exhibit === undefined) throw new Error(`no exhibit ${id}`);
      const caught = await visit(ROOT, plantingOf(ROOT, exhibit), {
        seed: SEED,
        runs: 1,
        everyMode: false,
        only: ['crash'],
      });
      expect(caught.modes).toEqual(['crash']);
      expect(caught.caughtBy).not.toBeNull();
    },
    300_000,
  );
});
