/**
 * A soak in virtual time: days of the reference load through a simulated device, with everything that its schedule has in
 * store, every record verified. One seed gives one run: its figures and its hash are the same wherever it is run.
 */
import { createHash } from 'node:crypto';
import { Random } from '../random.ts';
import type { AccountFigures } from './account.ts';
import { Account } from './account.ts';
import { Device, settle } from './device.ts';
import type { DeviceFigures } from './device-figures.ts';
import { Findings } from './findings.ts';
import type { Gate } from './gates.ts';
import { gatesOf } from './gates.ts';
import { INCIDENTS } from './incidents.ts';
import { appendTo, bitsAt, SECONDS_A_TICK, SENSORS, TICKS_A_DAY, timeAt } from './load.ts';
import type { Incident, Schedule } from './schedule.ts';
import { BAG, drawSchedule } from './schedule.ts';
import { Timeline } from './timeline.ts';
import { Uploader } from './uploader.ts';
import type { Wear } from './wear.ts';
import { wearOf } from './wear.ts';

export interface SoakOptions {
  /** Of virtual time. */
  readonly days: number;
  readonly seed: number;
  readonly onProgress?: (at: { readonly tick: number; readonly ticks: number; readonly device: Device }) => void;
}

export interface SoakResult {
  readonly days: number;
  readonly seed: number;
  /** Of everything that happened, in order; the same for the same seed. Null in real time, which nothing repeats. */
  readonly hash: string | null;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly account: AccountFigures;
  readonly device: DeviceFigures;
  /** How often each kind of incident happened. */
  readonly incidents: Readonly<Record<string, number>>;
  /** What the kernel says was sent to the disk; null where there is none. */
  readonly kernelBytes: number | null;
  readonly hours: { readonly online: number; readonly offline: number; readonly quiet: number };
  /** Flushes in the outage in which nothing happened. */
  readonly quietFlushes: number;
  readonly atRiskMax: number;
  readonly wear: Wear;
  readonly gates: readonly Gate[];
  readonly findings: Findings;
  readonly timeline: Timeline;
}

const UPLOAD_EVERY_TICKS = 6;
const CHECK_EVERY_TICKS = 6;
const TICKS_AN_HOUR = TICKS_A_DAY / 24;
/** Rounds that it may take to hand over everything that is left at the end. */
const LAST_ROUNDS_MAX = 400;

interface Later {
  readonly tick: number;
  readonly act: () => Promise<void>;
}

/** Where the run is: what findings are told with. */
interface Now {
  tick: number;
}

class Soak {
  readonly schedule: Schedule;
  readonly findings: Findings;
  readonly account: Account;
  readonly device: Device;
  readonly timeline = new Timeline(TICKS_A_DAY);
  readonly uploader = new Uploader();
  readonly incidents: Record<string, number> = {};
  readonly hash = createHash('sha256');
  atRiskMax = 0;
  offlineRecords = 0;
  /** In the outage in which nothing happens. */
  quietFlushes = 0;
  readonly #now: Now;
  /** What the clock said when each tick began; the account looks there. */
  readonly #clockMs: number[];
  #later: Later[] = [];
  /** Due, and waiting for a disk without trouble. */
  #waiting: Incident[] = [];
  #nextIncident = 0;
  #refusedUntil = 0;
  #sinceUpload = 0;

  constructor(schedule: Schedule, now: Now, clockMs: number[], device: Device) {
    this.schedule = schedule;
    this.#clockMs = clockMs;
    this.#now = now;
    this.device = device;
    this.account = device.account;
    this.findings = device.findings;
    device.onLog = (line) => this.hash.update(`${now.tick} ${line}\n`);
  }

