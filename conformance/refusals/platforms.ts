/**
 * The platforms' own words: which clock and which identity a microcontroller's store gets from its firmware, and which
 * names a Linux directory takes, read either way.
 */
import type { Platform } from '../../src/core/port.ts';
import type { WicedPlatformOptions } from '../../src/platform/wiced.ts';
import { createWicedPlatform } from '../../src/platform/wiced.ts';
import { linuxPlatforms } from '../others/own-platforms.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';

const ID = Uint8Array.from({ length: 16 }, (_, i) => 0x10 + i);

const wiced = (options: Partial<WicedPlatformOptions>): Platform =>
  createWicedPlatform({ clock: () => 5, storeId: ID, ...options });

/** The sentence with which the making or the call is refused; 'taken' when it is not. */
function refusalOf(make: () => unknown): string {
  try {
    make();
    return 'taken';
  } catch (error) {
    return error instanceof TypeError ? error.message : `no TypeError: ${error}`;
  }
}

const NEEDS_BYTES = 'storeId: 16 bytes in a Uint8Array are needed';
const wrongIds: readonly unknown[] = [
  undefined,
  null,
  '0123456789abcdef',
  Array.from(ID),
  ID.subarray(1),
  new Uint8Array(17),
];

const ids = (platform: Platform, count: number): number[][] =>
  Array.from({ length: count }, () => [...platform.newStoreId()]);

const WICED: readonly Case[] = [
  {
    name: 'wiced: a clock that is none is refused when the platform is made',
    check: () =>
      differs(
        'the refusal',
        refusalOf(() => wiced({ clock: 7 as unknown as () => number })),
        'clock: a function that gives UTC milliseconds is needed',
      ),
  },
  {
    name: 'wiced: an id that is not 16 bytes is refused when the platform is made',
    check: () =>
      differs(
        'the refusals',
        wrongIds.map((storeId) => refusalOf(() => wiced({ storeId: storeId as Uint8Array }))),
        wrongIds.map(() => NEEDS_BYTES),
      ),
  },
  {
    name: 'wiced: one that a function gives is refused when a store asks for it',
    check: () =>
      differs(
        'the refusals',
        wrongIds.map((id) => refusalOf(() => wiced({ storeId: () => id as Uint8Array }).newStoreId())),
        wrongIds.map(() => NEEDS_BYTES),
      ),
  },
  {
    name: 'wiced: the first store has the bytes, each further one the next number in the last four',
    check: () =>
      differs(
        'the ids',
        ids(wiced({}), 3),
        [0, 1, 2].map((by) => [...ID.subarray(0, 15), (ID[15] as number) + by]),
      ),
  },
  {
    name: 'wiced: the count goes on over 2^32, and leaves the other twelve bytes alone',
    check: () => {
      const storeId = Uint8Array.from(ID).fill(0xff, 12);
      return differs(
        'the ids',
        ids(wiced({ storeId }), 2).map((id) => id.slice(11)),
        [
          [ID[11], 0xff, 0xff, 0xff, 0xff],
          [ID[11], 0, 0, 0, 0],
        ],
      );
    },
  },
  {
    name: 'wiced: bytes that the caller changes later are not those of a store',
    check: () => {
      const [given, answered] = [ID.slice(), ID.slice()];
      const [fixed, asked] = [wiced({ storeId: given }), wiced({ storeId: () => answered })];
      const fromFunction = asked.newStoreId();
      fixed.newStoreId().fill(9);
      given.fill(7);
      answered.fill(7);
      return differs('the ids', [[...fromFunction], ...ids(fixed, 1)], [[...ID], [...ID.subarray(0, 15), 0x20]]);
    },
  },
  {
    name: 'wiced: the clock is cut to whole milliseconds, and there is no disk',
    check: () => {
      const platform = wiced({ clock: () => 1_234.9 });
      return differs('clock and disk', [platform.nowMs(), platform.disk], [1_234, null]);
    },
  },
];

const LONGEST_NAME = 'n'.repeat(255);

const LINUX: readonly Case[] = [
  {
    name: 'linux: what is no name of a file is refused, whatever is asked of it',
    onRealDisk: true,
    check: async () => {
      const { makePlatform, remove } = await linuxPlatforms();
      try {
        const { disk } = await makePlatform('names');
        if (disk === null) return 'there is no disk';
        await disk.lock();
        const codes: string[] = [];
        for (const name of ['', '.', '..', '../b', 'a/b', 'a\\b', 'a\0b', `${LONGEST_NAME}n`]) {
          const answers = [
            await disk.write('host', name, 0, ID),
            await disk.read('host', name, 0, new Uint8Array(1)),
            disk.readNow?.('host', name, 0, new Uint8Array(1)),
            await disk.sync('host', name),
            await disk.rename('host', name, 'c'),
            await disk.rename('host', 'c', name),
            await disk.remove('host', name),
          ];
          for (const answer of answers) codes.push(answer?.ok ? 'ok' : (answer?.error.detail.split(':')[0] ?? 'none'));
        }
        await disk.unlock();
        return differs('the codes', [...new Set(codes)], ['EINVAL']);
      } finally {
        await remove();
      }
    },
  },
  {
    name: 'linux: a name of 255 bytes is one',
    onRealDisk: true,
    check: async () => {
      const { makePlatform, remove } = await linuxPlatforms();
      try {
        const { disk } = await makePlatform('long');
        if (disk === null) return 'there is no disk';
        await disk.lock();
        const written = await disk.write('host', LONGEST_NAME, 0, ID);
        await disk.unlock();
        return differs('whether it is written', written.ok, true);
      } finally {
        await remove();
      }
    },
  },
  {
    name: 'linux: what is read at once is what is read later, at every place and length',
    onRealDisk: true,
    check: async () => {
      const { makePlatform, remove } = await linuxPlatforms();
      try {
        const { disk } = await makePlatform('read');
        if (disk === null || disk.readNow === undefined) return 'nothing can be read at once';
        await disk.lock();
        await disk.write('mgc', 'a', 0, ID);
        const reads: unknown[] = [];
        const wanted: unknown[] = [];
        for (const [name, offset, length] of [
          ['a', 0, 16],
          ['a', 3, 5],
          ['a', 10, 16],
          ['a', 16, 4],
          ['a', 0, 0],
          ['b', 0, 1],
        ] as const) {
          const [now, later] = [new Uint8Array(length), new Uint8Array(length)];
          const [answer, other] = [disk.readNow('mgc', name, offset, now), await disk.read('mgc', name, offset, later)];
          reads.push(answer.ok ? answer.value : answer.error.code, [...now]);
          wanted.push(other.ok ? other.value : other.error.code, [...later]);
        }
        await disk.unlock();
        return (
          differs('what is read at once', reads, wanted) ??
          differs(
            'how much that is',
            reads.filter((each) => !Array.isArray(each)),
            [16, 5, 6, 0, 0, 'NOT_FOUND'],
          )
        );
      } finally {
        await remove();
      }
    },
  },
];

export const PLATFORMS: readonly Case[] = [...WICED, ...LINUX];
