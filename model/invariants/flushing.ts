/** INV-08, INV-09, INV-14: when a flush is due, what it leaves when it ends well, and when it fails. */
import type { Context } from '../vocabulary.ts';
import type { Invariant } from './invariant.ts';
import { findings, isEvent, isRunning, pairs, retainedRecords, sameRecord, sectorsLinked } from './invariant.ts';

/** In percent of the pool, as the contract has it, not in the sectors that the bounds give. */
const isDue = (context: Context): boolean =>
  context.bounds.disk && sectorsLinked(context) * 100 >= context.bounds.sectors * 80;

export const threshold: Invariant = {
  id: 'INV-08',
  name: 'threshold',
  statement:
    'with a disk, use >= 80 % means that a flush is running, asked for, or waiting for its retry; and none is asked for or starts unasked',
  why: 'Late, and the pool fills; early or for nothing, and the flash wears out.',
  needs: 'disk',
  premise: ({ before, after, event }) =>
    isRunning(after) &&
    (isDue(after.context) ||
      (after.context.flushRequested && !before.context.flushRequested) ||
      isEvent(event, 'FLUSH', 'FLUSH_STARTED', 'RETRY_DUE', 'CLOSE', 'RECOVERED')),
  check({ before, event, after }) {
    const { found, say } = findings();
    const { bounds, flush, flushRequested, retryWaiting, streams } = after.context;
    const used = sectorsLinked(after.context);
    const due = isDue(after.context);
    say(
      !due || flush !== null || flushRequested || retryWaiting,
      () => `${used} of ${bounds.sectors} sectors are in use and no flush is coming`,
    );
    say(bounds.disk || !flushRequested, () => 'a flush is asked for without a disk');
    const asked = flushRequested && !before.context.flushRequested;
    say(
      !asked || due || isEvent(event, 'FLUSH', 'RETRY_DUE', 'CLOSE'),
      () => `${event?.type} asked for a flush at ${used} of ${bounds.sectors} sectors`,
    );
    const targets = before.context.flush?.targets;
    const beyond = streams.some(({ appended }, i) => targets === undefined || appended > (targets[i] ?? 0));
    say(
      !isEvent(event, 'FLUSH') || (flushRequested && beyond),
      () => 'flush() asked for none, or for one more than the one that takes all there is',
    );
    const unsynced = streams.some(
      ({ appended, head, synced }, i) => appended > Math.max(head, synced, targets?.[i] ?? 0),
    );
    say(
      !isEvent(event, 'CLOSE') || !bounds.disk || !unsynced || flushRequested,
      () => 'close() does not ask to save what is in RAM',
    );
    say(
      !isEvent(event, 'RECOVERED') || !(flushRequested || retryWaiting),
      () => 'a flush is asked for in a store that was just opened',
    );
    if (isEvent(event, 'FLUSH_STARTED')) {
      say(before.context.flushRequested, () => 'a flush started that nobody asked for');
      say(!flushRequested && !retryWaiting, () => 'the flush that started is asked for once more');
    }
    if (isEvent(event, 'RETRY_DUE')) {
      say(before.context.retryWaiting, () => 'a retry came due and none was waiting');
      say(flushRequested && !retryWaiting, () => 'the retry that came due asks for nothing, or waits on');
    }
    return found;
  },
};

export const returnToRam: Invariant = {
  id: 'INV-09',
  name: 'return to RAM',
  statement:
    'when a flush ends well, all it was to take is synced and its sectors are free, and the mode is ram; a flush is there exactly in the flushing states',
  why: 'A store that stays in disk mode, or keeps sectors of what is on disk, comes to a halt after some flushes.',
  needs: 'disk',
  premise: ({ event, after }) => isEvent(event, 'FLUSH_DONE', 'FLUSH_STARTED', 'RECOVERED') && isRunning(after),
  check(step) {
    const { found, say } = findings();
    const { before, event, after } = step;
    const flushing = typeof after.value === 'object' && Object.values(after.value).includes('flushing');
    say(
      flushing === (after.context.flush !== null),
      () => `a flush is ${after.context.flush === null ? 'not ' : ''}there in ${JSON.stringify(after.value)}`,
    );
    if (!isEvent(event, 'FLUSH_DONE')) return found;
    say(!flushing, () => 'the mode is still flushing');
    for (const { index, now } of pairs(step)) {
      const target = before.context.flush?.targets[index] ?? 0;
      const onDisk = Math.max(now.head, now.synced);
      say(
        before.context.flush?.emergency === true || onDisk >= target,
        () => `stream ${index}: synced ${onDisk}, the flush was to take up to ${target}`,
      );
      say(
        now.sectors.every(({ first, count }) => first + count > onDisk),
        () => `stream ${index}: a sector of flushed records is not free`,
      );
    }
    return found;
  },
};

export const failedFlush: Invariant = {
  id: 'INV-14',
  name: 'failed flush',
  statement: 'after a failed flush all that was in RAM is in RAM, nothing is on disk that was not, and a retry waits',
  why: 'A flush that reports success after a failed write, or frees what it could not write, loses a batch.',
  needs: 'disk',
  premise: ({ event }) => isEvent(event, 'FLUSH_FAILED'),
  check(step) {
    const { found, say } = findings();
    const { before, after } = step;
    for (const { index, old, now } of pairs(step)) {
      const held = retainedRecords(old);
      const holds = retainedRecords(now);
      const same = held.length === holds.length && held.every((record, i) => sameRecord(record, holds[i]));
      say(same, () => `stream ${index}: ${held.length} records before, ${holds.length} after`);
      say(JSON.stringify(old.sectors) === JSON.stringify(now.sectors), () => `stream ${index}: its chain changed`);
      say(old.synced === now.synced, () => `stream ${index}: synced went from ${old.synced} to ${now.synced}`);
    }
    say(before.context.free === after.context.free, () => 'sectors were freed');
    say(before.context.segments === after.context.segments, () => 'segments of a failed flush count');
    say(after.context.retryWaiting, () => 'no retry waits');
    say(after.context.flush === null, () => 'the flush still runs');
    return found;
  },
};
