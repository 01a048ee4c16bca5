// Goal: checkStore finds what a store of somebody's own does wrong, says it so that its author can read it, and finds
// nothing in a store that is right. Method: the project's own store and a small one that is right; then the small one
// broken in one method at a time, with the invariant that must be named and the most steps that its trace may have.
import { describe, expect, test } from 'vitest';
import type { StoreManifest, StoreMarks, StoreUnderTest, StreamSpec } from '../../../conformance/index.ts';
import { ConformanceError, checkStore } from '../../../conformance/index.ts';
import { ownStore } from '../../../conformance/others/own-store.ts';
import { SmallStore } from './small-store.ts';

const quiet = (): void => {};
const OPTIONS = { seed: 7, runs: 30, steps: 40, log: quiet };

type MakeStore = (streams: readonly StreamSpec[]) => StoreUnderTest;

async function failureOf(makeStore: MakeStore, manifest: Partial<StoreManifest> = {}): Promise<ConformanceError> {
  try {
    await checkStore(makeStore, { name: 'small', durable: true, ...manifest }, OPTIONS);
  } catch (thrown) {
    if (thrown instanceof ConformanceError) return thrown;
    throw thrown;
  }
  throw new Error('checkStore found nothing');
}

/** Steps of the shortest trace. */
const stepsOf = ({ failure }: ConformanceError): number => failure?.told.length ?? 0;

describe('a store that keeps its promises passes', () => {
  test.each(['disk', 'ram'] as const)("the project's own, in %s", async (where) => {
    const manifest: StoreManifest = { durable: where === 'disk', kinds: ['evt', 'tsd'], capacityRecords: 200 };
    const { runs, steps, coverage } = await checkStore((streams) => ownStore(streams, where), manifest, OPTIONS);
    expect(runs).toBe(30);
    expect(steps).toBeGreaterThan(500);
    expect([...coverage.witnesses.keys()]).toEqual(
      expect.arrayContaining(['INV-03', 'INV-12', 'INV-13', 'INV-17', 'INV-18']),
    );
  });

  test('a small one, that shows neither marks nor identities', async () => {
    const lines: string[] = [];
    const report = await checkStore(
      (streams) => new SmallStore(streams),
      { name: 'small', durable: true },
      { ...OPTIONS, log: (line) => lines.push(line) },
    );
    expect(lines).toEqual([
      expect.stringMatching(/^checkStore: small, seed 7, 30 runs, \d+ steps in .* s, no failure$/),
    ]);
    const again = await checkStore((streams) => new SmallStore(streams), { durable: true }, OPTIONS);
    expect(again.traceHash).toBe(report.traceHash);
  });

  // Goal: what a store does not have is not asked for. Method: one that can only append, read and acknowledge.
  test('a tiny one, with three operations', async () => {
    const tiny: MakeStore = (streams) => {
      const store = new SmallStore(streams);
      return {
        append: store.append.bind(store),
        read: store.read.bind(store),
        acknowledge: store.acknowledge.bind(store),
      };
    };
    expect((await checkStore(tiny, { durable: false, streamsMax: 1 }, OPTIONS)).steps).toBeGreaterThan(100);
  });

  // Goal: an operation that is there only by name is passed over. Method: a discard that says UNSUPPORTED.
  test('one that says UNSUPPORTED', async () => {
    class WithoutDiscard extends SmallStore {
      override discard() {
        return { refused: 'UNSUPPORTED' } as const;
      }
    }
    await checkStore((streams) => new WithoutDiscard(streams), { durable: true }, OPTIONS);
  });

  // Goal: a small store may be full. Method: it refuses once six records are not durable; then it promises seven.
  test('one that is full sometimes', async () => {
    class Six extends SmallStore {
      override append(stream: number, bits: number, timeMs: number) {
        const kept = this.lines.map(
          ({ records, head }, i) => records.length - Math.max(head, this.durable[i]?.records.length ?? 0),
        );
        if (kept.reduce((sum, each) => sum + each, 0) >= 6)
          throw Object.assign(new Error('full'), { code: 'RAM_FULL' });
        return super.append(stream, bits, timeMs);
      }
    }
    await checkStore((streams) => new Six(streams), { durable: true, capacityRecords: 6 }, OPTIONS);
    const early = await failureOf((streams) => new Six(streams), { capacityRecords: 7 });
    expect(early).toMatchObject({
      breaks: 'INV-07',
      message: expect.stringContaining('6 records are not durable yet, and it must take 7'),
    });
  });
});

