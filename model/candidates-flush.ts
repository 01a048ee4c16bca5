/** The environment's choices while a flush runs: what it wrote, what gives way, that it failed. */
import type { Scope } from './scope.ts';
import type { Context, ModelEvent, Range, Segment, Source, StreamIndex } from './vocabulary.ts';
import { SOURCES, syncedMark } from './vocabulary.ts';

/** Records [from, to) of each stream as blocks and segments of the scope's sizes, in the order a flush writes them. */
export function layOut(
  context: Context,
  scope: Scope,
  spanOf: (stream: StreamIndex) => Omit<Range, 'stream'>,
): Segment[] {
  const segments: Segment[] = [];
  let number = context.lastSegment;
  for (const source of SOURCES) {
    const blocks: Range[] = [];
    for (const [stream, bounds] of context.bounds.streams.entries()) {
      if (bounds.source !== source) continue;
      const { from, to } = spanOf(stream);
      for (let at = from; at < to; at += scope.recordsPerBlock) {
        blocks.push({ stream, from: at, to: Math.min(to, at + scope.recordsPerBlock) });
      }
    }
    for (let i = 0; i < blocks.length; i += scope.blocksPerSegment) {
      segments.push({
        number: ++number,
        source,
        bytes: scope.segmentBytes,
        blocks: blocks.slice(i, i + scope.blocksPerSegment),
      });
    }
  }
  return segments;
}

const changeFirst = (segments: readonly Segment[], change: Partial<Segment>): Segment[] =>
  segments.map((segment, i) => (i === 0 ? { ...segment, ...change } : segment));

const changeBlock = (segments: readonly Segment[], old: Range, block: Range): Segment[] =>
  segments.map((segment) => ({ ...segment, blocks: segment.blocks.map((each) => (each === old ? block : each)) }));

/** Commits that must be refused, each for one reason. */
function wrongCommits(context: Context, segments: readonly Segment[], heads: readonly number[]): ModelEvent[] {
  const done = (wrong: readonly Segment[], durable = heads): ModelEvent => ({
    type: 'FLUSH_DONE',
    segments: wrong,
    heads: durable,
  });
  const wrong: ModelEvent[] = [
    done(
      segments,
      heads.map((head, i) => (i === 0 ? head + 1 : head)),
    ),
  ];
  if (context.streams.some(({ durableHead }, i) => durableHead < (context.flush?.heads[i] ?? 0))) {
    wrong.push(
      done(
        segments,
        context.streams.map(({ durableHead }) => durableHead),
      ),
    );
  }
  const [first] = segments;
  if (first === undefined) return wrong;
  const otherSource: Source = first.source === 'host' ? 'mgc' : 'host';
  wrong.push(done(changeFirst(segments, { source: otherSource })));
  wrong.push(done(changeFirst(segments, { bytes: context.bounds.segmentBytesMax + 1 })));
  if (context.lastSegment > 0)
    wrong.push(done(segments.map((segment) => ({ ...segment, number: segment.number - 1 }))));
  const blocks = segments.flatMap((segment) => segment.blocks);
  const long = blocks.find(({ from, to }) => to - from > 1);
  if (long !== undefined) wrong.push(done(changeBlock(segments, long, { ...long, from: long.from + 1 })));
  const last = blocks[blocks.length - 1] as Range;
  const appended = context.streams[last.stream]?.appended ?? 0;
  if (last.to < appended) wrong.push(done(changeBlock(segments, last, { ...last, to: last.to + 1 })));
  wrong.push(done(withoutLastBlock(segments)));
  return wrong;
}

function withoutLastBlock(segments: readonly Segment[]): Segment[] {
  const last = segments[segments.length - 1];
  if (last === undefined) return [];
  const shorter = last.blocks.length > 1 ? [{ ...last, blocks: last.blocks.slice(0, -1) }] : [];
  return [...segments.slice(0, -1), ...shorter];
}

export function flushCandidates(context: Context, scope: Scope): ModelEvent[] {
  const { streams, flush } = context;
  const segments = layOut(context, scope, (stream) => {
    const of = streams[stream];
    return { from: of === undefined ? 0 : syncedMark(of), to: flush?.targets[stream] ?? 0 };
  });
  const heads = streams.map(({ head }) => head);
  const [oldest, second] = context.segments;
  const events: ModelEvent[] = [{ type: 'FLUSH_DONE', segments, heads }, ...wrongCommits(context, segments, heads)];
  events.push({ type: 'FLUSH_FAILED' });
  const needBytes = segments.length * scope.segmentBytes;
  if (oldest !== undefined) events.push({ type: 'EVICT', segment: oldest.number, needBytes });
  if (second !== undefined) events.push({ type: 'EVICT', segment: second.number, needBytes });
  return events;
}
