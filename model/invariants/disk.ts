/** INV-10, INV-11, INV-15, INV-16, INV-19: the bound of the disk, who gives way, and what a crash and damage leave. */
import { coverSpan } from '../spans.ts';
import type { Invariant, Step } from './invariant.ts';
import {
  blocksOfStream,
  departed,
  findings,
  holding,
  inHole,
  isEvent,
  isRunning,
  pairs,
  retainedRecords,
  sameRecord,
  sectorsLinked,
  staysOpen,
  sum,
} from './invariant.ts';

export const diskBound: Invariant = {
  id: 'INV-10',
  name: 'disk bound',
  statement: 'the bytes of all segments <= quota, of one segment <= 65,536 (the scope’s own limits in the model)',
  why: 'Others live on the same flash; a full file system stops them too.',
  needs: 'disk',
  premise: ({ after }) => after.context.segments.length > 0,
  check({ after }) {
    const { found, say } = findings();
    const { bounds, segments } = after.context;
    const bytes = sum(segments.map((segment) => segment.bytes));
    say(bytes <= bounds.quotaBytes, () => `${bytes} bytes on disk, the quota is ${bounds.quotaBytes}`);
    const large = segments.find((segment) => segment.bytes > bounds.segmentBytesMax);
    say(
      large === undefined,
      () => `segment ${large?.number} has ${large?.bytes} bytes, ${bounds.segmentBytesMax} at most`,
    );
    return found;
  },
};

const overflowed = ({ before, event }: Step): boolean =>
  isEvent(event, 'APPEND') &&
  !before.context.bounds.disk &&
  sectorsLinked(before.context) === before.context.bounds.sectors;

export const oldestFirst: Invariant = {
  id: 'INV-11',
  name: 'oldest first',
  statement:
    'eviction takes the oldest segment, or the oldest sector, and no record while an older one of its stream stays; segment numbers only rise',
  why: 'What is oldest is least worth; and a number used again makes a new file pass for an old one.',
  premise: (step) => isEvent(step.event, 'EVICT') || overflowed(step) || step.after.context.segments.length > 1,
  check(step) {
    const { found, say } = findings();
    const { before, event, after } = step;
    const numbers = after.context.segments.map(({ number }) => number);
    say(
      numbers.every((number, i) => i === 0 || number > (numbers[i - 1] as number)),
      () => `segments are numbered ${numbers.join(' ')}`,
    );
    const known = before.context.segments.map(({ number }) => number);
    const reused = numbers.find((number) => !known.includes(number) && number <= before.context.lastSegment);
    say(reused === undefined, () => `segment number ${reused} was used before`);
    if (isEvent(event, 'EVICT')) {
      say(
        known.every((number) => number >= event.segment),
        () =>
          `segment ${event.segment} went, older ones are ${known.filter((number) => number < event.segment).join(' ')}`,
      );
    }
    // Across a crash records go that were not synced, and an eviction may be found done that was under way.
    const lost = staysOpen(step) ? pairs(step).filter(({ old, now }) => now.evicted > old.evicted) : [];
    for (const { index, old, now } of lost) {
      const gone = departed(old, now);
      const newest = gone[gone.length - 1]?.sequence ?? -1;
      say(
        retainedRecords(now).every(({ sequence }) => sequence > newest),
        () => `stream ${index}: ${newest} went, an older record stays`,
      );
    }
    if (overflowed(step) && lost.length > 0) {
      const oldest = before.context.streams
        .flatMap(({ sectors }, index) => sectors.map((sector) => ({ index, sector })))
        .reduce((a, b) => (b.sector.ordinal < a.sector.ordinal ? b : a));
      const { index, sector } = oldest;
      say(
        lost.length === 1 && lost[0]?.index === index,
        () => `the oldest sector is of stream ${index}, stream ${lost[0]?.index} lost records`,
      );
      const end = sector.first + sector.count;
      const head = after.context.streams[index]?.head;
      say(head === end, () => `stream ${index}: the oldest sector ends at ${end}, the head went to ${head}`);
    }
    return found;
  },
};

