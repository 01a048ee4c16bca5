/**
 * The one place where engine and model meet: how what the engine shows is read as a state of the model, and what it
 * announces as events of the model.
 *
 *     engine                              model
 *     inspect(), stats()                  Context, compared field by field in `differences`
 *     recovered                           RECOVERED, its guard being the oracle of contract section 7
 *     flushStarted, flushed, flushFailed  FLUSH_STARTED, FLUSH_DONE, FLUSH_FAILED
 *     checkpointed                        CHECKPOINT
 *     segmentEvicted, segmentRemoved      EVICT, REMOVE_SEGMENT
 *     damaged                             DAMAGE
 *     closed                              CLOSED
 *     flushRequested, sectorEvicted       nothing: the model knows by itself when they are due
 *
 * An eviction takes effect when its log batch is durable. Power may fail after that and before the engine says so; then
 * recovery finds it done, and it is entered as having happened just before the crash (`unannouncedEvictions`).
 *
 * Bytes: the model's quota is what the engine's settings leave for segments beside the checkpoint log, and a segment
 * counts as what a file system gives out for it. Both come from the engine's documented rule (docs/format.md), not
 * from its running state.
 */
import { pendingOf, retainedOf, unreadOf, unsyncedOf } from '../model/queries.ts';
import { addSpan, cutSpans, liveRecords } from '../model/spans.ts';
import type { Bounds, Context, Lifecycle, ModelEvent, Range, Segment, Span, StreamState } from '../model/vocabulary.ts';
import { flushAtSectors, sectorsUsed, syncedMark } from '../model/vocabulary.ts';
import type { Settings } from '../src/core/config.ts';
import { checkpointReserveBytes, FILE_BYTES_MAX, resolveSettings } from '../src/core/config.ts';
import { allocatedBytes } from '../src/core/disk-index.ts';
import type { EngineEvent, Stats, StoreInspection, StreamInspection } from '../src/core/types.ts';
import type { Scenario } from './actions.ts';

/** A field in which the engine is not where the model is. */
export interface Difference {
  readonly field: string;
  /** The invariant that such a difference breaks first, or the comparison's name. */
  readonly breaks: string;
  readonly model: string;
  readonly engine: string;
}

const LEDGER_MAX = 64;
/** Streams that a scenario never exceeds; small, so that the checkpoint's reserve stays small beside the quota. */
const STREAMS_MAX = 8;
const QUOTA_BYTES_MAX = 1_048_576;

const settingsInput = ({ sectors, sectorBytes }: { sectors: number; sectorBytes: number }, quotaBytes: number) => ({
  poolBytes: sectors * sectorBytes,
  sectorBytes,
  quotaBytes,
  streamsMax: STREAMS_MAX,
  ledgerMax: LEDGER_MAX,
  freeFloorBytes: 0,
});

/** The smallest quota, in steps of 4 KiB, that the engine accepts for such a pool. */
export function quotaBytesMin(sectors: number, sectorBytes: number): number {
  for (let quotaBytes = 8_192; quotaBytes <= QUOTA_BYTES_MAX; quotaBytes += 4_096) {
    if (resolveSettings(settingsInput({ sectors, sectorBytes }, quotaBytes)).ok) return quotaBytes;
  }
  throw new Error(`no quota up to ${QUOTA_BYTES_MAX} bytes suits a pool of ${sectors} sectors of ${sectorBytes} bytes`);
}

const resolveScenario = (scenario: Scenario): ReturnType<typeof resolveSettings> => {
  const { whenDiskFull, durableAcknowledge, recycleBytes = 0, preallocateBytes = 0 } = scenario;
  const files = { recycleBytes, preallocateBytes };
  return resolveSettings({
    ...settingsInput(scenario, scenario.quotaBytes),
    ...{ whenDiskFull, durableAcknowledge, ...files },
  });
};

/** Whether the engine opens a store with such settings. */
export const isAccepted = (scenario: Scenario): boolean => resolveScenario(scenario).ok;

