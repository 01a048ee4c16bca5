/** What a crash may leave, and what it must not: the choices that end a recovery (contract section 7). */
import { layOut } from './candidates-flush.ts';
import { isDead, segmentBytes, survivalRange, survivorAcknowledged } from './queries.ts';
import type { Scope } from './scope.ts';
import type { Context, ModelEvent, Range, Segment, Survivor } from './vocabulary.ts';

type Recovered = Extract<ModelEvent, { readonly type: 'RECOVERED' }>;

/** Every pair of marks that one stream may come back with. */
function survivorsOf(context: Context, stream: number): Survivor[] {
  const of = context.streams[stream];
  if (of === undefined) return [];
  const { appendedMin, appendedMax, headMin, headMax } = survivalRange(context, stream, []);
  const survivors: Survivor[] = [];
  for (let appended = appendedMax; appended >= appendedMin; appended--) {
    for (let head = headMin; head <= Math.min(headMax, appended); head++) {
      const open = { appended, head, discarded: 0, evicted: context.bounds.disk ? of.evicted : 0 };
      const taken = context.bounds.disk ? survivorAcknowledged(of, open, of.holes) : 0;
      survivors.push({ ...open, discarded: Math.max(0, taken - of.acknowledged) });
    }
  }
  return survivors;
}

const combine = (choices: readonly Survivor[][]): Survivor[][] =>
  choices.reduce<Survivor[][]>((rows, next) => rows.flatMap((row) => next.map((each) => [...row, each])), [[]]);

/** What was on disk, and what a flush that was cut off had written, in fresh segments. */
function segmentsAfter(context: Context, scope: Scope, survivors: readonly Survivor[]): Segment[] {
  if (!context.bounds.disk) return [];
  const salvaged = layOut(context, scope, (stream) => {
    const { appended, head } = survivors[stream] ?? { appended: 0, head: 0 };
    return { from: Math.max(context.streams[stream]?.synced ?? 0, head), to: appended };
  });
  const all = [...context.segments, ...salvaged];
  if (segmentBytes(all) <= context.bounds.quotaBytes) return all;
  const heads = survivors.map(({ head }) => head);
  return all.filter((segment) => !isDead(context, segment, heads));
}

const changeSurvivor = (survivors: readonly Survivor[], stream: number, change: Partial<Survivor>): Survivor[] =>
  survivors.map((survivor, i) => (i === stream ? { ...survivor, ...change } : survivor));

/** Recoveries that must be refused, each for one reason. */
function wrongRecoveries(context: Context, scope: Scope, right: Recovered): Recovered[] {
  const { bounds, epoch, attempts, storeId, streams } = context;
  const wrong: Recovered[] = [
    { ...right, epoch: right.epoch - 1 },
    { ...right, epoch: (bounds.disk && storeId !== 0 ? epoch : 0) + attempts + 1 },
    {
      ...right,
      storeId: bounds.disk && storeId !== 0 ? storeId + 1 : storeId,
      epoch: right.storeId === storeId ? 1 : epoch + 1,
    },
  ];
  const again = (survivors: Survivor[], damaged: readonly Range[] = []): Recovered => ({
    ...right,
    streams: survivors,
    damaged,
    segments: segmentsAfter(context, scope, survivors),
  });
  for (const [i, of] of streams.entries()) {
    const { appendedMin, appendedMax, headMin } = survivalRange(context, i, []);
    const survivor = right.streams[i] as Survivor;
    if (appendedMin > headMin)
      wrong.push(again(changeSurvivor(right.streams, i, { appended: appendedMin - 1, head: headMin, discarded: 0 })));
    wrong.push(again(changeSurvivor(right.streams, i, { appended: appendedMax + 1 })));
    if (headMin > 0 && survivor.head === headMin)
      wrong.push(again(changeSurvivor(right.streams, i, { head: headMin - 1 })));
    wrong.push(again(changeSurvivor(right.streams, i, { discarded: survivor.discarded + of.acknowledged + 1 })));
    wrong.push(again([...right.streams], [{ stream: i, from: survivor.appended, to: survivor.appended + 1 }]));
  }
  const [first, ...rest] = right.segments;
  if (first === undefined) return wrong;
  wrong.push({ ...right, segments: rest });
  wrong.push({
    ...right,
    segments: [{ ...first, source: first.source === 'host' ? 'mgc' : 'host', number: context.lastSegment + 1 }],
  });
  wrong.push({
    ...right,
    segments: right.segments.map((segment, i) =>
      i === right.segments.length - 1 ? { ...segment, number: 0 } : segment,
    ),
  });
  const renumbered = right.segments.map((segment, i) => ({ ...segment, number: context.lastSegment + 1 + i }));
  wrong.push({
    ...right,
    segments: renumbered.map((segment, i) => (i === 0 ? { ...segment, bytes: bounds.segmentBytesMax + 1 } : segment)),
  });
  const copies = Array.from({ length: Math.floor(bounds.quotaBytes / first.bytes) + 1 }, (_, i) => ({
    ...first,
    number: context.lastSegment + 10 + i,
    blocks: [],
  }));
  wrong.push({ ...right, segments: [...right.segments, ...copies] });
  return wrong;
}

/** The newest block on disk that recovery could find damaged: what is older stays before the hole. */
function damageFound(context: Context, survivors: readonly Survivor[]): Range | null {
  const blocks = context.segments.flatMap((segment) => segment.blocks).reverse();
  for (const { stream, from, to } of blocks) {
    const low = Math.max(from, survivors[stream]?.head ?? to);
    if (low < to) return { stream, from: low, to };
  }
  return null;
}

export function recoveryCandidates(context: Context, scope: Scope, mayDamage: boolean): ModelEvent[] {
  const { bounds, storeId, epoch, attempts } = context;
  const keeps = bounds.disk && storeId !== 0;
  const base = keeps ? epoch : 0;
  const right = combine(context.streams.map((_, stream) => survivorsOf(context, stream))).map(
    (streams): Recovered => ({
      type: 'RECOVERED',
      storeId: keeps ? storeId : storeId + 1,
      epoch: base + 1,
      streams,
      damaged: [],
      segments: segmentsAfter(context, scope, streams),
    }),
  );
  const [first] = right;
  if (first === undefined) return [];
  const events: Recovered[] = [...right, ...wrongRecoveries(context, scope, first)];
  if (attempts > 1) events.push({ ...first, epoch: base + attempts });
  const found = mayDamage ? damageFound(context, first.streams) : null;
  if (found !== null) events.push({ ...first, damaged: [found] });
  return events;
}
