/**
 * Batches of all streams, after they were read: what acknowledge and revert of a whole batch take, what they refuse, and
 * that a refusal changes nothing in any stream.
 */

import { code, got, marksOf, ofSensor, pair, read } from './all-streams.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { appendSome, given, Machine, streamOf } from './machine.ts';

export const BATCHES: readonly Case[] = [
  {
    name: 'batch of all streams: it is acknowledged as a whole, once, and in the order of reading',
    check: async () => {
      const { engine, one, two } = await pair();
      const { reads } = engine;
      const first = given(await read(engine, 7));
      const second = given(await read(engine, 9));
      const answers = [
        code(reads.acknowledge(second)),
        ...marksOf(one, two).flat(),
        code(reads.acknowledge(first)),
        ...marksOf(one, two).flat(),
        code(reads.acknowledge(first)),
        code(reads.acknowledge(second)),
        ...marksOf(one, two).flat(),
      ];
      return (
        differs('the answers', answers, [
          'BOUNDS_VIOLATION',
          ...[0, 8, 8, 0, 8, 8],
          7,
          ...[4, 8, 4, 3, 8, 5],
          0,
          9,
          ...[8, 8, 0, 8, 8, 0],
        ]) ?? differs('the count', engine.stats().acknowledged, 16)
      );
    },
  },
  {
    name: 'batch of all streams: when one stream refuses it, no stream has lost anything',
    check: async () => {
      const { engine, one, two } = await pair();
      const batch = given(await read(engine, 6));
      given(two.revert());
      const refused = engine.reads.acknowledge(batch);
      return (
        differs('the answer', code(refused), 'BOUNDS_VIOLATION') ??
        differs('the marks', marksOf(one, two), [
          [0, 3, 3],
          [0, 0, 0],
        ])
      );
    },
  },
  {
    name: 'batch of all streams: what was discarded meanwhile is accepted and changes nothing',
    check: async () => {
      const { engine, one, two } = await pair();
      const batch = given(await read(engine, 6));
      given(one.discard(2));
      return (
        differs('the answer', code(engine.reads.acknowledge(batch)), 4) ??
        differs('the marks', marksOf(one, two), [
          [3, 3, 0],
          [3, 3, 0],
        ])
      );
    },
  },
  {
    name: 'batch of all streams: an empty one is acknowledged and reverted, and nothing happens',
    check: async () => {
      const { engine, one, two } = await pair();
      const empty = given(await read(engine, 0));
      given(await read(engine, 4));
      return (
        differs('the answers', [code(engine.reads.acknowledge(empty)), engine.reads.revert(empty).ok], [0, true]) ??
        differs('the marks', marksOf(one, two), [
          [0, 3, 3],
          [0, 1, 1],
        ])
      );
    },
  },
  {
    name: 'batch of all streams: a revert gives back what is pending of its streams, and of no other',
    check: async () => {
      const { engine, one, two } = await pair();
      const first = given(await read(engine, 3));
      given(await read(engine, 6));
      return (
        differs('the answer', engine.reads.revert(first).ok, true) ??
        differs('the marks', marksOf(one, two), [
          [0, 0, 0],
          [0, 3, 3],
        ]) ??
        differs('the next batch', got(await read(engine, 4)), [...ofSensor(1, 0, 1, 2, 3)]) ??
        differs('the first batch, read again', code(engine.reads.acknowledge(first)), 3)
      );
    },
  },
  ...(['acknowledge', 'revert'] as const).flatMap((call): Case[] => [
    {
      name: `batch of all streams: ${call} of one of another store's sensors is refused`,
      check: async () => {
        const { engine, one, two } = await pair();
        const machine = new Machine();
        const other = await machine.open();
        for (const sensor of [1, 5]) appendSome(streamOf(other, sensor), 1);
        given(await read(engine, 4));
        const refused = engine.reads[call](given(await read(other, 2)));
        const says = refused.ok ? '' : refused.failure.message;
        return (
          differs('the answer', code(refused), 'PARAMETER_INVALID') ??
          differs('whether it says why', says.includes('another store'), true) ??
          differs('the marks', marksOf(one, two), [
            [0, 3, 3],
            [0, 1, 1],
          ])
        );
      },
    },
    {
      name: `batch of all streams: ${call} of one of more streams than there are is refused`,
      check: async () => {
        const { engine } = await pair();
        const machine = new Machine();
        const other = await machine.open();
        for (const sensor of [1, 2, 3]) appendSome(streamOf(other, sensor), 1);
        return differs('the answer', code(engine.reads[call](given(await read(other, 3)))), 'PARAMETER_INVALID');
      },
    },
  ]),
];
