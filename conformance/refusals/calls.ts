/**
 * Calls with arguments that make no sense: each is refused with its code, and the store is as it was (contract section 4).
 */
import { refusalCode } from '../../src/core/codes.ts';
import { resolveSettings } from '../../src/core/config.ts';
import { Engine } from '../../src/core/engine.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { StreamKey, StreamOptions } from '../../src/core/types.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { StoreIds, simulatedPlatform, VirtualClock } from '../virtual-clock.ts';
import type { Case } from './case.ts';
import { differs, show } from './case.ts';

const NOW_MS = 1_700_000_000_000;

async function openStore(streamsMax = 3): Promise<Engine> {
  const clock = new VirtualClock(NOW_MS);
  const settings = resolveSettings({ poolBytes: 512, sectorBytes: 32, streamsMax, ledgerMax: 8, freeFloorBytes: 0 });
  if (!settings.ok) throw new Error(settings.failure.message);
  const opened = await Engine.open(simulatedPlatform(new SimulatedDisk(clock), clock, new StoreIds()), settings.value);
  if (!opened.ok) throw new Error(opened.failure.message);
  return opened.value;
}

/** `ok` or the code; the answer of append is a number. */
type Answer = string;

const answerOf = (result: unknown): Answer => {
  if (typeof result === 'number') return refusalCode(result) ?? 'ok';
  const { ok, failure } = result as { readonly ok: boolean; readonly failure?: { readonly code: string } };
  return ok ? 'ok' : (failure?.code ?? 'no code');
};

interface Stage {
  readonly engine: Engine;
  /** Of float32; two records, of which one is read. */
  readonly handle: StreamHandle;
}

type Call = (stage: Stage) => unknown;

/** The call is answered so; a refused one leaves marks, figures and placement as they were. */
function answered(name: string, call: Call, wanted: Answer, prepare?: (stage: Stage) => Promise<unknown>): Case {
  return {
    name: `${name}: ${wanted}`,
    check: async () => {
      const engine = await openStore();
      const made = engine.stream({ source: 'host', sensor: 1 }, { kind: 'evt', type: 'float32' });
      if (!made.ok) return made.failure.message;
      const stage = { engine, handle: made.value };
      for (let i = 0; i < 2; i++) made.value.append(i, NOW_MS);
      await made.value.read(1);
      await prepare?.(stage);
      const before = JSON.stringify([engine.inspect(), engine.stats()]);
      const answer = answerOf(await call(stage));
      if (answer !== wanted) return differs('the answer', answer, wanted);
      const after = JSON.stringify([engine.inspect(), engine.stats()]);
      return wanted === 'ok' || before === after ? null : 'it was refused and changed something';
    },
  };
}

const stream = (key: unknown, options: unknown, wanted: Answer): Case =>
  answered(
    `stream(${show(key)}, ${show(options)})`,
    ({ engine }) => engine.stream(key as StreamKey, options as StreamOptions),
    wanted,
  );

const KEY = { source: 'mgc', sensor: 5 };