  async tick(tick: number): Promise<void> {
    this.#now.tick = tick;
    const { device, schedule } = this;
    device.offline = schedule.offline[tick] === 1;
    const crashesBefore = device.figures.crashes;
    const flushesBefore = this.#flushes();
    const tickMs = device.clock.wallMs;
    this.#clockMs[tick] = tickMs;
    const due = this.#due(tick);
    for (let second = 0; second < SECONDS_A_TICK; second++) {
      for (const incident of due) if (incident.second === second) await this.#meet(incident);
      // The tick's own clock: what sets the clock sets it for the next tick.
      this.#sample(tick, second, tickMs);
      device.clock.advance(1_000);
      if (device.clock.timers > 0) await settle();
    }
    await settle();
    for (const { act } of this.#take(tick)) await act();
    await this.#upload(tick);
    if (tick % CHECK_EVERY_TICKS === 0) this.#check(tick);
    const slot = this.timeline.at(tick);
    if (device.figures.crashes > crashesBefore) slot.marks.add('crash');
    slot.flushes += this.#flushes() - flushesBefore;
    const { quiet } = schedule;
    if (tick >= quiet.from && tick < quiet.to) this.quietFlushes += this.#flushes() - flushesBefore;
    if (device.offline) this.timeline.noteOffline(tick);
  }

  #flushes(): number {
    const { flushesOnline, flushesOffline } = this.device.figures;
    return flushesOnline + flushesOffline;
  }

  #sample(tick: number, second: number, tickMs: number): void {
    const { streams } = this.device;
    for (let sensor = second; sensor < SENSORS; sensor += SECONDS_A_TICK) {
      const bits = bitsAt(sensor, tick);
      const timeMs = timeAt(sensor, tickMs, bits);
      this.account.append(sensor, tick, timeMs, appendTo(streams[sensor] as (typeof streams)[number], bits, timeMs));
    }
    if (this.device.offline) this.offlineRecords += SENSORS / SECONDS_A_TICK;
  }

  /** Incidents of this tick, and those that still wait for a disk without trouble. */
  #due(tick: number): Incident[] {
    const { incidents } = this.schedule;
    while ((incidents[this.#nextIncident]?.tick ?? Number.POSITIVE_INFINITY) <= tick) {
      this.#waiting.push(incidents[this.#nextIncident++] as Incident);
    }
    const due = this.#waiting;
    this.#waiting = [];
    return due;
  }

  /** Begins what may begin now; the rest is met again in the next tick. */
  async #meet(incident: Incident): Promise<void> {
    if (INCIDENTS[incident.kind].calm === true && this.#later.length > 0) this.#waiting.push(incident);
    else await this.#begin(incident);
  }

  async #begin({ kind, seed }: Incident): Promise<void> {
    const { device } = this;
    const now = this.#now.tick;
    this.incidents[kind] = (this.incidents[kind] ?? 0) + 1;
    this.hash.update(`${now} ${kind}\n`);
    const { mark, begin } = INCIDENTS[kind];
    this.timeline.at(now).marks.add(mark);
    await begin({
      device,
      random: new Random(seed),
      later: (ticks, act) => this.#later.push({ tick: now + ticks, act }),
      refuseUploads: (ticks) => {
        this.#refusedUntil = now + ticks;
      },
      upload: async (seconds) => {
        await this.uploader.round(device.streams, this.account, seconds, false);
      },
    });
    await settle();
  }

  #take(tick: number): Later[] {
    const due = this.#later.filter((later) => later.tick <= tick);
    this.#later = this.#later.filter((later) => later.tick > tick);
    return due;
  }

  async #upload(tick: number): Promise<void> {
    this.#sinceUpload++;
    if (this.device.offline || tick % UPLOAD_EVERY_TICKS !== 0) return;
    const seconds = Math.min(this.#sinceUpload, UPLOAD_EVERY_TICKS) * SECONDS_A_TICK;
    this.#sinceUpload = 0;
    await this.uploader.round(this.device.streams, this.account, seconds, tick < this.#refusedUntil);
    this.hash.update(`${tick} delivered ${this.account.figures.delivered} ${this.account.figures.checksum}\n`);
  }

  #check(tick: number): void {
    const { atRisk, poolUsedSectors, poolSectors, diskBytes } = this.device.store.stats();
    this.device.watch.checkThreshold(poolUsedSectors, poolSectors);
    this.atRiskMax = Math.max(this.atRiskMax, atRisk);
    this.timeline.note(tick, (100 * poolUsedSectors) / poolSectors, diskBytes);
  }

  /** Troubles end, the link is there, everything that is left is handed over; then nothing may be missing. */
  async end(): Promise<void> {
    for (const { act } of this.#take(Number.POSITIVE_INFINITY)) await act();
    this.device.offline = false;
    for (let round = 0; round < LAST_ROUNDS_MAX; round++) {
      const handed = await this.uploader.round(
        this.device.streams,
        this.account,
        UPLOAD_EVERY_TICKS * SECONDS_A_TICK,
        false,
      );
      if (handed === 0) break;
    }
    this.account.end();
    this.device.checkMarks();
    await this.device.end();
    this.hash.update(JSON.stringify([this.account.figures, this.device.figures]));
  }
}

