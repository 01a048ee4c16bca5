/** The numbered tests that go through the old calls (src/legacy), with their names and result codes. */

import type { Platform } from '../../../src/core/port.ts';
import {
  BOUNDS_VIOLATION,
  CODE_NAMES,
  CSD_TYPE_CAN_CONTROLLER,
  CSD_TYPE_HOST,
  CSD_TYPE_MGC,
  INITIALIZATION_FAILED,
  INVALID_PARAMETER,
  SUCCESS,
} from '../../../src/legacy/codes.ts';
import { LegacyMemoryManager } from '../../../src/legacy/manager.ts';
import type { ControlSensorBlock, ControlSensorData, ReadRecord } from '../../../src/legacy/shapes.ts';
import { createLinuxPlatform } from '../../../src/platform/linux.ts';
import { subjectOf } from '../../legacy/run-legacy.ts';
import { judgeRuns } from '../../others/store-run.ts';
import type { Bench } from '../bench.ts';
import { mustAgree } from '../scenarios.ts';
import { count, wicedPlatform } from '../stores.ts';
import type { Run } from '../table.ts';

const NOW_MS = 1_700_000_000_000;

const platformOf = (bench: Bench): Platform =>
  bench.hasDisk
    ? createLinuxPlatform({ directory: bench.directory, clock: () => NOW_MS })
    : wicedPlatform(() => NOW_MS);

/** A memory manager on the test's own store; answers are compared by name. */
class Old {
  readonly mm = new LegacyMemoryManager();
  readonly #bench: Bench;

  constructor(bench: Bench) {
    this.#bench = bench;
    bench.atEnd(() => this.mm.shutdown());
  }

  answers(what: string, code: number, expected: number): void {
    this.#bench.equal(what, CODE_NAMES[code] ?? code, CODE_NAMES[expected]);
  }