/** @throws when the scenario is none that the engine accepts: a mistake in the generator or in a saved trace. */
export function settingsOf(scenario: Scenario): Settings {
  const resolved = resolveScenario(scenario);
  if (!resolved.ok) throw new Error(`the scenario is refused: ${resolved.failure.message}`);
  return resolved.value;
}

export function boundsOf(scenario: Scenario): Bounds {
  const settings = settingsOf(scenario);
  return {
    disk: scenario.profile === 'linux',
    streams: scenario.streams.map(({ source, kind, periodMs }) => ({ source, kind, periodMs })),
    sectors: scenario.sectors,
    recordsPerSector: { tsd: (scenario.sectorBytes - 8) / 4, evt: Math.floor(scenario.sectorBytes / 12) },
    flushAtSectors: flushAtSectors(scenario.sectors),
    quotaBytes: settings.quotaBytes - 2 * checkpointReserveBytes(settings),
    segmentBytesMax: FILE_BYTES_MAX,
  };
}

const streamIndex = (scenario: Scenario, source: string, sensor: number): number =>
  scenario.streams.findIndex((stream) => stream.source === source && stream.sensor === sensor);

/** The engine's streams in the scenario's order; undefined for one that it does not know (yet). */
export const inOrder = (scenario: Scenario, inspection: StoreInspection): (StreamInspection | undefined)[] =>
  scenario.streams.map(({ source, sensor }) =>
    inspection.streams.find((stream) => stream.source === source && stream.sensor === sensor),
  );

/** Live segments as the model has them, with the space that a file system gives out for each. */
export function readSegments(scenario: Scenario, inspection: StoreInspection): Segment[] {
  return inspection.segments.map(({ number, source, fileBytes, blocks }) => ({
    number,
    source,
    bytes: allocatedBytes(fileBytes),
    blocks: blocks.map(({ sensor, from, to }) => ({ stream: streamIndex(scenario, source, sensor), from, to })),
  }));
}

const durableHeads = (scenario: Scenario, inspection: StoreInspection): number[] =>
  inOrder(scenario, inspection).map((stream) => stream?.durableHead ?? 0);

/** What an eviction may have been for, at most: all of RAM on disk in the worst layout, beside what else lies there. */
export function mostNeededBytes({ streams, bounds, flush }: Context, otherBytes: number): number {
  const bySource = new Map<string, number>();
  streams.forEach((stream, i) => {
    const { source } = bounds.streams[i] as Bounds['streams'][number];
    // A segment may have been put together before its records were acknowledged.
    const records = stream.appended - Math.max(stream.synced, flush?.heads[i] ?? stream.head);
    // A raw record with its time takes 12 bytes, a block's frame at most 48; each record may begin a block.
    bySource.set(source, (bySource.get(source) ?? 0) + records * 60);
  });
  let bytes = otherBytes;
  for (const of of bySource.values()) bytes += of === 0 ? 0 : allocatedBytes(of + 128);
  return bytes;
}

/** What is known beside the announcement when it is read. */
export interface Situation {
  readonly scenario: Scenario;
  readonly context: Context;
  readonly lifecycle: Lifecycle;
  readonly inspect: () => StoreInspection;
  /** See mostNeededBytes; Infinity when the file system itself refused for lack of space. */
  readonly needBytes: () => number;
}

/** How segments that have become live read as the end of a flush. */
export function readCommit(
  scenario: Scenario,
  context: Context,
  inspection: StoreInspection,
): Extract<ModelEvent, { type: 'FLUSH_DONE' }> {
  const segments = readSegments(scenario, inspection).filter(({ number }) => number > context.lastSegment);
  return { type: 'FLUSH_DONE', segments, heads: durableHeads(scenario, inspection) };
}

