/**
 * What the benchmark asks of a store that it measures: keep batches for good, give back every record. Each peer says in
 * its own file how it is set up, and why that is the fastest way that is still fair.
 */
import type { Load, LoadSensor } from '../load.ts';

/** Takes one record; times and bits exactly as they were written. @param sensor index in the load's sensors. */
export type Visit = (sensor: number, timeMs: number, bits: number) => void;

/** Takes a value of a peer that keeps pairs apart into its records. */
export type Unfold = (sensor: number, value: Uint8Array, visit: Visit) => void;

/** An open store of a peer, with one writer. */
export interface PeerStore {
  /**
   * Writes records [from, to) of the load, each at most once, in order.
   * When it has returned, and its promise if there is one has resolved, all of them survive a power cut.
   */
  writeBatch(load: Load, from: number, to: number): void | Promise<void>;
  /**
   * Does what it has put off: a checkpoint of its write-ahead log, and the like. What it has written since it was
   * opened is then on the device as it is going to stay, as far as its own rules demand it.
   */
  settle(): void | Promise<void>;
  /** Every record it holds; those of one sensor in the order in which they were written. */
  readAll(visit: Visit): void | Promise<void>;
  /** As readAll, where there is a way that is quicker and no drain: to compare what was kept, not to be measured. */
  lookAtAll?(visit: Visit): void;
  /** Records of one sensor, oldest first, from its first one on. */
  readSensor(sensor: number, visit: Visit): void | Promise<void>;
  close(): void | Promise<void>;
}

export interface Peer {
  /** As rows and JSON name it: `sqlite-rows`. */
  readonly name: string;
  /** For people: `node:sqlite, a row a record`. */
  readonly title: string;
  /**
   * A slow peer writes only so many, the first of the same records: the whole load would take it minutes a turn. It is in
   * its favour, for a tree that is smaller is faster.
   */
  readonly recordsMax?: number;
  /**
   * What is done once, before a device is put to use: its time and bytes are no ingest, and are told beside it.
   * @param directory exists, and is empty. @returns figures for the JSON.
   */
  prepare?(directory: string): Promise<Readonly<Record<string, number>>>;
  /** @param directory exists; empty, or what this peer left in it. */
  open(directory: string, sensors: readonly LoadSensor[]): PeerStore | Promise<PeerStore>;
}