export const durable: Invariant = {
  id: 'INV-15',
  name: 'durable',
  statement:
    'what is synced survives every crash, and so does every durable head; both are on disk before they are called so',
  why: 'Synced is the only promise the store makes against a power cut.',
  premise: ({ after, before, event }) =>
    (isRunning(after) && after.context.streams.some(({ synced }) => synced > 0)) ||
    (isEvent(event, 'RECOVERED') && before.context.streams.some(({ synced }) => synced > 0)) ||
    isEvent(event, 'CHECKPOINT', 'CLOSED'),
  check(step) {
    const { found, say } = findings();
    const { before, event, after } = step;
    const { bounds, segments } = after.context;
    for (const { index, old, now } of pairs(step)) {
      if (!bounds.disk) {
        say(now.durableHead === 0 && now.synced === 0, () => `stream ${index}: something is durable without a disk`);
        continue;
      }
      say(
        now.durableHead >= old.durableHead,
        () => `stream ${index}: durable head went back from ${old.durableHead} to ${now.durableHead}`,
      );
      const onDisk = blocksOfStream(after.context, index);
      const gone = now.records.find(({ sequence }) => sequence < now.synced && holding(onDisk, sequence) === 0);
      say(
        gone === undefined,
        () => `stream ${index}: record ${gone?.sequence} is synced, and in none of ${segments.length} segments`,
      );
      if (isEvent(event, 'FLUSH_DONE')) {
        const atStart = before.context.flush?.heads[index] ?? 0;
        say(
          now.durableHead >= atStart,
          () => `stream ${index}: head ${atStart} was acknowledged before the flush, durable is ${now.durableHead}`,
        );
      }
      if (isEvent(event, 'EVICT')) {
        const end = Math.max(
          0,
          ...before.context.segments
            .filter(({ number }) => number === event.segment)
            .flatMap(({ blocks }) => blocks.filter(({ stream }) => stream === index).map(({ to }) => to)),
        );
        say(
          now.durableHead >= end,
          () => `stream ${index}: evicted up to ${end}, a crash would go back to ${now.durableHead}`,
        );
      }
      if (isEvent(event, 'CLOSED') && event.checkpointed) {
        say(
          now.durableHead === now.head,
          () => `stream ${index}: closed with head ${now.head}, durable is ${now.durableHead}`,
        );
      }
      if (!isEvent(event, 'RECOVERED')) continue;
      const floor = Math.max(old.synced, old.durableHead);
      say(now.appended >= floor, () => `stream ${index}: ${floor} were durable, ${now.appended} survived`);
      say(
        now.head >= old.durableHead,
        () => `stream ${index}: head ${now.head} is below the durable ${old.durableHead}`,
      );
      say(
        now.head <= old.head || inHole({ ...now, holes: [...old.holes, ...event.damaged] }, now.head - 1),
        () => `stream ${index}: head ${now.head} was never reached, ${old.head} was`,
      );
      say(
        now.synced === now.appended && now.durableHead === now.head,
        () => `stream ${index}: recovery left something that is not durable`,
      );
      say(
        now.evicted >= old.evicted,
        () => `stream ${index}: the ledger forgot ${old.evicted - now.evicted} evicted records`,
      );
      const lost = old.records.find(
        ({ sequence }) =>
          sequence >= now.head &&
          sequence < old.synced &&
          !now.records.some((record) => record.sequence === sequence) &&
          !event.damaged.some(({ stream, from, to }) => stream === index && from <= sequence && sequence < to),
      );
      say(lost === undefined, () => `stream ${index}: record ${lost?.sequence} was synced and did not survive`);
    }
    return found;
  },
};

