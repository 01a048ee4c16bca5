/**
 * The reference load (contract of this store, section 9) on the engine, and the figures that docs/design.md states: how
 * often it flushes, what it writes, what a power cut would take. `node test/tools/reference-load.ts` prints them.
 *
 * 100 records a second, half tsd half evt, from 1,000 sensors over three sources; an hour online with an uploader of
 * 5,000 records a second, six hours offline, then online until the backlog is gone. On a simulated disk and clock, with
 * the settings that a store has by default.
 */
import { SimulatedDisk } from '../../conformance/simulated-disk.ts';
import { StoreIds, simulatedPlatform, VirtualClock } from '../../conformance/virtual-clock.ts';
import { resolveSettings } from '../../src/core/config.ts';
import { Engine } from '../../src/core/engine.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import { SOURCES } from '../../src/core/types.ts';
import { settle, unwrap } from '../core/workbench.ts';

const SENSORS = 1000;
const PERIOD_MS = 10_000;
const RECORDS_PER_SECOND = SENSORS / (PERIOD_MS / 1000);
const UPLOAD_PER_SECOND = 5000;
const HOUR_SECONDS = 3600;
const OFFLINE_HOURS = 6;

export interface ReferenceFigures {
  readonly onlineFlushesPerHour: number;
  readonly onlineSectorsMax: number;
  readonly offlineFlushes: number;
  readonly offlineFlushesPerHour: number;
  readonly minutesToFirstFlush: number;
  readonly offlineRecords: number;
  readonly offlineBytesWritten: number;
  readonly bytesPerRecord: number;
  readonly offlineSyncs: number;
  readonly atRiskMax: number;
  readonly drainSeconds: number;
  readonly drained: number;
}

export async function referenceLoad(): Promise<ReferenceFigures> {
  const clock = new VirtualClock();
  const disk = new SimulatedDisk(clock);
  const engine = unwrap(await Engine.open(simulatedPlatform(disk, clock, new StoreIds()), unwrap(resolveSettings())));
  const streams: StreamHandle[] = Array.from({ length: SENSORS }, (_, i) =>
    unwrap(
      engine.stream(
        { source: SOURCES[i % 3] as (typeof SOURCES)[number], sensor: i },
        i % 2 === 0 ? { kind: 'tsd', periodMs: PERIOD_MS, type: 'float32' } : { kind: 'evt', type: 'float32' },
      ),
    ),
  );

  /** One second: the sensors whose turn it is give a record each. */
  let second = 0;
  let random = 1;
  async function sample(): Promise<void> {
    for (let i = second % 10; i < SENSORS; i += 10) {
      random = (random * 48_271) % 0x7fff_ffff;
      // Real samples come a little late; events whenever they like.
      const timeMs = clock.wallMs + (random % (i % 2 === 0 ? 50 : 1000));
      if ((streams[i] as StreamHandle).append(random % 1000, timeMs) < 0) throw new Error('the pool is full');
    }
    second++;
    clock.advance(1000);
    // A flush that was asked for gets its turn.
    if (second % 60 === 0) await settle();
  }

  let uploaded = 0;
  let next = 0;
  /** What the uploader sends in so many seconds: stream after stream, acknowledged at once. */
  async function upload(seconds: number): Promise<void> {
    let budget = UPLOAD_PER_SECOND * seconds;
    for (let turn = 0; turn < SENSORS && budget > 0; turn++) {
      const stream = streams[next++ % SENSORS] as StreamHandle;
      const batch = unwrap(await stream.read(budget));
      unwrap(stream.acknowledge(batch));
      budget -= batch.length;
      uploaded += batch.length;
    }
  }

  let onlineSectorsMax = 0;
  for (let s = 0; s < HOUR_SECONDS; s++) {
    await sample();
    if (s % 10 !== 9) continue;
    onlineSectorsMax = Math.max(onlineSectorsMax, engine.stats().poolUsedSectors);
    await upload(10);
  }
  const online = engine.stats();

  let atRiskMax = 0;
  let firstFlushSecond = 0;
  for (let s = 1; s <= OFFLINE_HOURS * HOUR_SECONDS; s++) {
    await sample();
    if (s % 60 !== 0) continue;
    const { atRisk, flushes } = engine.stats();
    atRiskMax = Math.max(atRiskMax, atRisk);
    if (firstFlushSecond === 0 && flushes > online.flushes) firstFlushSecond = s;
  }
  const offline = engine.stats();

  let drainSeconds = 0;
  for (; engine.stats().unread > 0; drainSeconds += 10) {
    await upload(10);
    for (let s = 0; s < 10; s++) await sample();
    if (engine.stats().unread <= SENSORS) break;
  }
  const offlineRecords = OFFLINE_HOURS * HOUR_SECONDS * RECORDS_PER_SECOND;
  const offlineFlushes = offline.flushes - online.flushes;
  const offlineBytesWritten = offline.bytesWritten - online.bytesWritten;
  await engine.close();
  return {
    onlineFlushesPerHour: online.flushes,
    onlineSectorsMax,
    offlineFlushes,
    offlineFlushesPerHour: offlineFlushes / OFFLINE_HOURS,
    minutesToFirstFlush: firstFlushSecond / 60,
    offlineRecords,
    offlineBytesWritten,
    bytesPerRecord: Number((offlineBytesWritten / offlineRecords).toFixed(2)),
    offlineSyncs: offline.syncs - online.syncs,
    atRiskMax,
    drainSeconds,
    drained: uploaded,
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await referenceLoad(), null, 2)}\n`);
