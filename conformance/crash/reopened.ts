/** A store opened on what a crash has left: what it gives, whether it can go on, and how far it got when it is cut off again. */
import { coverSpan } from '../../model/spans.ts';
import type { ModelRecord, Span } from '../../model/vocabulary.ts';
import type { Result } from '../../src/core/codes.ts';
import { Engine } from '../../src/core/engine.ts';
import type { RecordBatch } from '../../src/core/record-batch.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { Scenario } from '../actions.ts';
import { answeredWithoutIo } from '../answers.ts';
import { settingsOf } from '../refinement.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { StoreIds, simulatedPlatform } from '../virtual-clock.ts';
import type { Account, Finding, Found, FoundLoss, FoundStream, StreamAccount } from './oracle.ts';
import { judgeFound } from './oracle.ts';

const EVERYTHING = 1_000_000;
const FRESH_BITS = 0x00c0_ffee;
const FRESH_MS = 1_900_000_000_000;
/** No other store of a run has it, so that a store that begins anew is seen to. */
const FRESH_ID = new Uint8Array(16).fill(0xfe);

/** Ids that are none of the run's. */
class FreshIds extends StoreIds {
  override next(): Uint8Array {
    return FRESH_ID.slice();
  }
}

const finding = (breaks: string, message: string): { readonly finding: Finding } => ({ finding: { breaks, message } });

export class Reopened {
  readonly #scenario: Scenario;
  readonly #engine: Engine;
  readonly #handles: readonly StreamHandle[];

  private constructor(scenario: Scenario, engine: Engine, handles: readonly StreamHandle[]) {
    this.#scenario = scenario;
    this.#engine = engine;
    this.#handles = handles;
  }

  /** Opens the store; all I/O ends at once. */
  static async open(
    scenario: Scenario,
    disk: SimulatedDisk,
    clock: VirtualClock,
  ): Promise<Reopened | { readonly finding: Finding }> {
    const opened = await answeredWithoutIo(startOpen(scenario, disk, clock));
    if (opened === null) return finding('liveness', 'the store does not open, and no I/O is under way');
    if (!opened.ok) return finding('INV-18', `the store is refused: ${opened.failure.message}`);
    const handles: StreamHandle[] = [];
    for (const { source, sensor, kind, periodMs, type, priority } of scenario.streams) {
      const options = { kind, type, priority, ...(kind === 'tsd' ? { periodMs } : {}) };
      const stream = opened.value.stream({ source, sensor }, options);
      if (!stream.ok) return finding('INV-20', `stream ${source}/${sensor} is refused: ${stream.failure.message}`);
      handles.push(stream.value);
    }
    return new Reopened(scenario, opened.value, handles);
  }

  /** All that it gives. */
  async found(): Promise<Found | { readonly finding: Finding }> {
    const given: ModelRecord[][] = [];
    for (const handle of this.#handles) {
      const batch = await answeredWithoutIo(handle.peek(0, EVERYTHING));
      if (batch?.ok !== true)
        return finding('INV-03', `${nameOf(handle)} cannot be read: ${batch?.failure.message ?? 'no answer'}`);
      given.push(recordsOf(batch.value));
    }
    // Damage may be found by reading only: marks and losses are asked for behind it.
    const streams = this.#handles.map((handle, i): FoundStream => {
      const { head, read, appended } = handle.marks();
      return { head, read, appended, records: given[i] as ModelRecord[], losses: this.#lossesOf(handle) };
    });
    return { storeId: this.#engine.storeId, epoch: this.#engine.epoch, streams };
  }