/** The model's events that an announcement stands for, in order. */
export function readEvent(event: EngineEvent, situation: Situation): ModelEvent[] {
  const { scenario, context, lifecycle } = situation;
  switch (event.type) {
    case 'flushStarted': {
      const started: ModelEvent = { type: 'FLUSH_STARTED', emergency: false };
      // Closing does not wait for the delay after a failed flush.
      return lifecycle === 'closing' && context.retryWaiting && !context.flushRequested
        ? [{ type: 'RETRY_DUE' }, started]
        : [started];
    }
    case 'flushed':
      return [readCommit(scenario, context, situation.inspect())];
    case 'flushFailed':
      return [{ type: 'FLUSH_FAILED' }];
    case 'checkpointed':
      return [{ type: 'CHECKPOINT', heads: durableHeads(scenario, situation.inspect()) }];
    case 'segmentEvicted':
      return [{ type: 'EVICT', segment: event.segment, needBytes: situation.needBytes() }];
    case 'segmentRemoved':
      return [{ type: 'REMOVE_SEGMENT', segment: event.segment }];
    case 'damaged':
      return [
        {
          type: 'DAMAGE',
          stream: streamIndex(scenario, event.key.source, event.key.sensor),
          from: event.from,
          to: event.to,
        },
      ];
    case 'closed': {
      const checkpointed = inOrder(scenario, situation.inspect()).every(
        (stream) => stream === undefined || stream.head === stream.durableHead,
      );
      return [{ type: 'CLOSED', unsaved: event.unsaved, checkpointed }];
    }
    case 'recovered':
    case 'flushRequested':
    case 'evictionStarted':
    case 'sectorEvicted':
      return [];
  }
}

/** How an opened engine reads as RECOVERED. `damaged`: the ranges it announced while it recovered. */
export function readRecovered(
  scenario: Scenario,
  inspection: StoreInspection,
  storeId: number,
  damaged: readonly Range[],
): Extract<ModelEvent, { type: 'RECOVERED' }> {
  return {
    type: 'RECOVERED',
    storeId,
    epoch: inspection.epoch,
    streams: inOrder(scenario, inspection).map((stream) => ({
      appended: stream?.appended ?? 0,
      head: stream?.head ?? 0,
      discarded: stream?.discarded ?? 0,
      evicted: stream?.evicted ?? 0,
    })),
    damaged,
    segments: readSegments(scenario, inspection),
  };
}

/**
 * What the model must take before the crash so that recovery can have found what it found: the batch of an eviction,
 * durable and not announced. Empty when nothing more was evicted than the model knows.
 * @param byCount no more than recovery counts: what else is gone was given up, and found damaged before power failed.
 */
export function unannouncedEvictions(
  context: Context,
  recovered: Extract<ModelEvent, { type: 'RECOVERED' }>,
  needBytes: number,
  byCount = false,
): ModelEvent[] {
  const { streams, segments } = context;
  if (!streams.some(({ evicted }, i) => (recovered.streams[i]?.evicted ?? 0) > evicted)) return [];
  // The batch has the heads of when it was put together; recovery shows them, but where it then met damage.
  const heads = streams.map(({ head, durableHead }, i) => {
    const damagedFrom = recovered.damaged.filter(({ stream }) => stream === i).map(({ from }) => from);
    return Math.max(durableHead, Math.min(head, recovered.streams[i]?.head ?? 0, ...damagedFrom));
  });
  const gone = segments.filter(({ number }) => !recovered.segments.some((segment) => segment.number === number));
  // A block that is known to be damaged has nothing to be evicted; recovery drops the segment that has no other.
  const liveIn = ({ stream, from, to }: Range): number =>
    liveRecords(streams[stream]?.holes ?? [], Math.max(from, heads[stream] ?? 0), to);
  const isPassed = (block: Range): boolean => block.to <= (heads[block.stream] ?? 0);
  // What recovery itself found damaged was there when the power failed.
  const isDamaged = (block: Range): boolean => {
    const liveFrom = Math.max(block.from, heads[block.stream] ?? 0);
    return recovered.damaged.some(
      ({ stream, from, to }) => stream === block.stream && from <= liveFrom && block.to <= to,
    );
  };
  const removed = gone
    .filter(({ blocks }) => blocks.every(isPassed))
    .map(({ number }): ModelEvent => ({ type: 'REMOVE_SEGMENT', segment: number }));
  const left = streams.map(({ evicted: known }, i) => (recovered.streams[i]?.evicted ?? 0) - known);
  const isCounted = ({ blocks }: Segment): boolean => {
    for (const block of blocks) left[block.stream] = (left[block.stream] ?? 0) - liveIn(block);
    return left.every((records) => records >= 0);
  };
  const evicted = gone
    .filter(({ blocks }) => blocks.some((block) => liveIn(block) > 0 && !isDamaged(block)))
    .filter((segment) => !byCount || isCounted(segment))
    .map(({ number }): ModelEvent => ({ type: 'EVICT', segment: number, needBytes }));
  return [{ type: 'CHECKPOINT', heads }, ...removed, ...evicted];
}

