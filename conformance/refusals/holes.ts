/**
 * Damage found one block after the other, in every order: holes that touch are one, counts pass over them, and marks, ledger
 * and records agree before a power cut and behind it. Held against a plain set of numbers.
 *
 * The stream: records 0 to 13 of sensor 1 in blocks of two, one behind the other in segment 1.
 */
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import type { Opened } from './found-store.ts';
import { evts, FoundStore } from './found-store.ts';
import { given, streamOf } from './machine.ts';

const BLOCKS = 7;
const OF_BLOCK = 2;
const ALL = BLOCKS * OF_BLOCK;

const upTo = (end: number, from = 0): number[] => Array.from({ length: end - from }, (_, i) => from + i);

/** Blocks that are damaged when a reader comes to them: a bit each, changed under the open store. */
async function withDamage(
  ...blocks: readonly number[]
): Promise<{ readonly opened: Opened; readonly store: FoundStore }> {
  const store = await FoundStore.with(ALL);
  store.put({ number: 1, blocks: upTo(BLOCKS).map((i) => evts(1, i * OF_BLOCK, OF_BLOCK)) });
  const opened = await store.open();
  // Of sensor, first number and count: equal in length for all of them.
  const { length } = store.disk.files().find(({ directory }) => directory === 'host')?.content ?? new Uint8Array(0);
  const blockBytes = (length - 128) / BLOCKS;
  for (const block of blocks) store.disk.flipBit('host', '000000000001.seg', 8 * (64 + (block + 1) * blockBytes - 1));
  return { opened, store };
}

async function readable(handle: StreamHandle): Promise<number[]> {
  return [...given(await handle.peek(0, 100))].map(({ sequence }) => sequence);
}

/** Looks at blocks one by one in this order; each that is damaged is found by that. */
async function findInOrder(order: readonly number[]): Promise<string | null> {
  const { opened, store } = await withDamage(...order);
  const handle = streamOf(opened.engine, 1);
  const lost = new Set<number>();
  for (const block of order) {
    const first = block * OF_BLOCK;
    // The offset counts records: those lost before it are none.
    given(await handle.peek(first - [...lost].filter((each) => each < first).length, 1));
    for (const each of upTo(first + OF_BLOCK, first)) lost.add(each);
    // A look at the end of a hole goes on behind it, and finds the next damaged block there.
    for (let next = first + OF_BLOCK; order.includes(next / OF_BLOCK); next += OF_BLOCK)
      for (const each of upTo(next + OF_BLOCK, next)) lost.add(each);
    const { retained, unread } = handle.marks();
    const found =
      differs('retained and unread', [retained, unread], [ALL - lost.size, ALL - lost.size]) ??
      differs(
        'records in the ledger',
        opened.losses().reduce((sum, row) => sum + Number(row[3]), 0),
        lost.size,
      ) ??
      differs('records counted as damaged', opened.stats().damaged, lost.size);
    if (found !== null) return found;
  }
  const left = upTo(ALL).filter((each) => !lost.has(each));
  const before = differs('the records', await readable(handle), left);
  if (before !== null) return before;
  given(await opened.engine.checkpoint());
  store.machine.cutPower();
  const again = await store.open();
  const afterwards = streamOf(again.engine, 1);
  return (
    differs('the records behind a power cut', await readable(afterwards), left) ??
    differs('what is retained', afterwards.marks().retained, left.length) ??
    differs(
      'the ledger',
      again.losses().reduce((sum, row) => sum + Number(row[3]), 0),
      lost.size,
    ) ??
    differs('what was found damaged anew', again.stats().damaged, 0)
  );
}

function orders(blocks: readonly number[]): (readonly number[])[] {
  if (blocks.length <= 1) return [blocks];
  return blocks.flatMap((first) => orders(blocks.filter((each) => each !== first)).map((rest) => [first, ...rest]));
}

/** Damaged blocks; what `records` records from the head lead past, and what is left. */
async function passesHoles(blocks: readonly number[], how: 'discard' | 'acknowledge'): Promise<string | null> {
  for (let records = 0; records <= ALL - blocks.length * OF_BLOCK; records++) {
    const { opened } = await withDamage(...blocks);
    const handle = streamOf(opened.engine, 1);
    const left = await readable(handle);
    if (how === 'discard') given(handle.discard(records));
    else {
      given(await handle.read(records));
      given(handle.acknowledge(records));
    }
    const { head, read, retained, unread } = handle.marks();
    // The head stands at the next record that is there, or at the end.
    const next = left[records] ?? ALL;
    const found =
      differs(`head and read behind ${how} of ${records}`, [head, read], [next, next]) ??
      differs('retained and unread', [retained, unread], [left.length - records, left.length - records]) ??
      differs('the records', await readable(handle), left.slice(records));
    if (found !== null) return found;
  }
  return null;
}

/** What was read before a hole is pending, and what was read behind it: places count from there, and the hole is none. */
async function countsFromBehindAHole(): Promise<string | null> {
  const { opened } = await withDamage(1);
  const handle = streamOf(opened.engine, 1);
  const first = given(await handle.read(2));
  const second = given(await handle.read(2));
  const looks: (readonly number[])[] = [];
  for (const offset of [0, 1, 3]) looks.push([...given(await handle.peek(offset, 2)).sequences]);
  const { pending } = handle.marks();
  given(handle.acknowledge(3));
  return (
    differs('what is read', [...first.sequences, ...second.sequences], [0, 1, 4, 5]) ??
    differs('what a look behind it gives', looks, [
      [6, 7],
      [7, 8],
      [9, 10],
    ]) ??
    differs('pending', pending, 4) ??
    differs('head and read', [handle.marks().head, handle.marks().read], [5, 6])
  );
}

const PASSED: readonly (readonly number[])[] = [[0], [6], [0, 1], [2], [2, 3], [1, 3, 5], [0, 2, 3, 6]];

export const HOLES: readonly Case[] = [
  ...[
    [1, 2, 3, 4],
    [1, 2, 4],
    [0, 1, 2],
    [0, 3, 5],
    [4, 5, 6],
  ].map(
    (blocks): Case => ({
      name: `holes: blocks ${blocks.join(', ')} found damaged in every order`,
      check: async () => {
        for (const order of orders(blocks)) {
          const found = await findInOrder(order);
          if (found !== null) return `in the order ${order.join(', ')} ${found}`;
        }
        return null;
      },
    }),
  ),
  ...PASSED.flatMap((blocks) =>
    (['discard', 'acknowledge'] as const).map(
      (how): Case => ({
        name: `holes: ${how} passes over blocks ${blocks.join(', ')}`,
        check: () => passesHoles(blocks, how),
      }),
    ),
  ),
  { name: 'holes: places count from behind one that was passed', check: countsFromBehindAHole },
  {
    name: 'holes: losses that touch are one entry of the ledger',
    check: async () => {
      const { opened } = await withDamage(2, 3, 5);
      await readable(streamOf(opened.engine, 1));
      return differs('the ledger', opened.losses(), [
        ['host/1', 4, 8, 4, 'damaged'],
        ['host/1', 10, 12, 2, 'damaged'],
      ]);
    },
  },
];
