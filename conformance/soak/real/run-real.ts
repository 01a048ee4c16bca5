/**
 * A soak in real time: the reference load into a store on a directory, in a process of its own that is killed with SIGKILL
 * over and over, while it samples, flushes, uploads and recovers. This process keeps the account and verifies every record.
 *
 * After a kill the kernel still has what was written: what is judged is the process's side of durability, with a real file
 * system, real syncs and real time. What a power cut takes of unsynced pages is the simulated disk's part.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../random.ts';
import { Account } from '../account.ts';
import type { DeviceFigures } from '../device-figures.ts';
import { noFigures } from '../device-figures.ts';
import { Findings } from '../findings.ts';
import { gatesOf } from '../gates.ts';
import { SECONDS_A_TICK, SENSORS, TICK_MS, TICKS_A_DAY, UPLOAD_A_SECOND } from '../load.ts';
import type { SoakResult } from '../run.ts';
import type { Incident, Schedule } from '../schedule.ts';
import { drawSchedule } from '../schedule.ts';
import { Timeline } from '../timeline.ts';
import { wearOf } from '../wear.ts';
import type { RealKind } from './incidents.ts';
import { REAL_BAG, REAL_INCIDENTS } from './incidents.ts';
import type { RealPlan, RealState } from './state.ts';
import { saveState } from './state.ts';
import { NO_WEAR, Storage } from './storage.ts';
import { StoringFailed } from './storing-child.ts';

export interface RealOptions {
  readonly plan: RealPlan;
  readonly directory: string;
  /** Of a run that goes on; null for a new one. */
  readonly state: RealState | null;
  readonly entry: string;
  /** Stops the run in good order, to go on later. */
  readonly signal: AbortSignal;
  readonly onProgress: (soak: RealSoak) => void;
}

const UPLOAD_EVERY_TICKS = 6;
const SAVE_EVERY_TICKS = 30;
const TICKS_AN_HOUR = TICKS_A_DAY / 24;

export class RealSoak {
  readonly schedule: Schedule<RealKind>;
  readonly findings = new Findings(() => `day ${(this.tick / TICKS_A_DAY).toFixed(3)}`);
  readonly figures: DeviceFigures = noFigures();
  readonly account: Account;
  readonly storage: Storage;
  tick = 0;
  readonly #options: RealOptions;
  readonly #timeline = new Timeline(TICKS_A_DAY);
  readonly #incidents: Record<string, number> = {};
  readonly #clockSet: (readonly [tick: number, byMs: number])[] = [];
  #startMs = Date.now();
  #incident = 0;
  #refusedUntil = 0;
  #atRiskMax = 0;
  #offlineRecords = 0;
  #quietFlushes = 0;
  #secondsBefore = 0;
  readonly #begunMs = performance.now();

  constructor(options: RealOptions) {
    const { plan, state, directory, entry } = options;
    this.#options = options;
    this.schedule = drawSchedule((plan.seconds * plan.speed) / 86_400, plan.seed, REAL_BAG);
    const clockAt = (tick: number): number => this.#clockAt(tick);
    this.account =
      state === null ? new Account(this.findings, clockAt) : Account.restore(this.findings, clockAt, state.account);
    const { findings, figures, account } = this;
    this.storage = new Storage({ directory, entry, findings, figures, account, wear: state?.wear ?? NO_WEAR });
    if (state !== null) this.#restore(state);
  }

  #restore(state: RealState): void {
    this.tick = state.tick;
    this.findings.restore(state.findings);
    Object.assign(this.figures, state.figures);
    Object.assign(this.#incidents, state.incidents);
    this.#clockSet.push(...state.clockSet);
    this.#timeline.slots.push(...state.slots.map((slot) => ({ ...slot, marks: new Set(slot.marks) })));
    this.storage.reads = state.reads;
    this.storage.failedReads = state.failedReads;
    this.#startMs = state.startMs;
    this.#incident = state.incident;
    this.#refusedUntil = state.refusedUntil;
    this.#atRiskMax = state.atRiskMax;
    this.#offlineRecords = state.offlineRecords;
    this.#quietFlushes = state.quietFlushes;
    this.#secondsBefore = state.runSeconds;
  }