describe('a broken store', () => {
  const broken: [string, string, number, MakeStore][] = [
    [
      'whose revert leaves the cursor',
      'INV-13',
      4,
      (streams) => Object.assign(new SmallStore(streams), { revert: quiet }),
    ],
    [
      'whose acknowledge takes all that is pending',
      'INV-12',
      6,
      (streams) =>
        new (class extends SmallStore {
          override acknowledge(stream: number, n: number) {
            const line = this.line(stream);
            const answer = super.acknowledge(stream, n);
            if (answer === undefined) line.head = line.read;
            return answer;
          }
        })(streams),
    ],
    [
      'whose read moves the head',
      // From outside this is a revert that gives nothing back.
      'INV-13',
      4,
      (streams) =>
        new (class extends SmallStore {
          override read(stream: number, max: number) {
            const batch = super.read(stream, max);
            this.line(stream).head = this.line(stream).read;
            return batch;
          }
        })(streams),
    ],
    [
      'whose second read begins at what is pending',
      'INV-03',
      4,
      (streams) =>
        new (class extends SmallStore {
          override read(stream: number, max: number) {
            super.revert(stream);
            return super.read(stream, max);
          }
        })(streams),
    ],
    ['whose flush saves nothing', 'INV-15', 4, (streams) => Object.assign(new SmallStore(streams), { flush: quiet })],
    [
      'whose recovery forgets what was acknowledged',
      'INV-15',
      6,
      (streams) =>
        new (class extends SmallStore {
          override recover() {
            super.recover();
            for (const line of this.lines) Object.assign(line, { head: 0, read: 0 });
          }
        })(streams),
    ],
    [
      'whose recovery takes a torn record for one',
      'INV-16',
      4,
      (streams) =>
        new (class extends SmallStore {
          override crash() {
            const torn = this.lines.map(({ records }, i) => records.slice(this.durable[i]?.records.length)[0]);
            torn.forEach((record, i) => {
              if (record !== undefined)
                this.durable[i]?.records.push({ ...record, bits: (record.bits & 0xffff) + 0x1_0000 });
            });
          }
        })(streams),
    ],
    [
      'whose recovery leaves out a record',
      'INV-16',
      8,
      (streams) =>
        new (class extends SmallStore {
          override recover() {
            super.recover();
            for (const { records, head } of this.lines) if (records.length - head > 2) records.splice(head + 1, 1);
          }
        })(streams),
    ],
    [
      'whose flush refuses',
      'INV-09',
      1,
      (streams) => Object.assign(new SmallStore(streams), { flush: () => ({ refused: 'IO_FAILED' }) }),
    ],
    [
      'whose recovery refuses',
      'INV-18',
      2,
      (streams) => Object.assign(new SmallStore(streams), { recover: () => ({ refused: 'IO_FAILED' }) }),
    ],
    [
      'that throws',
      'thrown',
      1,
      (streams) => Object.assign(new SmallStore(streams), { append: () => JSON.parse('{') }),
    ],
    [
      'that answers a text for records',
      'answer',
      1,
      (streams) => Object.assign(new SmallStore(streams), { read: () => 'none' }),
    ],
  ];
  test.each(broken)('%s breaks %s', async (_, breaks, stepsMax, makeStore) => {
    const found = await failureOf(makeStore);
    expect(found.message.split('\n')[0]).toContain(`checkStore: small breaks ${breaks}`);
    expect(found.breaks).toBe(breaks);
    expect(stepsOf(found), found.message).toBeLessThanOrEqual(stepsMax);
    expect(found.message).toContain('<< here');
    // What the model says of its own guards is no sentence for the author of a store.
    expect(found.message).not.toContain('the model refuses');
  });

  // Goal: marks are held against the model at every step. Method: a head that runs ahead in what inspect says alone.
  test('whose marks are wrong breaks the mark that is', async () => {
    class Marked extends SmallStore {
      inspect(): StoreMarks {
        return {
          streams: this.lines.map(({ head, read, records }) => ({
            head: read,
            read: Math.max(head, read),
            appended: records.length,
          })),
        };
      }
    }
    const found = await failureOf((streams) => new Marked(streams));
    expect(found).toMatchObject({ breaks: 'INV-12', message: expect.stringContaining('head is 1, the model has 0') });
  });

  // Goal: no identity twice. Method: sequence numbers that begin again after a crash, in the same epoch.
  test('that gives an identity twice breaks INV-17', async () => {
    class SameEpoch extends SmallStore {
      override append(stream: number, bits: number, timeMs: number) {
        const sequence = this.line(stream).records.length;
        this.line(stream).records.push({ bits, timeMs, sequence, epoch: 1 });
        return sequence;
      }
    }
    const found = await failureOf((streams) => new SameEpoch(streams));
    expect(found).toMatchObject({
      breaks: 'INV-17',
      message: expect.stringContaining('is the identity of two records'),
    });
  });

  // Goal: a store that hangs does not hang the test. Method: a flush that never answers.
  test('that never answers is given up', async () => {
    const hanging: MakeStore = (streams) =>
      Object.assign(new SmallStore(streams), { flush: () => new Promise(() => {}) });
    await expect(checkStore(hanging, { durable: true }, { ...OPTIONS, timeoutMs: 20 })).rejects.toThrow(
      'flush gave no answer within 20 ms',
    );
  });
});

