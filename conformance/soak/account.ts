/**
 * The independent account of a soak: what was appended, what callers were told, what may therefore come back. It judges
 * every delivered record and every reopened store, without storing a record.
 *
 *     stream   runs  [from sequence, at tick, epoch, time of the first]  ->  record n is the one of tick + (n - from)
 *              marks appended, next (to be delivered), head, synced (told durable), durable head (told durable)
 *              spans of the loss ledger, spans that the run itself has spoiled on the medium
 *
 * A run of records is one per tick in one epoch, and for tsd on one grid, so a week of a stream is a few dozen runs. The rule
 * of the grid is the contract's (section 5), written here once more: it shares no code with the engine.
 */
import type { LossEntry, RecordBatch } from '../../src/index.ts';
import type { Findings } from './findings.ts';
import { bitsAt, isTsd, SENSORS, sourceOf, TICK_MS, timeAt } from './load.ts';

interface Run {
  readonly from: number;
  readonly tick: number;
  readonly epoch: number;
  /** Recorded time of the first; of tsd the others follow in steps of the period. */
  readonly firstMs: number;
}

/** A stream's marks as a store says them. */
export interface SaidMarks {
  readonly head: number;
  readonly read: number;
  readonly synced: number;
  readonly appended: number;
}

/** What a reopened store is judged against. */
export interface Reopened {
  readonly epoch: number;
  readonly marks: readonly SaidMarks[];
  /** Closed in good order before: then every mark is where it was. */
  readonly clean: boolean;
}

/** The account as plain data, for a run that goes on another day. */
export interface AccountImage {
  readonly epoch: number;
  readonly figures: AccountFigures;
  readonly streams: readonly {
    readonly appended: number;
    readonly next: number;
    readonly head: number;
    readonly synced: number;
    readonly durableHead: number;
    readonly lastMs: number | null;
    readonly lastTick: number;
    readonly runs: readonly Run[];
    readonly ledger: readonly (readonly [number, number])[];
  }[];
}

export interface AccountFigures {
  appended: number;
  refused: number;
  delivered: number;
  acknowledged: number;
  /** In RAM and nowhere else when a crash came; not delivered before it. */
  lostInRam: number;
  /** Acknowledged, and the acknowledgement not durable when a crash came. */
  redelivered: number;
  /** Delivery passed over them, for they are in the loss ledger. */
  ledgered: number;
  /** Mixed of every delivered record, in the order of delivery. */
  checksum: number;
}

const NO_TICK = -2;

/** Ranges [from, to) by where they begin. */
type Spans = Map<number, number>;

function covers(spans: Spans | undefined, from: number, to: number): number {
  let at = from;
  for (let moved = true; moved && at < to && spans !== undefined; ) {
    moved = false;
    for (const [begin, end] of spans) {
      if (begin <= at && at < end) {
        at = end;
        moved = true;
      }
    }
  }
  return Math.min(at, to) - from;
}

export class Account {
  readonly figures: AccountFigures = {
    appended: 0,
    refused: 0,
    delivered: 0,
    acknowledged: 0,
    lostInRam: 0,
    redelivered: 0,
    ledgered: 0,
    checksum: 0,
  };
  epoch = 0;
  readonly appended = new Float64Array(SENSORS);
  /** First record that is not delivered, or has to be delivered again. */
  readonly next = new Float64Array(SENSORS);
  readonly head = new Float64Array(SENSORS);
  readonly synced = new Float64Array(SENSORS);
  readonly durableHead = new Float64Array(SENSORS);
  readonly #lastMs = new Float64Array(SENSORS).fill(Number.NaN);
  readonly #lastTick = new Int32Array(SENSORS).fill(NO_TICK);
  readonly #runs: Run[][] = Array.from({ length: SENSORS }, () => []);
  readonly #ledger: Spans[] = Array.from({ length: SENSORS }, () => new Map());
  readonly #spoiled: Spans[] = Array.from({ length: SENSORS }, () => new Map());
  readonly #findings: Findings;
  readonly #clockAt: (tick: number) => number;
  /** Gives the store's ledger as it is now, where it can be asked; consulted when delivery has passed something over. */
  askLedger: (() => readonly LossEntry[]) | null = null;

