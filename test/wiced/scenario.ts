/**
 * What the wiced store is put through, in QuickJS and in Node alike: TypeScript on one side, a module in a bare engine
 * on the other. It answers with plain data, and judges nothing: the test does.
 */
import { openWicedStore } from '../../src/wiced.ts';

export interface Report {
  /** Names of the host that this engine can see; a bare one sees none. */
  readonly hostNames: readonly string[];
  readonly codes: readonly string[];
  /** Records of the 100 streams as they were read back, in order of the streams. */
  readonly readBack: readonly (readonly (readonly [sequence: number, timeMs: number, value: number])[])[];
  readonly usedAfterAcknowledge: number;
  readonly retainedAfterAcknowledge: number;
  /** One stream written far beyond the pool. */
  readonly overflow: {
    readonly refused: number;
    readonly evicted: number;
    readonly ledgered: number;
    readonly retained: readonly number[];
    readonly sectorsUsedMax: number;
    readonly sectors: number;
  };
  /** The first to be evicted when all streams share the full pool. */
  readonly firstVictims: readonly number[];
  readonly epoch: number;
  readonly storeId: string;
}

const STREAMS = 100;
const OVERFLOW_RECORDS = 5_000;
const START_MS = 1_700_000_000_000;

const HOST_NAMES = [
  ...['process', 'require', 'module', 'console', 'performance', 'crypto', 'fetch', 'navigator', 'std', 'os'],
  ...['setTimeout', 'setInterval', 'queueMicrotask', 'TextEncoder', 'Buffer', 'structuredClone', 'URL'],
];

const sensorOf = (i: number): number => 0x1000 + i;
const kindOf = (i: number) => (i % 2 === 0 ? ({ kind: 'tsd', periodMs: 1_000 } as const) : ({ kind: 'evt' } as const));
const sourceOf = (i: number) =>
  (['host', 'mgc', 'can_controller'] as const)[i % 3] as 'host' | 'mgc' | 'can_controller';

export async function run(): Promise<Report> {
  let nowMs = START_MS;
  const clock = (): number => nowMs;
  const open = async () => {
    const opened = await openWicedStore({ clock, storeId: Uint8Array.from({ length: 16 }, (_, i) => i) });
    if (!opened.ok) throw new Error(opened.failure.message);
    return opened.value;
  };
  const store = await open();
  const streams = Array.from({ length: STREAMS }, (_, i) => {
    const made = store.stream({ source: sourceOf(i), sensor: sensorOf(i) }, kindOf(i));
    if (!made.ok) throw new Error(made.failure.message);
    return made.value;
  });
  const codes: string[] = [];
  const oneTooMany = store.stream({ source: 'host', sensor: 1 }, { kind: 'evt' });
  codes.push(oneTooMany.ok ? 'ok' : oneTooMany.failure.code);

  for (const [i, stream] of streams.entries()) stream.append(i * 1_000_003, nowMs + i);
  const readBack = [];
  for (const stream of streams) {
    const batch = await stream.read(10);
    if (!batch.ok) throw new Error(batch.failure.message);
    readBack.push(
      [...batch.value].map(({ sequence, timeMs, value }) => [sequence, timeMs, value] as [number, number, number]),
    );
    const acknowledged = stream.acknowledge(batch.value);
    if (!acknowledged.ok) throw new Error(acknowledged.failure.message);
  }
  const beyond = streams[0]?.acknowledge(1);
  codes.push(beyond?.ok === false ? beyond.failure.code : 'ok');
  const usedAfterAcknowledge = store.inspect().pool.used;
  const retainedAfterAcknowledge = store.stats().retained;

  // Two streams take turns, so that the sectors of the pool have different owners in order of age.
  let refused = 0;
  let sectorsUsedMax = 0;
  for (let i = 0; i < OVERFLOW_RECORDS; i++) {
    nowMs += 1_000;
    for (const stream of [streams[0], streams[1]]) if ((stream?.append(i) ?? -1) < 0) refused++;
    sectorsUsedMax = Math.max(sectorsUsedMax, store.stats().poolUsedSectors);
  }
  const kept = await streams[0]?.read(OVERFLOW_RECORDS);
  const stats = store.stats();
  const ledger = store.ledger();
  const ledgered = ledger.entries.reduce((sum, { records }) => sum + records, 0) + ledger.foldedRecords;
  const overflow = {
    refused,
    evicted: stats.evicted,
    ledgered,
    retained: kept?.ok === true ? [...kept.value].map(({ value }) => value) : [],
    sectorsUsedMax,
    sectors: store.inspect().pool.sectors,
  };

  return {
    hostNames: HOST_NAMES.filter((name) => name in globalThis),
    codes,
    readBack,
    usedAfterAcknowledge,
    retainedAfterAcknowledge,
    overflow,
    firstVictims: await firstVictims(open),
    epoch: store.epoch,
    storeId: store.storeId,
  };
}

/** Every stream has one sector; then the pool is filled by one of them until others lose theirs. */
async function firstVictims(open: () => Promise<Opened>): Promise<number[]> {
  const victims: number[] = [];
  const store = await open();
  store.onEvent = (event) => {
    if (event.type === 'sectorEvicted') victims.push(event.key.sensor);
  };
  const streams = Array.from({ length: STREAMS }, (_, i) => {
    const made = store.stream({ source: sourceOf(i), sensor: sensorOf(i) }, { kind: 'evt' });
    if (!made.ok) throw new Error(made.failure.message);
    return made.value;
  });
  for (const stream of streams) stream.append(1);
  const last = streams[STREAMS - 1];
  while (victims.length < 5) last?.append(2);
  return victims;
}

type Opened = Extract<Awaited<ReturnType<typeof openWicedStore>>, { ok: true }>['value'];
