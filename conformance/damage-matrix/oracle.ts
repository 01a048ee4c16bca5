/**
 * What a store on spoiled files must do (contract section 5 "Recovery", INV-19), reckoned from the records that were
 * written and the layout of the files (layout.ts), never from what the engine says of itself.
 *
 *     opens            always; only an unknown version, or a file that the system keeps from us, is a refusal, and then
 *                      no byte on disk has changed
 *     ends             within a bound of I/O operations that the number of files gives
 *     no wrong record  what is delivered is what was written under that sequence number, in order, once
 *     contained        retained records whose blocks were not hit are delivered, all of them
 *     ledgered         retained records that are not delivered are in the loss ledger, and no others
 *     goes on          a record appended now is durable after a flush, over a power cut, and all the rest still holds
 *     idempotent       the next recovery finds nothing else
 */
import { Engine } from '../../src/core/engine.ts';
import type { RecordBatch } from '../../src/core/record-batch.ts';
import type { LossReason } from '../../src/core/types.ts';
import type { Scenario } from '../actions.ts';
import type { WrittenRecord } from '../format/read-block.ts';
import { settingsOf } from '../refinement.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { StoreIds, simulatedPlatform } from '../virtual-clock.ts';
import type { Spoil, Spoiling } from './spoil.ts';
import { hitsOf, spoil } from './spoil.ts';
import type { Written } from './written.ts';

export interface Judgement {
  /** Null: as it must be. */
  readonly finding: string | null;
  /** Retained records that the damage cost. */
  readonly lost: number;
  readonly delivered: number;
  /** I/O operations until the store was open and everything read. */
  readonly operations: number;
}

/** Operations that an open and a reading of everything may take: some for the store, some for each file and each page of it. */
export const operationsMax = (files: number): number => 120 + 30 * files;

const EVERYTHING = 1_000_000;
const FRESH_BITS = 0x00c0_ffee;
const FRESH_MS = 1_900_000_000_000;

class Finding extends Error {}

function demand(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Finding(what());
}

const operationsOf = (disk: SimulatedDisk): number => disk.counts.steps + disk.counts.reads + disk.counts.faults;

/** Sequence numbers of a stream all of whose blocks were hit. */
export function hitRecords({ scenario, files }: Written, spoils: readonly Spoil[], stream: number): Set<number> {
  const hits = spoils.flatMap(hitsOf);
  const { source, sensor } = scenario.streams[stream] as Scenario['streams'][number];
  const isOthers = spoils.some(({ how, directory }) => how === 'foreign' && directory === '');
  const hit = new Set<number>();
  const sound = new Set<number>();
  for (const file of files) {
    if (file.directory !== source) continue;
    const here = hits.filter(({ directory, name }) => directory === file.directory && name === file.name);
    const touched = (from: number, to: number): boolean => here.some((each) => each.from < to && from < each.to);
    // Header and its copy at the end: one of them is enough.
    const nameless = touched(0, 64) && touched(file.segmentBytes - 64, file.segmentBytes);
    for (const block of file.blocks) {
      if (block.sensor !== sensor) continue;
      const gone = isOthers || nameless || touched(block.from, block.to);
      for (const { sequence } of block.records) (gone ? hit : sound).add(sequence);
    }
  }
  for (const sequence of sound) hit.delete(sequence);
  return hit;
}

export class Oracle {
  readonly #written: Written;
  readonly #clock: VirtualClock;
  #disk: SimulatedDisk;

  constructor(written: Written, disk: SimulatedDisk, clock: VirtualClock) {
    this.#written = written;
    this.#disk = disk;
    this.#clock = clock;
  }

  /** Spoils the disk, opens a store on it, and looks at everything that it does. */
  async judge(spoiling: Spoiling): Promise<Judgement> {
    const result = { lost: 0, delivered: 0, operations: 0 };
    try {
      await this.#judge(spoiling, result);
      return { ...result, finding: null };
    } catch (thrown) {
      if (thrown instanceof Finding) return { ...result, finding: thrown.message };
      const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      return { ...result, finding: `the engine threw ${text}` };
    }
  }

