/**
 * The places where payloads go wrong, by name: how full the pool is, edges of blocks, segments and sequence numbers,
 * times that jump, values of unusual bit patterns. Each is counted when a run reaches it, so that a figure says so.
 */
import type { Context, ModelEvent, Segment, StreamBounds } from '../model/vocabulary.ts';
import type { ValueType } from '../src/core/types.ts';
import type { Profile } from './actions.ts';

/** Every class there is, in the order in which it is shown. */
export const BOUNDARIES = [
  'pool just below 80 %',
  'pool at 79 %',
  'pool at 80 %',
  'pool at 100 %',
  'append to a full pool',
  'block split at 4,096 bytes',
  'segments split at 65,536 bytes',
  'sequence across 2^16',
  'sequence across 2^32',
  'block across 2^16',
  'block across 2^32',
  'read across 2^16',
  'read across 2^32',
  'time 0',
  'time 2^48 - 1',
  'time equal',
  'time back',
  'time back by a day',
  'times 2^40 ms apart',
  'tsd half a period early',
  'tsd half a period late',
  'tsd just over half a period early',
  'tsd just over half a period late',
  'value 0',
  'value all ones',
  'value one bit set',
  'value one bit clear',
  'int32 least and most',
  'float32 -0',
  'float32 infinite',
  'float32 subnormal',
  'float32 quiet NaN with payload',
  'float32 signalling NaN',
] as const;
export type Boundary = (typeof BOUNDARIES)[number];

const NEEDS_DISK = /block|segment|sequence|read across/;

/** What a profile can reach: without a disk there are no blocks, and a stream cannot begin high. */
export const boundariesOf = (profiles: readonly Profile[]): readonly Boundary[] =>
  profiles.includes('linux') ? BOUNDARIES : BOUNDARIES.filter((name) => !NEEDS_DISK.test(name));

const DAY_MS = 86_400_000;
const TIME_MAX = 2 ** 48 - 1;

const isPowerOfTwo = (bits: number): boolean => bits !== 0 && (bits & (bits - 1)) === 0;

function* ofValue(bits: number, type: ValueType): Generator<Boundary> {
  if (bits === 0) yield 'value 0';
  if (bits === 0xffff_ffff) yield 'value all ones';
  if (isPowerOfTwo(bits | 0)) yield 'value one bit set';
  if (isPowerOfTwo(~bits)) yield 'value one bit clear';
  if (type === 'int32' && (bits === 0x8000_0000 || bits === 0x7fff_ffff)) yield 'int32 least and most';
  if (type !== 'float32') return;
  const [exponent, mantissa] = [bits & 0x7f80_0000, bits & 0x7f_ffff];
  if (bits === 0x8000_0000) yield 'float32 -0';
  if (exponent === 0 && mantissa !== 0) yield 'float32 subnormal';
  if (exponent !== 0x7f80_0000) return;
  if (mantissa === 0) yield 'float32 infinite';
  else if ((mantissa & 0x40_0000) === 0) yield 'float32 signalling NaN';
  else if (mantissa !== 0x40_0000) yield 'float32 quiet NaN with payload';
}

function* ofTime(timeMs: number, lastMs: number | null, { kind, periodMs }: StreamBounds): Generator<Boundary> {
  if (timeMs === 0) yield 'time 0';
  if (timeMs === TIME_MAX) yield 'time 2^48 - 1';
  if (lastMs === null) return;
  if (timeMs === lastMs) yield 'time equal';
  if (timeMs < lastMs) yield 'time back';
  if (lastMs - timeMs === DAY_MS) yield 'time back by a day';
  if (Math.abs(timeMs - lastMs) >= 2 ** 40) yield 'times 2^40 ms apart';
  if (kind !== 'tsd') return;
  const off = 2 * (timeMs - lastMs - periodMs);
  const over = periodMs % 2 === 0 ? 2 : 1;
  if (off === -periodMs) yield 'tsd half a period early';
  if (off === periodMs) yield 'tsd half a period late';
  if (off === -periodMs - over) yield 'tsd just over half a period early';
  if (off === periodMs + over) yield 'tsd just over half a period late';
}

function* ofPool({ bounds, free }: Context): Generator<Boundary> {
  const used = bounds.sectors - free;
  if (used + 1 === bounds.flushAtSectors) yield 'pool just below 80 %';
  if (used * 100 === bounds.sectors * 79) yield 'pool at 79 %';
  if (used * 100 === bounds.sectors * 80) yield 'pool at 80 %';
  if (free === 0) yield 'pool at 100 %';
}

const EDGES = [
  [2 ** 16, '2^16'],
  [2 ** 32, '2^32'],
] as const;

function* ofAppend(
  { stream, valueBits, timeMs }: Extract<ModelEvent, { type: 'APPEND' }>,
  before: Context,
  after: Context,
  type: ValueType,
): Generator<Boundary> {
  if (before.free === 0) yield 'append to a full pool';
  const [old, now] = [before.streams[stream], after.streams[stream]];
  if (old === undefined || now === undefined || now.appended === old.appended) return;
  yield* ofValue(valueBits, type);
  const lastMs = old.lastTimeMs ?? old.records.at(-1)?.timeMs ?? null;
  yield* ofTime(timeMs, lastMs, before.bounds.streams[stream] as StreamBounds);
  if (now.sectors.length !== old.sectors.length) yield* ofPool(after);
  for (const [edge, name] of EDGES) if (old.appended === edge) yield `sequence across ${name}`;
}

function* ofSegments(segments: readonly Segment[], { streams }: Context['bounds']): Generator<Boundary> {
  for (const [at, { blocks, source }] of segments.entries()) {
    // Only of evt: a tsd stream begins a block for a jump in time too.
    const isSplit = blocks.some(({ stream, from }, i) => {
      const previous = blocks[i - 1];
      return streams[stream]?.kind === 'evt' && previous?.stream === stream && previous.to === from;
    });
    if (isSplit) yield 'block split at 4,096 bytes';
    const next = segments[at + 1];
    if (next?.source === source) yield 'segments split at 65,536 bytes';
    for (const [edge, name] of EDGES)
      if (blocks.some(({ from, to }) => from < edge && to > edge)) yield `block across ${name}`;
  }
}

/** The classes that a step of the model reaches. @param type of the stream that the event names. */
export function* boundariesReached(
  event: ModelEvent,
  before: Context,
  after: Context,
  type: ValueType,
): Generator<Boundary> {
  if (event.type === 'APPEND') yield* ofAppend(event, before, after, type);
  else if (event.type === 'FLUSH_DONE') yield* ofSegments(event.segments, after.bounds);
  else if (event.type === 'READ') {
    const [from, to] = [before.streams[event.stream]?.read ?? 0, after.streams[event.stream]?.read ?? 0];
    for (const [edge, name] of EDGES) if (from < edge && to > edge) yield `read across ${name}`;
  }
}
