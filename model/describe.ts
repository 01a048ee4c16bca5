/** Events as a reader of a trace wants them: one line, the words of the contract, no JSON. */
import { match } from 'ts-pattern';
import type { Bounds, ModelEvent, Range, Segment, StreamIndex } from './vocabulary.ts';

const streamName = ({ streams }: Bounds, stream: StreamIndex): string => {
  const { source, kind } = streams[stream] ?? { source: '?', kind: '?' };
  return `stream ${stream} (${source}, ${kind})`;
};

const rangeText = ({ stream, from, to }: Range): string => `stream ${stream} [${from}, ${to})`;

const segmentText = ({ number, source, bytes, blocks }: Segment): string =>
  `segment ${number} in ${source} (weight ${bytes}): ${blocks.map(rangeText).join(' ')}`;

const listText = (items: readonly string[], none: string): string => (items.length === 0 ? none : items.join('; '));

export const describeEvent = (event: ModelEvent, bounds: Bounds): string =>
  match(event)
    .with({ type: 'OPEN' }, () => 'open')
    .with({ type: 'RECOVERED' }, ({ storeId, epoch, streams, damaged, segments }) => {
      const marks = streams.map(({ head, appended }, i) => `stream ${i} [${head}, ${appended})`).join(' ');
      const holes = damaged.length === 0 ? '' : `, damaged ${damaged.map(rangeText).join(' ')}`;
      const files = listText(segments.map(segmentText), 'no segments');
      return `recovered as store ${storeId} epoch ${epoch}: ${marks}${holes}; ${files}`;
    })
    .with({ type: 'RECOVERY_CRASHED' }, () => 'crash inside recovery')
    .with({ type: 'OPEN_FAILED' }, () => 'open fails')
    .with({ type: 'APPEND' }, ({ stream, valueBits, timeMs }) => {
      return `append to ${streamName(bounds, stream)}: ${valueBits} at ${timeMs} ms`;
    })
    .with({ type: 'READ' }, ({ stream, max }) => `read ${max} of stream ${stream}`)
    .with({ type: 'READ_OLDEST' }, ({ max }) => `read the oldest ${max} of the store`)
    .with({ type: 'ACKNOWLEDGE' }, ({ stream, n }) => `acknowledge ${n} of stream ${stream}`)
    .with({ type: 'REVERT' }, ({ stream }) => `revert stream ${stream}`)
    .with({ type: 'DISCARD' }, ({ stream, n }) => `discard ${n} of stream ${stream}`)
    .with({ type: 'FLUSH' }, () => 'flush is called')
    .with({ type: 'FLUSH_STARTED' }, ({ emergency }) => (emergency ? 'emergency flush starts' : 'flush starts'))
    .with({ type: 'EVICT' }, ({ segment, needBytes }) => `segment ${segment} is evicted for a weight of ${needBytes}`)
    .with({ type: 'FLUSH_DONE' }, ({ segments, heads }) => {
      return `flush done, durable heads ${heads.join(' ')}; ${listText(segments.map(segmentText), 'nothing to write')}`;
    })
    .with({ type: 'FLUSH_FAILED' }, () => 'flush fails')
    .with({ type: 'RETRY_DUE' }, () => 'the retry is due')
    .with({ type: 'CHECKPOINT' }, ({ heads }) => `checkpoint, durable heads ${heads.join(' ')}`)
    .with({ type: 'REMOVE_SEGMENT' }, ({ segment }) => `segment ${segment} is removed`)
    .with({ type: 'DAMAGE' }, (range) => `damage found: ${rangeText(range)}`)
    .with({ type: 'CLOSE' }, () => 'close')
    .with({ type: 'CLOSED' }, ({ unsaved, checkpointed }) => {
      return `closed, ${unsaved} unsaved, ${checkpointed ? 'with' : 'without'} a checkpoint`;
    })
    .with({ type: 'CRASH' }, () => 'crash')
    .exhaustive();

/** Numbered lines of a trace. */
export const describeTrace = (path: readonly ModelEvent[], bounds: Bounds): string[] =>
  path.map((event, i) => `${String(i + 1).padStart(4)}  ${describeEvent(event, bounds)}`);
