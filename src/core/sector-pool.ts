/**
 * The RAM side of the store: stream table, sectors, and the hot path that puts a record into a sector.
 *
 * Keeps INV-01 (marks), INV-04 (one owner: a sector is free or in one chain), INV-07 (bound).
 *
 * A stream's chain is a linked list of sectors, oldest first. A sector is in the chain exactly while it holds a record
 * at or above max(head, synced). Without a disk all sectors in use are linked a second time in the order in which they
 * were opened, which is the order in which such a store gives them up.
 *
 * Sector layout, S = sectorBytes:
 *   tsd   [first time f64][value u32 x (S - 8) / 4]          record i: first time + i x period
 *   evt   [time f64 x c][value u32 x c], c = floor(S / 12)
 *
 * What it does not do: no I/O, no clock, no decision when to flush. It says how many sectors are used.
 */
import type { IndexArray } from './arena.ts';
import { Arena, ArenaPlan } from './arena.ts';
import { invariant, RAM_FULL } from './codes.ts';
import { LossLedger } from './ledger.ts';

/** Bits of `shape`: source in 0-1, kind in 2 (set: evt), value type in 3-4. */
export const SHAPE_EVT = 4;
export const shapeOf = (source: number, evt: boolean, type: number): number =>
  source | (evt ? SHAPE_EVT : 0) | (type << 3);
export const shapeSource = (shape: number): number => shape & 3;
export const shapeType = (shape: number): number => shape >>> 3;

const EVICTED = 0;

export interface PoolGeometry {
  readonly sectors: number;
  readonly sectorBytes: number;
  readonly streamsMax: number;
  readonly ledgerMax: number;
  readonly disk: boolean;
}

/** Calls back when an append to a store without a disk is complete that cost the oldest sector: records [from, to). */
export type OnSectorEvicted = (slot: number, from: number, to: number) => void;

export class SectorPool {
  readonly sectorBytes: number;
  readonly sectors: number;
  readonly hasDisk: boolean;
  /** No sector. */
  readonly none: number;
  readonly tsdCapacity: number;
  readonly evtCapacity: number;
  used = 0;
  streams = 0;
  readonly ledger: LossLedger;
  readonly arenaBytes: number;
  onSectorEvicted: OnSectorEvicted | null = null;
  /** Stream whose oldest sector the append in progress evicted, or -1; told when the append is complete. */
  #evictedSlot = -1;
  #evictedFrom = 0;
  #evictedTo = 0;

  // Stream table. Marks are counts of records since the stream began.
  readonly head: Float64Array;
  readonly read: Float64Array;
  readonly appended: Float64Array;
  /** Without a disk this is the head column itself: nothing is ever synced beyond head. */
  readonly synced: Float64Array;
  /** Recorded time of the newest tsd record since open; NaN before the first. The grid goes on from it. */
  readonly lastTime: Float64Array;
  readonly discarded: Float64Array | Uint32Array;
  readonly evicted: Float64Array | Uint32Array;
  /** Lost records that were pending when they went: an acknowledgement may still name them. */
  readonly forgiven: Float64Array | Uint32Array;
  readonly sensor: Uint32Array;
  readonly periodMs: Uint32Array;
  readonly first: IndexArray;
  readonly last: IndexArray;
  /** Sector in which the last sequential read ended, or none: saves walking the chain from its start. */
  readonly cursor: IndexArray;
  /** Records that still fit in the newest sector; 0 also when there is none. */
  readonly #left: Uint8Array | Uint16Array;
  /** Word of the pool that takes the next record's value. */
  readonly #valueAt: IndexArray;
  readonly shape: Uint8Array;
  readonly priority: Uint8Array;
  /** How the values of the stream's last block were packed (codec-values.ts); empty without a disk. */
  readonly packing: Uint8Array;

  // Sector table.
  readonly firstSequence: Float64Array;
  /** Next in the owner's chain, or in the free list. */
  readonly next: IndexArray;
  /** The order in which sectors were opened; empty with a disk, where none is given up. */
  readonly older: IndexArray;
  readonly newer: IndexArray;
  readonly owner: IndexArray;
  #free = 0;
  #oldest: number;
  #newest: number;

