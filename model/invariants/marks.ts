/** INV-01, INV-02, INV-12, INV-13, INV-20, INV-22: the marks and the accounts of what was taken. */
import type { Counters, ModelEvent, StreamState } from '../vocabulary.ts';
import type { Invariant, Step } from './invariant.ts';
import {
  departed,
  findings,
  isEvent,
  isRunning,
  pairs,
  retainedRecords,
  sameRecord,
  sectorsLinked,
  staysOpen,
  sum,
} from './invariant.ts';

export const marksOrdered: Invariant = {
  id: 'INV-01',
  name: 'marks ordered',
  statement:
    'head <= read <= appended, synced <= appended, durableHead <= head; between recoveries they only rise (read falls by revert)',
  why: 'Every count, every placement and every answer is a difference of two marks.',
  premise: ({ after }) => isRunning(after) && after.context.streams.some(({ appended }) => appended > 0),
  check(step) {
    const { found, say } = findings();
    const open = staysOpen(step);
    for (const { index, old, now } of pairs(step)) {
      const { head, read, synced, appended, durableHead } = now;
      say(0 <= head && head <= read, () => `stream ${index}: head ${head} > read ${read}`);
      say(read <= appended, () => `stream ${index}: read ${read} > appended ${appended}`);
      say(0 <= synced && synced <= appended, () => `stream ${index}: synced ${synced} > appended ${appended}`);
      say(durableHead <= head, () => `stream ${index}: durable head ${durableHead} > head ${head}`);
      if (!open || old === now) continue;
      say(head >= old.head, () => `stream ${index}: head went back from ${old.head} to ${head}`);
      say(synced >= old.synced, () => `stream ${index}: synced went back from ${old.synced} to ${synced}`);
      say(appended >= old.appended, () => `stream ${index}: appended went back from ${old.appended} to ${appended}`);
      const lowered = step.event?.type !== 'REVERT' && read < old.read;
      say(!lowered, () => `stream ${index}: read went back from ${old.read} to ${read} without revert`);
    }
    return found;
  },
};

export const conservation: Invariant = {
  id: 'INV-02',
  name: 'conservation',
  statement: 'appended = acknowledged + discarded + evicted + damaged + retained, and none of them is negative',
  why: 'A record that is in no account was lost silently; one in two accounts will be delivered twice.',
  premise: ({ after }) => isRunning(after) && after.context.streams.some(({ appended }) => appended > 0),
  check({ after }) {
    const { found, say } = findings();
    const { bounds, streams } = after.context;
    for (const [index, stream] of streams.entries()) {
      const { appended, acknowledged, discarded, evicted, damaged, durableHead, head, holes, records } = stream;
      const retained = retainedRecords(stream).length;
      say(
        appended === acknowledged + discarded + evicted + damaged + retained,
        () =>
          `stream ${index}: appended ${appended} != acknowledged ${acknowledged} + discarded ${discarded} + evicted ${evicted} + damaged ${damaged} + retained ${retained}`,
      );
      say(Math.min(acknowledged, discarded, evicted, damaged) >= 0, () => `stream ${index}: an account is below zero`);
      const from = bounds.disk ? durableHead : head;
      const kept = appended - from - sum(holes.map((hole) => hole.to - Math.max(hole.from, from)));
      say(
        records.length === kept,
        () => `stream ${index}: ${records.length} records are known, [${from}, ${appended}) without holes has ${kept}`,
      );
    }
    return found;
  },
};

/** How many of the departed the event may account for in each way; every way it does not name is zero. */
function allowedDepartures(
  { before, event }: Step,
  index: number,
  old: StreamState,
): Record<'acknowledged' | 'discarded' | 'evicted' | 'damaged', number> {
  const none = { acknowledged: 0, discarded: 0, evicted: 0, damaged: 0 };
  if (event === null) return none;
  if (isEvent(event, 'ACKNOWLEDGE') && event.stream === index) {
    return { ...none, acknowledged: event.n - Math.min(event.n, old.forgiven) };
  }
  if (isEvent(event, 'DISCARD') && event.stream === index) return { ...none, discarded: event.n };
  if (isEvent(event, 'EVICT')) return { ...none, evicted: Number.POSITIVE_INFINITY };
  if (isEvent(event, 'DAMAGE') && event.stream === index) return { ...none, damaged: event.to - event.from };
  const full =
    isEvent(event, 'APPEND') &&
    !before.context.bounds.disk &&
    sectorsLinked(before.context) === before.context.bounds.sectors;
  return full ? { ...none, evicted: Number.POSITIVE_INFINITY } : none;
}

