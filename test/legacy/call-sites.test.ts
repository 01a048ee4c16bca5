/**
 * The old calls as applications have them, over a store on a real directory: the uploader, CAN events, location. These are
 * the call sites that docs/migration.md shows.
 */
import { describe, expect, it } from 'vitest';
import * as mm from '../../src/legacy/index.ts';
import { temporaryDirectory } from '../platform/temporary.ts';

async function started(options: mm.LegacyOptions = {}): Promise<void> {
  expect(mm.set_memory_mode(mm.MODE_RAM_PRIMARY)).toBe(mm.SUCCESS);
  expect(mm.set_disk_path(temporaryDirectory())).toBe(mm.SUCCESS);
  expect(await mm.memory_manager_v2_init({ settings: { freeFloorBytes: 0 }, ...options })).toBe(mm.SUCCESS);
}

/** The uploader: a packet of at most `limit` records, erased when it has arrived. @returns what was sent. */
function upload(csdType: number, limit: number, send: (packet: mm.ReadRecord[]) => boolean): number {
  const packet: mm.ReadRecord[] = [];
  const position = { value: 0 };
  for (let record = {}; packet.length < limit; record = {}) {
    if (mm.read_tsd_evt_ptr_unified(csdType, record, position) !== mm.SUCCESS) break;
    packet.push(record);
  }
  if (packet.length === 0) return 0;
  if (!send(packet)) return 0;
  return mm.atomic_erase_records(csdType, packet.length) === mm.SUCCESS ? packet.length : 0;
}

/** CAN events: each signal as it comes. */
function canEvent(sensorId: number, value: number, utcTimeMs: number): number {
  return mm.write_tsd_evt_unified(mm.CSD_TYPE_CAN_CONTROLLER, { sensor_id: sensorId, value, utc_time_ms: utcTimeMs });
}

/** Location: fixes are processed in groups and then erased by count. */
function processLocation(group: number): (number | undefined)[] {
  const seen: (number | undefined)[] = [];
  for (let i = 0; i < group; i++) {
    const record: mm.ReadRecord = {};
    if (mm.read_tsd_evt_ptr_unified(mm.CSD_TYPE_MGC, record, i) !== mm.SUCCESS) break;
    seen.push(record.value);
  }
  expect(mm.atomic_erase_records(mm.CSD_TYPE_MGC, seen.length)).toBe(mm.SUCCESS);
  return seen;
}

const T0 = 1_700_000_000_000;

describe('the uploader', () => {
  // Goal: the loop of single reads gets everything once, oldest first, from disk and from RAM, and a failed packet again.
  // Method: two sensors, a flush in between, packets of three of which every second one is lost on the way.
  it('sends every record in the order of time, a failed packet again, and ends when nothing is left', async () => {
    await started();
    for (let i = 0; i < 6; i++) canEvent(1 + (i % 2), 100 + i, T0 + i);
    expect(await mm.flush_all_to_disk()).toBe(mm.SUCCESS);
    for (let i = 6; i < 10; i++) canEvent(1 + (i % 2), 100 + i, T0 + i);

    const arrived: (number | undefined)[] = [];
    const tried: number[] = [];
    for (let attempt = 0; attempt < 10; attempt++) {
      upload(mm.CSD_TYPE_CAN_CONTROLLER, 3, (packet) => {
        tried.push(packet[0]?.value as number);
        if (attempt % 2 === 0) return false;
        arrived.push(...packet.map(({ value }) => value));
        return true;
      });
    }
    expect(arrived).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 109]);
    expect(tried).toEqual([100, 100, 103, 103, 106, 106, 109, 109]);
    expect(mm.memory_manager_v2_store()?.stats()).toMatchObject({ retained: 0, pending: 0, unread: 0 });
    expect(await mm.memory_manager_v2_shutdown()).toBe(mm.SUCCESS);
  });

  // Goal: "empty" is said only when it is so. Method: all is on disk and was never looked at since the start.
  it('finds what only the disk has, on its first call after a restart', async () => {
    const path = temporaryDirectory();
    const options = { disk_path: path, settings: { freeFloorBytes: 0 } };
    expect(await mm.memory_manager_v2_init(options)).toBe(mm.SUCCESS);
    for (let i = 0; i < 500; i++) expect(canEvent(7, i, T0 + i)).toBe(mm.SUCCESS);
    expect(await mm.memory_manager_v2_shutdown()).toBe(mm.SUCCESS);

    expect(await mm.memory_manager_v2_init(options)).toBe(mm.SUCCESS);
    const values: (number | undefined)[] = [];
    const sent = upload(mm.CSD_TYPE_CAN_CONTROLLER, 1000, (packet) => {
      values.push(...packet.map(({ value }) => value));
      return true;
    });
    expect(sent).toBe(500);
    expect(values).toEqual(Array.from({ length: 500 }, (_, i) => i));
    expect(await mm.memory_manager_v2_shutdown()).toBe(mm.SUCCESS);
  });
});

