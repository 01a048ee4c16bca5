/** Written runs beside those of the mode `faults`: what a disk that fails once, and a log that grows, leave to a crash. */
import type { Action } from '../actions.ts';
import type { Fault } from '../disk-operations.ts';
import type { Script } from '../faults/scripts.ts';
import { acknowledge, flush, open, read, Sensors, scenario, tight } from '../faults/scripts.ts';

const io: Action = { do: 'io', pick: 0 };
const fails = (fault: Fault): Action => ({ do: 'io', pick: 0, fault });

/**
 * A flush fails at the sync of a segment, whose pages are gone; one at a short write of a segment; one at the sync of the
 * log, which is suspect from then on: the next batch begins a new generation. Each is tried again.
 */
function retries(): Script {
  const sensors = new Sensors();
  const again: Action[] = [{ do: 'drain' }, { do: 'timer' }, { do: 'drain' }];
  return {
    name: 'retries',
    scenario: scenario(),
    actions: [
      ...open,
      ...sensors.append(5, 2),
      { do: 'flush' },
      io,
      fails({ code: 'IO', keepReadable: false }),
      ...again,
      ...sensors.append(4, 0),
      { do: 'flush' },
      fails({ code: 'NO_SPACE', shortBytes: 100 }),
      ...again,
      ...sensors.append(3, 0),
      { do: 'flush' },
      io,
      io,
      io,
      io,
      fails({ code: 'IO' }),
      ...again,
      ...read(0),
      ...acknowledge(0, 6),
      { do: 'checkpoint' },
      fails({ code: 'IO', shortBytes: 16 }),
      { do: 'drain' },
      { do: 'checkpoint' },
      { do: 'drain' },
      { do: 'close' },
      { do: 'drain' },
    ],
  };
}

/** Each acknowledgement is durable by itself, so the log outgrows its bound while the store is open. */
function generations(): Script {
  const sensors = new Sensors();
  const rounds = Array.from({ length: 6 }, (): Action[] => [
    ...sensors.append(1, 1),
    ...flush,
    ...read(0),
    ...acknowledge(0, 1),
    ...read(1),
    ...acknowledge(1, 1),
  ]);
  return {
    name: 'generations',
    scenario: scenario({ quotaBytes: tight, durableAcknowledge: true }),
    actions: [...open, ...rounds.flat(), ...sensors.append(2, 1)],
  };
}

/** No space for a segment, so that the oldest gives way; the log cannot say so, and then there is space. */
function evictionInVain(): Script {
  const sensors = new Sensors();
  return {
    name: 'eviction in vain',
    scenario: scenario(),
    actions: [
      ...open,
      ...sensors.append(3, 2),
      ...flush,
      ...sensors.append(4, 1),
      { do: 'flush' },
      fails({ code: 'NO_SPACE', shortBytes: 1 }),
      fails({ code: 'READ_ONLY' }),
      { do: 'drain' },
      { do: 'timer' },
      { do: 'drain' },
      ...sensors.append(1, 1),
      ...flush,
    ],
  };
}

/**
 * Files are written again: all of a flush is acknowledged, and the next one goes into its files; a process is killed in one and
 * power is cut in another, and what they leave is written again too.
 */
function writtenAgain(): Script {
  const sensors = new Sensors();
  const all = (n: number): Action[] => [...read(0), ...acknowledge(0, n), ...read(1), ...acknowledge(1, n)];
  const cutOff = (choice: Extract<Action, { do: 'crash' }>['choice']): Action[] => [
    ...sensors.append(2, 1),
    { do: 'flush' },
    io,
    { do: 'crash', choice },
    ...open,
  ];
  return {
    name: 'written again',
    scenario: scenario({ recycleBytes: 65_536 }),
    actions: [
      ...open,
      ...sensors.append(2, 2),
      ...flush,
      ...all(2),
      ...sensors.append(3, 1),
      ...flush,
      ...sensors.append(1, 1),
      ...flush,
      ...cutOff({ kind: 'kill', underWay: 'done' }),
      ...all(1),
      ...sensors.append(1, 2),
      ...flush,
      ...cutOff({ kind: 'power', keep: 'everything' }),
      ...all(1),
      ...flush,
      ...sensors.append(2, 0),
      ...flush,
    ],
  };
}

export const LIVES: readonly Script[] = [retries(), generations(), evictionInVain(), writtenAgain()];
