/** INV-03, INV-17: a record is what was appended, and it is the only one of its name. */
import type { IdentitySpan, ModelRecord, StreamState } from '../vocabulary.ts';
import type { Invariant, Step } from './invariant.ts';
import { findings, inHole, isEvent } from './invariant.ts';

/** What a read that completes in the state before must give, told from what the appends offered. */
function offeredUnread({ offered, read, appended, holes }: StreamState, max: number): ModelRecord[] {
  const live = offered.filter(
    ({ sequence }) => sequence >= read && sequence < appended && !inHole({ holes } as StreamState, sequence),
  );
  return live.slice(0, max);
}

function checkRead({ before, event, after }: Step): readonly string[] {
  const { found, say } = findings();
  if (!isEvent(event, 'READ')) return found;
  const { stream: index, max } = event;
  const [old, now] = [before.context.streams[index], after.context.streams[index]];
  const bounds = before.context.bounds.streams[index];
  if (old === undefined || now === undefined || bounds === undefined) return [`stream ${index} is not there`];
  const expected = offeredUnread(old, max);
  const given = old.records.filter(({ sequence }) => sequence >= old.read && sequence < now.read);
  say(
    given.length === expected.length,
    () => `stream ${index}: read(${max}) gave ${given.length} records, ${expected.length} were due`,
  );
  for (const [i, record] of given.entries()) {
    const offer = expected[i];
    const same =
      offer?.sequence === record.sequence && offer.epoch === record.epoch && offer.valueBits === record.valueBits;
    say(
      same,
      () =>
        `stream ${index}: read gave ${record.epoch}/${record.sequence} with ${record.valueBits}, due was ${offer?.epoch}/${offer?.sequence} with ${offer?.valueBits}`,
    );
    const off = Math.abs(record.timeMs - (offer?.timeMs ?? Number.NaN));
    say(
      off * 2 <= bounds.periodMs,
      () => `stream ${index}: record ${record.sequence} is ${off} ms off the time it was given`,
    );
  }
  const last = expected[expected.length - 1]?.sequence ?? old.read - 1;
  const between = now.records.find(({ sequence }) => sequence > last && sequence < now.read);
  say(between === undefined, () => `stream ${index}: the read passed over record ${between?.sequence}`);
  say(now.head === old.head && now.appended === old.appended, () => `stream ${index}: the read moved head or appended`);
  return found;
}

/** A read over all streams gives of each the oldest that were offered, and as many in all as were asked for. */
function checkReadOldest({ before, event, after }: Step): readonly string[] {
  const { found, say } = findings();
  if (!isEvent(event, 'READ_OLDEST')) return found;
  let [given, unread] = [0, 0];
  for (const [index, old] of before.context.streams.entries()) {
    const now = after.context.streams[index] as StreamState;
    const passed = old.records.filter(({ sequence }) => sequence >= old.read && sequence < now.read);
    const due = offeredUnread(old, passed.length);
    const same = passed.every(({ sequence, epoch, valueBits }, i) => {
      const offer = due[i];
      return offer?.sequence === sequence && offer.epoch === epoch && offer.valueBits === valueBits;
    });
    say(same, () => `stream ${index}: the read over all streams gave others than its oldest unread records`);
    say(
      now.head === old.head && now.appended === old.appended,
      () => `stream ${index}: the read moved head or appended`,
    );
    given += passed.length;
    unread += offeredUnread(old, Number.POSITIVE_INFINITY).length;
  }
  const asked = Math.min(event.max, unread);
  say(given === asked, () => `the read over all streams gave ${given} records, ${asked} were due`);
  return found;
}

