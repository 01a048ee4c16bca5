/** What happens to the storing process of a real soak, one entry a kind. A disk that is real is not told to fail. */
import type { Random } from '../../random.ts';
import type { Mark } from '../incidents.ts';
import type { Storage } from './storage.ts';

/** Each kind as often as it is in the bag. */
export const REAL_BAG = [
  'killed at rest',
  'killed while sampling',
  'killed in a flush',
  'killed in a flush',
  'killed in a checkpoint',
  'killed while uploading',
  'killed while recovering',
  'killed behind a power-fail warning',
  'restart in good order',
  'clock set',
  'batches refused',
] as const;
export type RealKind = (typeof REAL_BAG)[number];

export interface RealScene {
  readonly storage: Storage;
  readonly random: Random;
  readonly wait: (ms: number) => Promise<void>;
  /** Samples this tick without waiting for the answer; the run does not sample it again. */
  readonly sampleUnheard: () => void;
  readonly setClock: (byMs: number) => void;
  readonly refuseUploads: (ticks: number) => void;
}

interface RealEntry {
  readonly mark: Mark;
  readonly begin: (scene: RealScene) => Promise<void>;
}

/** A process starts in a few dozen milliseconds, a small flush takes as long, a checkpoint less. */
const OPENING_MS = 120;
const FLUSH_MS = 60;
const MOMENT_MS = 6;
const DEADLINE_MS = 200;
const PACKET_RECORDS = 3_000;
const MINUTE_TICKS = 6;
const HOUR_MS = 3_600_000;

export const REAL_INCIDENTS: Readonly<Record<RealKind, RealEntry>> = {
  'killed at rest': {
    mark: 'crash',
    begin: ({ storage, wait }) => storage.crash([], wait),
  },
  'killed while sampling': {
    mark: 'crash',
    begin: async ({ storage, random, wait, sampleUnheard }) => {
      sampleUnheard();
      await wait(random.below(MOMENT_MS));
      await storage.crash([], wait);
    },
  },
  'killed in a flush': {
    mark: 'crash',
    begin: async ({ storage, random, wait }) => {
      void storage.child.ask({ type: 'flush' });
      await wait(random.below(FLUSH_MS));
      await storage.crash([], wait);
    },
  },
  'killed in a checkpoint': {
    mark: 'crash',
    begin: async ({ storage, random, wait }) => {
      void storage.child.ask({ type: 'checkpoint' });
      await wait(random.below(MOMENT_MS));
      await storage.crash([], wait);
    },
  },
  'killed while uploading': {
    mark: 'crash',
    begin: async ({ storage, random, wait }) => {
      // Of what is on disk a part is acknowledged, and no checkpoint has said so: that part comes again.
      await storage.child.ask({ type: 'flush' });
      storage.acknowledgeUnheard(await storage.deliver(PACKET_RECORDS));
      await wait(random.below(MOMENT_MS));
      await storage.crash([], wait);
    },
  },
  'killed while recovering': {
    mark: 'crash',
    begin: async ({ storage, random, wait }) => {
      void storage.child.ask({ type: 'flush' });
      await wait(random.below(FLUSH_MS));
      const delaysMs = Array.from({ length: 1 + random.below(3) }, () => random.below(OPENING_MS));
      await storage.crash(delaysMs, wait);
    },
  },
  'killed behind a power-fail warning': {
    mark: 'crash',
    begin: async ({ storage, wait }) => {
      const { unsaved } = await storage.child.ask({ type: 'warned', deadlineMs: DEADLINE_MS });
      const before = storage.account.figures.lostInRam;
      await storage.crash([], wait);
      storage.expectLost(storage.account.figures.lostInRam - before, unsaved);
    },
  },
  'restart in good order': {
    mark: 'restart',
    begin: async ({ storage }) => {
      await storage.restart();
    },
  },
  'clock set': {
    mark: 'clock',
    begin: async ({ random, setClock }) => {
      const byMs = random.pick([2_000, 4_000, 60_000, HOUR_MS, 24 * HOUR_MS]) + random.below(1_000);
      setClock(random.chance(0.5) ? byMs : -byMs);
    },
  },
  'batches refused': {
    mark: 'nack',
    begin: async ({ random, refuseUploads }) => refuseUploads(MINUTE_TICKS * (1 + random.below(3))),
  },
};