  async #judge(
    { spoils, expected, whileOpen }: Spoiling,
    result: { lost: number; delivered: number; operations: number },
  ): Promise<void> {
    const change = (): void => {
      for (const each of spoils) spoil(this.#disk, each);
    };
    if (!whileOpen) change();
    const before = expected === 'opens' ? '' : JSON.stringify(this.#disk.snapshot());
    const files = this.#disk.files().length;
    const opened = await this.#open();
    if (expected !== 'opens') {
      const code = opened.ok ? 'opened' : opened.failure.code;
      demand(code === expected, () => `the store is not refused with ${expected}: ${code}`);
      demand(JSON.stringify(this.#disk.snapshot()) === before, () => 'the refusal changed the disk');
      return;
    }
    demand(opened.ok, () => `the store is refused: ${opened.ok ? '' : opened.failure.message}`);
    if (whileOpen) change();
    const lost = this.#written.streams.map((_, stream) => hitRecords(this.#written, spoils, stream));
    const first = await this.#readAll(opened.value);
    result.operations = operationsOf(this.#disk);
    result.delivered = first.reduce((sum, records) => sum + records.size, 0);
    demand(
      result.operations <= operationsMax(files),
      () => `${result.operations} I/O operations for ${files} files, ${operationsMax(files)} are the bound`,
    );
    result.lost = this.#judgeDelivery(opened.value, first, lost);
    await this.#goOn(opened.value, first);
  }

  #open() {
    const { scenario } = this.#written;
    return Engine.open(simulatedPlatform(this.#disk, this.#clock, new StoreIds()), settingsOf(scenario));
  }

  /** Everything that the store gives, by stream and sequence number. @throws Finding for what is out of order or twice. */
  async #readAll(engine: Engine): Promise<Map<number, WrittenRecord>[]> {
    const all: Map<number, WrittenRecord>[] = [];
    for (const [i, { source, sensor, kind, periodMs, type }] of this.#written.scenario.streams.entries()) {
      const handle = engine.stream({ source, sensor }, { kind, type, ...(kind === 'tsd' ? { periodMs } : {}) });
      demand(handle.ok, () => `stream ${i} is refused: ${handle.ok ? '' : handle.failure.message}`);
      const read = await handle.value.peek(0, EVERYTHING);
      demand(read.ok, () => `stream ${i} cannot be read: ${read.ok ? '' : read.failure.message}`);
      all.push(this.#checked(read.value, i));
    }
    return all;
  }

  #checked(batch: RecordBatch, stream: number): Map<number, WrittenRecord> {
    const records = new Map<number, WrittenRecord>();
    let last = -1;
    for (let i = 0; i < batch.length; i++) {
      const sequence = batch.sequences[i] as number;
      demand(sequence > last, () => `stream ${stream} gives ${sequence} behind ${last}`);
      last = sequence;
      records.set(sequence, {
        sequence,
        epoch: batch.epochs[i] as number,
        valueBits: batch.bits[i] as number,
        timeMs: batch.timesMs[i] as number,
      });
    }
    return records;
  }

  /** @returns how many retained records the damage cost. */
  #judgeDelivery(
    engine: Engine,
    delivered: readonly ReadonlyMap<number, WrittenRecord>[],
    hit: readonly ReadonlySet<number>[],
  ): number {
    demand(
      engine.epoch > this.#written.epoch,
      () => `the epoch is ${engine.epoch}, and records were appended in ${this.#written.epoch}`,
    );
    let lost = 0;
    for (const [i, { records, retained, head }] of this.#written.streams.entries()) {
      const given = delivered[i] as ReadonlyMap<number, WrittenRecord>;
      for (const [sequence, record] of given) {
        const same = JSON.stringify(record) === JSON.stringify(records.get(sequence));
        demand(same, () => `stream ${i} gives a wrong record: ${JSON.stringify(record)}`);
      }
      const ledgered = this.#ledgered(engine, i, 'damaged');
      for (const sequence of retained) {
        const isHit = (hit[i] as ReadonlySet<number>).has(sequence);
        demand(isHit || given.has(sequence), () => `stream ${i} lost record ${sequence}, whose block is sound`);
        if (given.has(sequence)) {
          demand(!ledgered(sequence), () => `record ${sequence} of stream ${i} is delivered and in the ledger`);
          continue;
        }
        lost++;
        demand(ledgered(sequence), () => `record ${sequence} of stream ${i} is lost and not in the ledger`);
      }
      const wanted = new Set(retained);
      for (const { from, to } of this.#ledgerOf(engine, i)) {
        for (let sequence = Math.max(from, head); sequence < to; sequence++) {
          const known = !wanted.has(sequence) || hit[i]?.has(sequence) === true;
          demand(known, () => `record ${sequence} of stream ${i} is in the ledger, and its block is sound`);
        }
      }
    }
    return lost;
  }

  #ledgerOf(engine: Engine, stream: number) {
    const { source, sensor } = this.#written.scenario.streams[stream] as Scenario['streams'][number];
    return engine.ledger().entries.filter((entry) => entry.source === source && entry.sensor === sensor);
  }

  #ledgered(engine: Engine, stream: number, wanted: LossReason): (sequence: number) => boolean {
    const entries = this.#ledgerOf(engine, stream).filter(({ reason }) => reason === wanted);
    return (sequence) => entries.some(({ from, to }) => from <= sequence && sequence < to);
  }

  /** A record more, a flush, a power cut, and all of it once again. */
  async #goOn(engine: Engine, before: readonly ReadonlyMap<number, WrittenRecord>[]): Promise<void> {
    const [stream] = engine.streams();
    demand(stream !== undefined, () => 'the store has no stream');
    const index = this.#written.scenario.streams.findIndex(
      ({ source, sensor }) => source === stream.source && sensor === stream.sensor,
    );
    const sequence = stream.appendBits(FRESH_BITS, FRESH_MS);
    demand(sequence >= 0, () => `a record is refused: ${sequence}`);
    // One may meet a name that cannot be written; the next one takes another.
    let flushed = await engine.flush();
    if (!flushed.ok) flushed = await engine.flush();
    demand(flushed.ok, () => `two flushes fail: ${flushed.ok ? '' : flushed.failure.message}`);
    const { faults } = this.#disk;
    this.#disk = this.#disk.crash({ kind: 'power', keep: 'nothing' });
    this.#disk.faults.push(...faults);
    const again = await this.#open();
    demand(again.ok, () => `the store is refused the second time: ${again.ok ? '' : again.failure.message}`);
    const after = await this.#readAll(again.value);
    const fresh = after[index]?.get(sequence);
    demand(fresh?.valueBits === FRESH_BITS, () => `the record that was flushed since is not there: ${sequence}`);
    after[index]?.delete(sequence);
    for (const [i, records] of before.entries()) {
      const given = after[i] as ReadonlyMap<number, WrittenRecord>;
      const evicted = this.#ledgered(again.value, i, 'evicted');
      for (const record of records.values()) {
        const same = JSON.stringify(given.get(record.sequence)) === JSON.stringify(record);
        demand(
          same || (!given.has(record.sequence) && evicted(record.sequence)),
          () => `the second recovery does not give record ${record.sequence} of stream ${i} as the first did`,
        );
      }
      demand(
        [...given.keys()].every((known) => records.has(known)),
        () => `the second recovery gives records of stream ${i} that the first did not`,
      );
    }
  }
}
