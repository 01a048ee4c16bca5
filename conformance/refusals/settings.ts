/**
 * Settings: defaults, ranges, the forms in which a size can be written, and the quota below which one flush could not be
 * taken (contract sections 5 and 6). Figures are stated here and not taken from the engine.
 */
import type { SettingsInput } from '../../src/core/config.ts';
import { resolveBudget, resolveSettings } from '../../src/core/config.ts';
import { SectorPool } from '../../src/core/sector-pool.ts';
import type { Case } from './case.ts';
import { differs, show } from './case.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const TIB = 1024 * GIB;

const DEFAULTS = {
  poolBytes: 4 * MIB,
  sectorBytes: 256,
  streamsMax: 2048,
  quotaBytes: 256 * MIB,
  freeFloorBytes: 16 * MIB,
  recycleBytes: 0,
  preallocateBytes: 0,
  ledgerMax: 4096,
  whenDiskFull: 'evict-oldest',
  durableAcknowledge: false,
  budgetBytes: null,
};

/** A large quota, so that only the setting under test decides. */
const ROOMY = { quotaBytes: TIB };

type Given = Readonly<Record<string, unknown>>;

function accepted(given: Given, wanted: Given = given): Case {
  return {
    name: `settings ${show(given)} are accepted`,
    check: () => {
      const result = resolveSettings(given as SettingsInput);
      if (!result.ok) return `refused: ${result.failure.message}`;
      const values = result.value as unknown as Given;
      const chosen = Object.fromEntries(Object.keys(wanted).map((key) => [key, values[key]]));
      return differs('the outcome', chosen, wanted);
    },
  };
}

/** Refused, and the message names the setting. */
function refused(given: Given, names: string): Case {
  return {
    name: `settings ${show(given)} are refused`,
    check: () => {
      const result = resolveSettings(given as SettingsInput);
      if (result.ok) return 'accepted';
      const { code, message } = result.failure;
      if (code !== 'CONFIG_INVALID') return differs('the code', code, 'CONFIG_INVALID');
      return message.startsWith(names) ? null : `the message does not begin with ${names}: ${message}`;
    },
  };
}

/** Inclusive ranges, each tried at both ends and beside them. */
const RANGES: readonly (readonly [name: string, min: number, max: number, beside: Given])[] = [
  ['poolBytes', 128, GIB, { ...ROOMY, sectorBytes: 32 }],
  ['sectorBytes', 32, 4096, ROOMY],
  ['streamsMax', 1, 4096, ROOMY],
  ['freeFloorBytes', 0, TIB, {}],
  ['recycleBytes', 0, TIB, {}],
  ['preallocateBytes', 0, GIB, ROOMY],
  ['ledgerMax', 1, 65_536, ROOMY],
];

const SIZES: readonly (readonly [given: string, bytes: number])[] = [
  ['65536', 64 * KIB],
  ['65536B', 64 * KIB],
  ['64KiB', 64 * KIB],
  ['64 kib', 64 * KIB],
  ['  4MIB ', 4 * MIB],
  ['1GiB', GIB],
];

const NO_SIZES: readonly unknown[] = [
  '64KB',
  '1.5MiB',
  'KiB',
  '',
  '-1',
  '64KiB x',
  'x 64KiB',
  '9007199254740993',
  2 ** 53,
  0.5,
  Number.NaN,
  null,
  true,
  {},
];

/** Pools, and the smallest quota that takes one flush of them beside the log twice over. */
const QUOTAS: readonly (readonly [beside: Given, leastBytes: number])[] = [
  [{ poolBytes: 128, sectorBytes: 32, streamsMax: 8, ledgerMax: 64 }, 62_320],
  [{ poolBytes: 64 * KIB, sectorBytes: 32 }, 1_440_432],
  [{}, 6_685_376],
  [{ poolBytes: 64 * MIB, sectorBytes: 4096, streamsMax: 4096 }, 71_268_224],
];

function leastQuota(beside: Given, leastBytes: number): Case {
  const isEnough = (quotaBytes: number): boolean => resolveSettings({ ...beside, quotaBytes } as SettingsInput).ok;
  return {
    name: `the least quota beside ${show(beside)}`,
    check: () => {
      if (!isEnough(leastBytes)) return `${leastBytes} bytes are refused`;
      return isEnough(leastBytes - 1) ? `${leastBytes - 1} bytes are accepted` : null;
    },
  };
}

const tableBytes = (sectorBytes: number) => (sectors: number, streamsMax: number, ledgerMax: number) =>
  SectorPool.planBytes({ sectors, sectorBytes, streamsMax, ledgerMax, disk: false });