  /** @param tick that is to be done next. */
  #save(status: RealState['status'], tick = this.tick): void {
    const { storage, figures } = this;
    const slots = this.#timeline.slots.map((slot) => ({ ...slot, marks: [...slot.marks] }));
    saveState(this.#options.directory, {
      version: 1,
      plan: this.#options.plan,
      ...{ status, tick, incident: this.#incident, storeId: storage.storeId, startMs: this.#startMs },
      ...{ clockSet: this.#clockSet, refusedUntil: this.#refusedUntil, account: this.account.image(), figures },
      ...{ findings: this.findings.image(), incidents: this.#incidents, wear: storage.wear, slots },
      ...{ reads: storage.reads, failedReads: storage.failedReads, atRiskMax: this.#atRiskMax },
      ...{ offlineRecords: this.#offlineRecords, quietFlushes: this.#quietFlushes, runSeconds: this.#seconds() },
    });
  }

  #seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#begunMs) / 1_000;
  }

  /** The device's clock: it goes with the load, and is set by incidents. */
  #clockAt(tick: number): number {
    let clockMs = this.#startMs + tick * TICK_MS;
    for (const [from, byMs] of this.#clockSet) if (tick >= from) clockMs += byMs;
    return clockMs;
  }

  /** @returns the result, or null when it was stopped before its end. @throws StoringRefused for an unusable directory. */
  async run(): Promise<SoakResult | null> {
    const { state, signal, onProgress } = this.#options;
    if (state === null) await this.storage.begin();
    else this.tick = await this.storage.goOn(state.storeId ?? '', state.status === 'stopped', state.tick);
    this.#save('running');
    const first = this.tick;
    const begunMs = performance.now();
    for (; this.tick < this.schedule.ticks; this.tick++) {
      const dueMs = begunMs + ((this.tick - first) * TICK_MS) / this.#options.plan.speed;
      await this.#wait(dueMs - performance.now());
      if (signal.aborted) {
        await this.storage.close();
        this.#save('stopped');
        return null;
      }
      await this.#surviving(() => this.#step());
      if (this.tick % SAVE_EVERY_TICKS === 0) this.#save('running', this.tick + 1);
      onProgress(this);
    }
    const seconds = this.#seconds();
    await this.#surviving(() => this.#end());
    this.#save('ended');
    return this.#result(seconds);
  }

  /** Waits, and not longer than until it is stopped. */
  async #wait(ms: number): Promise<void> {
    if (ms <= 0 || this.#options.signal.aborted) return;
    await sleep(ms, undefined, { signal: this.#options.signal }).catch(() => undefined);
  }

  /** A storing process that ends by itself, or gives no answer, is a finding; the next one goes on where it was. */
  async #surviving(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof StoringFailed)) throw error;
      this.findings.add('liveness', 1, () => error.message);
      await this.storage.crash([], sleep);
    }
  }

  async #step(): Promise<void> {
    const { tick, storage, schedule, figures } = this;
    storage.offline = schedule.offline[tick] === 1;
    const flushesBefore = figures.flushesOnline + figures.flushesOffline;
    let sampled = false;
    while ((schedule.incidents[this.#incident]?.tick ?? Number.POSITIVE_INFINITY) <= tick) {
      const sampleUnheard = (): void => {
        if (!sampled) storage.sampleUnheard(tick, this.#clockAt(tick));
        sampled = true;
      };
      await this.#happen(schedule.incidents[this.#incident++] as Incident<RealKind>, sampleUnheard);
    }
    if (!sampled) {
      const { usedSectors, sectors, diskBytes, atRisk } = await storage.sample(tick, this.#clockAt(tick));
      this.#atRiskMax = Math.max(this.#atRiskMax, atRisk);
      this.#timeline.note(tick, (100 * usedSectors) / sectors, diskBytes);
    }
    if (storage.offline) this.#offlineRecords += SENSORS;
    else if (tick % UPLOAD_EVERY_TICKS === 0) await this.#upload(tick < this.#refusedUntil);
    this.#noteTick(figures.flushesOnline + figures.flushesOffline - flushesBefore);
  }

  #noteTick(flushes: number): void {
    const { tick, schedule } = this;
    this.#timeline.at(tick).flushes += flushes;
    if (schedule.offline[tick] === 1) this.#timeline.noteOffline(tick);
    if (tick >= schedule.quiet.from && tick < schedule.quiet.to) this.#quietFlushes += flushes;
  }

  async #happen({ kind, seed }: Incident<RealKind>, sampleUnheard: () => void): Promise<void> {
    const { mark, begin } = REAL_INCIDENTS[kind];
    this.#incidents[kind] = (this.#incidents[kind] ?? 0) + 1;
    this.#timeline.at(this.tick).marks.add(mark);
    await begin({
      storage: this.storage,
      random: new Random(seed),
      wait: (ms) => sleep(ms),
      sampleUnheard,
      // From the next tick on: this one may have been sampled.
      setClock: (byMs) => this.#clockSet.push([this.tick + 1, byMs]),
      refuseUploads: (ticks) => {
        this.#refusedUntil = this.tick + ticks;
      },
    });
  }

  async #upload(refused: boolean): Promise<number> {
    const sensors = await this.storage.deliver(UPLOAD_A_SECOND * UPLOAD_EVERY_TICKS * SECONDS_A_TICK);
    await this.storage.answer(sensors, refused);
    return sensors.length;
  }

  /** Everything that is left is handed over; then nothing may be missing, and nothing may be retained. */
  async #end(): Promise<void> {
    this.storage.offline = false;
    while ((await this.#upload(false)) > 0);
    this.account.end();
    const { retained } = await this.storage.restart();
    this.findings.expect(retained === 0, 'counters', () => `${retained} records are retained, all were acknowledged`);
    await this.storage.close();
  }

  #result(seconds: number): SoakResult {
    const { account, figures, findings, schedule, storage } = this;
    const { plan } = this.#options;
    const { appended, refused } = account.figures;
    const offlineTicks = schedule.offline.reduce((sum, each) => sum + each, 0);
    const hours = {
      online: (schedule.ticks - offlineTicks) / TICKS_AN_HOUR,
      offline: offlineTicks / TICKS_AN_HOUR,
      quiet: (schedule.quiet.to - schedule.quiet.from) / TICKS_AN_HOUR,
    };
    const wear = wearOf(storage.wear, appended, this.#offlineRecords);
    const { flushesOnline, flushesOffline, flushesAsked, flushFailures } = figures;
    const gates = gatesOf({
      ...figures,
      findings: (kind) => findings.count(kind),
      onlineHours: hours.online,
      offlineHours: hours.offline,
      quietFlushes: this.#quietFlushes,
      quietHours: hours.quiet,
      wearLess: Math.min(...wear.baselines.map(({ less }) => less)),
      quotaBytes: storage.quotaBytes,
      errors: refused + flushFailures + storage.failedReads,
      operations: appended + refused + flushesOnline + flushesOffline + flushesAsked + flushFailures + storage.reads,
      throughput: null,
      pace: (100 * plan.seconds) / seconds,
    });
    return {
      ...{ days: (plan.seconds * plan.speed) / 86_400, seed: plan.seed, hash: null, seconds, cpuSeconds: 0 },
      ...{ account: account.figures, device: figures, incidents: this.#incidents, hours, wear, gates, findings },
      ...{ atRiskMax: this.#atRiskMax, quietFlushes: this.#quietFlushes, timeline: this.#timeline },
      kernelBytes: storage.wear.kernelBytes,
    };
  }
}
