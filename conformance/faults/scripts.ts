/**
 * The lives that faults are put into: short, without chance, and between them every kind of I/O operation that the
 * engine asks for, in every situation that asks for it in another order (flush, eviction, checkpoint, reclaiming,
 * recovery with salvage and with damage, a disk that others fill, close).
 */
import type { Action, Scenario, ScenarioStream } from '../actions.ts';
import { quotaBytesMin } from '../refinement.ts';

export interface Script {
  readonly name: string;
  readonly scenario: Scenario;
  readonly actions: readonly Action[];
}

const SECTORS = 5;
const SECTOR_BYTES = 32;
const PERIOD_MS = 1_000;
const START_MS = 1_700_000_000_000;
const EVERYTHING = 1_000_000;

const TEMPERATURE: ScenarioStream = {
  source: 'host',
  sensor: 1,
  kind: 'tsd',
  periodMs: PERIOD_MS,
  type: 'float32',
  priority: 9,
};
const DOOR: ScenarioStream = { source: 'mgc', sensor: 1, kind: 'evt', periodMs: 0, type: 'uint32', priority: 1 };

/** A small store for a life, with what is to be different. */
export const scenario = (change: Partial<Scenario> = {}): Scenario => ({
  profile: 'linux',
  mode: 'disk',
  streams: [TEMPERATURE, DOOR],
  sectors: SECTORS,
  sectorBytes: SECTOR_BYTES,
  quotaBytes: 4 * quotaBytesMin(SECTORS, SECTOR_BYTES),
  whenDiskFull: 'evict-oldest',
  durableAcknowledge: false,
  ...change,
});

/** The least quota that such a store can have. */
export const tight = quotaBytesMin(SECTORS, SECTOR_BYTES);

/** Appends to both streams in turn; each call goes on where the one before ended. */
export class Sensors {
  #appended = [0, 0];