const STREAMS: readonly Case[] = [
  stream(KEY, { kind: 'evt' }, 'ok'),
  stream(KEY, { kind: 'evt', periodMs: 0 }, 'ok'),
  stream(KEY, { kind: 'tsd', periodMs: 1 }, 'ok'),
  stream(KEY, { kind: 'tsd', periodMs: 2 ** 31 - 1 }, 'ok'),
  stream({ source: 'host', sensor: 0 }, { kind: 'evt' }, 'ok'),
  stream({ source: 'can_controller', sensor: 2 ** 32 - 1 }, { kind: 'evt', type: 'int32', priority: 255 }, 'ok'),
  ...['', 'HOST', 0, null].map((source) => stream({ source, sensor: 5 }, { kind: 'evt' }, 'PARAMETER_INVALID')),
  ...[-1, 2 ** 32, 0.5, '5', null].map((sensor) =>
    stream({ source: 'mgc', sensor }, { kind: 'evt' }, 'PARAMETER_INVALID'),
  ),
  ...[null, undefined, 'evt'].map((options) => stream(KEY, options, 'PARAMETER_INVALID')),
  ...['', 'TSD', null, 1].map((kind) => stream(KEY, { kind, periodMs: 1 }, 'PARAMETER_INVALID')),
  stream(KEY, { kind: 'evt', type: 'float64' }, 'PARAMETER_INVALID'),
  stream(KEY, { kind: 'evt', periodMs: 1 }, 'PARAMETER_INVALID'),
  ...[undefined, 0, -1, 0.5, 2 ** 31].map((periodMs) => stream(KEY, { kind: 'tsd', periodMs }, 'PARAMETER_INVALID')),
  ...[-1, 256, 0.5, '1'].map((priority) => stream(KEY, { kind: 'evt', priority }, 'PARAMETER_INVALID')),
  stream({ source: 'host', sensor: 1 }, { kind: 'evt', type: 'float32' }, 'ok'),
  stream({ source: 'host', sensor: 1 }, { kind: 'evt' }, 'KIND_MISMATCH'),
  stream({ source: 'host', sensor: 1 }, { kind: 'evt', type: 'int32' }, 'KIND_MISMATCH'),
  stream({ source: 'host', sensor: 1 }, { kind: 'tsd', type: 'float32', periodMs: 1 }, 'KIND_MISMATCH'),
  {
    name: 'another period of a tsd stream: KIND_MISMATCH',
    check: async () => {
      const engine = await openStore();
      engine.stream(KEY as StreamKey, { kind: 'tsd', periodMs: 10 });
      return differs(
        'the answer',
        answerOf(engine.stream(KEY as StreamKey, { kind: 'tsd', periodMs: 11 })),
        'KIND_MISMATCH',
      );
    },
  },
  {
    name: 'a priority can be changed, and left as it is',
    check: async () => {
      const engine = await openStore();
      const priority = (): number | undefined => engine.inspect().streams[0]?.priority;
      engine.stream(KEY as StreamKey, { kind: 'evt', priority: 7 });
      engine.stream(KEY as StreamKey, { kind: 'evt' });
      const kept = priority();
      engine.stream(KEY as StreamKey, { kind: 'evt', priority: 9 });
      return differs('the priority', [kept, priority()], [7, 9]);
    },
  },
  {
    name: 'one stream more than streamsMax: TOO_MANY_STREAMS',
    check: async () => {
      const engine = await openStore(2);
      const answers = [1, 2, 3, 1].map((sensor) => answerOf(engine.stream({ source: 'mgc', sensor }, { kind: 'evt' })));
      return differs('the answers', answers, ['ok', 'ok', 'TOO_MANY_STREAMS', 'ok']);
    },
  },
];

const append = (value: unknown, timeMs: unknown, wanted: Answer): Case =>
  answered(
    `append(${show(value)}, ${show(timeMs)})`,
    ({ handle }) => handle.append(value as number, timeMs as number),
    wanted,
  );

const appendBits = (bits: unknown, wanted: Answer): Case =>
  answered(`appendBits(${String(bits)})`, ({ handle }) => handle.appendBits(bits as number, 1), wanted);

const COUNTS: readonly unknown[] = [-1, 0.5, Number.NaN, 2 ** 53, '1', null];

const counted = (name: string, call: (handle: StreamHandle, n: number) => unknown): Case[] =>
  COUNTS.map((n) => answered(`${name}(${String(n)})`, ({ handle }) => call(handle, n as number), 'PARAMETER_INVALID'));

/** Values of a stream of this type, each with the answer. */
const values = (type: 'uint32' | 'int32', cases: readonly (readonly [number, Answer])[]): Case[] =>
  cases.map(([value, wanted]) => ({
    name: `append of ${value} to ${type}: ${wanted}`,
    check: async () => {
      const made = (await openStore()).stream(KEY as StreamKey, { kind: 'evt', type });
      return made.ok ? differs('the answer', answerOf(made.value.append(value, 1)), wanted) : made.failure.message;
    },
  }));

const INVALID = 'PARAMETER_INVALID';

