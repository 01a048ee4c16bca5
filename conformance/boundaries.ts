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

/** Takes note of a class. Called rather than given back: most steps reach none, and there are millions. */
type Note = (boundary: Boundary) => void;

const DAY_MS = 86_400_000;
const TIME_MAX = 2 ** 48 - 1;

const isPowerOfTwo = (bits: number): boolean => bits !== 0 && (bits & (bits - 1)) === 0;

function ofValue(bits: number, type: ValueType, note: Note): void {
  if (bits === 0) note('value 0');
  if (bits === 0xffff_ffff) note('value all ones');
  if (isPowerOfTwo(bits | 0)) note('value one bit set');
  if (isPowerOfTwo(~bits)) note('value one bit clear');
  if (type === 'int32' && (bits === 0x8000_0000 || bits === 0x7fff_ffff)) note('int32 least and most');
  if (type !== 'float32') return;
  const [exponent, mantissa] = [bits & 0x7f80_0000, bits & 0x7f_ffff];
  if (bits === 0x8000_0000) note('float32 -0');
  if (exponent === 0 && mantissa !== 0) note('float32 subnormal');
  if (exponent !== 0x7f80_0000) return;
  if (mantissa === 0) note('float32 infinite');
  else if ((mantissa & 0x40_0000) === 0) note('float32 signalling NaN');
  else if (mantissa !== 0x40_0000) note('float32 quiet NaN with payload');
}

function ofTime(timeMs: number, lastMs: number | null, { kind, periodMs }: StreamBounds, note: Note): void {
  if (timeMs === 0) note('time 0');
  if (timeMs === TIME_MAX) note('time 2^48 - 1');
  if (lastMs === null) return;
  if (timeMs === lastMs) note('time equal');
  if (timeMs < lastMs) note('time back');
  if (lastMs - timeMs === DAY_MS) note('time back by a day');
  if (Math.abs(timeMs - lastMs) >= 2 ** 40) note('times 2^40 ms apart');
  if (kind !== 'tsd') return;
  const off = 2 * (timeMs - lastMs - periodMs);
  const over = periodMs % 2 === 0 ? 2 : 1;
  if (off === -periodMs) note('tsd half a period early');
  if (off === periodMs) note('tsd half a period late');
  if (off === -periodMs - over) note('tsd just over half a period early');
  if (off === periodMs + over) note('tsd just over half a period late');
}

function ofPool({ bounds, free }: Context, note: Note): void {
  const used = bounds.sectors - free;
  if (used + 1 === bounds.flushAtSectors) note('pool just below 80 %');
  if (used * 100 === bounds.sectors * 79) note('pool at 79 %');
  if (used * 100 === bounds.sectors * 80) note('pool at 80 %');
  if (free === 0) note('pool at 100 %');
}

const EDGES = [
  [2 ** 16, '2^16'],
  [2 ** 32, '2^32'],
] as const;

function ofAppend(
  { stream, valueBits, timeMs }: Extract<ModelEvent, { type: 'APPEND' }>,
  before: Context,
  after: Context,
  type: ValueType,
  note: Note,
): void {
  if (before.free === 0) note('append to a full pool');
  const [old, now] = [before.streams[stream], after.streams[stream]];
  if (old === undefined || now === undefined || now.appended === old.appended) return;
  ofValue(valueBits, type, note);
  const lastMs = old.lastTimeMs ?? old.records.at(-1)?.timeMs ?? null;
  ofTime(timeMs, lastMs, before.bounds.streams[stream] as StreamBounds, note);
  if (now.sectors.length !== old.sectors.length) ofPool(after, note);
  for (const [edge, name] of EDGES) if (old.appended === edge) note(`sequence across ${name}`);
}

function ofSegments(segments: readonly Segment[], { streams }: Context['bounds'], note: Note): void {
  for (const [at, { blocks, source }] of segments.entries()) {
    // Only of evt: a tsd stream begins a block for a jump in time too.
    const isSplit = blocks.some(({ stream, from }, i) => {
      const previous = blocks[i - 1];
      return streams[stream]?.kind === 'evt' && previous?.stream === stream && previous.to === from;
    });
    if (isSplit) note('block split at 4,096 bytes');
    const next = segments[at + 1];
    if (next?.source === source) note('segments split at 65,536 bytes');
    for (const [edge, name] of EDGES)
      if (blocks.some(({ from, to }) => from < edge && to > edge)) note(`block across ${name}`);
  }
}

/** Names the classes that a step of the model reaches. @param type of the stream that the event names. */
export function boundariesReached(
  event: ModelEvent,
  before: Context,
  after: Context,
  type: ValueType,
  note: Note,
): void {
  if (event.type === 'APPEND') ofAppend(event, before, after, type, note);
  else if (event.type === 'FLUSH_DONE') ofSegments(event.segments, after.bounds, note);
  else if (event.type === 'READ') {
    const [from, to] = [before.streams[event.stream]?.read ?? 0, after.streams[event.stream]?.read ?? 0];
    for (const [edge, name] of EDGES) if (from < edge && to > edge) note(`read across ${name}`);
  }
}
