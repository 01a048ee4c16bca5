/**
 * Whatever is handed to the old calls: a code, never a throw, nothing changed, no out-parameter touched.
 *
 * Method: every call with every kind of nonsense in every place, on an open store, one that is not open, and one whose
 * calls are made while it opens; the store's figures before and after.
 */
import { describe, expect, it } from 'vitest';
import { MODE_TRANSITION_FAILED } from '../../src/legacy/codes.ts';
import type { LegacyMemoryManager } from '../../src/legacy/manager.ts';
import { bench, named } from './bench.ts';

const THROWING = new Proxy(
  {},
  {
    get: () => {
      throw new Error('a getter that throws');
    },
    ownKeys: () => {
      throw new Error('keys that throw');
    },
  },
);

const NONSENSE: readonly (readonly [name: string, value: unknown])[] = [
  ['null', null],
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['-1', -1],
  ['0.5', 0.5],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['2 ** 53', 2 ** 53],
  ['text', 'host'],
  ['""', ''],
  ['a bigint', 1n],
  ['a symbol', Symbol('x')],
  ['true', true],
  ['an array', []],
  ['a function', () => 0],
  ['a frozen object', Object.freeze({})],
  ['an object that throws', THROWING],
];

const CSB = [{ id: 1 }];

/** Each call with a hole in it: what is right in the other places. */
const HOLES: readonly (readonly [
  name: string,
  call: (mm: LegacyMemoryManager, x: unknown) => number,
  right?: unknown[],
])[] = [
  ['set_memory_mode(x)', (mm, x) => mm.setMode(x)],
  ['set_disk_path(x)', (mm, x) => mm.setDiskPath(x), ['host']],
  ['write_tsd_evt_unified(x, data)', (mm, x) => mm.write(x, { sensor_id: 9, value: 1 })],
  ['write_tsd_evt_unified(0, x)', (mm, x) => mm.write(0, x)],
  ['write_tsd_evt_unified(0, { sensor_id: x })', (mm, x) => mm.write(0, { sensor_id: x, value: 1 })],
  ['write_tsd_evt_unified(0, { value: x })', (mm, x) => mm.write(0, { sensor_id: 9, value: x })],
  [
    'write_tsd_evt_unified(0, { utc_time_ms: x })',
    (mm, x) => mm.write(0, { sensor_id: 9, value: 1, utc_time_ms: x === undefined ? null : x }),
  ],
  [
    'write_tsd_evt_unified(0, { data_type: x })',
    (mm, x) => mm.write(0, { sensor_id: 9, value: 1, data_type: x === undefined ? null : x }),
  ],
  [
    'write_tsd_evt_unified(0, { sample_rate: x })',
    (mm, x) => mm.write(0, { sensor_id: 9, value: 1, sample_rate: x === undefined ? null : x }),
  ],
  ['read_tsd_evt_ptr_unified(x, record)', (mm, x) => mm.read(x, {}, 0)],
  // What throws when it is looked at can still be filled in.
  ['read_tsd_evt_ptr_unified(0, x)', (mm, x) => mm.read(0, x, 0), [THROWING]],
  ['read_tsd_evt_ptr_unified(0, record, x)', (mm, x) => mm.read(0, {}, x), [null, undefined]],
  ['read_tsd_evt_ptr_unified(0, record, { value: x })', (mm, x) => mm.read(0, {}, { value: x })],
  ['atomic_erase_records(x, 1)', (mm, x) => mm.erase(x, 1)],
  ['atomic_erase_records(0, x)', (mm, x) => mm.erase(0, x)],
  ['write_tsd_evt(x, ...)', (mm, x) => mm.writeEntry(x, [{}], 0, 1, false)],
  ['write_tsd_evt(csb, x, ...)', (mm, x) => mm.writeEntry(CSB, x, 0, 1, false)],
  ['write_tsd_evt(csb, [x], ...)', (mm, x) => mm.writeEntry(CSB, [x], 0, 1, false), [THROWING]],
  ['write_tsd_evt(csb, csd, x, ...)', (mm, x) => mm.writeEntry(CSB, [{}], x, 1, false)],
  ['write_tsd_evt(csb, csd, 0, x)', (mm, x) => mm.writeEntry(CSB, [{}], 0, x, false)],
  ['write_tsd_evt(csb, csd, 0, 1, x)', (mm, x) => mm.writeEntry(CSB, [{}], 0, 1, x), [undefined, true]],
  ['read_tsd_evt(x, ...)', (mm, x) => mm.readEntry(x, [{}], 0, {})],
  ['read_tsd_evt(csb, x, ...)', (mm, x) => mm.readEntry(CSB, x, 0, {})],
  ['read_tsd_evt(csb, csd, x)', (mm, x) => mm.readEntry(CSB, [{}], x, {})],
  ['read_tsd_evt(csb, csd, 0, x)', (mm, x) => mm.readEntry(CSB, [{}], 0, x), [undefined, THROWING]],
  ['erase_tsd_evt(x, ...)', (mm, x) => mm.eraseEntry(x, [{}], 0)],
  ['erase_tsd_evt(csb, x, ...)', (mm, x) => mm.eraseEntry(CSB, x, 0)],
  ['erase_tsd_evt(csb, csd, x)', (mm, x) => mm.eraseEntry(CSB, [{}], x)],
  ['revert_tsd_evt_pending_data(x, ...)', (mm, x) => mm.revertEntry(x, [{}], 0)],
  ['revert_tsd_evt_pending_data(csb, csd, x)', (mm, x) => mm.forEntries(CSB, x, () => 0)],
];

