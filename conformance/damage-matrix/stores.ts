/** The stores whose files are spoiled: made by traces, at rest or cut off, with everything in them that files can hold. */
import type { Action, Scenario, ScenarioStream } from '../actions.ts';
import { Divergence } from '../divergence.ts';
import { StoreRun } from '../driver.ts';
import { newCoverage } from '../model-run.ts';
import { quotaBytesMin } from '../refinement.ts';

export interface StoreRecipe {
  readonly name: string;
  readonly scenario: Scenario;
  readonly actions: readonly Action[];
}

const SECTORS = 8;
const SECTOR_BYTES = 64;
const START_MS = 1_700_000_000_000;

const STREAMS: readonly ScenarioStream[] = [
  { source: 'host', sensor: 300, kind: 'tsd', periodMs: 1_000, type: 'float32', priority: 9 },
  { source: 'host', sensor: 7, kind: 'evt', periodMs: 0, type: 'uint32', priority: 0 },
  { source: 'mgc', sensor: 300, kind: 'evt', periodMs: 0, type: 'int32', priority: 1 },
  { source: 'can_controller', sensor: 0xffff_ffff, kind: 'tsd', periodMs: 1, type: 'uint32', priority: 0 },
];

const AMPLE_BYTES = 262_144;
/** Some segments more than one flush can need, so that the oldest go and some stay. */
const TIGHT_BYTES = quotaBytesMin(SECTORS, SECTOR_BYTES) + 36_864;

const scenario = (quotaBytes: number): Scenario => ({
  profile: 'linux',
  mode: 'disk',
  streams: STREAMS,
  sectors: SECTORS,
  sectorBytes: SECTOR_BYTES,
  quotaBytes,
  whenDiskFull: 'evict-oldest',
  durableAcknowledge: false,
});

const powerCut = (keep: 'nothing' | 'everything'): Action => ({ do: 'crash', choice: { kind: 'power', keep } });
const drain: Action = { do: 'drain' };
const flush: Action[] = [{ do: 'flush' }, drain];
const open: Action[] = [{ do: 'open' }, drain];
const close: Action[] = [{ do: 'close' }, drain];

class Sensors {
  readonly #appended = STREAMS.map(() => 0);

  /** So many records for each stream in order; every fifth leaves the grid, so that blocks end early. */
  append(...counts: number[]): Action[] {
    return counts.flatMap((count, stream) =>
      Array.from({ length: count }, (): Action => {
        const n = (this.#appended[stream] as number)++;
        const period = STREAMS[stream]?.periodMs ?? 0;
        const timeMs = START_MS + n * Math.max(period, 10) + (n % 5 === 4 ? 7_777 : 0);
        return { do: 'append', stream, bits: ((stream + 1) << 24) | (n * 0x0101), timeMs };
      }),
    );
  }
}

const take = (stream: number, n: number): Action[] => [
  { do: 'read', stream, max: n },
  drain,
  { do: 'acknowledge', stream, n },
  drain,
];

/** Some flushes, some of it acknowledged and discarded, closed in peace. */
function closed(): StoreRecipe {
  const sensors = new Sensors();
  return {
    name: 'closed',
    scenario: scenario(AMPLE_BYTES),
    actions: [
      ...open,
      ...sensors.append(7, 3, 2, 4),
      ...flush,
      ...take(0, 4),
      ...take(2, 2),
      ...sensors.append(6, 2, 3, 2),
      ...flush,
      { do: 'discard', stream: 3, n: 3 },
      ...sensors.append(3, 1, 0, 2),
      ...close,
    ],
  };
}

/** Opened a second time and cut off behind some flushes: the log of the first life has come back. */
function cutOff(): StoreRecipe {
  const sensors = new Sensors();
  return {
    name: 'cut off',
    scenario: scenario(AMPLE_BYTES),
    actions: [
      ...open,
      ...sensors.append(5, 2, 2, 3),
      ...flush,
      ...close,
      ...open,
      ...sensors.append(4, 2, 1, 2),
      ...flush,
      ...take(0, 3),
      { do: 'checkpoint' },
      drain,
      ...sensors.append(3, 1, 2, 1),
      ...flush,
      ...sensors.append(2, 0, 1, 0),
      powerCut('nothing'),
    ],
  };
}

/** Cut off within a flush, whose segments are there and in no log. */
function cutInFlush(): StoreRecipe {
  const sensors = new Sensors();
  const io: Action = { do: 'io', pick: 0 };
  return {
    name: 'cut in a flush',
    scenario: scenario(AMPLE_BYTES),
    actions: [
      ...open,
      ...sensors.append(5, 2, 2, 3),
      ...flush,
      ...take(1, 1),
      ...sensors.append(4, 2, 1, 2),
      { do: 'flush' },
      ...Array.from({ length: 8 }, () => io),
      powerCut('everything'),
    ],
  };
}

/** A full disk: segments were evicted, and before that one was damaged and set aside. */
function worn(): StoreRecipe {
  const sensors = new Sensors();
  const rounds = Array.from({ length: 7 }, () => [...sensors.append(6, 3, 2, 3), ...flush]);
  const BLOCK_BIT = 8 * 70;
  return {
    name: 'worn',
    scenario: scenario(TIGHT_BYTES),
    actions: [
      ...open,
      ...rounds.flat(),
      { do: 'damage', pick: 1, bit: 9 },
      { do: 'damage', pick: 1, bit: -9 },
      { do: 'damage', pick: 3, bit: BLOCK_BIT },
      powerCut('nothing'),
      ...open,
      // Some of it goes, for a flush whose log was hit is copied, if there is room.
      ...take(0, 12),
      ...take(1, 6),
      ...take(2, 5),
      ...take(3, 7),
      ...sensors.append(4, 1, 1, 1),
      ...flush,
      powerCut('nothing'),
    ],
  };
}

/** Files written again, by shorter segments than they held; files made ahead, of which some were written since. */
function writtenAgain(): StoreRecipe {
  const sensors = new Sensors();
  const all = (...counts: number[]): Action[] => counts.flatMap((n, stream) => take(stream, n));
  return {
    name: 'written again',
    scenario: { ...scenario(AMPLE_BYTES), recycleBytes: 65_536, preallocateBytes: 16_384 },
    actions: [
      ...open,
      ...sensors.append(7, 3, 2, 4),
      ...flush,
      ...all(7, 3, 2, 4),
      { do: 'checkpoint' },
      drain,
      ...sensors.append(3, 2, 0, 2),
      ...flush,
      ...sensors.append(2, 1, 1, 1),
      ...flush,
      ...take(0, 2),
      powerCut('nothing'),
    ],
  };
}

export const STORES: readonly StoreRecipe[] = [closed(), cutOff(), cutInFlush(), worn(), writtenAgain()];

/** Runs the trace. @throws Divergence when model and engine part already here. */
export async function build({ name, scenario: of, actions }: StoreRecipe): Promise<StoreRun> {
  const run = new StoreRun(of, newCoverage());
  for (const action of actions) await run.take(action);
  const { lifecycle } = run.model;
  if (lifecycle !== 'closed' && lifecycle !== 'crashed')
    throw new Divergence('store', `the store '${name}' is ${lifecycle}, not closed or cut off`);
  return run;
}