export const nothingUnasked: Invariant = {
  id: 'INV-12',
  name: 'nothing unasked',
  statement:
    'between crashes a record leaves only by acknowledge, by discard, or into the ledger, and just as many as were named',
  why: 'A file deleted after its first buffer was read, an acknowledge that took all of a larger batch: both lost data in silence.',
  premise: (step) =>
    staysOpen(step) &&
    (pairs(step).some(({ old, now }) => departed(old, now).length > 0) || isEvent(step.event, 'EVICT', 'ACKNOWLEDGE')),
  check(step) {
    const { found, say } = findings();
    const { before, after, event } = step;
    const entries = after.context.ledger.filter((loss) => !before.context.ledger.includes(loss));
    for (const { index, old, now } of pairs(step)) {
      const gone = departed(old, now);
      const allowed = allowedDepartures(step, index, old);
      const took = {
        acknowledged: now.acknowledged - old.acknowledged,
        discarded: now.discarded - old.discarded,
        evicted: now.evicted - old.evicted,
        damaged: now.damaged - old.damaged,
      };
      const total = took.acknowledged + took.discarded + took.evicted + took.damaged;
      say(gone.length === total, () => `stream ${index}: ${gone.length} records left, ${total} are accounted for`);
      for (const way of ['acknowledged', 'discarded', 'evicted', 'damaged'] as const) {
        say(
          took[way] <= allowed[way],
          () => `stream ${index}: ${took[way]} ${way} by ${event?.type}, ${allowed[way]} allowed`,
        );
      }
      if (isEvent(event, 'ACKNOWLEDGE') && event.stream === index) {
        const named = took.acknowledged + old.forgiven - now.forgiven;
        say(named === event.n, () => `stream ${index}: ${event.n} acknowledged, ${named} taken for it`);
        say(
          gone.every(({ sequence }) => sequence < old.read),
          () => `stream ${index}: an unread record was acknowledged`,
        );
      }
      const lost = took.evicted + took.damaged;
      const entered = entries.filter((loss) => loss.stream === index);
      say(
        sum(entered.map(({ records }) => records)) === lost,
        () => `stream ${index}: ${lost} lost, the ledger does not say so`,
      );
      if (lost === 0) continue;
      say(
        gone.every(({ sequence }) => entered.some(({ from, to }) => from <= sequence && sequence < to)),
        () => `stream ${index}: a lost record is in no range of the ledger`,
      );
      const pending = gone.filter(({ sequence }) => sequence < old.read).length;
      const forgiven = now.forgiven - old.forgiven;
      say(
        forgiven === pending,
        () => `stream ${index}: ${pending} lost while pending, an acknowledgement may name ${forgiven}`,
      );
    }
    if (isEvent(event, 'EVICT')) {
      const { bounds, segments, flush, streams } = before.context;
      const bytes = sum(segments.map((segment) => segment.bytes));
      say(
        bytes + event.needBytes > bounds.quotaBytes,
        () => `${bytes} + ${event.needBytes} bytes fit into ${bounds.quotaBytes}, yet segment ${event.segment} went`,
      );
      const free = segments.find(
        ({ number, blocks }) =>
          number !== event.segment &&
          blocks.every(({ stream, to }) => to <= (flush?.heads[stream] ?? 0) && streams[stream] !== undefined),
      );
      say(
        free === undefined,
        () => `segment ${event.segment} went while segment ${free?.number} held nothing any more`,
      );
    }
    return found;
  },
};

/** INV-13. A nack gives the batch back: nothing stays pending, and the next read repeats it. */
export const revertRestores: Invariant = {
  id: 'INV-13',
  name: 'revert',
  statement: 'after revert, read = head in that stream, and the next read repeats the batch',
  why: 'A cursor left behind loses the batch at the next acknowledge (the failure the first system shipped).',
  premise: ({ before, event }) =>
    isEvent(event, 'REVERT') &&
    (before.context.streams[event.stream]?.read ?? 0) > (before.context.streams[event.stream]?.head ?? 0),
  check(step) {
    const { found, say } = findings();
    const { event } = step;
    for (const { index, old, now } of pairs(step)) {
      if (!isEvent(event, 'REVERT') || event.stream !== index) continue;
      say(now.read === now.head, () => `stream ${index}: read ${now.read} != head ${now.head}`);
      say(now.head === old.head, () => `stream ${index}: revert moved head from ${old.head} to ${now.head}`);
      say(
        now.forgiven === 0,
        () => `stream ${index}: nothing is pending, yet ${now.forgiven} more may be acknowledged`,
      );
      const batch = retainedRecords(old).filter(({ sequence }) => sequence < old.read);
      const next = now.records.filter(({ sequence }) => sequence >= now.read).slice(0, batch.length);
      say(
        batch.every((record, i) => sameRecord(record, next[i])),
        () => `stream ${index}: the next read gives ${next[0]?.sequence}, the batch began with ${batch[0]?.sequence}`,
      );
    }
    return found;
  },
};

const streamNamed = (event: ModelEvent | null): number | null =>
  event !== null && 'stream' in event ? event.stream : null;