const CASES = HOLES.map(([name, call, right = []]) => ({ name, call, right }));

describe.each(CASES)('$name', ({ call, right }) => {
  const wrong = NONSENSE.filter(([, value]) => !right.includes(value));

  it.each(wrong)('answers %s with a code, and nothing has changed', async (_name, value) => {
    const { mm, open } = bench();
    expect(call(mm, value)).not.toBe(0);
    expect(await open()).toBe('SUCCESS');
    expect(named(mm.write(0, { sensor_id: 1, value: 7 }))).toBe('SUCCESS');
    const before = mm.store?.stats();
    const code = call(mm, value);
    expect(Number.isInteger(code) && code > 0 && code <= MODE_TRANSITION_FAILED, named(code)).toBe(true);
    expect(mm.store?.stats()).toEqual(before);
  });
});

describe('memory_manager_v2_init', () => {
  const options = NONSENSE.filter(([, value]) => value !== undefined && value !== null);

  it.each(options)('answers %s with a code', async (name, value) => {
    const { mm } = bench();
    // An array or a frozen object has no wrong key in it: that would open the default store.
    const given = name === 'an array' || name === 'a frozen object' ? { mode: value } : value;
    expect(named(await mm.init(given))).toMatch(/INVALID_PARAMETER|IMPOSSIBLE_STATE|DISK_IO_FAILED/);
    expect(mm.store).toBeNull();
  });

  it.each([
    [{ mode: 2 }, 'mode is 2: it must be MODE_RAM_ONLY or MODE_RAM_PRIMARY'],
    [{ disk_path: '/tmp/\0' }, 'disk_path is'],
    [{ ram_threshold: 70 }, 'ram_threshold is 70 (option): it must be 80'],
    [{ disk_limit_mb: 0 }, 'disk_limit_mb is 0 (option): it must be a whole number from 1'],
    [{ enabled: 'perhaps' }, "enabled is 'perhaps' (option): it must be true or false"],
    [{ settings: { poolBytes: '4MB' } }, "poolBytes is '4MB': write a whole number with B, KiB, MiB or GiB"],
    [{ disk_pth: '/tmp' }, 'disk_pth is no option (option): '],
    [{ config: 7 }, 'config is 7: it must be the path of a file, or null'],
  ])('says what is wrong with %j', async (given, says) => {
    const logged: string[] = [];
    const { mm } = bench();
    const log = (_: string, message: string): void => void logged.push(message);
    expect(named(await mm.init({ config: null, ...given, log }))).toBe('INVALID_PARAMETER');
    expect(logged.join()).toContain(says);
  });

  it('says which file cannot be read', async () => {
    const logged: string[] = [];
    const { mm } = bench();
    const log = (_: string, message: string): void => void logged.push(message);
    expect(named(await mm.init({ config: '/no/such.ini', log }))).toBe('DISK_IO_FAILED');
    expect(logged.join()).toContain('the configuration file /no/such.ini cannot be read');
  });
});

// Goal: an out-parameter that cannot be filled in gets nothing, and nothing was read. Method: a setter that throws.
describe('an out-parameter that throws when it is filled in', () => {
  const hostile = (): object =>
    Object.defineProperty({}, 'value', {
      enumerable: true,
      set: () => {
        throw new Error('not mine');
      },
    });

  it('leaves the record unread', async () => {
    const { mm, open } = bench();
    await open();
    mm.write(0, { sensor_id: 1, value: 7 });
    expect(named(mm.read(0, hostile(), null))).toBe('INVALID_PARAMETER');
    expect(named(mm.readEntry(CSB, [{}], 0, hostile()))).toBe('INVALID_PARAMETER');
    expect(mm.store?.stats()).toMatchObject({ pending: 0, unread: 1 });
    expect(named(mm.erase(0, 1))).toBe('BOUNDS_VIOLATION');
  });
});