export const readDamage = (scenario: Scenario, event: Extract<EngineEvent, { type: 'damaged' }>): Range => ({
  stream: streamIndex(scenario, event.key.source, event.key.sensor),
  from: event.from,
  to: event.to,
});

const showSpans = (spans: readonly Span[]): string =>
  spans.map(({ from, to }) => `[${from},${to})`).join(' ') || 'none';

/** Figures that model and engine both keep, and the invariant on each. */
const STATISTICS = [
  'appended',
  'refusedRamFull',
  'read',
  'acknowledged',
  'reverted',
  'discarded',
  'evicted',
  'damaged',
  'flushes',
  'flushFailures',
  'checkpoints',
  'segmentsWritten',
  'segmentsRemoved',
] as const satisfies readonly (keyof Stats & keyof Context['counters'])[];

const MARKS = [
  ['head', 'INV-12'],
  ['read', 'INV-13'],
  ['appended', 'INV-02'],
  ['acknowledged', 'INV-02'],
  ['discarded', 'INV-02'],
  ['evicted', 'INV-12'],
  ['damaged', 'INV-19'],
] as const;

/** Takes one compared field with both values. */
type Compare = (
  field: string,
  breaks: string,
  model: string | number | boolean,
  engine: string | number | boolean,
) => void;

/** Both sides of a comparison. `inRecovery`: losses that recovery counted. */
export interface Sides {
  readonly scenario: Scenario;
  readonly context: Context;
  readonly lifecycle: Lifecycle;
  readonly inspection: StoreInspection;
  readonly stats: Stats;
  readonly inRecovery: { readonly damaged: number; readonly evicted: number };
}

/** Where the two are apart; empty when the engine is in the model's state. */
export function differences(sides: Sides): Difference[] {
  const found: Difference[] = [];
  compareFields(sides, false, (field, breaks, model, engine) => {
    if (model !== engine) found.push({ field, breaks, model: String(model), engine: String(engine) });
  });
  return found;
}

/** Every compared field with both values, also where they agree: for showing. */
export function comparison(sides: Sides): Difference[] {
  const all: Difference[] = [];
  compareFields(sides, true, (field, breaks, model, engine) => {
    all.push({ field, breaks, model: String(model), engine: String(engine) });
  });
  return all;
}

const showChain = (sectors: readonly { first: number; count: number }[]): string =>
  sectors.map(({ first, count }) => `${first}+${count}`).join(' ') || 'empty';

function compareStream(
  { scenario, context }: Sides,
  index: number,
  engine: StreamInspection | undefined,
  everything: boolean,
  compare: Compare,
): void {
  const { source, sensor } = scenario.streams[index] as Scenario['streams'][number];
  const name = `${source}/${sensor}`;
  const model = context.streams[index] as StreamState;
  if (engine === undefined) {
    compare(`stream ${name}`, 'INV-20', 'known', 'unknown');
    return;
  }
  for (const [mark, breaks] of MARKS) compare(`${name} ${mark}`, breaks, model[mark], engine[mark]);
  compare(`${name} synced`, 'INV-15', syncedMark(model), engine.synced);
  if (context.bounds.disk) compare(`${name} durableHead`, 'INV-15', model.durableHead, engine.durableHead);
  if (everything || model.holes.length > 0 || engine.holes.length > 0) {
    const holes = engine.holes.reduce<readonly Span[]>((spans, [from, to]) => addSpan(spans, { from, to }), []);
    compare(
      `${name} holes`,
      'INV-19',
      showSpans(cutSpans(model.holes, model.head)),
      showSpans(cutSpans(holes, engine.head)),
    );
  }
  const chain = engine.sectors;
  const same =
    chain.length === model.sectors.length &&
    chain.every(({ first, count }, at) => model.sectors[at]?.first === first && model.sectors[at]?.count === count);
  if (everything || !same) compare(`${name} sectors`, 'INV-04', showChain(model.sectors), showChain(chain));
}

