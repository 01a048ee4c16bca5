/**
 * The store of a real soak as its run sees it: a storing process after the other on one directory, and the account of what
 * they promised. It passes on what they answer, and judges each of them that comes after another.
 */

import type { Account, SaidMarks } from '../account.ts';
import type { DeviceFigures } from '../device-figures.ts';
import type { Findings } from '../findings.ts';
import { bitsAt, SENSORS, timeAt } from '../load.ts';
import { judgeOpened } from '../reopened.ts';
import type { WearTotals } from '../wear.ts';
import type { Gauge, MarkColumns, Note, Opened } from './messages.ts';
import { storeDirectory } from './state.ts';
import { StoringChild } from './storing-child.ts';

export type RealWear = WearTotals & { readonly kernelBytes: number };

export const NO_WEAR: RealWear = { bytesWritten: 0, syncs: 0, deviceBytes: 0, kernelBytes: 0 };

const plus = (a: RealWear, b: RealWear): RealWear => ({
  bytesWritten: a.bytesWritten + b.bytesWritten,
  syncs: a.syncs + b.syncs,
  deviceBytes: a.deviceBytes + b.deviceBytes,
  kernelBytes: a.kernelBytes + b.kernelBytes,
});

const saidMarks = ({ head, read, synced, appended }: MarkColumns): SaidMarks[] =>
  Array.from({ length: SENSORS }, (_, i) => ({
    head: head[i] as number,
    read: read[i] as number,
    synced: synced[i] as number,
    appended: appended[i] as number,
  }));

export interface StorageParts {
  readonly directory: string;
  /** The command's own file. */
  readonly entry: string;
  readonly account: Account;
  readonly findings: Findings;
  readonly figures: DeviceFigures;
  /** What earlier parts of the run have cost. */
  readonly wear: RealWear;
}

export class Storage {
  offline = false;
  quotaBytes = 0;
  storeId: string | null = null;
  child!: StoringChild;
  reads = 0;
  failedReads = 0;
  readonly account: Account;
  readonly #parts: StorageParts;
  /** Of processes that have gone; what they did behind their last word is not in it. */
  #wearBefore: RealWear;
  #wearNow: RealWear = NO_WEAR;

  constructor(parts: StorageParts) {
    this.#parts = parts;
    this.account = parts.account;
    this.#wearBefore = parts.wear;
  }