  // Sector data, three views of the same bytes.
  readonly #f64: Float64Array;
  readonly #u32: Uint32Array;
  readonly #words: number;

  constructor(geometry: PoolGeometry) {
    const { sectors, sectorBytes, streamsMax, disk } = geometry;
    this.sectorBytes = sectorBytes;
    this.sectors = sectors;
    this.hasDisk = disk;
    this.none = sectors;
    this.tsdCapacity = (sectorBytes - 8) / 4;
    this.evtCapacity = Math.floor(sectorBytes / 12);
    this.#words = sectorBytes / 4;
    this.arenaBytes = SectorPool.planBytes(geometry);
    const arena = new Arena(this.arenaBytes);
    const index = (length: number): IndexArray => (sectors < 0xffff ? arena.u16(length) : arena.u32(length));
    // A microcontroller counts in 32 bits: 4,294,967,295 losses a stream, twice as many records as 136 years at 1 Hz.
    const counter = (): Float64Array | Uint32Array => (disk ? arena.f64(streamsMax) : arena.u32(streamsMax));
    this.head = arena.f64(streamsMax);
    this.read = arena.f64(streamsMax);
    this.appended = arena.f64(streamsMax);
    this.synced = disk ? arena.f64(streamsMax) : this.head;
    this.lastTime = arena.f64(streamsMax);
    this.discarded = counter();
    this.evicted = counter();
    this.forgiven = counter();
    this.sensor = arena.u32(streamsMax);
    this.periodMs = arena.u32(streamsMax);
    this.first = index(streamsMax);
    this.last = index(streamsMax);
    this.cursor = index(streamsMax);
    this.#valueAt = sectors * this.#words < 0xffff ? arena.u16(streamsMax) : arena.u32(streamsMax);
    this.#left = this.tsdCapacity < 0xff ? arena.u8(streamsMax) : arena.u16(streamsMax);
    this.shape = arena.u8(streamsMax);
    this.priority = arena.u8(streamsMax);
    this.packing = arena.u8(disk ? streamsMax : 0);
    this.firstSequence = arena.f64(sectors);
    this.next = index(sectors);
    this.older = index(disk ? 0 : sectors);
    this.newer = index(disk ? 0 : sectors);
    this.owner = arena.u16(sectors);
    this.ledger = new LossLedger(arena, geometry.ledgerMax);
    const data = arena.u8(sectors * sectorBytes);
    this.#f64 = new Float64Array(arena.buffer, data.byteOffset, data.length / 8);
    this.#u32 = new Uint32Array(arena.buffer, data.byteOffset, data.length / 4);
    invariant(arena.usedBytes === this.arenaBytes, 'the plan adds up the columns that are taken');
    this.#oldest = this.none;
    this.#newest = this.none;
    for (let sector = 0; sector < sectors; sector++) this.next[sector] = sector + 1;
  }

  /** Bytes of the whole arena for a geometry, before one is made. */
  static planBytes({ sectors, sectorBytes, streamsMax, ledgerMax, disk }: PoolGeometry): number {
    const plan = new ArenaPlan();
    const index = sectors < 0xffff ? 'u16' : 'u32';
    for (let column = 0; column < (disk ? 5 : 4); column++) plan.add('f64', streamsMax);
    for (let column = 0; column < 3; column++) plan.add(disk ? 'f64' : 'u32', streamsMax);
    plan.add('u32', streamsMax);
    plan.add('u32', streamsMax);
    for (let column = 0; column < 3; column++) plan.add(index, streamsMax);
    plan.add((sectors * sectorBytes) / 4 < 0xffff ? 'u16' : 'u32', streamsMax);
    plan.add((sectorBytes - 8) / 4 < 0xff ? 'u8' : 'u16', streamsMax);
    for (let column = 0; column < (disk ? 3 : 2); column++) plan.add('u8', streamsMax);
    plan.add('f64', sectors);
    for (let column = 0; column < (disk ? 1 : 3); column++) plan.add(index, sectors);
    plan.add('u16', sectors);
    LossLedger.plan(plan, ledgerMax);
    plan.add('u8', sectors * sectorBytes);
    return plan.bytes;
  }