/** @param everything also what need not be written out to see that it agrees. */
function compareFields(sides: Sides, everything: boolean, compare: Compare): void {
  const { scenario, context, lifecycle, inspection, stats, inRecovery } = sides;
  // Recovery may find streams in another order than the one in which they were made.
  const streams = inOrder(scenario, inspection);
  for (const index of scenario.streams.keys()) compareStream(sides, index, streams[index], everything, compare);
  comparePool(context, inspection, compare);
  if (everything || context.segments.length > 0 || inspection.segments.length > 0) {
    const show = (segments: readonly Segment[]): string =>
      segments
        .map(
          ({ number, bytes, blocks }) =>
            `${number}:${bytes}(${blocks.map((b) => `${b.stream}:${b.from}-${b.to}`).join(' ')})`,
        )
        .join(' ') || 'none';
    compare('segments', 'INV-05', show(context.segments), show(readSegments(scenario, inspection)));
  }
  for (const name of STATISTICS) {
    const before = name === 'damaged' || name === 'evicted' ? inRecovery[name] : 0;
    compare(`stats ${name}`, 'INV-22', context.counters[name], stats[name] - before);
  }
  compareGauges(context, stats, compare);
  compare('lifecycle', 'INV-09', lifecycle, inspection.lifecycle);
  compare('epoch', 'INV-17', context.epoch, inspection.epoch);
  if (lifecycle !== 'closing') {
    compare('flushRequested', 'INV-08', context.flushRequested, inspection.flushRequested);
    compare('retryWaiting', 'INV-08', context.retryWaiting, inspection.retryWaiting);
  }
}

/** What stats() says of the moment, added up from the model's own lists. */
function compareGauges({ streams, bounds, free }: Context, stats: Stats, compare: Compare): void {
  const sum = (of: (stream: StreamState) => number): number => streams.reduce((total, stream) => total + of(stream), 0);
  compare('stats retained', 'INV-22', sum(retainedOf), stats.retained);
  compare('stats unread', 'INV-22', sum(unreadOf), stats.unread);
  compare('stats pending', 'INV-22', sum(pendingOf), stats.pending);
  compare('stats atRisk', 'INV-22', sum(unsyncedOf), stats.atRisk);
  compare('stats poolUsedSectors', 'INV-22', bounds.sectors - free, stats.poolUsedSectors);
  compare('stats ramUsagePercent', 'INV-22', (100 * (bounds.sectors - free)) / bounds.sectors, stats.ramUsagePercent);
}

function comparePool(context: Context, { pool, streams }: StoreInspection, compare: Compare): void {
  compare('pool used', 'INV-07', sectorsUsed(context), pool.used);
  compare('pool free', 'INV-04', context.free, pool.free.length);
  compare('pool flushAtSectors', 'INV-08', context.bounds.flushAtSectors, pool.flushAtSectors);
  // Each sector is in exactly one place: the model counts them, only the engine has them.
  const places = new Uint8Array(pool.sectors);
  for (const sector of pool.free) places[sector] = (places[sector] ?? 0) + 1;
  for (const stream of streams) for (const { sector } of stream.sectors) places[sector] = (places[sector] ?? 0) + 1;
  const wrong = places.findIndex((count) => count !== 1);
  if (wrong >= 0) compare(`sector ${wrong} places`, 'INV-04', 1, places[wrong] as number);
}
