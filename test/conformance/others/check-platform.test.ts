// Goal: checkPlatform finds what an adapter of somebody's own does wrong, names the law, and finds nothing in one that
// is right. Method: the simulated disk, which can lose power and be given faults, broken in one method at a time. The
// project's own adapters go through it in test/platform.
import { describe, expect, test } from 'vitest';
import type { CheckOptions, VirtualClock } from '../../../conformance/index.ts';
import { ConformanceError, checkPlatform, SimulatedDisk } from '../../../conformance/index.ts';
import { BROKEN_DISKS } from '../../../conformance/others/broken-disks.ts';
import { simulatedPlatforms } from '../../../conformance/others/own-platforms.ts';
import type { Directory, DiskPort } from '../../../src/core/port.ts';

const quiet = (): void => {};
const OPTIONS: CheckOptions = { seed: 11, runs: 24, steps: 40, log: quiet };
const OK = { ok: true, value: undefined } as const;

type MakeDisk = new (clock: VirtualClock) => SimulatedDisk;

async function failureOf(Disk: MakeDisk, options: CheckOptions = OPTIONS): Promise<ConformanceError> {
  const { makePlatform, manifest } = simulatedPlatforms('my flash', Disk);
  try {
    await checkPlatform(makePlatform, manifest, options);
  } catch (thrown) {
    if (thrown instanceof ConformanceError) return thrown;
    throw thrown;
  }
  throw new Error('checkPlatform found nothing');
}

// Goal: the laws and the runs are possible, and a seed is a run. Method: twice the same, and what each law was tried on.
test('finds nothing in a disk that is right, and says what it tried', async () => {
  const once = async (seed: number) => {
    const { makePlatform, manifest } = simulatedPlatforms('right');
    return checkPlatform(makePlatform, manifest, { ...OPTIONS, seed });
  };
  const report = await once(1);
  expect(report.laws).toHaveLength(35);
  expect(report.notTried).toEqual([]);
  expect(report.steps).toBeGreaterThan(300);
  expect([...report.coverage.edges.keys()]).toEqual(
    expect.arrayContaining(['ready.flushing FLUSH_FAILED', 'crashed OPEN']),
  );
  expect((await once(1)).traceHash).toBe(report.traceHash);
  expect((await once(2)).traceHash).not.toBe(report.traceHash);
});

test('tries only what the manifest offers, and says so', async () => {
  const lines: string[] = [];
  const { makePlatform, manifest } = simulatedPlatforms('plain');
  const { elapse = quiet } = manifest;
  const report = await checkPlatform(
    makePlatform,
    { elapse, crash: 'none' },
    { ...OPTIONS, log: (line) => lines.push(line) },
  );
  expect(report.notTried).toEqual(['PORT-30', 'PORT-31', 'PORT-32', 'PORT-33', 'PORT-34', 'PORT-35', 'PORT-40']);
  expect(report.coverage.events.has('CRASH')).toBe(false);
  expect(lines).toEqual([
    expect.stringMatching(/^checkPlatform: simulated, seed 11, 28 laws \(7 not tried\), 24 runs, /),
  ]);
});

describe('names the law that is broken', () => {
  test.each(BROKEN_DISKS)('$name: $law', async ({ law, shows, Disk }) => {
    const found = await failureOf(Disk);
    expect(found.message).toContain(shows);
    expect(found.message.split('\n')[0]).toMatch(new RegExp(`^checkPlatform: my flash breaks ${law}: \\w`));
    expect(found.breaks).toBe(law);
    expect(found.message).toContain('what was asked of the adapter');
  });

  test('an answer that never comes', async () => {
    const Hanging = class extends SimulatedDisk {
      override remove() {
        return new Promise<never>(quiet);
      }
    };
    const found = await failureOf(Hanging, { ...OPTIONS, timeoutMs: 30 });
    expect(found).toMatchObject({
      breaks: 'PORT-19',
      message: expect.stringContaining('remove host/a gave no answer within 30 ms'),
    });
  });
});

