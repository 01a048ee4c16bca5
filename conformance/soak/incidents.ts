/**
 * What happens to a device in a soak, one entry a kind: how it begins, and what ends it later.
 *
 * An incident that is told to end does so also when a crash came in between; then the disk is another one and there is nothing
 * left to end. While trouble lasts the uploader and the sensors go on.
 */
import type { Random } from '../random.ts';
import type { Device } from './device.ts';
import type { IncidentKind } from './schedule.ts';

/** What an incident may use beside the device. */
export interface Scene {
  readonly device: Device;
  readonly random: Random;
  /** Does something so many ticks later. */
  readonly later: (ticks: number, act: () => Promise<void>) => void;
  /** Until then the uploader's batches are refused by the cloud. */
  readonly refuseUploads: (ticks: number) => void;
  /** The uploader gets so many seconds of a link. */
  readonly upload: (seconds: number) => Promise<void>;
}

/** How an incident shows in the picture of the run. */
export type Mark = 'crash' | 'trouble' | 'restart' | 'clock' | 'nack';

interface IncidentEntry {
  readonly mark: Mark;
  /** Waits until no other trouble lasts: each is judged by itself, and a restart in good order needs a sound disk. */
  readonly calm?: true;
  readonly begin: (scene: Scene) => Promise<void>;
}

const DISK_STEPS = 24;
const LOG_STEPS = 3;
const RECOVERY_STEPS = 8;
const MINUTE_TICKS = 6;
const FILL_STEPS = 8;
const FILL_FROM_BYTES = 160 * 1024;
const FILL_STEP_BYTES = 24 * 1024;
const BAD_PLACES = [null, 'host', 'mgc', 'can_controller'] as const;
const HOUR_MS = 3_600_000;
const DEADLINE_MS = 200;

const choice = (random: Random) => ({ kind: 'power', keep: { seed: random.next() } }) as const;

/** The disk stops answering `steps` operations from now, while a flush wants it; a while later the power goes. */
async function inFlush({ device, random, later }: Scene, crash: () => Promise<void>): Promise<void> {
  device.disk.autoSteps = random.below(DISK_STEPS);
  await device.flush();
  later(random.below(3), crash);
}

/** The disk is sound again: a flush must end well, unless the disk waits for a power cut that has begun meanwhile. */
async function expectFlush(device: Device): Promise<void> {
  if (device.disk.autoSteps < Number.POSITIVE_INFINITY) return;
  const answer = await device.flush();
  device.findings.expect(answer === 'well', 'liveness', () => `the disk is sound again, and a flush is ${answer}`);
}

/** A trouble that lasts some minutes. When it is over, a flush must go well (liveness). */
async function trouble(scene: Scene, minutes: number, begin: () => void, end: () => void): Promise<void> {
  const { device, later } = scene;
  const { disk } = device;
  begin();
  await device.flush();
  later(Math.max(1, Math.round(minutes * MINUTE_TICKS)), async () => {
    if (device.disk !== disk) return;
    end();
    disk.endFaults();
    disk.completeAll();
    await expectFlush(device);
  });
}

/**
 * Other programs take the disk's space, a bit more each tick, and a flush wants some of it: first there is enough, then the
 * oldest segments give way, then that is not enough either. At the end the others are gone.
 */
function fill(scene: Scene, steps: number): void {
  const { device, later } = scene;
  const { disk } = device;
  const spare = disk.totalBytes + device.settings.freeFloorBytes + FILL_FROM_BYTES;
  const step = (left: number) => async (): Promise<void> => {
    if (device.disk !== disk) return;
    disk.capacityBytes = left === 0 ? Number.POSITIVE_INFINITY : spare - (steps - left) * FILL_STEP_BYTES;
    if (left === 0) return expectFlush(device);
    await device.flush();
    later(1, step(left - 1));
  };
  later(1, step(steps));
}

const fault = (device: Device, rule: Device['disk']['faults'][number]): void => {
  device.disk.faults.push(rule);
};

