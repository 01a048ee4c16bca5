/**
 * Values appended in one call: what is there afterwards is what as many single appends would have left, in every room that
 * a pool and a clock leave them. The single ones are held against the model by every other mode.
 */
import type { Engine } from '../../src/core/engine.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { StreamOptions } from '../../src/core/types.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { given, Machine, NOW_MS, streamOf } from './machine.ts';

const END_MS = 2 ** 48;
const PERIOD_MS = 10;
const TSD: StreamOptions = { kind: 'tsd', periodMs: PERIOD_MS };
const EVT: StreamOptions = { kind: 'evt' };

interface Store {
  readonly engine: Engine;
  readonly handle: StreamHandle;
}

/** A store at a moment, in whose stream so many records are already. */
async function store(options: StreamOptions, nowMs: number, before: number, withDisk: boolean): Promise<Store> {
  const machine = new Machine(withDisk);
  machine.clock.wallMs = nowMs;
  const engine = await machine.open();
  const handle = streamOf(engine, 1, options);
  for (let i = 0; i < before; i++) handle.append(i, nowMs - (before - i) * PERIOD_MS);
  return { engine, handle };
}

/** One at a time, as the call says of itself; ends with the first that is refused. */
function oneByOne(handle: StreamHandle, values: readonly number[], nowMs: number, timesMs?: readonly number[]): number {
  const step = handle.kind === 'tsd' ? PERIOD_MS : 0;
  const refused = values.findIndex((value, i) => {
    const timeMs = timesMs === undefined ? nowMs + i * step : (timesMs[i] ?? Number.NaN);
    return handle.append(value, timeMs) < 0;
  });
  return refused < 0 ? values.length : refused;
}

/** All that can be seen of it: marks, figures, sectors, and every record that it gives. */
async function seen({ engine, handle }: Store): Promise<unknown> {
  const { appended, refusedRamFull, evicted } = engine.stats();
  const batch = given(await handle.peek(0, 10_000));
  return {
    marks: handle.marks(),
    counted: [appended, refusedRamFull, evicted],
    sectors: engine.inspect().streams.map(({ sectors }) => sectors),
    records: [...batch].map(({ sequence, timeMs, value }) => `${sequence} ${timeMs} ${value}`),
  };
}

interface Given {
  readonly name: string;
  readonly values: readonly number[];
  readonly options?: StreamOptions;
  readonly nowMs?: number;
  readonly timesMs?: readonly number[];
  /** Records that the stream has already, the last of them a period before. */
  readonly before?: number;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => 100 + i);

const SOME: readonly Given[] = [
  ...[1, 5, 6, 7, 12, 13, 30, 60].flatMap((count) =>
    [0, 1, 5, 6].map((before) => ({ name: `${count} values behind ${before}`, values: upTo(count), before })),
  ),
  { name: 'more values than the pool has room for', values: upTo(150) },
  { name: 'none', values: [] },
  ...[0, 1, 3, 5, 6, 9].map((at) => ({
    name: `a value that is none in place ${at}`,
    values: upTo(10).map((value, i) => (i === at ? -1 : value)),
  })),
  { name: 'a zero among them', values: [7, 0, 0, 9] },
  ...[0, 1, 2, 7].map((periods) => ({
    name: `${periods} periods before the end of time`,
    values: upTo(9),
    nowMs: END_MS - 1 - periods * PERIOD_MS,
  })),
  { name: 'the last of them exactly at the end of time', values: upTo(9), nowMs: END_MS - 8 * PERIOD_MS },
  { name: 'times on the grid', values: upTo(9), timesMs: upTo(9).map((_, i) => NOW_MS + i * PERIOD_MS) },
  { name: 'times off the grid', values: upTo(9), timesMs: upTo(9).map((_, i) => NOW_MS + i * 17) },
  { name: 'fewer times than values', values: upTo(9), timesMs: [NOW_MS, NOW_MS + PERIOD_MS] },
];

const alike = (each: Given, options: StreamOptions, withDisk: boolean): Case => ({
  name: `appendMany: ${options.kind}, ${withDisk ? 'with a disk' : 'in RAM'}: ${each.name}`,
  check: async () => {
    const { values, timesMs, nowMs = NOW_MS, before = 0 } = each;
    const [many, single] = [
      await store(options, nowMs, before, withDisk),
      await store(options, nowMs, before, withDisk),
    ];
    const taken = many.handle.appendMany(values, timesMs);
    const wanted = oneByOne(single.handle, values, nowMs, timesMs);
    return differs('what was taken', taken, wanted) ?? differs('the store', await seen(many), await seen(single));
  },
});

export const APPENDING_MANY: readonly Case[] = SOME.flatMap((each) =>
  [TSD, EVT].flatMap((options) => [true, false].map((withDisk) => alike(each, options, withDisk))),
);