  get wear(): RealWear {
    return plus(this.#wearBefore, this.#wearNow);
  }

  /** Starts a process and has it open the store. @throws StoringRefused, StoringFailed. */
  start(): Promise<Opened> {
    this.#wearBefore = this.wear;
    this.#wearNow = NO_WEAR;
    this.child = new StoringChild(this.#parts.entry, (note) => this.#hear(note));
    return this.child.ask({ type: 'open', directory: storeDirectory(this.#parts.directory) });
  }

  /** The first process of all: the store is new. */
  async begin(): Promise<void> {
    const { storeId, epoch, quotaBytes } = await this.start();
    this.storeId = storeId;
    this.quotaBytes = quotaBytes;
    this.account.epoch = epoch;
  }

  /** The first process of a run that goes on. @returns the tick to go on with. */
  async goOn(storeId: string, clean: boolean, tick: number): Promise<number> {
    this.storeId = storeId;
    const opened = await this.start();
    this.account.enterLedger(opened.ledger);
    const next = clean ? tick : this.account.believe(saidMarks(opened.marks), tick);
    this.#judge(opened, clean, clean ? 0 : Number.POSITIVE_INFINITY);
    return next;
  }

  /** Kills the process, and as many of those that come after it as there are delays, each so long after its start. */
  async crash(delaysMs: readonly number[], wait: (ms: number) => Promise<void>): Promise<void> {
    const { figures } = this.#parts;
    figures.crashes++;
    await this.child.kill();
    for (const delayMs of delaysMs) {
      // Whether it opened is not waited for.
      void this.start().catch(() => undefined);
      await wait(delayMs);
      await this.child.kill();
      figures.recoveriesCutOff++;
    }
    const opened = await this.start();
    this.account.enterLedger(opened.ledger);
    if (this.#judge(opened, false, delaysMs.length)) figures.recovered++;
  }

  async restart(): Promise<Opened> {
    await this.close();
    this.#parts.figures.restarts++;
    const opened = await this.start();
    this.#judge(opened, true, 0);
    return opened;
  }

  async close(): Promise<void> {
    await this.child.ask({ type: 'close' });
    await this.child.dismiss();
  }

  #judge(opened: Opened, clean: boolean, cutOff: number): boolean {
    const { findings, figures } = this.#parts;
    const was = { storeId: this.storeId ?? '', epoch: this.account.epoch };
    const isSame = judgeOpened(findings, was, opened, cutOff, () => false);
    this.quotaBytes = opened.quotaBytes;
    this.account.reopen({ epoch: opened.epoch, marks: saidMarks(opened.marks), clean });
    figures.salvaged += opened.salvaged;
    figures.setAside += opened.setAside.length;
    return isSame;
  }

  #hear(note: Note): void {
    const { account, figures, findings } = this.#parts;
    switch (note.note) {
      case 'flushed':
        if (note.asked) figures.flushesAsked++;
        else if (this.offline) figures.flushesOffline++;
        else figures.flushesOnline++;
        for (const [sensor, synced] of note.synced.entries()) {
          if (synced > (note.head[sensor] as number)) account.synced[sensor] = synced;
        }
        return;
      case 'flushFailed':
        figures.flushFailures++;
        return;
      case 'checkpointed':
        for (const { sensor, head } of note.heads) account.checkpointed(sensor, head);
        return;
      case 'evicted':
        figures.evictedSegments++;
        return;
      case 'ledger':
        account.enterLedger(note.entries);
        return;
      case 'finding':
        findings.add(note.kind, 1, () => note.message);
    }
  }

  /** All sensors give a record. @returns how the store is then. */
  async sample(tick: number, tickMs: number): Promise<Gauge> {
    const { sequences, gauge } = await this.child.ask({ type: 'sample', tick, tickMs });
    for (const [sensor, sequence] of sequences.entries()) {
      this.account.append(sensor, tick, timeAt(sensor, tickMs, bitsAt(sensor, tick)), sequence);
    }
    this.note(gauge);
    return gauge;
  }

  /** Asks for a sample that is not waited for: a kill decides how much of it there will be. */
  sampleUnheard(tick: number, tickMs: number): void {
    void this.child.ask({ type: 'sample', tick, tickMs });
    for (let sensor = 0; sensor < SENSORS; sensor++) {
      const sequence = this.account.appended[sensor] as number;
      this.account.append(sensor, tick, timeAt(sensor, tickMs, bitsAt(sensor, tick)), sequence);
    }
  }

  /** After a warning no more may be lost than was called unsaved. */
  expectLost(lost: number, unsaved: number): void {
    const message = (): string => `${lost} records were lost, ${unsaved} were called unsaved`;
    this.#parts.findings.expect(lost <= unsaved, 'loss', message);
  }

  note(gauge: Gauge): void {
    const { figures } = this.#parts;
    this.#wearNow = gauge;
    figures.peakDiskBytes = Math.max(figures.peakDiskBytes, gauge.diskBytes);
    figures.peakFileBytes = Math.max(figures.peakFileBytes, gauge.fileBytesMax);
  }

  /** Reads and verifies. @returns the sensors of which something was delivered. */
  async deliver(records: number): Promise<number[]> {
    const { batches, failed, ledger } = await this.child.ask({ type: 'read', records });
    this.reads += SENSORS;
    this.failedReads += failed;
    this.account.enterLedger(ledger);
    for (const batch of batches) this.account.deliver(batch.sensor, batch);
    return batches.map(({ sensor }) => sensor);
  }

  /** What was delivered is acknowledged, or given back. */
  async answer(sensors: readonly number[], refused: boolean): Promise<void> {
    if (refused) {
      await this.child.ask({ type: 'revert' });
      for (const sensor of sensors) this.account.revert(sensor);
      return;
    }
    const { left } = await this.child.ask({ type: 'acknowledge' });
    for (const [sensor, records] of left) this.account.acknowledge(sensor, records);
  }

  /** Asks for an acknowledgement that is not waited for. */
  acknowledgeUnheard(sensors: readonly number[]): void {
    void this.child.ask({ type: 'acknowledge' });
    for (const sensor of sensors) this.account.acknowledge(sensor, 0);
  }
}