const RECORDS: readonly Case[] = [
  append(1, 0, 'ok'),
  append(Number.NaN, 1, 'ok'),
  append(-0, 2 ** 48 - 1, 'ok'),
  append(Number.POSITIVE_INFINITY, undefined, 'ok'),
  append(3.4028234663852886e38, 1, 'ok'),
  append(3.5e38, 1, INVALID),
  append('1', 1, INVALID),
  ...[-1, 2 ** 48, 0.5, Number.NaN, '1'].map((timeMs) => append(1, timeMs, INVALID)),
  ...[-1, 2 ** 32, 0.5, Number.NaN].map((bits) => appendBits(bits, INVALID)),
  appendBits(2 ** 32 - 1, 'ok'),
  ...values('uint32', [
    [0, 'ok'],
    [2 ** 32 - 1, 'ok'],
    [2 ** 32, INVALID],
    [-1, INVALID],
    [0.5, INVALID],
  ]),
  ...values('int32', [
    [-(2 ** 31), 'ok'],
    [2 ** 31 - 1, 'ok'],
    [2 ** 31, INVALID],
    [-(2 ** 31) - 1, INVALID],
    [0.5, INVALID],
  ]),
  ...counted('read', (handle, n) => handle.read(n)),
  ...counted('peek at 0 of', (handle, n) => handle.peek(0, n)),
  ...counted('peek of 1 at', (handle, n) => handle.peek(n, 1)),
  ...counted('peekNow at 0 of', (handle, n) => handle.peekNow(0, n)),
  ...counted('peekNow of 1 at', (handle, n) => handle.peekNow(n, 1)),
  ...counted('acknowledge', (handle, n) => handle.acknowledge(n)),
  ...counted('discard', (handle, n) => handle.discard(n)),
  answered('read(0)', ({ handle }) => handle.read(0), 'ok'),
  answered('acknowledge of one more than pending', ({ handle }) => handle.acknowledge(2), 'BOUNDS_VIOLATION'),
  answered('discard of one more than retained', ({ handle }) => handle.discard(3), 'BOUNDS_VIOLATION'),
  answered(
    'acknowledge of a batch of another stream',
    async ({ engine, handle }) => {
      const other = engine.stream({ source: 'host', sensor: 2 }, { kind: 'evt' });
      const batch = await handle.peek(0, 1);
      return other.ok && batch.ok ? other.value.acknowledge(batch.value) : other;
    },
    INVALID,
    async ({ engine }) => engine.stream({ source: 'host', sensor: 2 }, { kind: 'evt' }),
  ),
  ...[-1, Number.NaN].map((ms) =>
    answered(`emergencyFlush(${ms})`, ({ engine }) => engine.emergencyFlush(ms), INVALID),
  ),
  ...[-1, Number.NaN].map((ms) => answered(`close(${ms})`, ({ engine }) => engine.close(ms), INVALID)),
];

/** Everything but reading figures, on a store that is closed. */
const CLOSED_CALLS: readonly (readonly [string, Call])[] = [
  ['stream', ({ engine }) => engine.stream(KEY as StreamKey, { kind: 'evt' })],
  ['flush', ({ engine }) => engine.flush()],
  ['checkpoint', ({ engine }) => engine.checkpoint()],
  ['emergencyFlush', ({ engine }) => engine.emergencyFlush(1)],
  ['ready', ({ engine }) => engine.ready()],
  ['close', ({ engine }) => engine.close()],
  ['append', ({ handle }) => handle.append(1)],
  ['appendBits', ({ handle }) => handle.appendBits(1)],
  ['read', ({ handle }) => handle.read(1)],
  ['peek', ({ handle }) => handle.peek(0, 1)],
  ['peekNow', ({ handle }) => handle.peekNow(0, 1)],
  ['acknowledge', ({ handle }) => handle.acknowledge(1)],
  ['revert', ({ handle }) => handle.revert()],
  ['discard', ({ handle }) => handle.discard(1)],
];

const CLOSED: readonly Case[] = [
  ...CLOSED_CALLS.map(([name, call]) =>
    answered(`${name} on a closed store`, call, 'CLOSED', ({ engine }) => engine.close()),
  ),
  {
    name: 'appendMany and markRead on a closed store take nothing',
    check: async () => {
      const engine = await openStore();
      const made = engine.stream(KEY as StreamKey, { kind: 'evt' });
      if (!made.ok) return made.failure.message;
      made.value.append(1);
      await engine.close();
      return differs('what was taken', [made.value.appendMany([1, 2]), made.value.markRead(0)], [0, false]);
    },
  },
];

export const CALLS: readonly Case[] = [...STREAMS, ...RECORDS, ...CLOSED];