  async init(): Promise<void> {
    const settings = { poolBytes: 65_536, sectorBytes: 32, streamsMax: 16, quotaBytes: 4_194_304, freeFloorBytes: 0 };
    const code = await this.mm.init({ config: null, platform: platformOf(this.#bench), settings, clock: () => NOW_MS });
    this.answers('memory_manager_v2_init', code, SUCCESS);
  }

  /** Reads `records` over the source and compares the values. */
  reads(what: string, csdType: number, values: readonly number[]): void {
    for (const value of values) {
      const record: ReadRecord = {};
      this.answers(`${what}: read`, this.mm.read(csdType, record, null), SUCCESS);
      this.#bench.equal(`${what}: value`, record.value, value);
    }
  }

  counts(csdType: number): { readonly retained: number; readonly pending: number } {
    const source = ['host', 'mgc', 'can_controller'][csdType];
    const streams = this.mm.store?.streams().filter((each) => each.source === source) ?? [];
    const sum = (name: 'retained' | 'pending'): number => streams.reduce((total, { marks }) => total + marks[name], 0);
    return { retained: sum('retained'), pending: sum('pending') };
  }
}

/** 11. */
async function legacyInterface(bench: Bench): Promise<void> {
  const old = new Old(bench);
  const { mm } = old;
  old.answers('a write before init', mm.write(CSD_TYPE_HOST, { sensor_id: 1, value: 1 }), INITIALIZATION_FAILED);
  await old.init();
  for (const csd of [CSD_TYPE_HOST, CSD_TYPE_MGC, CSD_TYPE_CAN_CONTROLLER])
    for (const value of count(10 * csd, 3))
      old.answers('write', mm.write(csd, { sensor_id: 5, value, utc_time_ms: NOW_MS + value }), SUCCESS);
  for (const csd of [CSD_TYPE_HOST, CSD_TYPE_MGC, CSD_TYPE_CAN_CONTROLLER])
    old.reads(`source ${csd}`, csd, count(10 * csd, 3));
  old.answers('an unknown source', mm.write(3, { sensor_id: 5, value: 1 }), INVALID_PARAMETER);
  bench.did('wrote and read over the three sources with the old calls');
  for (const calls of ['entry', 'source', 'mixed'] as const) {
    const { failure, runs, steps } = await judgeRuns(subjectOf(calls, bench.profile, LegacyMemoryManager), {
      seed: bench.random.next(),
      runs: bench.size(40, 6),
      steps: 60,
      timeoutMs: 20_000,
    });
    mustAgree(`${calls} calls`, failure);
    bench.counted(steps);
    bench.did(`${calls} calls: ${runs} generated runs of ${steps} steps, the same semantics as the model`);
  }
}

/** 17. */
async function legacyRead(bench: Bench): Promise<void> {
  const old = new Old(bench);
  await old.init();
  const untouched: ReadRecord = { value: 77 };
  old.answers('a read of an empty source', old.mm.read(CSD_TYPE_HOST, untouched, null), BOUNDS_VIOLATION);
  bench.equal('the record of a read that found none', untouched, { value: 77 });
  const unknown: ReadRecord = { value: 77 };
  old.answers('a read of an unknown source', old.mm.read(9, unknown, null), INVALID_PARAMETER);
  bench.equal('the record of a read that was refused', unknown, { value: 77 });
  old.answers('a write of 0', old.mm.write(CSD_TYPE_HOST, { sensor_id: 0, value: 0, utc_time_ms: 0 }), SUCCESS);
  const zero: ReadRecord = {};
  old.answers('a read of the value 0', old.mm.read(CSD_TYPE_HOST, zero, null), SUCCESS);
  bench.equal('the value 0, of sensor 0, at 0 ms', [zero.value, zero.sensor_id, zero.utc_time_ms], [0, 0, 0]);
  old.answers('a read behind the last', old.mm.read(CSD_TYPE_HOST, {}, null), BOUNDS_VIOLATION);
  const csb: ControlSensorBlock[] = [{ id: 9, csd_type: CSD_TYPE_MGC }];
  const csd: ControlSensorData[] = [{}];
  const none: ReadRecord = { value: 77 };
  old.answers('read_tsd_evt of a sensor never written', old.mm.readEntry(csb, csd, 0, none), BOUNDS_VIOLATION);
  bench.equal('its record', none, { value: 77 });
  bench.did('read an empty source, an unknown one, and the value 0: three different answers');
}

/** 18. */
async function legacyErase(bench: Bench): Promise<void> {
  const old = new Old(bench);
  await old.init();
  for (const value of count(0, 10)) old.mm.write(CSD_TYPE_MGC, { sensor_id: 8, value, utc_time_ms: NOW_MS + value });
  old.reads('six of ten', CSD_TYPE_MGC, count(0, 6));
  bench.equal('before the erase', old.counts(CSD_TYPE_MGC), { retained: 10, pending: 6 });
  old.answers('an erase of 7 of 6 read', old.mm.erase(CSD_TYPE_MGC, 7), BOUNDS_VIOLATION);
  bench.equal('after the refused erase', old.counts(CSD_TYPE_MGC), { retained: 10, pending: 6 });
  old.answers('an erase of 4', old.mm.erase(CSD_TYPE_MGC, 4), SUCCESS);
  bench.equal('after it', old.counts(CSD_TYPE_MGC), { retained: 6, pending: 2 });
  old.answers('an erase of the other 2', old.mm.erase(CSD_TYPE_MGC, 2), SUCCESS);
  bench.equal('after that', old.counts(CSD_TYPE_MGC), { retained: 4, pending: 0 });
  old.reads('the rest', CSD_TYPE_MGC, count(6, 4));
  bench.did('each acknowledge lowered pending and retained by its batch, and nothing else did');
}

/** 19. */
async function legacyComplete(bench: Bench): Promise<void> {
  const old = new Old(bench);
  await old.init();
  const { mm } = old;
  const csb: ControlSensorBlock[] = [
    { id: 1, csd_type: CSD_TYPE_HOST, sample_rate: 1_000 },
    { id: 2, csd_type: CSD_TYPE_HOST, sample_rate: 0 },
  ];
  const csd: ControlSensorData[] = [{}, {}];
  for (const entry of [0, 1])
    for (const value of count(entry * 100, 4))
      old.answers('write_tsd_evt', mm.writeEntry(csb, csd, entry, value, false), SUCCESS);
  const upload = (entry: number): number[] => {
    const values: number[] = [];
    for (const record: ReadRecord = {}; mm.readEntry(csb, csd, entry, record) === SUCCESS; )
      values.push(record.value as number);
    return values;
  };
  for (const entry of [0, 1]) bench.sameNumbers(`entry ${entry}, first upload`, upload(entry), count(entry * 100, 4));
  bench.equal(
    'no_pending',
    csd.map(({ no_pending }) => no_pending),
    [4, 4],
  );
  for (const entry of [0, 1]) old.answers('revert (the cloud said no)', mm.revertEntry(csb, csd, entry), SUCCESS);
  bench.equal(
    'no_pending behind the nack',
    csd.map(({ no_pending }) => no_pending),
    [0, 0],
  );
  for (const entry of [0, 1]) bench.sameNumbers(`entry ${entry}, second upload`, upload(entry), count(entry * 100, 4));
  for (const entry of [0, 1]) old.answers('erase_tsd_evt', mm.eraseEntry(csb, csd, entry), SUCCESS);
  bench.equal('what is left', old.counts(CSD_TYPE_HOST), { retained: 0, pending: 0 });
  old.answers('an upload of nothing', mm.readEntry(csb, csd, 0, {}), BOUNDS_VIOLATION);
  bench.did('wrote, read, was nacked, read the same again, erased: nothing left, nothing twice');
}

export const LEGACY: Readonly<Record<number, Run>> = {
  11: legacyInterface,
  17: legacyRead,
  18: legacyErase,
  19: legacyComplete,
};