  #lossesOf(handle: StreamHandle): FoundLoss[] {
    return this.#engine
      .ledger()
      .entries.filter(({ source, sensor }) => source === handle.source && sensor === handle.sensor)
      .map(({ from, to, records, reason }) => ({ from, to, records, reason }));
  }

  /**
   * A record more for every stream, and a flush. What it must then be found as when power is cut without anything else;
   * null when a store that may not evict has no room for it.
   */
  async goOn(
    before: Found,
    spoiled: readonly (readonly Span[])[],
  ): Promise<Account | { readonly finding: Finding } | null> {
    const appended: ModelRecord[] = [];
    for (const handle of this.#handles) {
      const sequence = handle.appendBits(FRESH_BITS, FRESH_MS);
      if (sequence < 0) return finding('INV-07', `${nameOf(handle)} takes no record: ${sequence}`);
      appended.push({ sequence, epoch: before.epoch, valueBits: FRESH_BITS, timeMs: FRESH_MS });
    }
    const flushed = await answeredWithoutIo(this.#engine.flush());
    if (flushed === null) return finding('liveness', 'a flush is not answered, and no I/O is under way');
    if (!flushed.ok && this.#scenario.whenDiskFull === 'refuse-new') return null;
    if (!flushed.ok) return finding('INV-09', `a flush fails without a fault: ${flushed.failure.message}`);
    const streams: StreamAccount[] = [];
    for (const [i, handle] of this.#handles.entries()) {
      const { head, records, appended: end } = before.streams[i] as FoundStream;
      // Room for the flush may have been made by letting the oldest go; how many, the ledger says.
      const losses = this.#lossesOf(handle);
      const headNow = handle.marks().head;
      if (!coverSpan(losses, head, headNow))
        return finding('INV-12', `a flush moves the head of ${nameOf(handle)} from ${head} to ${headNow}, unledgered`);
      streams.push({
        name: nameOf(handle),
        records: [...records, appended[i] as ModelRecord],
        appendedMin: end + 1,
        appendedMax: end + 1,
        headMin: headNow,
        headMax: headNow,
        evictingTo: null,
        evicted: losses.reduce((sum, { records: lost, reason }) => sum + (reason === 'evicted' ? lost : 0), 0),
        alsoEvicted: 0,
        spoiled: spoiled[i] ?? [],
      });
    }
    return { storeId: before.storeId, epoch: before.epoch, opensCutOff: 0, streams };
  }
}

const nameOf = ({ source, sensor }: StreamHandle): string => `${source}/${sensor}`;

function recordsOf(batch: RecordBatch): ModelRecord[] {
  return Array.from({ length: batch.length }, (_, i) => ({
    sequence: batch.sequences[i] as number,
    epoch: batch.epochs[i] as number,
    valueBits: batch.bits[i] as number,
    timeMs: batch.timesMs[i] as number,
  }));
}

/** Begins to open a store; how far it comes is the disk's affair. */
export const startOpen = (scenario: Scenario, disk: SimulatedDisk, clock: VirtualClock): Promise<Result<Engine>> =>
  Engine.open(simulatedPlatform(disk, clock, new FreshIds()), settingsOf(scenario));

/** What a store gave that was opened on an image, and what was wrong with how it went on; the same for the same image. */
export interface Revived {
  /** Null when it did not come so far. */
  readonly found: Found | null;
  readonly finding: Finding | null;
}

/**
 * Opens the store, takes what it gives, lets it go on, cuts the power, and judges it by what it gave before: so recovery is
 * tried twice over, and a store that opens and can do nothing is found out.
 */
export async function revive(
  scenario: Scenario,
  { streams }: Account,
  disk: SimulatedDisk,
  clock: VirtualClock,
): Promise<Revived> {
  const store = await Reopened.open(scenario, disk, clock);
  if ('finding' in store) return { ...store, found: null };
  const found = await store.found();
  if ('finding' in found) return { ...found, found: null };
  const next = await store.goOn(
    found,
    streams.map(({ spoiled }) => spoiled),
  );
  if (next === null) return { finding: null, found };
  if ('finding' in next) return { ...next, found };
  const after = disk.crash({ kind: 'power', keep: 'nothing' });
  const again = await Reopened.open(scenario, after, clock);
  const foundAgain = 'finding' in again ? again : await again.found();
  if ('finding' in foundAgain) return { finding: secondTime(foundAgain.finding), found };
  const wrongAgain = judgeFound(next, foundAgain);
  return { finding: wrongAgain === null ? null : secondTime(wrongAgain), found };
}

/** @returns what the contract does not allow of it after a crash of this account; null for nothing. */
export const judgeRevived = (account: Account, { found, finding }: Revived): Finding | null =>
  (found === null ? null : judgeFound(account, found)) ?? finding;

const secondTime = ({ breaks, message }: Finding): Finding => ({
  breaks,
  message: `after one more flush and power cut: ${message}`,
});
