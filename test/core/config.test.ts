/**
 * Settings: what is refused, and that the refusal is one sentence that names the setting, its value and the remedy.
 */
import { describe, expect, it } from 'vitest';
import type { SettingsInput } from '../../src/core/config.ts';
import {
  checkpointReserveBytes,
  flushBytesMax,
  parseSize,
  resolveBudget,
  resolveSettings,
} from '../../src/core/config.ts';
import { SectorPool } from '../../src/core/sector-pool.ts';
import { unwrap } from './workbench.ts';

const MIB = 1024 * 1024;
const messageOf = (input: Record<string, unknown>): string => {
  const resolved = resolveSettings(input as SettingsInput);
  if (resolved.ok) throw new Error(`accepted: ${JSON.stringify(resolved.value)}`);
  expect(resolved.failure.code).toBe('CONFIG_INVALID');
  return resolved.failure.message;
};

/** Setting, value, and what the message must name beside both. */
const REFUSED: readonly (readonly [string, unknown, RegExp])[] = [
  ['poolBytes', 127, /127 bytes.* between 128 and 1073741824/],
  ['poolBytes', '2GiB', /2147483648 bytes.* between/],
  ['poolBytes', '64KB', /'64KB'.* KiB, MiB or GiB/],
  ['poolBytes', '64 kilo', /'64 kilo'.*such as 64KiB/],
  ['poolBytes', '1.5MiB', /'1.5MiB'.*whole number/],
  ['poolBytes', '-1', /'-1'.*whole number/],
  ['poolBytes', '', /''.*whole number/],
  ['poolBytes', '99999999999GiB', /too large/],
  ['poolBytes', 4096.5, /4096.5.*whole number of bytes/],
  ['poolBytes', Number.NaN, /NaN.*whole number/],
  ['poolBytes', Number.POSITIVE_INFINITY, /Infinity.*whole number/],
  ['poolBytes', null, /null.*number of bytes or text such as '64KiB'/],
  ['poolBytes', true, /boolean.*number of bytes/],
  ['poolBytes', {}, /object.*number of bytes/],
  ['poolBytes', 1000, /1000.*at least 4 sectors of 256 bytes/],
  ['sectorBytes', 24, /24 bytes.* between 32 and 4096/],
  ['sectorBytes', 4104, /4104 bytes.* between 32 and 4096/],
  ['sectorBytes', 100, /100.*multiple of 8/],
  ['streamsMax', 0, /0.* between 1 and 4096/],
  ['streamsMax', 4097, /4097.* between 1 and 4096/],
  ['streamsMax', '12 streams', /'12 streams'/],
  ['quotaBytes', 8191, /8191 bytes.* between/],
  ['quotaBytes', '1MiB', /1048576.*raise quotaBytes or lower poolBytes/],
  ['freeFloorBytes', -1, /-1 bytes.* between 0/],
  ['whenDiskFull', 'drop', /'drop'.*'evict-oldest' or 'refuse-new'/],
  ['whenDiskFull', 3, /3.*'evict-oldest' or 'refuse-new'/],
  ['durableAcknowledge', 'yes', /'yes'.*true or false/],
  ['ledgerMax', 0, /0.* between 1 and 65536/],
  ['ledgerMax', 65_537, /65537.* between 1 and 65536/],
  ['poolByte', 4096, /is not a setting; known are poolBytes, /],
  ['budgetBytes', 4096, /is not a setting/],
];

