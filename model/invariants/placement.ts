/** INV-04 to INV-07: where each record is, in the pool or on disk. */
import type { Context } from '../vocabulary.ts';
import type { Invariant, Step } from './invariant.ts';
import {
  blocksOfStream,
  findings,
  holding,
  inRamOf,
  isEvent,
  isRunning,
  retainedRecords,
  sectorsLinked,
  sum,
} from './invariant.ts';

export const oneOwner: Invariant = {
  id: 'INV-04',
  name: 'one owner',
  statement:
    'a sector is free or in one chain, free + owned = all; a chain is in order, without gaps, of one kind, and has no dead sector',
  why: 'A sector not linked, freed before it is unlinked, or keeping its old next loses records or walks in circles.',
  premise: ({ after }) => isRunning(after) && sectorsLinked(after.context) > 0,
  check({ after }) {
    const { found, say } = findings();
    const { bounds, free, streams, nextOrdinal } = after.context;
    const owned = sectorsLinked(after.context);
    say(free + owned === bounds.sectors, () => `${free} free + ${owned} owned != ${bounds.sectors} sectors`);
    const ordinals = streams.flatMap(({ sectors }) => sectors.map(({ ordinal }) => ordinal));
    say(new Set(ordinals).size === ordinals.length, () => `a sector is in two chains: ordinals ${ordinals.join(' ')}`);
    say(
      ordinals.every((ordinal) => ordinal < nextOrdinal),
      () => `a sector is older than its own opening`,
    );
    for (const [index, { sectors, appended, head, synced }] of streams.entries()) {
      const kind = bounds.streams[index]?.kind ?? 'evt';
      for (const [i, sector] of sectors.entries()) {
        const next = sectors[i + 1];
        const end = sector.first + sector.count;
        say(sector.kind === kind, () => `stream ${index}: ${sector.kind} sector in a ${kind} stream`);
        say(
          sector.count <= bounds.recordsPerSector[kind],
          () => `stream ${index}: sector ${sector.ordinal} holds ${sector.count} records`,
        );
        say(
          end === (next?.first ?? appended),
          () =>
            `stream ${index}: sector ${sector.ordinal} ends at ${end}, the next record is ${next?.first ?? appended}`,
        );
        say(
          next === undefined || next.ordinal > sector.ordinal,
          () => `stream ${index}: the chain leads back to sector ${next?.ordinal}`,
        );
        say(
          end > Math.max(head, synced),
          () => `stream ${index}: sector ${sector.ordinal} holds nothing and is not free`,
        );
      }
    }
    return found;
  },
};

export const onePlace: Invariant = {
  id: 'INV-05',
  name: 'one place',
  statement: 'each retained record is in one block on disk or in one sector, in both only while its flush runs',
  why: 'A record in no place cannot be delivered; one in two places is delivered twice.',
  premise: ({ after }) =>
    isRunning(after) && after.context.streams.some((stream) => retainedRecords(stream).length > 0),
  check({ after }) {
    const { found, say } = findings();
    const { context } = after;
    for (const [index, stream] of context.streams.entries()) {
      const onDisk = blocksOfStream(context, index);
      const inRam = inRamOf(stream);
      for (const { sequence } of retainedRecords(stream)) {
        const blocks = holding(onDisk, sequence);
        const ram = inRam(sequence) ? 1 : 0;
        const places = blocks + ram;
        const flushed = context.flush !== null && blocks === 1 && ram === 1;
        if (places !== 1 && !flushed)
          say(false, () => `stream ${index}: record ${sequence} is in ${blocks} blocks and ${ram} sectors`);
      }
    }
    return found;
  },
};

/** Where a read over all streams looks first: the segments by number, RAM after them. */
function placeOf({ segments }: Context, stream: number, sequence: number): number {
  const segment = segments.find(({ blocks }) =>
    blocks.some((block) => block.stream === stream && block.from <= sequence && sequence < block.to),
  );
  return segment?.number ?? Number.POSITIVE_INFINITY;
}

/** No record taken by a read over all streams lies behind one that it left. */
function checkFlushOrder({ before, event, after }: Step): readonly string[] {
  if (!isEvent(event, 'READ_OLDEST')) return [];
  let [takenLast, leftFirst] = [0, Number.POSITIVE_INFINITY];
  for (const [index, { records, read }] of before.context.streams.entries()) {
    const now = after.context.streams[index]?.read ?? read;
    for (const { sequence } of records) {
      if (sequence < read) continue;
      const place = placeOf(before.context, index, sequence);
      if (sequence < now) takenLast = Math.max(takenLast, place);
      else leftFirst = Math.min(leftFirst, place);
    }
  }
  return takenLast <= leftFirst
    ? []
    : [`a read over all streams took from segment ${takenLast}, and left a record in segment ${leftFirst}`];
}

export const diskBeforeRam: Invariant = {
  id: 'INV-06',
  name: 'disk before RAM',
  statement:
    'within a stream everything on disk is older than everything in RAM, and later blocks hold later records; a read over all streams takes none while one lies unread in an older segment, or on disk while it is in RAM',
  why: 'Reading disk first and RAM after is in order only then.',
  needs: 'disk',
  premise: ({ after }) =>
    isRunning(after) && after.context.streams.some(({ sectors, synced, head }) => sectors.length > 0 && synced > head),
  check(step) {
    const { found, say } = findings();
    found.push(...checkFlushOrder(step));
    const { after } = step;
    const { segments, streams } = after.context;
    for (const [index, { head, synced, sectors }] of streams.entries()) {
      let end = 0;
      for (const { number, blocks } of segments) {
        for (const { stream, from, to } of blocks) {
          if (stream !== index) continue;
          say(from >= end, () => `stream ${index}: segment ${number} goes back to ${from}, ${end} was written before`);
          end = Math.max(end, to);
        }
      }
      if (sectors.length === 0) continue;
      const ramFrom = Math.max(head, synced);
      say(end <= ramFrom, () => `stream ${index}: the disk holds up to ${end}, RAM begins at ${ramFrom}`);
    }
    return found;
  },
};

export const ramBound: Invariant = {
  id: 'INV-07',
  name: 'RAM bound',
  statement: 'sectors in use <= pool',
  why: 'The pool is all the RAM there is.',
  premise: ({ after }) => isRunning(after) && after.context.free <= 0,
  check({ after }) {
    const { bounds, streams, free } = after.context;
    const used = sum(streams.map(({ sectors }) => sectors.length));
    return used <= bounds.sectors && free >= 0 ? [] : [`${used} sectors in use of ${bounds.sectors}, ${free} free`];
  },
};