/** The time of a tsd record is implied by its sector: first time + i x period. */
function checkAppend({ before, event, after }: Step): readonly string[] {
  const { found, say } = findings();
  if (!isEvent(event, 'APPEND')) return found;
  const { stream: index, valueBits, timeMs } = event;
  const [old, now] = [before.context.streams[index], after.context.streams[index]];
  const bounds = before.context.bounds.streams[index];
  if (old === undefined || now === undefined || bounds === undefined || now.appended === old.appended) return found;
  const record = now.records[now.records.length - 1];
  say(
    record?.sequence === old.appended && record.valueBits === valueBits && record.epoch === after.context.epoch,
    () =>
      `stream ${index}: appended ${old.appended} with ${valueBits}, stored is ${record?.sequence} with ${record?.valueBits}`,
  );
  if (record === undefined) return found;
  const previous = now.records[now.records.length - 2];
  const follows =
    previous !== undefined && previous.sequence === record.sequence - 1 && previous.epoch === record.epoch;
  if (bounds.kind === 'evt') {
    say(record.timeMs === timeMs, () => `stream ${index}: given ${timeMs} ms, stored ${record.timeMs} ms`);
    return found;
  }
  const firstOfEpoch = !old.identities.some(
    ({ storeId, epoch }) => storeId === after.context.storeId && epoch === after.context.epoch,
  );
  const expected = follows ? previous.timeMs + bounds.periodMs : timeMs;
  const onGrid = Math.abs(2 * (timeMs - expected)) <= bounds.periodMs;
  const recorded = onGrid ? expected : timeMs;
  if (follows || firstOfEpoch) {
    say(
      record.timeMs === recorded,
      () => `stream ${index}: given ${timeMs} ms, stored ${record.timeMs} ms, due ${recorded} ms`,
    );
  }
  const open = old.sectors[old.sectors.length - 1];
  const room = open !== undefined && open.count < before.context.bounds.recordsPerSector.tsd;
  say(
    !(follows && onGrid && room) || now.sectors.length === old.sectors.length,
    () => `stream ${index}: a sample on the grid began a sector, the open one had room`,
  );
  const sector = now.sectors[now.sectors.length - 1];
  if (follows && sector !== undefined && sector.first < record.sequence) {
    const implied = previous.timeMs + bounds.periodMs;
    say(
      record.timeMs === implied,
      () => `stream ${index}: record ${record.sequence} is at ${record.timeMs} ms, its sector implies ${implied} ms`,
    );
  }
  return found;
}

export const exactContent: Invariant = {
  id: 'INV-03',
  name: 'exact content',
  statement:
    'a read gives the oldest unread records: value, time, kind and order as appended; tsd times within half a period',
  why: 'Reads from the wrong sector, zeros for erased space and seconds for milliseconds were all returned as data.',
  premise: ({ before, event, after }) =>
    isEvent(event, 'APPEND')
      ? after.context.streams[event.stream]?.appended !== before.context.streams[event.stream]?.appended
      : isEvent(event, 'READ_OLDEST')
        ? before.context.streams.some(({ read }, i) => read !== after.context.streams[i]?.read)
        : isEvent(event, 'READ') &&
          event.max > 0 &&
          (before.context.streams[event.stream]?.read ?? 0) < (before.context.streams[event.stream]?.appended ?? 0),
  check: (step) => [...checkRead(step), ...checkReadOldest(step), ...checkAppend(step)],
};

const holdsIdentity = (spans: readonly IdentitySpan[], storeId: number, epoch: number, sequence: number): boolean =>
  spans.some((span) => span.storeId === storeId && span.epoch === epoch && span.from <= sequence && sequence < span.to);

export const identityOnce: Invariant = {
  id: 'INV-17',
  name: 'identity',
  statement:
    'no (store id, stream, epoch, sequence) is given twice; an open gives an epoch, or without a disk a store id, never used before',
  why: 'The uploader tells a repeated delivery from a new record by its identity alone.',
  premise: ({ before, event, after }) =>
    isEvent(event, 'RECOVERED') ||
    (isEvent(event, 'APPEND') &&
      after.context.streams[event.stream]?.appended !== before.context.streams[event.stream]?.appended),
  check({ before, event, after }) {
    const { found, say } = findings();
    const { storeId, epoch, bounds } = after.context;
    if (isEvent(event, 'APPEND')) {
      const [old, now] = [before.context.streams[event.stream], after.context.streams[event.stream]];
      if (old === undefined || now === undefined) return [`stream ${event.stream} is not there`];
      const used = holdsIdentity(old.identities, storeId, epoch, old.appended);
      say(!used, () => `stream ${event.stream}: ${storeId}/${epoch}/${old.appended} was given before`);
      say(
        holdsIdentity(now.identities, storeId, epoch, old.appended),
        () => `stream ${event.stream}: ${storeId}/${epoch}/${old.appended} is not on record`,
      );
    }
    if (!isEvent(event, 'RECOVERED')) return found;
    const { storeId: oldId, epoch: oldEpoch, attempts } = before.context;
    const fresh = !bounds.disk || oldId === 0;
    say(fresh ? storeId > oldId : storeId === oldId, () => `store id went from ${oldId} to ${storeId}`);
    const from = storeId === oldId ? oldEpoch : 0;
    say(epoch > from && epoch <= from + attempts, () => `epoch went from ${from} to ${epoch} in ${attempts} tries`);
    const spans = after.context.streams.flatMap(({ identities }) => identities);
    const reused = spans.some((span) => span.storeId === storeId && span.epoch === epoch);
    say(!reused, () => `epoch ${epoch} of store ${storeId} was used before`);
    return found;
  },
};