describe('CAN events', () => {
  // Goal: what is written is what is read: value, time, sensor, kind. Method: events and a sensor with a period.
  it('are read back with the sensor, the value and the time they were written with', async () => {
    await started();
    expect(canEvent(0x1f2, 0, T0)).toBe(mm.SUCCESS);
    const rpm = { sensor_id: 0x10c, value: 812.5, utc_time: T0 / 1000 + 1, sample_rate: 1000, data_type: 2 };
    expect(mm.write_tsd_evt_unified(mm.CSD_TYPE_CAN_CONTROLLER, rpm)).toBe(mm.SUCCESS);

    const record: mm.ReadRecord = {};
    expect(mm.read_tsd_evt_ptr_unified(mm.CSD_TYPE_CAN_CONTROLLER, record)).toBe(mm.SUCCESS);
    expect(record).toMatchObject({
      csd_type: 2,
      sensor_id: 0x1f2,
      value: 0,
      utc_time_ms: T0,
      utc_time: T0 / 1000,
      is_event: true,
    });
    expect(mm.read_tsd_evt_ptr_unified(mm.CSD_TYPE_CAN_CONTROLLER, record)).toBe(mm.SUCCESS);
    expect(record).toMatchObject({ sensor_id: 0x10c, value: 812.5, utc_time_ms: T0 + 1000, is_event: false });
    // Other sources know nothing of it.
    expect(mm.read_tsd_evt_ptr_unified(mm.CSD_TYPE_HOST, record)).toBe(mm.BOUNDS_VIOLATION);
    expect(await mm.memory_manager_v2_shutdown()).toBe(mm.SUCCESS);
  });
});

describe('location', () => {
  // Goal: an erase by count takes exactly what was read. Method: groups of four fixes, a group that is not full at the end.
  it('erases the group that it processed, and no record more', async () => {
    await started();
    for (let i = 0; i < 10; i++)
      mm.write_tsd_evt_unified(mm.CSD_TYPE_MGC, { sensor_id: 2, value: 47 + i / 8, utc_time_ms: T0 + i, data_type: 2 });
    expect(processLocation(4)).toEqual([47, 47.125, 47.25, 47.375]);
    // The old bug: a count of more than was read took what nobody had seen.
    expect(mm.atomic_erase_records(mm.CSD_TYPE_MGC, 4)).toBe(mm.BOUNDS_VIOLATION);
    expect(processLocation(4)).toEqual([47.5, 47.625, 47.75, 47.875]);
    expect(processLocation(4)).toEqual([48, 48.125]);
    expect(mm.memory_manager_v2_store()?.stats()).toMatchObject({ retained: 0, acknowledged: 10 });
    expect(await mm.memory_manager_v2_shutdown()).toBe(mm.SUCCESS);
  });

  // Goal: a position event is five records of one time. Method: a harsh-braking entry with add_gps and a known position.
  it('writes latitude, longitude, altitude and speed with the time of the event', async () => {
    const position = { latitude: 47.25, longitude: 8.5, altitude: 0, speed: 13.5 };
    await started({ clock: () => T0 + 5, position: () => position });
    const csb = [
      { id: 2, csd_type: mm.CSD_TYPE_MGC, data_type: 2 },
      { id: 900, csd_type: mm.CSD_TYPE_MGC },
    ];
    const csd: mm.ControlSensorData[] = [{}, {}];
    expect(mm.write_tsd_evt(csb, csd, 1, 3, true)).toBe(mm.SUCCESS);
    expect(csd).toEqual([
      { no_samples: 1, no_pending: 0, last_value: 47.25, last_sample_time: T0 + 5, valid: 1 },
      { no_samples: 1, no_pending: 0, last_value: 3, last_sample_time: T0 + 5, valid: 1 },
    ]);
    const seen = new Map<number | undefined, number | undefined>();
    for (const record of Array.from({ length: 5 }, (): mm.ReadRecord => ({}))) {
      expect(mm.read_tsd_evt_ptr_unified(mm.CSD_TYPE_MGC, record)).toBe(mm.SUCCESS);
      expect(record.utc_time_ms).toBe(T0 + 5);
      seen.set(record.sensor_id, record.value);
    }
    const { latitude, longitude, altitude, speed } = mm.POSITION_SENSORS;
    expect(seen).toEqual(
      new Map([
        [900, 3],
        [latitude, 47.25],
        [longitude, 8.5],
        [altitude, 0],
        [speed, 13.5],
      ]),
    );
    expect(await mm.memory_manager_v2_shutdown()).toBe(mm.SUCCESS);
  });
});