/** Budget, streams, sector and ledger of a store without a disk; sectors that it gets, or 0 when it is refused. */
const BUDGETS: readonly (readonly [...given: [number, number, number, number], sectors: number])[] = [
  [12_288, 100, 32, 16, 115],
  [12_288, 100, 32, 8, 120],
  [65_536, 1, 32, 1, 1_361],
  [65_536, 1, 4096, 1, 15],
  [1_024, 1, 32, 1, 17],
  [1_023, 1, 32, 1, 0],
  [65_537, 1, 32, 1, 0],
  [12_288, 0, 32, 8, 0],
  [65_536, 2_049, 32, 8, 0],
  [12_288, 100, 24, 8, 0],
  [65_536, 1, 4_104, 1, 0],
  [12_288, 100, 36, 8, 0],
  [12_288, 100, 32, 0, 0],
  [65_536, 1, 32, 1_024, 786],
  [65_536, 1, 32, 1_025, 0],
  [12_288, 0.5, 32, 8, 0],
  [1_024, 16, 32, 1, 0],
];

function budget([budgetBytes, streamsMax, sectorBytes, ledgerMax, sectors]: (typeof BUDGETS)[number]): Case {
  return {
    name: `a budget of ${budgetBytes} for ${streamsMax} streams, sectors of ${sectorBytes}, ledger of ${ledgerMax}`,
    check: () => {
      const result = resolveBudget(budgetBytes, streamsMax, sectorBytes, ledgerMax, tableBytes(sectorBytes));
      if (!result.ok) return sectors === 0 ? differs('the code', result.failure.code, 'CONFIG_INVALID') : 'refused';
      return differs('the outcome', result.value, {
        poolBytes: sectors * sectorBytes,
        sectorBytes,
        streamsMax,
        quotaBytes: 0,
        freeFloorBytes: 0,
        recycleBytes: 0,
        preallocateBytes: 0,
        whenDiskFull: 'evict-oldest',
        durableAcknowledge: false,
        ledgerMax,
        budgetBytes,
      });
    },
  };
}

export const SETTINGS: readonly Case[] = [
  accepted({}, DEFAULTS),
  { name: 'no settings are the defaults', check: () => differs('the outcome', resolveSettings(), resolveSettings({})) },
  ...RANGES.flatMap(([name, min, max, beside]) => {
    // A sector is a multiple of 8, so the next one inside and outside the range is 8 away.
    const step = name === 'sectorBytes' ? 8 : 1;
    return [
      accepted({ ...beside, [name]: min }),
      ...(name === 'poolBytes' ? [] : [accepted({ ...beside, [name]: max })]),
      refused({ ...beside, [name]: min - step }, name),
      refused({ ...beside, [name]: max + step }, name),
    ];
  }),
  accepted({ ...ROOMY, poolBytes: GIB, sectorBytes: 4096 }),
  refused({ quotaBytes: TIB + 1 }, 'quotaBytes'),
  refused({ quotaBytes: 8 * KIB - 1 }, 'quotaBytes'),
  ...SIZES.map(([given, bytes]) => accepted({ ...ROOMY, poolBytes: given }, { poolBytes: bytes })),
  ...NO_SIZES.map((given) => refused({ poolBytes: given }, 'poolBytes')),
  refused({ poolByte: 1 }, 'poolByte'),
  accepted({ whenDiskFull: 'refuse-new', durableAcknowledge: true }),
  accepted({ whenDiskFull: 'evict-oldest', durableAcknowledge: false }),
  ...['', 'evict', null, 1].map((given) => refused({ whenDiskFull: given ?? 'null' }, 'whenDiskFull')),
  ...['', 'true', 1].map((given) => refused({ durableAcknowledge: given }, 'durableAcknowledge')),
  refused({ sectorBytes: 36 }, 'sectorBytes'),
  refused({ poolBytes: 383, sectorBytes: 128 }, 'poolBytes'),
  accepted({ poolBytes: 512, sectorBytes: 128 }),
  // What does not fill a sector is left.
  accepted({ poolBytes: 639, sectorBytes: 128 }, { poolBytes: 512 }),
  refused({ poolBytes: 511, sectorBytes: 128 }, 'poolBytes'),
  // What the default quota leaves beside two logs of 22 steps of 64 KiB each.
  accepted({ preallocateBytes: 265_551_872 }),
  refused({ preallocateBytes: 265_551_873 }, 'preallocateBytes'),
  ...QUOTAS.map(([beside, leastBytes]) => leastQuota(beside, leastBytes)),
  ...BUDGETS.map(budget),
];