// Goal: the trace is what its reader needs. Method: all of it, for one failure.
test('tells a failure step by step', async () => {
  const found = await failureOf((streams) => Object.assign(new SmallStore(streams), { revert: quiet }), {
    streamsMax: 1,
  });
  expect(found.message.split('\n')).toEqual([
    'checkStore: small breaks INV-13 (revert: afterwards nothing is pending and the next read repeats it)',
    expect.stringMatching(
      /^ {2}stream 0 \(\w+\/\d+\): place 0 of the read is nothing more, the model has 0:0x000000\w\w at \d+ \(a read after a revert repeats what was pending\)$/,
    ),
    '',
    expect.stringMatching(/^ {2}found in run \d+, shrunk to 4 steps; again with \{ seed: 7 \}$/),
    expect.stringMatching(/^ {2}stream 0 is \w+\/\d+, evt, \w+$/),
    expect.stringMatching(/^ {2}step {2}action +the store answered$/),
    expect.stringMatching(/^ {5}1 {2}append stream 0 bits 0x000000\w\w at \d+ ms {2}ok$/),
    expect.stringMatching(/^ {5}2 {2}read stream 0 up to 1 +1 \(0x000000\w\w at \d+\)$/),
    expect.stringMatching(/^ {5}3 {2}revert stream 0 +ok$/),
    expect.stringMatching(/^ {5}4 {2}read stream 0 up to 1 +nothing {3}<< here$/),
  ]);
});

describe('what makes no sense is refused in one line', () => {
  const small: MakeStore = (streams) => new SmallStore(streams);
  test.each([
    ['a manifest without durable', small, {}, {}, 'manifest.durable: say true or false'],
    [
      'an operation that the store has not',
      small,
      { durable: true, supports: ['inspect'] },
      {},
      'manifest.supports names inspect, but the store has no inspect',
    ],
    [
      'a store that is none',
      (() => ({})) as unknown as MakeStore,
      { durable: true },
      {},
      'append: a store must have this operation',
    ],
    [
      'no function',
      undefined as unknown as MakeStore,
      { durable: true },
      {},
      'makeStore: a function that makes a store',
    ],
    [
      'a kind that there is not',
      small,
      { durable: true, kinds: ['event'] },
      {},
      'manifest.kinds names event: it is none of tsd, evt',
    ],
    ['no kind', small, { durable: true, kinds: [] }, {}, 'manifest.kinds is empty: give evt, tsd or both'],
    [
      'a kind that is no list',
      small,
      { durable: true, kinds: 'evt' },
      {},
      'manifest.kinds is no list: give some of tsd',
    ],
    [
      'an operation that there is not',
      small,
      { durable: true, supports: ['fly'] },
      {},
      'manifest.supports names fly: it is none of revert, discard, flush, crash, inspect',
    ],
    ['no stream', small, { durable: true, streamsMax: 0 }, {}, 'manifest.streamsMax is 0: give a whole number from 1'],
    ['no capacity', small, { durable: true, capacityRecords: 0 }, {}, 'manifest.capacityRecords is 0: give a whole'],
    ['a seed that is no number', small, { durable: true }, { seed: 0.5 }, 'seed is 0.5: give a whole number from 0'],
    ['no steps', small, { durable: true }, { steps: 0 }, 'steps is 0: give a whole number from 1'],
  ])('%s', async (_, makeStore, manifest, options, message) => {
    await expect(checkStore(makeStore, manifest as StoreManifest, { log: quiet, ...options })).rejects.toThrow(message);
  });
});
