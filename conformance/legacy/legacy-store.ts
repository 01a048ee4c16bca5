/**
 * The old calls (src/legacy) as a store before the judge: the generated sequences go through them, on the simulated disk
 * or in RAM, and every answer is held against the model.
 *
 * Three ways to call them. `entry`: read_tsd_evt and its kin, sensor by sensor. `source`: read_tsd_evt_ptr_unified and
 * atomic_erase_records, one sensor a source. `mixed`: now these, now those, on the same sensors. A record's raw bits go
 * through as a uint32 or an int32; the old calls hand floats over as such bits, too.
 */

import {
  BOUNDS_VIOLATION,
  CODE_NAMES,
  DISK_FULL,
  DISK_IO_FAILED,
  INSUFFICIENT_SPACE,
  SUCCESS,
} from '../../src/legacy/codes.ts';
import type { LegacyMemoryManager } from '../../src/legacy/manager.ts';
import type { ControlSensorBlock, ControlSensorData, ReadRecord } from '../../src/legacy/shapes.ts';
import type { Scenario } from '../actions.ts';
import { macrotask } from '../answers.ts';
import type { Fault, FaultRule } from '../disk-operations.ts';
import { Divergence } from '../divergence.ts';
import type { RefusalCode, Refused, StoreMarks, StoreRecord, StoreUnderTest } from '../others/store-under-test.ts';
import { settingsOf } from '../refinement.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { StoreIds, simulatedPlatform, VirtualClock } from '../virtual-clock.ts';

export const CALLS = ['entry', 'source', 'mixed'] as const;
export type Calls = (typeof CALLS)[number];

export type MakeManager = new () => LegacyMemoryManager;

const POWER = { kind: 'power', keep: 'nothing' } as const;
const NO_MARKS = { head: 0, read: 0, appended: 0, synced: 0 };
const SOURCE_NAMES = ['host', 'mgc', 'can_controller'] as const;

/** How often the disk refuses in one read, read by read. A block that it refuses three times in a row is damaged. */
const READ_FAULTS = [0, 1, 2] as const;

const REFUSALS: Readonly<Record<number, RefusalCode>> = {
  [INSUFFICIENT_SPACE]: 'RAM_FULL',
  [DISK_FULL]: 'RAM_FULL',
  [BOUNDS_VIOLATION]: 'BOUNDS_VIOLATION',
  [DISK_IO_FAILED]: 'IO_FAILED',
};

export class LegacyStore implements StoreUnderTest {
  readonly #scenario: Scenario;
  readonly #calls: Calls;
  readonly #Manager: MakeManager;
  readonly #clock = new VirtualClock();
  readonly #ids = new StoreIds();
  #disk: SimulatedDisk | null;
  #mm: LegacyMemoryManager;
  #nowMs = 0;
  #crashed = false;
  #reads = 0;
  /** Which of the two ways is next, in a mixed run. */
  #turn = 0;
  readonly #csb: readonly ControlSensorBlock[];
  #csd: ControlSensorData[] = [];