  append(temperatures: number, doors: number): Action[] {
    const actions: Action[] = [];
    for (const [stream, records] of [temperatures, doors].entries()) {
      for (let i = 0; i < records; i++) {
        const n = (this.#appended[stream] as number)++;
        actions.push({ do: 'append', stream, bits: ((stream + 1) << 24) | n, timeMs: START_MS + n * PERIOD_MS });
      }
    }
    return actions;
  }
}

export const open: Action[] = [{ do: 'open' }, { do: 'drain' }];
export const flush: Action[] = [{ do: 'flush' }, { do: 'drain' }];
export const read = (stream: number, max = EVERYTHING): Action[] => [{ do: 'read', stream, max }, { do: 'drain' }];
export const acknowledge = (stream: number, n: number): Action[] => [{ do: 'acknowledge', stream, n }, { do: 'drain' }];
const powerCut = (keep: 'nothing' | 'everything'): Action => ({ do: 'crash', choice: { kind: 'power', keep } });

function everyday(): Script {
  const sensors = new Sensors();
  return {
    name: 'everyday',
    scenario: scenario(),
    actions: [
      ...open,
      ...sensors.append(7, 2),
      ...flush,
      ...read(0, 3),
      ...sensors.append(2, 1),
      ...acknowledge(0, 2),
      { do: 'checkpoint' },
      { do: 'drain' },
      ...flush,
      ...read(0),
      ...read(1),
      ...acknowledge(0, 7),
      ...acknowledge(1, 3),
      ...sensors.append(3, 2),
      { do: 'close' },
      { do: 'drain' },
      ...open,
      ...read(0),
      ...sensors.append(1, 1),
      { do: 'discard', stream: 1, n: 1 },
      { do: 'close' },
      { do: 'drain' },
    ],
  };
}

/** Appends fall between the steps of a flush, and a second flush is asked for while the first one runs. */
function busy(): Script {
  const sensors = new Sensors();
  const io: Action = { do: 'io', pick: 0 };
  return {
    name: 'busy',
    scenario: scenario({ durableAcknowledge: true }),
    actions: [
      ...open,
      ...sensors.append(12, 2),
      io,
      ...sensors.append(2, 0),
      io,
      { do: 'flush' },
      { do: 'read', stream: 0, max: 4 },
      io,
      { do: 'acknowledge', stream: 0, n: 3 },
      ...sensors.append(0, 1),
      { do: 'drain' },
      ...read(0),
      { do: 'revert', stream: 0 },
      ...sensors.append(8, 4),
      { do: 'drain' },
      ...read(0),
      ...acknowledge(0, 6),
      { do: 'close' },
      { do: 'drain' },
    ],
  };
}

/** The quota is reached over and over; the reader stands in the oldest segment. */
function full(whenDiskFull: Scenario['whenDiskFull']): Script {
  const sensors = new Sensors();
  const rounds = Array.from({ length: 4 }, (_, round): Action[] => [
    ...sensors.append(5, 2),
    ...flush,
    ...(round === 1 ? read(0, 4) : []),
  ]);
  return {
    name: whenDiskFull === 'evict-oldest' ? 'eviction' : 'refusal',
    scenario: scenario({ quotaBytes: tight, whenDiskFull }),
    actions: [
      ...open,
      ...rounds.flat(),
      ...acknowledge(0, 4),
      ...sensors.append(4, 1),
      ...flush,
      ...read(1),
      ...acknowledge(1, 2),
      { do: 'close' },
      { do: 'drain' },
    ],
  };
}

/** A flush is cut off behind its segments, so that recovery copies them; then once more, with what the copy left. */
function salvage(): Script {
  const sensors = new Sensors();
  const io: Action = { do: 'io', pick: 0 };
  const cutFlush: Action[] = [{ do: 'flush' }, io, io, io, io, io, powerCut('everything')];
  return {
    name: 'salvage',
    scenario: scenario(),
    actions: [
      ...open,
      ...sensors.append(4, 1),
      ...flush,
      ...sensors.append(5, 2),
      ...cutFlush,
      ...open,
      ...read(0),
      ...acknowledge(0, 2),
      ...sensors.append(3, 2),
      { do: 'flush' },
      io,
      io,
      powerCut('nothing'),
      ...open,
      ...read(0),
      ...sensors.append(1, 1),
      ...flush,
    ],
  };
}

/** Header and trailer of the oldest segment go bad: recovery sets it aside. A block of the next one does, too. */
function setAside(): Script {
  const sensors = new Sensors();
  const HEADER_BIT = 8;
  const BLOCK_BIT = 8 * 80;
  const TRAILER_BIT = -16;
  return {
    name: 'set-aside',
    scenario: scenario(),
    actions: [
      ...open,
      ...sensors.append(6, 2),
      ...flush,
      ...sensors.append(3, 1),
      ...flush,
      { do: 'damage', pick: 0, bit: HEADER_BIT },
      { do: 'damage', pick: 0, bit: TRAILER_BIT },
      { do: 'damage', pick: 2, bit: BLOCK_BIT },
      powerCut('nothing'),
      ...open,
      ...read(0),
      ...read(1),
      ...acknowledge(1, 1),
      ...sensors.append(2, 1),
      ...flush,
      { do: 'close' },
      { do: 'drain' },
    ],
  };
}

/** Others fill the disk: first to the last byte, then with a little left, so that the log itself finds no space. */
function crowded(): Script {
  const sensors = new Sensors();
  return {
    name: 'crowded',
    scenario: scenario(),
    actions: [
      ...open,
      ...sensors.append(6, 1),
      ...flush,
      ...sensors.append(6, 1),
      ...flush,
      { do: 'space', bytes: 4_000 },
      ...sensors.append(6, 2),
      ...flush,
      { do: 'space', bytes: 0 },
      ...sensors.append(2, 1),
      ...flush,
      { do: 'timer' },
      { do: 'drain' },
      ...read(0),
      { do: 'space', bytes: 30_000 },
      ...flush,
      { do: 'space', bytes: 100 },
      powerCut('everything'),
      ...open,
      ...sensors.append(2, 1),
      { do: 'close' },
      { do: 'drain' },
    ],
  };
}

/** Power is failing, twice: while a flush runs, and with time for one priority only. Then it fails. */
function powerFails(): Script {
  const sensors = new Sensors();
  const io: Action = { do: 'io', pick: 0 };
  return {
    name: 'power-fails',
    scenario: scenario(),
    actions: [
      ...open,
      ...sensors.append(6, 2),
      { do: 'flush' },
      io,
      ...sensors.append(2, 1),
      { do: 'emergencyFlush', deadlineMs: 500 },
      { do: 'drain' },
      ...sensors.append(3, 2),
      { do: 'emergencyFlush', deadlineMs: 500 },
      io,
      io,
      io,
      { do: 'wait', ms: 600 },
      { do: 'drain' },
      powerCut('nothing'),
      ...open,
      ...read(0),
      ...read(1),
    ],
  };
}

export const SCRIPTS: readonly Script[] = [
  everyday(),
  powerFails(),
  busy(),
  full('evict-oldest'),
  full('refuse-new'),
  salvage(),
  setAside(),
  crowded(),
];