/** What the store throws where nobody waits: it ends the run, as does what it throws where somebody does. */
class BackgroundFailures {
  first: string | null = null;
  readonly #listener = (error: unknown): void => this.note(error);

  constructor() {
    process.on('unhandledRejection', this.#listener);
  }

  note(error: unknown): void {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    this.first ??= line;
  }

  stopListening(): void {
    process.off('unhandledRejection', this.#listener);
  }
}

/** Runs a soak. A store that fails on the way ends it early, with the failure as a finding. */
export async function runSoak({ days, seed, onProgress }: SoakOptions): Promise<SoakResult> {
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  const schedule = drawSchedule(days, seed, BAG);
  const now: Now = { tick: 0 };
  const findings = new Findings(() => `day ${(now.tick / TICKS_A_DAY).toFixed(2)}`);
  const clockMs: number[] = [];
  const account = new Account(findings, (tick) => clockMs[tick] as number);
  const device = await Device.start(account, findings);
  const soak = new Soak(schedule, now, clockMs, device);
  const background = new BackgroundFailures();
  try {
    for (let tick = 0; tick < schedule.ticks && background.first === null; tick++) {
      await soak.tick(tick);
      onProgress?.({ tick, ticks: schedule.ticks, device });
    }
    if (background.first === null) await soak.end();
  } catch (error) {
    background.note(error);
  }
  background.stopListening();
  if (background.first !== null) findings.add('failure', 1, () => `${background.first}`);
  const { user, system } = process.cpuUsage(cpu);
  return resultOf(soak, {
    days,
    seed,
    seconds: (performance.now() - startedMs) / 1_000,
    cpuSeconds: (user + system) / 1e6,
  });
}

function resultOf(soak: Soak, run: Pick<SoakResult, 'days' | 'seed' | 'seconds' | 'cpuSeconds'>): SoakResult {
  const { account, device, findings, schedule, uploader, timeline, incidents, atRiskMax } = soak;
  const { appended, refused, delivered, acknowledged } = account.figures;
  const offlineTicks = schedule.offline.reduce((sum, each) => sum + each, 0);
  const hours = {
    online: (schedule.ticks - offlineTicks) / TICKS_AN_HOUR,
    offline: offlineTicks / TICKS_AN_HOUR,
    quiet: (schedule.quiet.to - schedule.quiet.from) / TICKS_AN_HOUR,
  };
  const wear = wearOf(device.wear, appended, soak.offlineRecords);
  const { flushesOnline, flushesOffline, flushesAsked, flushFailures } = device.figures;
  const flushes = flushesOnline + flushesOffline + flushesAsked + flushFailures;
  const gates = gatesOf({
    ...device.figures,
    findings: (kind) => findings.count(kind),
    onlineHours: hours.online,
    offlineHours: hours.offline,
    quietFlushes: soak.quietFlushes,
    quietHours: hours.quiet,
    wearLess: Math.min(...wear.baselines.map(({ less }) => less)),
    quotaBytes: device.settings.quotaBytes,
    errors: refused + flushFailures + uploader.failedReads,
    operations: appended + refused + flushes + uploader.reads,
    throughput: (appended + delivered + acknowledged) / run.cpuSeconds,
    pace: null,
  });
  const hash = soak.hash.digest('hex').slice(0, 16);
  return {
    ...run,
    ...{ hash, account: account.figures, device: device.figures, incidents, hours, atRiskMax, wear, gates },
    ...{ findings, timeline, quietFlushes: soak.quietFlushes, kernelBytes: null },
  };
}