const sameHoldings = (a: StreamState, b: StreamState): boolean =>
  a.head === b.head &&
  a.read === b.read &&
  a.appended === b.appended &&
  a.synced === b.synced &&
  a.durableHead === b.durableHead &&
  a.forgiven === b.forgiven &&
  a.lastTimeMs === b.lastTimeMs &&
  a.records.length === b.records.length &&
  a.records.every((record, i) => sameRecord(record, b.records[i])) &&
  JSON.stringify(a.sectors) === JSON.stringify(b.sectors);

export const isolation: Invariant = {
  id: 'INV-20',
  name: 'isolation',
  statement:
    'an operation on one stream changes no other, but for the oldest sector of a full pool; a segment holds its own source only',
  why: 'What was written under one source and looked for under another was never freed and never delivered.',
  premise: (step) => {
    const stream = streamNamed(step.event);
    const others = step.before.context.streams.some(({ records }, i) => i !== stream && records.length > 0);
    return stream !== null ? staysOpen(step) && others : isEvent(step.event, 'FLUSH_DONE', 'RECOVERED');
  },
  check(step) {
    const { found, say } = findings();
    const named = streamNamed(step.event);
    const { bounds, segments } = step.after.context;
    for (const { number, source, blocks } of segments) {
      for (const { stream } of blocks) {
        const of = bounds.streams[stream]?.source;
        say(of === source, () => `segment ${number} of ${source} holds stream ${stream} of ${of}`);
      }
    }
    if (named === null) return found;
    for (const { index, old, now } of pairs(step)) {
      if (index === named || old === now) continue;
      const gaveWay = isEvent(step.event, 'APPEND') && !bounds.disk && now.evicted > old.evicted;
      say(gaveWay || sameHoldings(old, now), () => `stream ${index} changed by ${step.event?.type} on stream ${named}`);
    }
    return found;
  },
};

/** What each statistic must have gained, told from the data that the step changed. */
function countersDue(step: Step): Partial<Counters> {
  const { before, after, event } = step;
  const each = pairs(step);
  const gone = sum(each.map(({ old, now }) => departed(old, now).length));
  const stored = sum(each.map(({ old, now }) => now.appended - old.appended));
  const [old, now] = [before.context.segments.length, after.context.segments.length];
  switch (event?.type) {
    case 'APPEND':
      return stored === 0 ? { refusedRamFull: 1 } : { appended: stored, evicted: gone };
    case 'READ_OLDEST':
    case 'READ': {
      const passed = each.flatMap(({ old: was, now: is }) =>
        was.records.filter(({ sequence }) => sequence >= was.read && sequence < is.read),
      );
      return { read: passed.length };
    }
    case 'ACKNOWLEDGE':
      return { acknowledged: gone };
    case 'DISCARD':
      return { discarded: gone };
    case 'REVERT': {
      const stream = before.context.streams[event.stream];
      return {
        reverted:
          stream?.records.filter(({ sequence }) => sequence >= stream.head && sequence < stream.read).length ?? 0,
      };
    }
    case 'EVICT':
      return { evicted: gone, segmentsEvicted: old - now };
    case 'DAMAGE':
      return { damaged: gone };
    case 'FLUSH_DONE':
      return { flushes: 1, segmentsWritten: now - old };
    case 'FLUSH_FAILED':
      return { flushFailures: 1 };
    case 'CHECKPOINT':
      return { checkpoints: 1 };
    case 'REMOVE_SEGMENT':
      return { segmentsRemoved: old - now };
    default:
      return {};
  }
}

export const countersTell: Invariant = {
  id: 'INV-22',
  name: 'counters',
  statement:
    'every statistic gains what the step did, no more and no less, and starts at zero with a recovery; close names what it could not save',
  why: 'A success that the statistics do not show, or a figure without a cause, hides every other fault.',
  premise: (step) => staysOpen(step) || isEvent(step.event, 'RECOVERED', 'CLOSED'),
  check(step) {
    const { found, say } = findings();
    const { before, after, event } = step;
    if (isEvent(event, 'CLOSED')) {
      const inRam = sum(before.context.streams.map(({ appended, head, synced }) => appended - Math.max(head, synced)));
      say(event.unsaved === inRam, () => `close named ${event.unsaved} unsaved records, ${inRam} were in RAM only`);
      return found;
    }
    const due = isEvent(event, 'RECOVERED') ? {} : countersDue(step);
    for (const name of Object.keys(after.context.counters) as (keyof Counters)[]) {
      const was = isEvent(event, 'RECOVERED') ? 0 : before.context.counters[name];
      const is = after.context.counters[name];
      say(is === was + (due[name] ?? 0), () => `${name} went from ${was} to ${is}, the step did ${due[name] ?? 0}`);
    }
    if (isEvent(event, 'REMOVE_SEGMENT', 'EVICT')) {
      const stays = after.context.segments.some(({ number }) => number === event.segment);
      say(!stays, () => `segment ${event.segment} was taken away and is still there`);
    }
    return found;
  },
};