  /** Slot of a stream, or -1. A scan: streams are looked up once, when the application starts. */
  find(source: number, sensor: number): number {
    for (let slot = 0; slot < this.streams; slot++) {
      if (this.sensor[slot] === sensor && shapeSource(this.shape[slot] as number) === source) return slot;
    }
    return -1;
  }

  addStream(shape: number, sensor: number, periodMs: number, priority: number): number {
    const slot = this.streams++;
    this.shape[slot] = shape;
    this.sensor[slot] = sensor;
    this.periodMs[slot] = periodMs;
    this.priority[slot] = priority;
    this.lastTime[slot] = Number.NaN;
    this.first[slot] = this.none;
    this.last[slot] = this.none;
    this.cursor[slot] = this.none;
    return slot;
  }

  /**
   * Puts one tsd record behind the stream's newest. Allocates nothing, touches no disk.
   * @param timeMs UTC milliseconds, validated by the caller; within half a period of the grid it is the grid's.
   * @param period the stream's, in milliseconds.
   * @returns its sequence number, or RAM_FULL and nothing changed.
   */
  appendTsd(slot: number, bits: number, timeMs: number, period: number): number {
    const expected = (this.lastTime[slot] as number) + period;
    const twiceOff = 2 * (timeMs - expected);
    const onGrid = twiceOff <= period && twiceOff >= -period;
    if (!onGrid || this.#left[slot] === 0) return this.#beginGrid(slot, bits, onGrid ? expected : timeMs);
    this.lastTime[slot] = expected;
    return this.#put(slot, bits);
  }

  /** A tsd record that begins a sector: its time is written, those behind it follow from the period. */
  #beginGrid(slot: number, bits: number, recorded: number): number {
    if (!this.#openSector(slot, 2, this.tsdCapacity)) return RAM_FULL;
    this.#f64[(this.#valueAt[slot] as number) / 2 - 1] = recorded;
    this.lastTime[slot] = recorded;
    const sequence = this.#put(slot, bits);
    this.#announceEviction();
    return sequence;
  }

  /** Records that the stream's open sector still takes. */
  roomOf(slot: number): number {
    return this.#left[slot] as number;
  }

  /** Puts `length` values behind the newest record of a tsd stream, each a period later; the open sector has room for them. */
  appendRun(slot: number, bits: Uint32Array, length: number, period: number): void {
    const at = this.#valueAt[slot] as number;
    for (let i = 0; i < length; i++) this.#u32[at + i] = bits[i] as number;
    this.#valueAt[slot] = at + length;
    this.#left[slot] = (this.#left[slot] as number) - length;
    this.appended[slot] = (this.appended[slot] as number) + length;
    this.lastTime[slot] = (this.lastTime[slot] as number) + length * period;
  }

  /** As appendTsd, for an evt stream: the record keeps its own time. */
  appendEvt(slot: number, bits: number, timeMs: number): number {
    if (this.#left[slot] === 0) return this.#beginEvt(slot, bits, timeMs);
    this.#f64[this.#timeAt(slot)] = timeMs;
    return this.#put(slot, bits);
  }

  /** An evt record that begins a sector. */
  #beginEvt(slot: number, bits: number, timeMs: number): number {
    if (!this.#openSector(slot, 2 * this.evtCapacity, this.evtCapacity)) return RAM_FULL;
    const sequence = this.appendEvt(slot, bits, timeMs);
    this.#announceEviction();
    return sequence;
  }

  /** Where the next evt record's time goes, as an index of 8 bytes. */
  #timeAt(slot: number): number {
    return (((this.last[slot] as number) * this.#words) >>> 1) + this.evtCapacity - (this.#left[slot] as number);
  }

  /** The value's word; the record is there from now on. */
  #put(slot: number, bits: number): number {
    const at = this.#valueAt[slot] as number;
    this.#u32[at] = bits;
    this.#valueAt[slot] = at + 1;
    this.#left[slot] = (this.#left[slot] as number) - 1;
    const sequence = this.appended[slot] as number;
    this.appended[slot] = sequence + 1;
    return sequence;
  }

  /** Last of all, for who hears it may append in turn. */
  #announceEviction(): void {
    const slot = this.#evictedSlot;
    if (slot < 0) return;
    this.#evictedSlot = -1;
    this.onSectorEvicted?.(slot, this.#evictedFrom, this.#evictedTo);
  }

  /** @returns false when every sector is taken and may not be evicted. */
  #openSector(slot: number, firstWord: number, capacity: number): boolean {
    if (this.#free === this.none) {
      if (this.hasDisk) return false;
      this.#evictOldestSector();
    }
    const sector = this.#free;
    this.#free = this.next[sector] as number;
    this.used++;
    this.owner[sector] = slot;
    this.firstSequence[sector] = this.appended[slot] as number;
    this.next[sector] = this.none;
    const last = this.last[slot] as number;
    if (last === this.none) this.first[slot] = sector;
    else this.next[last] = sector;
    this.last[slot] = sector;
    if (!this.hasDisk) this.#linkAge(sector);
    this.#valueAt[slot] = sector * this.#words + firstWord;
    this.#left[slot] = capacity;
    return true;
  }

  /** Sequence number behind the last record of a sector in its owner's chain. */
  endOf(sector: number): number {
    const next = this.next[sector] as number;
    return (next === this.none ? this.appended[this.owner[sector] as number] : this.firstSequence[next]) as number;
  }

  /** The sector opened first goes, pending or not; its records are in the ledger (contract section 5, RAM full). */
  #evictOldestSector(): void {
    const sector = this.#oldest;
    invariant(sector !== this.none, 'a pool without a free sector has an oldest one');
    const slot = this.owner[sector] as number;
    invariant(this.first[slot] === sector, 'a chain is in the order in which its sectors were opened');
    const from = this.head[slot] as number;
    const to = this.endOf(sector);
    this.loseUpTo(slot, to, to - from, Math.max(0, Math.min(this.read[slot] as number, to) - from));
    this.releaseDead(slot);
    this.#evictedSlot = slot;
    this.#evictedFrom = from;
    this.#evictedTo = to;
  }

