/** Names, constants and codes of the old interface, as the contract's section 10 has them. */
import { describe, expect, it } from 'vitest';
import { CODE_MEANINGS } from '../../src/core/codes.ts';
import { BLOCK_BYTES_MAX, FILE_BYTES_MAX, FLUSH_AT_PERCENT, resolveSettings } from '../../src/core/config.ts';
import * as mm from '../../src/legacy/index.ts';

const CONSTANTS = {
  CSD_TYPE_HOST: 0,
  CSD_TYPE_MGC: 1,
  CSD_TYPE_CAN_CONTROLLER: 2,
  RAM_THRESHOLD_PERCENT: 80,
  RAM_FULL_PERCENT: 100,
  MAX_DISK_FILE_SIZE: 65536,
  MAX_DISK_STORAGE_MB: 256,
  SUCCESS: 0,
  INVALID_PARAMETER: 1,
  INSUFFICIENT_SPACE: 2,
  BOUNDS_VIOLATION: 3,
  CONSISTENCY_FAILURE: 4,
  INITIALIZATION_FAILED: 5,
  PLATFORM_UNSUPPORTED: 6,
  CHECKSUM_MISMATCH: 7,
  SEQUENCE_VIOLATION: 8,
  IMPOSSIBLE_STATE: 9,
  CORRUPTION_DETECTED: 10,
  DISK_FULL: 11,
  DISK_IO_FAILED: 12,
  MODE_TRANSITION_FAILED: 13,
} as const;

const CALLS = [
  'memory_manager_v2_init',
  'set_memory_mode',
  'set_disk_path',
  'write_tsd_evt_unified',
  'read_tsd_evt_ptr_unified',
  'atomic_erase_records',
  'write_tsd_evt',
  'read_tsd_evt',
  'erase_tsd_evt',
] as const;

const exported: Readonly<Record<string, unknown>> = { ...mm };

describe('the old interface', () => {
  // Goal: an application's numbers stay what they are. Method: the contract's table, written out once more.
  it('has every constant and code of the contract, with its number', () => {
    expect(mm).toMatchObject(CONSTANTS);
    expect(mm.CODE_NAMES.map((name) => exported[name])).toEqual(Array.from({ length: 14 }, (_, code) => code));
  });

  it.each(CALLS)('has %s', (name) => {
    expect(exported[name]).toBeTypeOf('function');
  });

  // Goal: the constants are the engine's, not a copy that may drift. Method: both sides side by side.
  it('states the bounds that the engine keeps', () => {
    expect(FLUSH_AT_PERCENT).toBe(mm.RAM_THRESHOLD_PERCENT);
    expect(FILE_BYTES_MAX).toBe(mm.MAX_DISK_FILE_SIZE);
    expect(BLOCK_BYTES_MAX).toBeLessThan(mm.MAX_DISK_FILE_SIZE);
    expect(resolveSettings()).toMatchObject({ value: { quotaBytes: mm.MAX_DISK_STORAGE_MB * 1_048_576 } });
  });
});

describe('the table of codes', () => {
  // Goal: no refusal of the engine is without a code, and none looks like success. Method: every code of the engine.
  it.each(Object.keys(CODE_MEANINGS))('maps %s to exactly one code, and not to success', (code) => {
    const legacy = mm.CODE_OF[code as keyof typeof CODE_MEANINGS];
    expect(mm.CODE_NAMES[legacy]).toBeTypeOf('string');
    expect(legacy).not.toBe(mm.SUCCESS);
  });

  it('names no code that the engine does not have', () => {
    expect(Object.keys(mm.CODE_OF).sort()).toEqual(Object.keys(CODE_MEANINGS).sort());
  });
});
