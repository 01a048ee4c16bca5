/**
 * Stores drawn by chance: streams of every kind, some lives with flushes, acknowledgements and discards, ended in peace, by a
 * power cut, or by one within a flush. Model and engine run in step while a store is made, so what it retains is known from
 * the model.
 */
import type { Action, Scenario, ScenarioStream } from '../actions.ts';
import type { StoreRecipe } from '../damage-matrix/stores.ts';
import type { Random } from '../random.ts';
import { quotaBytesMin } from '../refinement.ts';

const START_MS = 1_700_000_000_000;
const SOURCES = ['host', 'mgc', 'can_controller'] as const;
const TYPES = ['uint32', 'int32', 'float32'] as const;
const POOLS = [
  { sectors: 8, sectorBytes: 64 },
  { sectors: 16, sectorBytes: 128 },
  { sectors: 48, sectorBytes: 256 },
] as const;
/** More than a store of this size writes: evictions have their own place, in the damage matrix. */
const ROOM_BYTES = 262_144;

const drain: Action = { do: 'drain' };

function streamsOf(random: Random): ScenarioStream[] {
  return Array.from({ length: 2 + random.below(5) }, (_, i): ScenarioStream => {
    const evt = random.chance(0.5);
    return {
      source: random.pick(SOURCES),
      // Distinct, with varints of every length that an id can have.
      sensor: i + (1 << (7 * random.below(4))),
      kind: evt ? 'evt' : 'tsd',
      periodMs: evt ? 0 : random.pick([1, 100, 1_000, 60_000]),
      type: random.pick(TYPES),
      priority: random.below(3),
    };
  });
}

class Maker {
  readonly #random: Random;
  readonly #streams: readonly ScenarioStream[];
  readonly #appended: number[];
  readonly actions: Action[] = [];

  constructor(random: Random, streams: readonly ScenarioStream[]) {
    this.#random = random;
    this.#streams = streams;
    this.#appended = streams.map(() => 0);
  }

  append(): void {
    const random = this.#random;
    for (const [stream, { periodMs }] of this.#streams.entries()) {
      for (let i = random.below(12); i > 0; i--) {
        const n = (this.#appended[stream] as number)++;
        // Now and then off the grid, so that a block ends early.
        const jump = random.chance(0.08) ? 7_777 : 0;
        const timeMs = START_MS + n * Math.max(periodMs, 10) + jump;
        this.actions.push({ do: 'append', stream, bits: random.next(), timeMs });
      }
    }
    this.actions.push(drain);
  }

  flush(): void {
    this.actions.push({ do: 'flush' }, drain);
  }

  take(): void {
    const stream = this.#random.below(this.#streams.length);
    const n = 1 + this.#random.below(8);
    this.actions.push({ do: 'read', stream, max: n }, drain, { do: 'acknowledge', stream, n }, drain);
  }

  discard(): void {
    this.actions.push({
      do: 'discard',
      stream: this.#random.below(this.#streams.length),
      n: 1 + this.#random.below(3),
    });
  }

  open(): void {
    this.actions.push({ do: 'open' }, drain);
  }

  close(): void {
    this.actions.push({ do: 'close' }, drain);
  }

  cut(keep: 'nothing' | 'everything'): void {
    this.actions.push({ do: 'crash', choice: { kind: 'power', keep } });
  }

  /** Cut within a flush, after some of its I/O. */
  cutInFlush(): void {
    this.append();
    this.actions.push({ do: 'flush' });
    for (let i = 1 + this.#random.below(12); i > 0; i--) this.actions.push({ do: 'io', pick: 0 });
    this.cut(this.#random.chance(0.5) ? 'everything' : 'nothing');
  }
}

/** One store. The same draws give the same one. */
export function recipeOf(random: Random): StoreRecipe {
  const streams = streamsOf(random);
  const pool = random.pick(POOLS);
  const scenario: Scenario = {
    profile: 'linux',
    mode: 'disk',
    streams,
    ...pool,
    quotaBytes: quotaBytesMin(pool.sectors, pool.sectorBytes) + ROOM_BYTES,
    whenDiskFull: 'evict-oldest',
    durableAcknowledge: random.chance(0.2),
  };
  const maker = new Maker(random, streams);
  const lives = 1 + random.below(3);
  for (let life = 0; life < lives; life++) {
    maker.open();
    for (let round = 1 + random.below(4); round > 0; round--) {
      maker.append();
      maker.flush();
      if (random.chance(0.5)) maker.take();
      if (random.chance(0.2)) maker.discard();
    }
    const end = random.below(4);
    if (end < 2) maker.close();
    else if (end === 2) maker.cut(random.chance(0.5) ? 'everything' : 'nothing');
    else maker.cutInFlush();
  }
  return { name: 'drawn', scenario, actions: maker.actions };
}