  /**
   * Evicts what the stream retains below `to`: head rises, the ledger has `records` more, and an acknowledgement that
   * still names the `pending` ones among them stays acceptable.
   */
  loseUpTo(slot: number, to: number, records: number, pending: number): void {
    if (records > 0) this.ledger.add(slot, this.head[slot] as number, to, records, EVICTED);
    this.evicted[slot] = (this.evicted[slot] as number) + records;
    this.forgiven[slot] = (this.forgiven[slot] as number) + pending;
    this.head[slot] = to;
    if ((this.read[slot] as number) < to) this.read[slot] = to;
  }

  /** Frees the sectors of the chain's front that hold no record at or above max(head, synced). */
  releaseDead(slot: number): void {
    const boundary = Math.max(this.head[slot] as number, this.synced[slot] as number);
    for (;;) {
      const sector = this.first[slot] as number;
      if (sector === this.none) return;
      if (this.endOf(sector) > boundary) return;
      // Unlink before free: a sector is never on the free list while a chain still leads to it (INV-04).
      const next = this.next[sector] as number;
      this.first[slot] = next;
      if (next === this.none) {
        this.last[slot] = this.none;
        this.#left[slot] = 0;
      }
      if (this.cursor[slot] === sector) this.cursor[slot] = this.none;
      if (!this.hasDisk) this.#unlinkAge(sector);
      this.next[sector] = this.#free;
      this.#free = sector;
      this.used--;
    }
  }

  #linkAge(sector: number): void {
    this.older[sector] = this.#newest;
    this.newer[sector] = this.none;
    if (this.#newest === this.none) this.#oldest = sector;
    else this.newer[this.#newest] = sector;
    this.#newest = sector;
  }

  #unlinkAge(sector: number): void {
    const older = this.older[sector] as number;
    const newer = this.newer[sector] as number;
    if (older === this.none) this.#oldest = newer;
    else this.newer[older] = newer;
    if (newer === this.none) this.#newest = older;
    else this.older[newer] = older;
  }

  /** First sequence number that is in RAM, or `appended` when the chain is empty. */
  ramFrom(slot: number): number {
    return Math.max(this.head[slot] as number, this.synced[slot] as number);
  }