// Goal: what no law tries comes out when the engine runs on it. Method: adapters that fail after a while, or only where
// the engine goes.
describe('finds with the engine what the laws do not', () => {
  test('a disk that syncs its log three times and no more', async () => {
    const found = await failureOf(
      class extends SimulatedDisk {
        #syncs = 0;
        override async sync(directory: Directory, name: string) {
          return name.startsWith('checkpoint') && ++this.#syncs > 3 ? OK : super.sync(directory, name);
        }
      },
      { ...OPTIONS, runs: 100 },
    );
    expect(found.breaks).toBe('INV-15');
    expect(found.message).toContain('a flush has made');
    expect(found.message).toMatch(/recover, read everything, revert .*<< here/);
    expect(found.message).toContain('what was asked of the adapter, at the end');
  });

  test('a disk that turns a byte of a segment', async () => {
    const found = await failureOf(
      class extends SimulatedDisk {
        override write(directory: Directory, name: string, offset: number, bytes: Uint8Array) {
          if (!name.startsWith('0000')) return super.write(directory, name, offset, bytes);
          const turned = bytes.slice();
          turned[66] = (turned[66] ?? 0) ^ 4;
          return super.write(directory, name, offset, turned);
        }
      },
    );
    expect(found.message).toMatch(/^checkPlatform: the engine on my flash breaks INV-/);
    expect(found.failure?.told.length).toBeLessThanOrEqual(10);
  });

  test('an adapter that throws in the middle of a flush', async () => {
    const found = await failureOf(
      class extends SimulatedDisk {
        override write(...given: Parameters<DiskPort['write']>) {
          if (given[1].endsWith('000002.seg')) throw new Error('EBADF: bad file descriptor');
          return super.write(...given);
        }
      },
    );
    expect(found.message.split('\n')[0]).toContain('breaks PORT-19: every answer is a value of the port');
    expect(found.message).toContain('000002.seg');
  });
});

// Goal: the trace is what its reader needs. Method: all of it, for one failure.
test('tells the calls that show it', async () => {
  const found = await failureOf(
    class extends SimulatedDisk {
      override read(directory: Directory, name: string, offset: number, into: Uint8Array) {
        return super.read(directory, name, offset, into.length === 8 ? into.subarray(0, 4) : into);
      }
    },
  );
  expect(found.message.split('\n')).toEqual([
    expect.stringMatching(
      /^checkPlatform: my flash breaks PORT-05: a read fills the view it was given and nothing beside it$/,
    ),
    '  a read of 8 bytes answered 4',
    '',
    '  what was asked of the adapter',
    '     1  lock                         ok',
    '     2  write host/a, 16 bytes at 0  ok',
    '     3  read host/a, 8 bytes at 4    4 bytes',
  ]);
});

// Goal: what is no adapter is told as such, and not as a law that is broken. Method: one thing missing or wrong at a time.
describe('what makes no sense is refused in one line', () => {
  const clock = { nowMs: () => 1, newStoreId: () => new Uint8Array(16) };
  const { makePlatform } = simulatedPlatforms('my flash', SimulatedDisk);
  const withDisk = async (change: Partial<Record<keyof DiskPort, unknown>>): Promise<unknown> => {
    const platform = await makePlatform('sense');
    return { ...clock, name: 'x', disk: Object.assign(Object.create(platform.disk), change) };
  };
  test.each([
    ['no function', undefined, {}, 'makePlatform: a function that makes a platform on a storage is needed'],
    ['no platform', () => undefined, {}, 'makePlatform gave undefined: a platform is needed'],
    ['no clock', () => ({ ...clock, nowMs: 5, disk: null }), {}, 'the platform has no nowMs: add it'],
    [
      'no disk and no null',
      () => clock,
      {},
      "the platform's disk is undefined: give a disk, or null for a store in RAM",
    ],
    ['no timer', () => withDisk({ after: undefined }), {}, "the platform's disk has no after: add it"],
    ['a crash that there is not', makePlatform, { crash: 'boom' }, "manifest.crash is boom: give 'kill' or 'none'"],
    ['a power cut that is no function', makePlatform, { cutPower: true }, 'manifest.cutPower is true: give a function'],
  ])('%s', async (_, make, manifest, message) => {
    const found = checkPlatform(make as never, manifest as never, OPTIONS);
    await expect(found).rejects.toThrow(message);
    await expect(found).rejects.not.toThrow('\n');
  });
});