describe('bad settings', () => {
  // Goal: each is one clear sentence. Method: a table of settings and values; name, value and remedy must be in the message.
  it.each(REFUSED)('refuses %s = %j with one sentence', (setting, value, wanted) => {
    const message = messageOf({ [setting]: value });
    expect(message.startsWith(setting)).toBe(true);
    expect(message).toMatch(wanted);
    expect(message).not.toMatch(/\n|undefined|\[object/);
  });
});

describe('good settings', () => {
  it('takes sizes as numbers and as text with binary units', () => {
    for (const [given, bytes] of [
      [65_536, 65_536],
      ['65536', 65_536],
      ['64KiB', 65_536],
      [' 64 kib ', 65_536],
      ['2B', 2],
      ['4 MiB', 4 * MIB],
      ['1GiB', 1024 * MIB],
    ] as const) {
      expect(unwrap(parseSize('x', given))).toBe(bytes);
    }
  });

  it('has the defaults that the documentation names', () => {
    expect(unwrap(resolveSettings())).toEqual({
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
    });
  });

  it('takes the classic pool of 64 KiB in sectors of 32 bytes, for 2,048 streams', () => {
    const settings = unwrap(resolveSettings({ poolBytes: '64KiB', sectorBytes: 32 }));
    expect(settings).toMatchObject({ poolBytes: 65_536, streamsMax: 2048 });
  });

  // Goal: what the message demands is enough. Method: the quota that a refusal names is accepted, one byte less is not.
  it('accepts exactly the quota that a refusal asks for', () => {
    const needed = Number(/can need (\d+) bytes/.exec(messageOf({ poolBytes: '64KiB', quotaBytes: '1MiB' }))?.[1]);
    const input = { poolBytes: '64KiB', quotaBytes: needed };
    const again = resolveSettings(input);
    // The reserve grows a little with the quota itself, so one more round may be asked for, and no third.
    const enough = again.ok ? needed : Number(/can need (\d+) bytes/.exec(again.failure.message)?.[1]);
    expect(resolveSettings({ ...input, quotaBytes: enough }).ok).toBe(true);
    expect(resolveSettings({ ...input, quotaBytes: 1_048_576 }).ok).toBe(false);
  });

  // Goal: the bound on one flush holds for the worst layout. Method: every sector a block of its own, with the largest head.
  it('reckons the largest flush at no less than its worst blocks take', () => {
    for (const sectorBytes of [32, 256, 4096]) {
      const sectors = 400;
      const records = Math.floor((sectorBytes - 8) / 4);
      const worstBlocks = sectors * (records * 4 + 33 + 4);
      expect(flushBytesMax(sectors, sectorBytes)).toBeGreaterThan(worstBlocks);
    }
    expect(checkpointReserveBytes(unwrap(resolveSettings()))).toBeLessThan(2 * MIB);
  });
});

describe('the microcontroller’s budget', () => {
  const resolve = (budget: unknown, streams: unknown, sector: unknown, ledger: unknown) =>
    resolveBudget(
      budget as number,
      streams as number,
      sector as number,
      ledger as number,
      (sectors, streamsMax, ledgerMax) =>
        SectorPool.planBytes({ sectors, sectorBytes: 32, streamsMax, ledgerMax, disk: false }),
    );

  it.each([
    [1023, 10, 32, 4, /budgetBytes is 1023.* from 1024 to 65536/],
    ['12KiB', 10, 32, 4, /budgetBytes is '12KiB'/],
    [12_288, 0, 32, 4, /streamsMax is 0/],
    [12_288, 10, 36, 4, /sectorBytes is 36.*multiple of 8/],
    [12_288, 10, 31, 4, /sectorBytes is 31/],
    [12_288, 10, 32, 0, /ledgerMax is 0/],
    [2_048, 100, 32, 4, /budgetBytes is 2048: the tables of 100 streams leave no room for 4 sectors/],
  ])(
    'refuses %j bytes for %j streams of %j-byte sectors and %j ledger entries',
    (budget, streams, sector, ledger, wanted) => {
      const resolved = resolve(budget, streams, sector, ledger);
      expect(resolved.ok ? 'accepted' : resolved.failure.message).toMatch(wanted);
    },
  );

  it('never passes 2,048 sectors, the reach of its addresses', () => {
    expect(unwrap(resolve(65_536, 1, 32, 1)).poolBytes / 32).toBeLessThanOrEqual(2048);
  });
});
