/**
 * The simulated gateway of a soak: a store with its default settings on a simulated disk and clock, through the package's
 * public interface, and what it takes to cut its power and start it again.
 *
 * It tells the account what the store promised (store-watch.ts), and judges whether a store opens as the same store
 * (INV-17, INV-18). Everything else is the account's.
 */
import { crc32 } from 'node:zlib';
import type { Settings, Store } from '../../src/index.ts';
import { openOn, resolveSettings } from '../../src/index.ts';
import type { CrashChoice } from '../power-cut.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { StoreIds, simulatedPlatform, VirtualClock } from '../virtual-clock.ts';
import type { Account } from './account.ts';
import { noFigures } from './device-figures.ts';
import type { Findings } from './findings.ts';
import { openStreams, SENSORS } from './load.ts';
import { judgeOpened } from './reopened.ts';
import { StoreWatch } from './store-watch.ts';
import { WearMeter } from './wear.ts';

export type Streams = ReturnType<typeof openStreams>;

/** `held`: the disk has not answered yet. */
export type FlushAnswer = 'well' | 'failed' | 'held';

/** Everything that can go on without time passing has gone on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export class Device {
  readonly clock = new VirtualClock();
  readonly wear = new WearMeter();
  readonly figures = noFigures();
  readonly settings: Settings;
  readonly account: Account;
  readonly findings: Findings;
  /** Whether there is no link now. */
  offline = false;
  disk: SimulatedDisk;
  store!: Store;
  streams!: Streams;
  watch!: StoreWatch;
  /** Called with each thing that happened, in words that are the same in every run of a seed. */
  onLog: (line: string) => void = () => {};
  readonly #ids = new StoreIds();
  readonly #spoiledFiles = new Set<string>();
  #storeId: string | null = null;

  private constructor(account: Account, findings: Findings) {
    const settings = resolveSettings();
    if (!settings.ok) throw new Error(settings.failure.message);
    this.settings = settings.value;
    this.account = account;
    this.findings = findings;
    this.disk = new SimulatedDisk(this.clock);
    this.disk.observer = this.wear;
    account.askLedger = () => this.store.ledger().entries;
  }

  /** A new device with an empty disk and an open store. */
  static async start(account: Account, findings: Findings): Promise<Device> {
    const device = new Device(account, findings);
    device.#adopt(await device.#open());
    account.epoch = device.store.epoch;
    return device;
  }

  #open(): Promise<Store> {
    const platform = simulatedPlatform(this.disk, this.clock, this.#ids);
    return openOn({ ...platform, crc32: (bytes, seed) => crc32(bytes, seed) }, this.settings);
  }

  #adopt(store: Store): void {
    this.store = store;
    this.streams = openStreams(store);
    this.#storeId ??= store.storeId;
    this.watch = this.#watch(store);
  }

  #watch(store: Store): StoreWatch {
    const { account, figures, findings } = this;
    return new StoreWatch(store, {
      flushed: (asked, words) => {
        if (asked) figures.flushesAsked++;
        else if (this.offline) figures.flushesOffline++;
        else figures.flushesOnline++;
        this.#noteSynced();
        this.onLog(words);
      },
      flushFailed: () => {
        figures.flushFailures++;
      },
      checkpointed: (heads) => {
        for (const { sensor, head } of heads) account.checkpointed(sensor, head);
      },
      evicted: (words) => {
        figures.evictedSegments++;
        this.onLog(words);
      },
      ledger: (entries) => account.enterLedger(entries),
      finding: (kind, message) => findings.add(kind, 1, () => message),
    });
  }

  /** What the store says is durable. Below the head it says nothing: that is where the head stands then. */
  #noteSynced(): void {
    for (const [sensor, stream] of this.streams.entries()) {
      const { marks } = stream;
      if (marks.synced > marks.head) this.account.synced[sensor] = marks.synced;
    }
  }

  /** Asks for a flush and lets it go as far as it goes without time passing. */
  async flush(): Promise<FlushAnswer> {
    this.watch.ask();
    let answer: FlushAnswer = 'held';
    void this.store.flush().then(
      () => {
        answer = 'well';
      },
      () => {
        // All of it is still in RAM, and the retry flushes it; whether this one was allowed to fail, the caller knows.
        answer = 'failed';
      },
    );
    await settle();
    return answer;
  }

  /** Power is about to fail: saves what it can. */
  warned(deadlineMs: number): ReturnType<Store['emergencyFlush']> {
    this.watch.ask();
    return this.store.emergencyFlush({ deadlineMs });
  }

  /** A bit of a segment turns over on the medium. What the segment holds may be lost, in the ledger as damaged. */
  decay(pick: (bound: number) => number): boolean {
    const { segments } = this.store.inspect();
    const segment = segments[pick(segments.length)];
    if (segment === undefined) return false;
    const name = `${segment.file.toString().padStart(12, '0')}.seg`;
    for (const { sensor, from, to } of segment.blocks) this.account.spoil(sensor, from, to);
    this.#spoiledFiles.add(name);
    this.disk.flipBit(segment.source, name, pick(segment.bytes * 8));
    this.onLog(`decayed ${name}`);
    return true;
  }

  /** Closes in good order and opens again. */
  async restart(): Promise<void> {
    this.watch.ask();
    await this.store.close();
    this.#notePeaks();
    this.figures.restarts++;
    await this.#reopen(await this.#open(), true, 0);
  }

  /** Cuts the power, or kills the process, and starts again. @param cuts how many recoveries are cut off as well. */
  async crash(choice: CrashChoice, cuts: readonly number[] = []): Promise<void> {
    this.account.enterLedger(this.store.ledger().entries);
    this.#noteSynced();
    this.#notePeaks();
    this.figures.crashes++;
    this.#next(choice);
    let cutOff = 0;
    for (const steps of cuts) {
      this.disk.autoSteps = steps;
      const opened = await opening(this.#open());
      if (opened !== null) {
        await this.#reopen(opened, false, cutOff);
        return;
      }
      this.#next(choice);
      cutOff++;
    }
    this.figures.recoveriesCutOff += cutOff;
    const opened = await opening(this.#open());
    if (opened === null) {
      this.findings.add('recovery', 1, () => 'the store does not open, and does not say why');
      throw new Error('a store that does not open after a crash ends the run');
    }
    await this.#reopen(opened, false, cutOff);
  }

  #next(choice: CrashChoice): void {
    const dead = this.disk;
    this.disk = dead.crash(choice);
    this.disk.capacityBytes = Number.POSITIVE_INFINITY;
    this.disk.observer = this.wear;
  }

  async #reopen(store: Store, clean: boolean, cutOff: number): Promise<void> {
    this.disk.autoSteps = Number.POSITIVE_INFINITY;
    // What a recovery that was cut short in time has not done yet.
    this.disk.completeAll();
    const { found, setAside, salvagedRecords } = store.recovery;
    const was = { storeId: this.#storeId ?? '', epoch: this.account.epoch };
    const now = { storeId: store.storeId, epoch: store.epoch, found, setAside };
    const isSpoiled = (file: string): boolean => [...this.#spoiledFiles].some((name) => file.includes(name));
    const isSame = judgeOpened(this.findings, was, now, cutOff, isSpoiled);
    this.#adopt(store);
    this.account.enterLedger(store.ledger().entries);
    this.account.reopen({ epoch: store.epoch, marks: this.streams.map(({ marks }) => marks), clean });
    this.figures.salvaged += salvagedRecords;
    this.figures.setAside += setAside.length;
    if (!clean && isSame) this.figures.recovered++;
    this.onLog(
      `epoch ${store.epoch}, ${found}: ${store.stats().retained} records retained, ${salvagedRecords} salvaged`,
    );
  }

  #notePeaks(): void {
    const { peakBytes, peakFileBytes } = this.disk.counts;
    this.figures.peakDiskBytes = Math.max(this.figures.peakDiskBytes, peakBytes);
    this.figures.peakFileBytes = Math.max(this.figures.peakFileBytes, peakFileBytes);
  }

  /** Closes for good: everything was delivered, so nothing may be retained. */
  async end(): Promise<void> {
    await this.restart();
    const { retained } = this.store.stats();
    this.findings.expect(retained === 0, 'counters', () => `${retained} records are retained, all were acknowledged`);
    await this.store.close();
    this.#notePeaks();
  }

  /** INV-22, as far as one life of the store goes: what it counts is what was done since it was opened. */
  checkMarks(): void {
    for (let sensor = 0; sensor < SENSORS; sensor++) {
      const { appended } = (this.streams[sensor] as Streams[number]).marks;
      const known = this.account.appended[sensor] as number;
      this.findings.expect(
        appended === known,
        'counters',
        () => `sensor ${sensor} has ${appended} records, not ${known}`,
      );
    }
  }
}

/** The store, or null when its opening waits for a disk that does not answer. @throws what it refuses with. */
async function opening(open: Promise<Store>): Promise<Store | null> {
  let opened: Store | null = null;
  let refused: unknown = null;
  const done = open.then(
    (store) => {
      opened = store;
    },
    (error: unknown) => {
      refused = error ?? new Error('refused without a reason');
    },
  );
  await Promise.race([done, settle().then(settle)]);
  if (refused !== null) throw refused;
  return opened;
}