  constructor(scenario: Scenario, calls: Calls, Manager: MakeManager) {
    this.#scenario = scenario;
    this.#calls = calls;
    this.#Manager = Manager;
    this.#mm = new Manager();
    this.#disk = scenario.profile === 'linux' ? new SimulatedDisk(this.#clock) : null;
    this.#csb = scenario.streams.map(({ source, sensor, periodMs, type }, i) => ({
      id: sensor,
      csd_type: calls === 'entry' ? SOURCE_NAMES.indexOf(source) : i,
      sample_rate: periodMs,
      data_type: type === 'int32' ? 1 : 0,
    }));
  }

  async recover(): Promise<void> {
    const { poolBytes, sectorBytes, quotaBytes, streamsMax, ledgerMax, freeFloorBytes } = settingsOf(this.#scenario);
    this.#mm = new this.#Manager();
    this.#csd = this.#csb.map(() => ({}));
    const code = await this.#mm.init({
      config: null,
      platform: simulatedPlatform(this.#disk, this.#clock, this.#ids),
      settings: { poolBytes, sectorBytes, quotaBytes, streamsMax, ledgerMax, freeFloorBytes },
      clock: () => this.#nowMs,
    });
    this.#crashed = false;
    if (code !== SUCCESS) throw new Divergence('INV-18', `memory_manager_v2_init answered ${CODE_NAMES[code]}`);
    await this.#rest();
  }

  async append(stream: number, bits: number, timeMs: number): Promise<Refused | undefined> {
    const { id, csd_type = 0, data_type, sample_rate } = this.#csb[stream] as ControlSensorBlock;
    const value = data_type === 1 ? bits | 0 : bits;
    this.#nowMs = timeMs;
    const code = this.#byEntry()
      ? this.#mm.writeEntry(this.#csb, this.#csd, stream, value, false)
      : this.#mm.write(csd_type, { sensor_id: id, value, utc_time_ms: timeMs, data_type, sample_rate });
    await this.#rest();
    return answerOf(code);
  }

  async read(stream: number, max: number): Promise<readonly StoreRecord[] | Refused> {
    const records: StoreRecord[] = [];
    // A read that never ends is a finding, not a run without end.
    const most = Math.min(max, this.#retained(stream) + 1);
    const byEntry = this.#byEntry();
    while (records.length < most) {
      const record: ReadRecord = {};
      const { csd_type = 0, data_type } = this.#csb[stream] as ControlSensorBlock;
      const code = this.#onFailingDisk(() =>
        byEntry ? this.#mm.readEntry(this.#csb, this.#csd, stream, record) : this.#mm.read(csd_type, record, null),
      );
      if (code !== SUCCESS && Object.keys(record).length > 0)
        throw new Divergence('answer', `a read answered ${CODE_NAMES[code]}, and filled its record in`);
      // What the disk refuses once it gives the next time: nothing has changed, and nothing is left out.
      if (code === DISK_IO_FAILED) continue;
      if (code === BOUNDS_VIOLATION) break;
      if (code !== SUCCESS) throw new Divergence('INV-03', `a read answered ${CODE_NAMES[code]}`);
      const { value = Number.NaN, utc_time_ms = Number.NaN, sequence, epoch } = record;
      records.push({ bits: data_type === 1 ? value >>> 0 : value, timeMs: utc_time_ms, sequence, epoch });
    }
    await this.#rest();
    return records;
  }

  /** Two reads of three meet a disk that refuses: once, or twice, as for a bad page and the block that it lies in. */
  #onFailingDisk(read: () => number): number {
    const faults: FaultRule[] = this.#disk?.faults ?? [];
    const refusals = this.#reads++ % READ_FAULTS.length;
    if (refusals > 0) faults.push({ kind: 'read', times: READ_FAULTS[refusals] as number, fault: { code: 'IO' } });
    const code = read();
    faults.length = 0;
    return code;
  }

  async acknowledge(stream: number, n: number): Promise<Refused | undefined> {
    const { csd_type = 0 } = this.#csb[stream] as ControlSensorBlock;
    const code = this.#byEntry() ? this.#eraseEntry(stream, n) : this.#mm.erase(csd_type, n);
    await this.#rest();
    return answerOf(code);
  }

  /** As applications erase a part: no_pending says how much. */
  #eraseEntry(stream: number, n: number): number {
    (this.#csd[stream] as ControlSensorData).no_pending = n;
    return this.#mm.eraseEntry(this.#csb, this.#csd, stream);
  }

  async revert(stream: number): Promise<Refused | undefined> {
    const code = this.#mm.revertEntry(this.#csb, this.#csd, stream);
    await this.#rest();
    return answerOf(code);
  }

  async flush(fault?: Fault): Promise<Refused | undefined> {
    const faults: FaultRule[] = this.#disk?.faults ?? [];
    if (fault !== undefined) {
      faults.push({ kind: fault.shortBytes === undefined ? 'sync' : 'write', times: 1, fault });
    }
    const code = await this.#mm.flush();
    faults.length = 0;
    await this.#rest();
    return answerOf(code);
  }

  async crash(inFlush?: number): Promise<void> {
    if (this.#disk === null) return;
    if (inFlush !== undefined) {
      this.#disk.autoSteps = inFlush;
      void this.#mm.flush();
      await macrotask();
    }
    this.#disk = this.#disk.crash(POWER);
    this.#crashed = true;
  }

  inspect(): StoreMarks {
    const { streams = [] } = this.#mm.store?.inspect() ?? {};
    const { evicted = 0, damaged = 0 } = this.#mm.store?.stats() ?? {};
    return {
      streams: this.#csb.map(
        ({ id, csd_type = 0 }) =>
          streams.find(({ source, sensor }) => source === SOURCE_NAMES[csd_type] && sensor === id) ?? NO_MARKS,
      ),
      lost: evicted + damaged,
    };
  }

  async close(): Promise<void> {
    // A disk that lost power answers nothing any more.
    if (!this.#crashed) await this.#mm.shutdown();
  }

  #retained(stream: number): number {
    const { head, appended } = this.inspect().streams[stream] ?? NO_MARKS;
    return appended - head;
  }

  #byEntry(): boolean {
    return this.#calls === 'entry' || (this.#calls === 'mixed' && this.#turn++ % 2 === 0);
  }

  /** What the step set going has ended, a flush in the background too. */
  async #rest(): Promise<void> {
    do await macrotask();
    while ((this.#disk?.pending().length ?? 0) > 0);
  }
}

function answerOf(code: number): Refused | undefined {
  if (code === SUCCESS) return undefined;
  const refused = REFUSALS[code];
  if (refused === undefined) throw new Divergence('answer', `the call answered ${CODE_NAMES[code] ?? code}`);
  return { refused };
}