export const INCIDENTS: Readonly<Record<IncidentKind, IncidentEntry>> = {
  'power cut at rest': {
    mark: 'crash',
    begin: ({ device, random }) => device.crash(choice(random)),
  },
  'power cut in a flush': {
    mark: 'crash',
    begin: (scene) => inFlush(scene, () => scene.device.crash(choice(scene.random))),
  },
  'power cut in a checkpoint': {
    mark: 'crash',
    begin: async ({ device, random }) => {
      device.disk.autoSteps = random.below(LOG_STEPS);
      void device.store.checkpoint();
      await device.crash(choice(random));
    },
  },
  'power cut while recovering': {
    mark: 'crash',
    begin: (scene) => {
      const { device, random } = scene;
      const cuts = Array.from({ length: 1 + random.below(3) }, () => random.below(RECOVERY_STEPS));
      return inFlush(scene, () => device.crash(choice(random), cuts));
    },
  },
  'power cut while uploading': {
    mark: 'crash',
    calm: true,
    begin: async ({ device, random, upload }) => {
      // Of what is on disk a part is acknowledged, and no checkpoint has said so: that part comes again.
      await device.flush();
      await upload(0.1 + random.below(5) / 10);
      await device.crash(choice(random));
    },
  },
  'process killed in a flush': {
    mark: 'crash',
    begin: (scene) =>
      inFlush(scene, () =>
        scene.device.crash({ kind: 'kill', underWay: scene.random.chance(0.5) ? 'done' : 'undone' }),
      ),
  },
  'power-fail warning': {
    mark: 'crash',
    calm: true,
    begin: async ({ device, random }) => {
      const { unsaved } = await device.warned(DEADLINE_MS);
      const before = device.account.figures.lostInRam;
      await device.crash(choice(random));
      const lost = device.account.figures.lostInRam - before;
      device.findings.expect(
        lost <= unsaved,
        'loss',
        () => `${lost} records were lost, ${unsaved} were called unsaved`,
      );
    },
  },
  'restart in good order': {
    mark: 'restart',
    calm: true,
    begin: ({ device }) => device.restart(),
  },
  'writes fail': {
    mark: 'trouble',
    calm: true,
    begin: (scene) => {
      const { device, random } = scene;
      // Of all files, or of one source only: then the log can be written, and must not say that the segment was.
      const directory = random.pick(BAD_PLACES);
      return trouble(
        scene,
        1 + random.below(10),
        () =>
          fault(device, {
            kind: 'write',
            ...(directory === null ? {} : { directory }),
            times: Number.POSITIVE_INFINITY,
            fault: { code: 'IO', shortBytes: random.below(4096) },
          }),
        () => {},
      );
    },
  },
  'syncs fail': {
    mark: 'trouble',
    calm: true,
    begin: (scene) =>
      trouble(
        scene,
        1 + scene.random.below(5),
        () =>
          fault(scene.device, {
            kind: ['sync', 'syncDirectory'],
            skip: scene.random.below(6),
            times: 1 + scene.random.below(4),
            fault: { code: 'IO', keepReadable: scene.random.chance(0.5) },
          }),
        () => {},
      ),
  },
  'slow disk': {
    mark: 'trouble',
    calm: true,
    begin: (scene) =>
      trouble(
        scene,
        1 + scene.random.below(5),
        () =>
          fault(scene.device, {
            kind: ['write', 'sync', 'syncDirectory', 'remove'],
            times: Number.POSITIVE_INFINITY,
            fault: 'slow',
          }),
        () => {},
      ),
  },
  'disk filled by others': {
    mark: 'trouble',
    calm: true,
    begin: async (scene) => {
      // There must be something to evict: what is in RAM goes to disk first.
      await scene.device.flush();
      fill(scene, FILL_STEPS);
    },
  },
  'reads fail': {
    mark: 'trouble',
    calm: true,
    begin: (scene) =>
      trouble(
        scene,
        10,
        () => fault(scene.device, { kind: 'read', times: 1 + scene.random.below(2), fault: { code: 'IO' } }),
        () => {},
      ),
  },
  'decayed segment': {
    mark: 'trouble',
    calm: true,
    begin: async ({ device, random }) => {
      // What was just appended goes to disk, so that there is something to decay.
      await device.flush();
      device.decay((bound) => random.below(bound));
    },
  },
  'clock set': {
    mark: 'clock',
    begin: async ({ device, random }) => {
      const byMs = random.pick([2_000, 4_000, 60_000, HOUR_MS, 24 * HOUR_MS]) + random.below(1_000);
      device.clock.wallMs += random.chance(0.5) ? byMs : -byMs;
    },
  },
  'batches refused': {
    mark: 'nack',
    begin: async ({ random, refuseUploads }) => refuseUploads(MINUTE_TICKS * (1 + random.below(3))),
  },
};