export const prefix: Invariant = {
  id: 'INV-16',
  name: 'prefix',
  statement:
    'what survives of a stream is a prefix of what was appended, whole and unaltered; without a disk it is the empty one',
  why: 'A gap or an altered record would be delivered as if it were the truth.',
  premise: ({ before, event }) =>
    isEvent(event, 'RECOVERED') && before.context.streams.some(({ offered }) => offered.length > 0),
  check(step) {
    const { found, say } = findings();
    const { event, after } = step;
    if (!isEvent(event, 'RECOVERED')) return found;
    for (const { index, old, now } of pairs(step)) {
      const limit = after.context.bounds.disk ? old.appended : 0;
      say(now.appended <= limit, () => `stream ${index}: ${now.appended} survived of ${limit} that could`);
      const asked = event.streams[index]?.appended ?? 0;
      say(now.appended === asked, () => `stream ${index}: ${asked} survived, the store says ${now.appended}`);
      const expected = old.offered.filter(
        ({ sequence }) => sequence >= now.head && sequence < now.appended && !inHole(now, sequence),
      );
      say(
        expected.length === now.records.length,
        () => `stream ${index}: ${expected.length} records survived, ${now.records.length} are there`,
      );
      const altered = now.records.find((record, i) => {
        const offer = expected[i];
        return (
          offer?.sequence !== record.sequence || offer.epoch !== record.epoch || offer.valueBits !== record.valueBits
        );
      });
      say(altered === undefined, () => `stream ${index}: record ${altered?.sequence} is not what was appended`);
      const moved = now.records.find((record) => !old.records.some((was) => sameRecord(was, record)));
      say(moved === undefined, () => `stream ${index}: record ${moved?.sequence} changed its time`);
    }
    return found;
  },
};

export const containment: Invariant = {
  id: 'INV-19',
  name: 'containment',
  statement:
    'damage loses the records of the block it hits and no other, they are in the ledger, and no read can give them',
  why: 'A checksum is worth nothing if what fails it is returned, or takes its neighbours along.',
  needs: 'disk',
  premise: ({ event, after }) =>
    isEvent(event, 'DAMAGE') ||
    (isEvent(event, 'RECOVERED') && event.damaged.length > 0) ||
    (isRunning(after) && after.context.streams.some(({ holes }) => holes.length > 0)),
  check(step) {
    const { found, say } = findings();
    const { before, event, after } = step;
    for (const { index, old, now } of pairs(step)) {
      const returned = now.records.find(({ sequence }) => inHole(now, sequence));
      say(returned === undefined, () => `stream ${index}: damaged record ${returned?.sequence} is still given out`);
      say(
        now.holes.every(({ to }) => to <= Math.max(now.synced, now.head)),
        () => `stream ${index}: a hole lies beyond what is on disk`,
      );
      say(!inHole(now, now.head) && !inHole(now, now.read), () => `stream ${index}: a mark rests on a hole`);
      const ranges = isEvent(event, 'RECOVERED')
        ? event.damaged.filter(({ stream }) => stream === index)
        : isEvent(event, 'DAMAGE') && event.stream === index
          ? [event]
          : [];
      if (ranges.length === 0) continue;
      const hit = (sequence: number): boolean => ranges.some(({ from, to }) => from <= sequence && sequence < to);
      if (staysOpen(step)) {
        say(
          departed(old, now).every(({ sequence }) => hit(sequence)),
          () => `stream ${index}: damage took a record outside its block`,
        );
        const blocks = before.context.segments.flatMap(({ blocks: all }) =>
          all.filter(({ stream }) => stream === index),
        );
        say(
          ranges.every(({ from, to }) => coverSpan([...blocks, ...old.holes], from, to)),
          () => `stream ${index}: damage where no block is`,
        );
      }
      const damaged = old.records.filter(({ sequence }) => hit(sequence)).length;
      say(
        now.damaged - old.damaged === damaged,
        () => `stream ${index}: ${damaged} records were hit, ${now.damaged - old.damaged} are counted`,
      );
      const reappeared = now.records.find(({ sequence }) => hit(sequence));
      say(reappeared === undefined, () => `stream ${index}: record ${reappeared?.sequence} was hit and is given out`);
      const known = new Set(before.context.ledger);
      const entered = after.context.ledger.some(
        ({ stream, reason, from }) =>
          stream === index && reason === 'damaged' && ranges.some((range) => range.from === from),
      );
      const isNew = after.context.ledger.some((loss) => !known.has(loss) && loss.stream === index);
      say(damaged === 0 || (entered && isNew), () => `stream ${index}: the damage is not in the ledger`);
      const lowest = Math.min(...ranges.map(({ from }) => from));
      say(
        lowest >= now.head || now.holes.length === 0 || now.head >= lowest,
        () => `stream ${index}: a hole below the head`,
      );
    }
    return found;
  },
};