  /** Sector of the chain that holds `sequence`; the caller knows that it is in RAM. */
  locate(slot: number, sequence: number): number {
    const cursor = this.cursor[slot] as number;
    const isBehind = cursor !== this.none && (this.firstSequence[cursor] as number) <= sequence;
    const sector = this.sectorFrom(isBehind ? cursor : (this.first[slot] as number), sequence);
    invariant(
      (this.firstSequence[sector] as number) <= sequence,
      'a record at or above max(head, synced) and below appended is in its stream’s chain',
    );
    return sector;
  }

  /** As locate, from a sector of the chain on that does not lie behind the record. */
  sectorFrom(from: number, sequence: number): number {
    let sector = from;
    while (sector !== this.none && this.endOf(sector) <= sequence) sector = this.next[sector] as number;
    invariant(sector !== this.none, 'a record below appended is in its stream’s chain');
    return sector;
  }

  /**
   * Copies what makes one block: of [from, from + length) the values, and for evt the times. Of tsd only the first time
   * is copied, and no more than lies on one grid, from which the others follow.
   * @param sector that holds `from`.
   * @returns how many records were copied.
   */
  copyRun(sector: number, from: number, length: number, timesMs: Float64Array, bits: Uint32Array): number {
    const slot = this.owner[sector] as number;
    if (((this.shape[slot] as number) & SHAPE_EVT) !== 0) {
      this.#copyEvt(sector, from, length, timesMs, bits, 0);
      return length;
    }
    const period = this.periodMs[slot] as number;
    const skip = from - (this.firstSequence[sector] as number);
    const start = (this.#f64[(sector * this.#words) / 2] as number) + skip * period;
    timesMs[0] = start;
    let at = sector * this.#words + 2 + skip;
    let done = 0;
    for (let part = sector; ; ) {
      const end = Math.min(length, this.endOf(part) - from);
      while (done < end) bits[done++] = this.#u32[at++] as number;
      if (done === length) return done;
      part = this.next[part] as number;
      if (this.#f64[(part * this.#words) / 2] !== start + done * period) return done;
      at = part * this.#words + 2;
    }
  }

  /**
   * Copies records [from, from + length) out of RAM into the columns at `at`.
   * @returns the sector in which the copy ended, for the caller to keep as cursor.
   */
  copyOut(slot: number, from: number, length: number, timesMs: Float64Array, bits: Uint32Array, at: number): number {
    if (length === 0) return this.none;
    const sector = this.locate(slot, from);
    if (((this.shape[slot] as number) & SHAPE_EVT) !== 0) {
      return this.#copyEvt(sector, from, length, timesMs, bits, at);
    }
    return this.#copyTsd(sector, from, length, timesMs, bits, at);
  }

  #copyTsd(first: number, from: number, length: number, timesMs: Float64Array, bits: Uint32Array, at: number): number {
    const period = this.periodMs[this.owner[first] as number] as number;
    let sector = first;
    for (let done = 0; ; sector = this.next[sector] as number) {
      const skip = from + done - (this.firstSequence[sector] as number);
      const take = Math.min(length - done, this.endOf(sector) - from - done);
      const word = sector * this.#words;
      const start = this.#f64[word / 2] as number;
      for (let i = 0; i < take; i++) {
        timesMs[at + done + i] = start + (skip + i) * period;
        bits[at + done + i] = this.#u32[word + 2 + skip + i] as number;
      }
      done += take;
      if (done === length) return sector;
    }
  }

  #copyEvt(first: number, from: number, length: number, timesMs: Float64Array, bits: Uint32Array, at: number): number {
    let sector = first;
    for (let done = 0; ; sector = this.next[sector] as number) {
      const skip = from + done - (this.firstSequence[sector] as number);
      const take = Math.min(length - done, this.endOf(sector) - from - done);
      const word = sector * this.#words;
      for (let i = 0; i < take; i++) {
        timesMs[at + done + i] = this.#f64[word / 2 + skip + i] as number;
        bits[at + done + i] = this.#u32[word + this.evtCapacity * 2 + skip + i] as number;
      }
      done += take;
      if (done === length) return sector;
    }
  }

  /** Sectors that are free, in the order in which they would be taken. */
  freeList(): number[] {
    const list: number[] = [];
    for (let sector = this.#free; sector !== this.none; sector = this.next[sector] as number) list.push(sector);
    return list;
  }
}