  /** @param clockAt what the clock said when a tick began. */
  constructor(findings: Findings, clockAt: (tick: number) => number) {
    this.#findings = findings;
    this.#clockAt = clockAt;
  }

  /** A record was offered. @param sequence what the store answered; negative for a refusal, which changes nothing. */
  append(sensor: number, tick: number, timeMs: number, sequence: number): void {
    if (sequence < 0) {
      this.figures.refused++;
      return;
    }
    const appended = this.appended[sensor] as number;
    if (sequence !== appended) {
      const message = (): string => `${nameOf(sensor)}: the record got number ${sequence}, it is number ${appended}`;
      this.#findings.add('corruption', 1, message);
    }
    let recordedMs = timeMs;
    let joins = (this.#lastTick[sensor] as number) + 1 === tick;
    if (isTsd(sensor)) {
      const expectedMs = (this.#lastMs[sensor] as number) + TICK_MS;
      const twiceOffMs = 2 * Math.abs(timeMs - expectedMs);
      if (twiceOffMs <= TICK_MS) recordedMs = expectedMs;
      else joins = false;
      this.#lastMs[sensor] = recordedMs;
    }
    if (!joins) (this.#runs[sensor] as Run[]).push({ from: appended, tick, epoch: this.epoch, firstMs: recordedMs });
    this.#lastTick[sensor] = tick;
    this.appended[sensor] = appended + 1;
    this.figures.appended++;
  }

  /** Records were read: each must be the next one, and be what was appended. */
  deliver(sensor: number, { sequences, epochs, timesMs, bits }: DeliveredColumns): void {
    const runs = this.#runs[sensor] as Run[];
    const tsd = isTsd(sensor);
    let next = this.next[sensor] as number;
    let checksum = this.figures.checksum;
    let at = -1;
    let end = -1;
    for (let k = 0; k < sequences.length; k++) {
      const sequence = sequences[k] as number;
      if (sequence !== next) this.#passOver(sensor, next, sequence);
      next = sequence + 1;
      if (at < 0 || sequence >= end) {
        at = runAt(runs, sequence, Math.max(0, at));
        end = runs[at + 1]?.from ?? (this.appended[sensor] as number);
      }
      const run = runs[at];
      if (run === undefined || sequence >= end || sequence < run.from) {
        this.#corrupt(sensor, sequence, 'was never appended');
        continue;
      }
      const tick = run.tick + (sequence - run.from);
      const wanted = bitsAt(sensor, tick);
      const wantedMs = tsd ? run.firstMs + (tick - run.tick) * TICK_MS : timeAt(sensor, this.#clockAt(tick), wanted);
      const given = bits[k] as number;
      if (given !== wanted) this.#corrupt(sensor, sequence, `has the value ${given}, appended was ${wanted}`);
      else if (timesMs[k] !== wantedMs) this.#corrupt(sensor, sequence, `has the time ${timesMs[k]}, not ${wantedMs}`);
      else if (epochs[k] !== run.epoch) this.#corrupt(sensor, sequence, `is of epoch ${epochs[k]}, not ${run.epoch}`);
      checksum = (Math.imul(checksum ^ given, 0x01000193) + sequence + (timesMs[k] as number)) >>> 0;
    }
    this.figures.checksum = checksum;
    this.figures.delivered += sequences.length;
    this.next[sensor] = next;
  }

  #corrupt(sensor: number, sequence: number, what: string): void {
    this.#findings.add('corruption', 1, () => `${nameOf(sensor)}: record ${sequence} ${what}`);
  }

  /** Delivery went on at `to` instead of `from`: allowed for what the ledger has. */
  #passOver(sensor: number, from: number, to: number): void {
    if (to < from) {
      this.#findings.add('redelivery', from - to, () => `${nameOf(sensor)}: record ${to} came again, ${from} was next`);
      return;
    }
    let known = covers(this.#ledger[sensor], from, to);
    if (known < to - from && this.askLedger !== null) {
      this.enterLedger(this.askLedger());
      known = covers(this.#ledger[sensor], from, to);
    }
    this.figures.ledgered += known;
    if (known === to - from) return;
    const message = (): string =>
      `${nameOf(sensor)}: [${from + known}, ${to}) is gone, and the ledger does not have it`;
    this.#findings.add('loss', to - from - known, message);
  }

  /** The cloud has what was delivered below `to`. @param records how many the store says have left. */
  acknowledge(sensor: number, records: number, to = this.next[sensor] as number): void {
    this.head[sensor] = to;
    this.figures.acknowledged += records;
    this.#forgetRuns(sensor);
  }

  revert(sensor: number): void {
    this.next[sensor] = this.head[sensor] as number;
  }

  /** Runs below what a crash could bring back. */
  #forgetRuns(sensor: number): void {
    const runs = this.#runs[sensor] as Run[];
    const keep = Math.min(this.durableHead[sensor] as number, this.head[sensor] as number);
    while (runs.length > 1 && (runs[1] as Run).from <= keep) runs.shift();
  }

  /** The store has said that a head mark is durable. */
  checkpointed(sensor: number, head: number): void {
    this.durableHead[sensor] = Math.max(this.durableHead[sensor] as number, head);
  }

  /** What the store's ledger has now. Damage that the run has not done itself is corruption. */
  enterLedger(entries: readonly LossEntry[]): void {
    for (const { sensor, from, to, records, reason } of entries) {
      const known = (this.#ledger[sensor] as Spans).get(from) ?? from;
      if (known >= to) continue;
      (this.#ledger[sensor] as Spans).set(from, to);
      if (reason !== 'damaged' || covers(this.#spoiled[sensor], from, to) === to - from) continue;
      const message = (): string =>
        `${nameOf(sensor)}: [${from}, ${to}) is called damaged, and nothing there was spoiled`;
      this.#findings.add('corruption', records, message);
    }
  }

  /** The medium decays under these records: they may be lost, and are in the ledger as damaged then. */
  spoil(sensor: number, from: number, to: number): void {
    (this.#spoiled[sensor] as Spans).set(from, Math.max(to, this.#spoiled[sensor]?.get(from) ?? to));
  }

  /** Records that are in RAM only, so far as the store has said. */
  atRisk(): number {
    let records = 0;
    for (let sensor = 0; sensor < SENSORS; sensor++) {
      const safe = Math.max(this.synced[sensor] as number, this.head[sensor] as number);
      records += Math.max(0, (this.appended[sensor] as number) - safe);
    }
    return records;
  }

  /** A store was opened again. What it has must be in the contract's set (section 7); the account goes on from there. */
  reopen({ epoch, marks, clean }: Reopened): void {
    this.epoch = epoch;
    for (let sensor = 0; sensor < SENSORS; sensor++) this.#reopenStream(sensor, marks[sensor] as SaidMarks, clean);
  }

  #reopenStream(sensor: number, { head, read, appended }: SaidMarks, clean: boolean): void {
    const was = {
      head: this.head[sensor] as number,
      appended: this.appended[sensor] as number,
      durableHead: this.durableHead[sensor] as number,
    };
    const least = clean ? was.appended : Math.max(this.synced[sensor] as number, was.durableHead);
    if (appended < least) {
      const message = (): string => `${nameOf(sensor)}: [${appended}, ${least}) was durable and is gone`;
      this.#findings.add('loss', least - appended, message);
    }
    const invented = appended - was.appended;
    this.#findings.expect(
      invented <= 0,
      'corruption',
      () => `${nameOf(sensor)} has ${invented} records nobody appended`,
    );
    const leastHead = clean ? was.head : was.durableHead;
    if (head < leastHead) {
      const message = (): string => `${nameOf(sensor)}: the head ${leastHead} was durable, it is ${head}`;
      this.#findings.add('redelivery', leastHead - head, message);
    }
    if (head > was.head) this.#passOver(sensor, was.head, head);
    this.#findings.expect(
      read === head,
      'redelivery',
      () => `${nameOf(sensor)} is read to ${read}, its head is ${head}`,
    );
    this.figures.lostInRam += Math.max(0, was.appended - Math.max(appended, was.head));
    this.figures.redelivered += Math.max(0, Math.min(was.head, appended) - head);
    const runs = this.#runs[sensor] as Run[];
    while (runs.length > 0 && (runs.at(-1) as Run).from >= appended) runs.pop();
    this.appended[sensor] = appended;
    this.head[sensor] = head;
    this.next[sensor] = head;
    this.synced[sensor] = Math.max(head, appended);
    this.durableHead[sensor] = head;
    this.#lastTick[sensor] = NO_TICK;
    this.#lastMs[sensor] = Number.NaN;
  }

  /**
   * The store has gone on without this account, whose last lines were lost: what it says it has beyond them is believed,
   * its marks and that it sampled once a tick, and what it delivers is verified all the same.
   * @param tick the first that the account knows nothing of. @returns the first that nobody has sampled.
   */
  believe(marks: readonly SaidMarks[], tick: number): number {
    let ticks = 0;
    for (const [sensor, { head, appended }] of marks.entries()) {
      const unknown = appended - (this.appended[sensor] as number);
      for (let i = 0; i < unknown; i++) {
        const timeMs = timeAt(sensor, this.#clockAt(tick + i), bitsAt(sensor, tick + i));
        this.append(sensor, tick + i, timeMs, this.appended[sensor] as number);
      }
      ticks = Math.max(ticks, unknown);
      if (head <= (this.head[sensor] as number)) continue;
      this.head[sensor] = head;
      this.next[sensor] = Math.max(head, this.next[sensor] as number);
    }
    return tick + ticks;
  }

  /** Everything was delivered that will be: what is left is lost, unless the ledger has it. */
  end(): void {
    for (let sensor = 0; sensor < SENSORS; sensor++) {
      const [next, appended] = [this.next[sensor] as number, this.appended[sensor] as number];
      if (next < appended) this.#passOver(sensor, next, appended);
    }
  }

  image(): AccountImage {
    const streams = Array.from({ length: SENSORS }, (_, sensor) => ({
      appended: this.appended[sensor] as number,
      next: this.next[sensor] as number,
      head: this.head[sensor] as number,
      synced: this.synced[sensor] as number,
      durableHead: this.durableHead[sensor] as number,
      lastMs: Number.isNaN(this.#lastMs[sensor]) ? null : (this.#lastMs[sensor] as number),
      lastTick: this.#lastTick[sensor] as number,
      runs: this.#runs[sensor] as Run[],
      ledger: [...(this.#ledger[sensor] as Spans)],
    }));
    return { epoch: this.epoch, figures: this.figures, streams };
  }

  /** An account from its image, of a run that goes on. */
  static restore(findings: Findings, clockAt: (tick: number) => number, image: AccountImage): Account {
    const account = new Account(findings, clockAt);
    account.epoch = image.epoch;
    Object.assign(account.figures, image.figures);
    for (const [sensor, stream] of image.streams.entries()) {
      account.appended[sensor] = stream.appended;
      account.next[sensor] = stream.next;
      account.head[sensor] = stream.head;
      account.synced[sensor] = stream.synced;
      account.durableHead[sensor] = stream.durableHead;
      account.#lastMs[sensor] = stream.lastMs ?? Number.NaN;
      account.#lastTick[sensor] = stream.lastTick;
      (account.#runs[sensor] as Run[]).push(...stream.runs);
      for (const [from, to] of stream.ledger) (account.#ledger[sensor] as Spans).set(from, to);
    }
    return account;
  }
}

export type DeliveredColumns = Pick<RecordBatch, 'sequences' | 'epochs' | 'timesMs' | 'bits'>;

export const nameOf = (sensor: number): string => `${sourceOf(sensor)}/${sensor}`;

/** Index of the last run that begins at or before `sequence`, looked for from `from` on. */
function runAt(runs: readonly Run[], sequence: number, from: number): number {
  let at = from;
  while (at + 1 < runs.length && (runs[at + 1] as Run).from <= sequence) at++;
  return at;
}
