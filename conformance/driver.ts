/**
 * Runs one list of actions on model and engine in step, and stops where the two part.
 *
 * After each action everything that can go on without I/O goes on; then return values, marks, chains, statistics,
 * files and all invariants are compared, and the content of what is retained whenever something happened that could
 * harm it (and now and then). I/O operations end one at a time, so that calls fall between any two of them, and a
 * crash can come at each.
 *
 * A call takes effect when the engine says so. A read says so by its mark, so a read under way is taken into the model
 * at the moment in which the engine's mark moves, and its batch is judged by that moment.
 */
import type { ModelState } from '../model/step.ts';
import {
  can,
  expectedAcknowledge,
  expectedAppend,
  expectedDiscard,
  expectedPeek,
  expectedRead,
  isOpen,
  step,
} from '../model/step.ts';
import type { ModelEvent, ModelRecord, Range, StreamState } from '../model/vocabulary.ts';
import { sectorsUsed, syncedMark } from '../model/vocabulary.ts';
import { toHex } from '../src/core/bytes.ts';
import type { Result } from '../src/core/codes.ts';
import { refusalCode } from '../src/core/codes.ts';
import { allocatedBytes, parseSegmentName } from '../src/core/disk-index.ts';
import type { SaveReport } from '../src/core/engine.ts';
import { Engine } from '../src/core/engine.ts';
import type { RecordBatch } from '../src/core/record-batch.ts';
import type { StreamHandle } from '../src/core/stream-handle.ts';
import type { EngineEvent, StoreInspection } from '../src/core/types.ts';
import type { Action, Scenario, SingleAction, TraceRule } from './actions.ts';
import { answeredWithoutIo, compareBatch, macrotask } from './answers.ts';
import { boundariesReached } from './boundaries.ts';
import { bitsAsNumber, meaningOf, numberOf } from './call-forms.ts';
import { DamageMade } from './damage.ts';
import { Oracle } from './damage-matrix/oracle.ts';
import type { Spoiling } from './damage-matrix/spoil.ts';
import { writtenOf } from './damage-matrix/written.ts';
import { Divergence, expect } from './divergence.ts';
import { evictedByRecovery } from './evicted-by-recovery.ts';
import { cellName, ioStepOf } from './evidence/cells.ts';
import { FaultWatch } from './fault-watch.ts';
import type { View } from './generator.ts';
import { LossWatch } from './losses.ts';
import type { Coverage } from './model-run.ts';
import { keepShorter, ModelRun, tally } from './model-run.ts';
import { askedFor, goesOn, inEmergency, judgePriorities } from './power-fail.ts';
import type { Difference, Sides } from './refinement.ts';
import {
  boundsOf,
  comparison,
  differences,
  mostNeededBytes,
  readCommit,
  readDamage,
  readEvent,
  readRecovered,
  settingsOf,
  unannouncedEvictions,
} from './refinement.ts';
import { RetryWatch } from './retry-watch.ts';
import type { DiskObserver, Fault } from './simulated-disk.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { firstState, hasPast, placePast } from './started-store.ts';
import { EvictionWatch } from './thrift.ts';
import { StoreIds, simulatedPlatform, VirtualClock } from './virtual-clock.ts';

/** Tells the driver what comes next; null ends the run. */
export type ActionSource = (view: View) => Action | null;

/** Sees each step that was taken: for the trace hash and for timelines. */
export type OnStep = (action: Action, run: StoreRun) => void;

/** One in so many quiet steps has its content checked too. */
const CONTENT_EVERY_STEPS = 16;
/** In some runs content is looked at seldom, so that a reader meets blocks that it does not remember. */
const CONTENT_SELDOM_STEPS = 64;
/** I/O steps and timers after which a store must have come to rest. */
const REST_WITHIN = 5_000;
const ALL = 1_000_000;
const BATCHES_KEPT = 3;

/** A call that the engine has not answered. */
interface UnderWay {
  readonly what: 'read' | 'peek' | 'flush' | 'emergencyFlush' | 'checkpoint' | 'ready' | 'close' | 'open';
  /** Stream of a read or peek. */
  readonly stream: number;
  readonly offset: number;
  readonly max: number;
  /** Marks when it was called: what a flush or checkpoint that answers ok has made durable. */
  readonly marks: readonly number[];
  readonly faultsBefore: number;
  /** Until when it may save, by the wall clock. */
  readonly endMs: number;
  /** What the read had to give, once it took effect. */
  expected: readonly ModelRecord[] | null;
  answered: { readonly result: Result<unknown> } | { readonly thrown: unknown } | null;
}

/** The model at a moment at which an eviction may have been done unseen, and what it took since. */
interface Moment {
  readonly state: ModelState;
  readonly otherBytes: number;
  readonly since: ModelEvent[];
  /** Durable batches of the log that it has come through: the first one may have been put together before it. */
  batches: number;
}

/** The checkpoint behind an eviction that the model has taken sooner: no durable head goes back for it. */
const notBelow = (
  { streams }: ModelState['context'],
  event: Extract<ModelEvent, { type: 'CHECKPOINT' }>,
): ModelEvent => ({
  ...event,
  heads: event.heads.map((head, i) => Math.max(head, streams[i]?.durableHead ?? 0)),
});

/** An eviction of a segment that has been taken away already. */
const isGone = ({ segments }: ModelState['context'], event: ModelEvent): boolean =>
  event.type === 'EVICT' && !segments.some(({ number }) => number === event.segment);

export class StoreRun {
  readonly scenario: Scenario;
  readonly model: ModelRun;
  readonly #noteBoundary: (name: string) => void;
  readonly clock = new VirtualClock();
  readonly #ids = new StoreIds();
  readonly #knownIds: string[] = [];
  disk: SimulatedDisk | null;
  engine: Engine | null = null;
  #handles: StreamHandle[] = [];
  /** The batches last read of each stream. */
  #batches: RecordBatch[][] = [];
  #underWay: UnderWay[] = [];
  #damagedInRecovery: Range[] = [];
  #inRecovery = { damaged: 0, evicted: 0 };
  /** Thrown inside a listener: kept until the engine is done, so that the engine is not disturbed. */
  #heard: unknown = null;
  #dirty = false;
  readonly #damageMade = new DamageMade();
  readonly #faults: FaultWatch;
  readonly #retries = new RetryWatch();
  readonly #evictions = new EvictionWatch();
  readonly #losses: LossWatch;
  /** Heads when their owner last acknowledged: what `durableAcknowledge` promises. */
  #acknowledgedTo: number[] = [];
  /** The running flush began because power is failing, for certain: it goes by priority. Any other is only cut short. */
  #byPriority = false;
  #steps = 0;
  #writtenBefore = { bytes: 0, syncs: 0 };
  /** When a flush failed, damage was found, or power failed, since the last durable batch of the log. */
  #moments: Moment[] = [];
  /** Model events of the step being taken, for a timeline. */
  observed: ModelEvent[] = [];
  /** Hears of every I/O operation beside the run itself. */
  watcher: DiskObserver | null = null;
  #over = false;
  /** Paths of files of which this run flipped a bit. */
  readonly spoiledFiles = new Set<string>();
  /** Records that they held. */
  readonly spoiledRanges: Range[] = [];
  /** I/O operations and timers that the last rest took. */
  restSteps = 0;
  /** Virtual time that the last rest took. */
  restMs = 0;
  /** Where the last crash came and what it left; null before the first. */
  crashCell: string | null = null;
  /**
   * The model before and after each of them. Where one does not begin in what the one before it left, the model was
   * corrected by what only then came to light.
   */
  observedStates: { readonly before: ModelState; after: ModelState }[] = [];

  constructor(scenario: Scenario, coverage: Coverage) {
    this.scenario = scenario;
    this.#noteBoundary = (name) => tally(coverage.boundaries, name);
    const bounds = boundsOf(scenario);
    const past = scenario.profile === 'linux' && hasPast(scenario);
    this.model = new ModelRun(bounds, coverage, firstState(scenario, bounds));
    this.#losses = new LossWatch(scenario.streams);
    this.#faults = new FaultWatch(this.#damageMade, scenario.whenDiskFull === 'evict-oldest', () => this.model);
    this.disk = scenario.profile === 'linux' ? this.#harnessed(new SimulatedDisk(this.clock)) : null;
    if (past && this.disk !== null) {
      const storeId = this.#ids.next();
      this.#knownIds.push(toHex(storeId));
      placePast(scenario, this.disk, storeId);
    }
  }

  /** A disk of which each step is the harness's, and which it listens to. */
  #harnessed(disk: SimulatedDisk): SimulatedDisk {
    disk.autoSteps = 0;
    disk.observer = {
      asked: (operation) => {
        this.#guarded(() => this.#faults.asked(operation));
        this.watcher?.asked(operation);
      },
      ended: (operation, code) => {
        this.#faults.ended(operation, code);
        this.watcher?.ended(operation, code);
      },
    };
    return disk;
  }

  /** Takes the run up to its last step, a crash, as an example of where that came, unless there is a shorter one. */
  exemplify(actions: readonly Action[]): void {
    const { crashCell, scenario } = this;
    if (crashCell !== null && !this.model.repeats) keepShorter(this.model.coverage, crashCell, { scenario, actions });
  }

  view(): View {
    return {
      scenario: this.scenario,
      context: this.model.context,
      lifecycle: this.model.lifecycle,
      enabled: (event) => this.model.enabled(event),
      ioUnderWay: this.#ioUnderWay,
      timers: this.clock.timers,
      holdsReads: this.disk?.holdReads ?? false,
      segments: this.model.context.segments.length,
      nowMs: this.clock.wallMs,
      readsUnderWay: this.#underWay.filter(({ what }) => what === 'read' || what === 'peek').length,
      recovering: this.model.lifecycle === 'recovering',
    };
  }

  /** Takes one action. @returns false when it has no meaning now. @throws Divergence. */
  async take(action: Action): Promise<boolean> {
    this.observed = [];
    this.observedStates = [];
    if (this.#over) return false;
    if (!(await this.#perform(action))) return false;
    this.#steps++;
    await this.#settle();
    this.#throwHeard();
    if (!this.model.repeats) this.#compare();
    if (this.#contentDue()) await this.#checkContent();
    this.#dirty = false;
    this.#faults.stepEnded();
    return true;
  }

  #contentDue(): boolean {
    const { contentEverySteps: every } = this.scenario;
    if (every !== undefined) return every > 0 && this.#steps % every === 0;
    const seldom = this.scenario.streams.length % 2 === 0;
    const due = this.#steps % (seldom ? CONTENT_SELDOM_STEPS : CONTENT_EVERY_STEPS) === 0;
    return due || (this.#dirty && !seldom);
  }

  /** Lets everything go on that needs no I/O, and judges the answers. */
  async #settle(): Promise<void> {
    if (this.disk === null && this.#underWay.length === 0) return;
    await macrotask();
    this.#judgeAnswers();
  }

  /** Takes note of what was thrown where nobody listens. */
  overhear(thrown: unknown): void {
    this.#heard ??= thrown;
  }

  #throwHeard(): void {
    if (this.#heard === null) return;
    throw this.#heard;
  }

  // ---- Actions

  #perform(action: Action): boolean | Promise<boolean> {
    switch (action.do) {
      case 'append':
        return this.#append(action.stream, action.bits, action.timeMs);
      case 'appendValues':
        return this.#appendValues(action.stream, action.bits);
      case 'read':
        return this.#read('read', action.stream, 0, action.max);
      case 'markRead':
        return this.#markRead(action.stream, action.ahead);
      case 'peek':
        return this.#read('peek', action.stream, action.offset, action.max);
      case 'acknowledge':
      case 'discard':
        return this.#remove(action.do, action.stream, action.n);
      case 'acknowledgeBatch':
        return this.#acknowledgeBatch(action.stream, action.back);
      case 'revert':
        return this.#revert(action.stream);
      case 'flush':
        return this.#flush();
      case 'emergencyFlush':
        return this.#emergencyFlush(action.deadlineMs);
      case 'checkpoint':
        return this.#checkpoint();
      case 'ready':
        return this.#ready();
      case 'close':
        return this.#close();
      case 'open':
        return this.#open();
      case 'io':
        return this.#io(action.pick, action.fault, action.times ?? 1);
      case 'together':
        return this.#together(action.steps);
      case 'drain':
        return this.#drain();
      case 'timer':
        return this.#timer();
      case 'holdReads':
        return this.#holdReads(action.hold);
      case 'damage':
        return this.#damage(action.pick, action.bit);
      case 'crash':
        return this.#crash(action);
      case 'fault':
        return this.#fault(action.rule);
      case 'space':
        return this.#space(action.bytes);
      case 'faultsEnd':
        return this.#faultsEnd();
      case 'settled':
        return this.#settled(action);
      case 'spoil':
        return this.#spoil(action);
      case 'wait':
        return this.#wait(action.ms);
      case 'rest':
        return this.#rest();
    }
  }

  /** Nothing is awaited in between: the engine finds all of the calls done when it goes on. */
  #together(steps: readonly SingleAction[]): boolean {
    let any = false;
    for (const step of steps) {
      if (this.#perform(step) !== true) continue;
      any = true;
      this.#compare();
    }
    return any;
  }

  #handle(stream: number): StreamHandle | null {
    return this.#handles[stream] ?? null;
  }

  #append(stream: number, bits: number, timeMs: number): boolean {
    const handle = this.#handle(stream);
    if (handle === null) return false;
    const appended = handle.appendBits(bits, timeMs);
    const answer = refusalCode(appended) ?? appended;
    const validTime = Number.isInteger(timeMs) && timeMs >= 0 && timeMs < 2 ** 48;
    const wanted =
      isOpen(this.model.state) && !validTime ? 'PARAMETER_INVALID' : expectedAppend(this.model.state, stream, timeMs);
    expect(
      answer === wanted,
      wanted === 'RAM_FULL' || answer === 'RAM_FULL' ? 'INV-07' : 'INV-03',
      () => `append answered ${answer}, the model ${wanted}`,
    );
    if (isOpen(this.model.state) && validTime) this.#observe({ type: 'APPEND', stream, valueBits: bits, timeMs });
    return true;
  }

  /** As values, with the platform's time: one by itself, several in one call that ends at the first refused. */
  #appendValues(stream: number, bits: readonly number[]): boolean {
    const handle = this.#handle(stream);
    const { type, periodMs } = this.scenario.streams[stream] ?? { type: 'uint32', periodMs: 0 };
    if (handle === null || !isOpen(this.model.state) || bits.length === 0) return false;
    const values = bits.map((each) => numberOf(type, each));
    const first = handle.marks().appended;
    const taken =
      values.length === 1 ? Number(handle.append(values[0] as number) === first) : handle.appendMany(values);
    let wanted = 0;
    for (const [i, each] of bits.entries()) {
      const timeMs = this.clock.wallMs + i * periodMs;
      const refused = typeof expectedAppend(this.model.state, stream, timeMs) !== 'number';
      this.#observe({ type: 'APPEND', stream, valueBits: bitsAsNumber(type, each), timeMs });
      if (refused) break;
      wanted++;
    }
    expect(taken === wanted, 'INV-07', () => `of ${bits.length} values ${taken} were taken, the model takes ${wanted}`);
    return true;
  }

  #markRead(stream: number, ahead: number): boolean {
    const handle = this.#handle(stream);
    const next = expectedPeek(this.model.state, stream, 0, 1)[0];
    if (handle === null || !isOpen(this.model.state)) return false;
    const sequence = (next?.sequence ?? handle.marks().read) + ahead;
    const wanted = next !== undefined && ahead === 0;
    const taken = handle.markRead(sequence);
    expect(taken === wanted, 'INV-03', () => `markRead of ${sequence} answered ${taken}, the model ${wanted}`);
    if (wanted) this.#observe({ type: 'READ', stream, max: 1 });
    return true;
  }

  #acknowledgeBatch(stream: number, back: number): boolean {
    const handle = this.#handle(stream);
    const batch = this.#batches[stream]?.at(-1 - back);
    const state = this.model.context.streams[stream];
    if (handle === null || batch === undefined || state === undefined) return false;
    const meaning = isOpen(this.model.state) ? meaningOf(batch, state) : { code: 'CLOSED' };
    const result = handle.acknowledge(batch);
    const answer = result.ok ? 'ok' : result.failure.code;
    const wanted = 'n' in meaning ? 'ok' : meaning.code;
    expect(answer === wanted, 'INV-12', () => `acknowledge of a batch answered ${answer}, the model ${wanted}`);
    if ('n' in meaning) this.#acknowledged(stream, meaning.n, result);
    return true;
  }

  /** Takes an acknowledge of `n` records, lost ones included, that the engine has accepted. */
  #acknowledged(stream: number, n: number, result: Result<unknown>): void {
    const before = this.model.context.streams[stream]?.acknowledged ?? 0;
    this.#observe({ type: 'ACKNOWLEDGE', stream, n });
    const { head, acknowledged } = this.model.context.streams[stream] as StreamState;
    const left = acknowledged - before;
    if (left > 0) this.#acknowledgedTo[stream] = head;
    expect(
      result.ok && result.value === left,
      'INV-12',
      () => `acknowledge of ${n} says that ${result.ok ? result.value : 'none'} left, the model ${left}`,
    );
  }

  #read(what: 'read' | 'peek', stream: number, offset: number, max: number): boolean {
    const handle = this.#handle(stream);
    if (handle === null) return false;
    const call = { what, stream, offset, max } as const;
    this.#await(call, () => (what === 'read' ? handle.read(max) : handle.peek(offset, max)));
    return true;
  }

  #remove(what: 'acknowledge' | 'discard', stream: number, n: number): boolean {
    const handle = this.#handle(stream);
    if (handle === null) return false;
    const expected = what === 'acknowledge' ? expectedAcknowledge : expectedDiscard;
    const wanted = expected(this.model.state, stream, n);
    const result = what === 'acknowledge' ? handle.acknowledge(n) : handle.discard(n);
    const code = result.ok ? null : result.failure.code;
    expect(code === wanted, 'INV-12', () => `${what} of ${n} answered ${code ?? 'ok'}, the model ${wanted ?? 'ok'}`);
    if (wanted !== null) return true;
    if (what === 'acknowledge') this.#acknowledged(stream, n, result);
    else this.#observe({ type: 'DISCARD', stream, n });
    return true;
  }

  #revert(stream: number): boolean {
    const handle = this.#handle(stream);
    if (handle === null) return false;
    const result = handle.revert();
    expect(
      result.ok === isOpen(this.model.state),
      'INV-13',
      () => `revert answered ${result.ok}, lifecycle ${this.model.lifecycle}`,
    );
    if (result.ok) this.#observe({ type: 'REVERT', stream });
    return true;
  }

  #flush(): boolean {
    const { engine, model } = this;
    if (engine === null) return false;
    const marks = model.context.streams.map(({ appended }) => appended);
    // A call does not wait for the delay after a failure.
    if (model.enabled({ type: 'RETRY_DUE' })) this.#observe({ type: 'RETRY_DUE' });
    else if (model.enabled({ type: 'FLUSH' })) this.#observe({ type: 'FLUSH' });
    // It may share the running flush, and the fault that this one has met already.
    const faultsBefore = model.context.flush === null ? this.#faults.met : this.#faults.metAtFlush;
    this.#await({ what: 'flush', marks, faultsBefore }, () => engine.flush());
    return true;
  }

  #emergencyFlush(deadlineMs: number): boolean {
    const { engine, model } = this;
    if (engine === null) return false;
    if (isOpen(model.state)) model.state = inEmergency(model.state);
    const marks = model.context.streams.map(({ appended }) => appended);
    const endMs = this.clock.elapsedMs + deadlineMs;
    this.#await({ what: 'emergencyFlush', marks, endMs }, () => engine.emergencyFlush(deadlineMs));
    return true;
  }

  get #waitsForFlush(): boolean {
    return this.#underWay.some(({ what }) => what === 'flush');
  }

  get #emergency(): boolean {
    return this.#underWay.some(({ what }) => what === 'emergencyFlush');
  }

  /** Answered when pool use is below the threshold, or when there is no disk that could bring it down. */
  #ready(): boolean {
    const { engine, model } = this;
    if (engine === null || !isOpen(model.state)) return false;
    this.#await({ what: 'ready' }, () => engine.ready());
    return true;
  }

  #checkpoint(): boolean {
    const { engine, model } = this;
    if (engine === null) return false;
    const marks = model.context.streams.map(({ head }) => head);
    this.#await({ what: 'checkpoint', marks }, () => engine.checkpoint());
    return true;
  }

  #close(): boolean {
    const { engine, model } = this;
    if (engine === null) return false;
    if (isOpen(model.state)) this.#observe({ type: 'CLOSE' });
    this.#await({ what: 'close' }, () => engine.close());
    return true;
  }

  #open(): boolean {
    if (!this.model.enabled({ type: 'OPEN' })) return false;
    this.#observe({ type: 'OPEN' });
    const counts = this.disk?.counts;
    this.#writtenBefore = { bytes: counts?.bytesWritten ?? 0, syncs: counts?.syncs ?? 0 };
    this.#faults.opening();
    this.#retries.opening();
    const platform = simulatedPlatform(this.disk, this.clock, this.#ids);
    const hooks = { onEvent: (event: EngineEvent): void => this.#hear(event) };
    this.#await({ what: 'open' }, () => Engine.open(platform, settingsOf(this.scenario), hooks));
    return true;
  }

  async #io(pick: number, fault: Fault | undefined, times: number): Promise<boolean> {
    for (let ended = 0; ended < times; ended++) {
      if (ended > 0) {
        await this.#settle();
        this.#throwHeard();
      }
      const pending = this.disk?.pending() ?? [];
      const operation = pending[pick % Math.max(1, pending.length)];
      if (operation === undefined || this.disk === null) return ended > 0;
      if (fault === undefined) this.disk.complete(operation.id);
      else this.disk.fail(fault, operation.id);
    }
    return true;
  }

  #fault(rule: TraceRule): boolean {
    if (this.disk === null) return false;
    const { times } = rule;
    this.disk.faults.push({ ...rule, times: times ?? Number.POSITIVE_INFINITY });
    return true;
  }

  #space(bytes: number): boolean {
    if (this.disk === null) return false;
    this.disk.capacityBytes = this.disk.totalBytes + bytes;
    this.#faults.fill(true);
    return true;
  }

  /** The last step of a run: the model knows nothing of what a store makes of spoiled files. */
  async #spoil(spoiling: Spoiling): Promise<boolean> {
    const { lifecycle } = this.model;
    if (this.disk === null || (lifecycle !== 'closed' && lifecycle !== 'crashed')) return false;
    const disk = SimulatedDisk.restore(this.clock, this.disk.snapshot());
    const { finding } = await new Oracle(writtenOf(this), disk, this.clock).judge(spoiling);
    expect(finding === null, 'INV-19', () => finding ?? '');
    this.#over = true;
    return true;
  }

  #faultsEnd(): boolean {
    if (this.disk === null) return false;
    this.disk.endFaults();
    this.disk.capacityBytes = Number.POSITIVE_INFINITY;
    this.#faults.fill(false);
    return true;
  }

  async #drain(): Promise<boolean> {
    if (this.#ioUnderWay === 0) return false;
    for (let i = 0; this.#ioUnderWay > 0; i++) {
      expect(i < REST_WITHIN, 'liveness', () => `after ${REST_WITHIN} operations that all succeeded I/O still goes on`);
      this.disk?.complete();
      await this.#settle();
      this.#throwHeard();
    }
    return true;
  }

  #timer(): boolean {
    const inMs = this.clock.nextTimerInMs;
    return inMs !== null && this.#wait(inMs);
  }

  #wait(ms: number): boolean {
    const inMs = this.clock.nextTimerInMs;
    // The engine has one timer: the delay after a failed flush.
    if (inMs !== null && inMs <= ms && this.model.enabled({ type: 'RETRY_DUE' })) this.#observe({ type: 'RETRY_DUE' });
    this.clock.advance(ms);
    return true;
  }

  #holdReads(hold: boolean): boolean {
    if (this.disk === null || this.disk.holdReads === hold) return false;
    this.disk.holdReads = hold;
    return true;
  }

  #damage(pick: number, bit: number): boolean {
    const { segments } = this.model.context;
    const segment = segments[pick % Math.max(1, segments.length)];
    if (segment === undefined || this.disk === null) return false;
    const file = this.disk.files().find(({ name }) => parseSegmentName(name) === segment.number);
    if (file === undefined) return false;
    const bits = file.content.length * 8;
    // Below zero from the end.
    const at = ((bit % bits) + bits) % bits;
    this.disk.flipBit(file.directory, file.name, at);
    this.spoiledFiles.add(`${file.directory}/${file.name}`);
    this.spoiledRanges.push(...segment.blocks);
    this.#damageMade.noteFlip(segment, file.content.length, at);
    return true;
  }

  #crash(action: Extract<Action, { do: 'crash' }>): boolean {
    const recovering = this.model.enabled({ type: 'RECOVERY_CRASHED' });
    if (!recovering && !this.model.enabled({ type: 'CRASH' })) return false;
    if (!recovering) this.#noteMoment();
    const edge = this.model.lastEdge;
    const io = ioStepOf(this.disk?.pending()[0]);
    this.#observe({ type: recovering ? 'RECOVERY_CRASHED' : 'CRASH' });
    if (this.disk !== null) {
      const before = this.disk;
      const { holdReads, faults } = before;
      this.disk = this.#harnessed(before.crash(action.choice));
      this.crashCell = cellName(edge, io, before.residue ?? 'all was durable');
      if (!this.model.repeats) tally(this.model.coverage.cells, this.crashCell);
      this.disk.holdReads = holdReads;
      // Power comes back, and what ails the disk is still there.
      this.disk.faults.push(...faults);
    }
    this.clock.clear();
    this.#forgetEngine();
    return true;
  }

  #forgetEngine(): void {
    if (this.engine !== null) this.engine.onEvent = null;
    this.engine = null;
    this.#handles = [];
    this.#batches = [];
    this.#acknowledgedTo = [];
    this.#underWay = [];
  }

  /** Faults have stopped: the store comes to rest in RAM mode. One that may not evict may go on asking for space. */
  async #rest(): Promise<boolean> {
    this.#faultsEnd();
    if (this.engine === null && this.#underWay.length === 0) return false;
    const mayStayFull = this.scenario.whenDiskFull === 'refuse-new';
    let timers = 0;
    this.restSteps = 0;
    const startedMs = this.clock.elapsedMs;
    for (let i = 0; this.#ioUnderWay > 0 || (this.clock.timers > 0 && !(mayStayFull && timers > 3)); i++) {
      expect(i < REST_WITHIN, 'liveness', () => `after ${REST_WITHIN} steps without a fault the store is not at rest`);
      this.restSteps++;
      if (this.#ioUnderWay > 0) this.disk?.complete();
      else if (this.#timer()) timers++;
      await this.#settle();
      this.#throwHeard();
    }
    this.restMs = this.clock.elapsedMs - startedMs;
    // Room comes with a flush; a store that stays full has none to tell of.
    const isFull = sectorsUsed(this.model.context) >= this.model.context.bounds.flushAtSectors;
    const open = this.#underWay.filter(({ what }) => what !== 'ready' || !isFull);
    const unanswered = open.map(({ what }) => what).join(', ');
    expect(unanswered === '', 'liveness', () => `at rest, yet ${unanswered} is not answered`);
    const { lifecycle, context } = this.model;
    expect(lifecycle !== 'flushing' && lifecycle !== 'closing', 'liveness', () => `at rest in ${lifecycle}`);
    const atRest = !context.flushRequested && !context.retryWaiting;
    expect(atRest || mayStayFull, 'liveness', () => 'at rest, yet a flush is asked for');
    return true;
  }

  #settled({ withinSteps, withinMs, saved }: Extract<Action, { do: 'settled' }>): boolean {
    const { lifecycle, context } = this.model;
    const { restSteps, restMs } = this;
    expect(restSteps <= withinSteps, 'liveness', () => `to come to rest took ${restSteps} steps, not ${withinSteps}`);
    // One that may not evict asks for space over and over; that is no flush that fails.
    const mayStayFull = this.scenario.whenDiskFull === 'refuse-new' && !saved;
    expect(restMs <= withinMs || mayStayFull, 'liveness', () => `to come to rest took ${restMs} ms, not ${withinMs}`);
    expect(lifecycle === 'ram' || (!saved && lifecycle !== 'flushing'), 'liveness', () => `at rest in ${lifecycle}`);
    for (const [i, stream] of context.streams.entries()) {
      expect(
        !saved || syncedMark(stream) === stream.appended,
        'liveness',
        () => `stream ${i} is saved to ${syncedMark(stream)} of ${stream.appended} when faults have ended`,
      );
    }
    return true;
  }

  /** Longest delay after a failed flush so far. */
  get longestRetryMs(): number {
    return this.#retries.longestMs;
  }

  get #ioUnderWay(): number {
    return this.disk?.pending().length ?? 0;
  }

  // ---- Answers

  /** Makes a call. What of its I/O ends at once ends in here. */
  #await(call: Partial<UnderWay> & { readonly what: UnderWay['what'] }, make: () => Promise<Result<unknown>>): void {
    const underWay: UnderWay = {
      stream: -1,
      offset: 0,
      max: 0,
      marks: [],
      faultsBefore: this.#faults.met,
      endMs: 0,
      expected: null,
      answered: null,
      ...call,
    };
    this.#underWay.push(underWay);
    make().then(
      (result) => {
        underWay.answered = { result };
        // A store without a disk opens in one turn: power may fail in that turn, and nobody gets this engine any more.
        if (underWay.what === 'open' && this.#underWay.includes(underWay))
          this.#guarded(() => this.#opened(underWay, result as Result<Engine>));
      },
      (thrown: unknown) => {
        underWay.answered = { thrown };
      },
    );
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.#heard ??= thrown;
    }
  }

  #judgeAnswers(): void {
    if (this.#emergency) this.#guarded(() => this.#takePartialCommit());
    this.#linearizeReads();
    const answered = this.#underWay.filter((call) => call.answered !== null);
    if (answered.length === 0) return;
    this.#underWay = this.#underWay.filter((call) => call.answered === null);
    for (const call of answered) this.#guarded(() => this.#judge(call));
  }

  #judge(call: UnderWay): void {
    const { answered, what } = call;
    if (answered === null) return;
    if ('thrown' in answered) throw new Divergence('assertion', `${what} threw ${String(answered.thrown)}`);
    if (what === 'open') return;
    const { result } = answered;
    if (!result.ok) {
      const { code, message } = result.failure;
      const explained =
        (code === 'IO_FAILED' && (this.#faults.met > call.faultsBefore || (what === 'flush' && this.#mayBeFull))) ||
        (code === 'CLOSED' && !isOpen(this.model.state));
      expect(explained, 'INV-09', () => `${what} failed without a cause: ${code}, ${message}`);
      this.#judgeReason(what, code, message);
      return;
    }
    const { streams } = this.model.context;
    if (what === 'read' || what === 'peek') this.#judgeBatch(call, result.value as RecordBatch);
    if (what === 'emergencyFlush') this.#judgeSaved(call, result.value as SaveReport);
    // Time stands still while a flush runs, unless a timer was waited for.
    const inTime = what === 'emergencyFlush' && this.clock.elapsedMs < call.endMs;
    const wentWell = inTime && (result.value as SaveReport).failure === null;
    const allSaved = this.disk !== null && (what === 'flush' || wentWell);
    if (allSaved) {
      streams.forEach((stream, i) =>
        expect(
          syncedMark(stream) >= (call.marks[i] ?? 0),
          'INV-15',
          () => `${what} answered ok, stream ${i} is synced to ${syncedMark(stream)} of ${call.marks[i]}`,
        ),
      );
    }
    if (what === 'checkpoint' && this.disk !== null) {
      streams.forEach((stream, i) =>
        expect(
          stream.durableHead >= (call.marks[i] ?? 0),
          'INV-15',
          () => `checkpoint answered ok, the durable head of stream ${i} is ${stream.durableHead} of ${call.marks[i]}`,
        ),
      );
    }
  }

  /** A user reads what the system said, not only that something failed. */
  #judgeReason(what: string, code: string, message: string): void {
    const given = code !== 'IO_FAILED' || /\bE[A-Z]+: |the disk is full/.test(message);
    expect(given, 'reason', () => `${what} failed and does not say why: ${message}`);
  }

  /** A flush may be refused though no operation failed: the quota is reached, or others fill the disk. */
  get #mayBeFull(): boolean {
    return this.scenario.whenDiskFull === 'refuse-new' || this.#faults.tight;
  }

  /** What a power-fail flush says it could not save is what is in RAM still, or less: more was appended meanwhile. */
  #judgeSaved(call: UnderWay, report: SaveReport): void {
    const unsaved = (i: number): number => {
      const stream = this.model.context.streams[i];
      return stream === undefined ? 0 : Math.max(0, (call.marks[i] ?? 0) - syncedMark(stream));
    };
    const left = this.scenario.streams.reduce((sum, _, i) => sum + unsaved(i), 0);
    expect(
      report.unsaved >= left && (this.disk !== null || report.saved === 0),
      'INV-15',
      () => `emergencyFlush reports ${report.unsaved} records unsaved, ${left} are`,
    );
    if (report.failure === null) return;
    const { code, message } = report.failure;
    const explained = code === 'IO_FAILED' && (this.#faults.met > call.faultsBefore || this.#mayBeFull);
    expect(explained, 'INV-09', () => `emergencyFlush met an error without a cause: ${code}, ${message}`);
    this.#judgeReason('emergencyFlush', code, message);
  }

  /** A power-fail flush commits after each priority; the model has one commit a flush. */
  #takePartialCommit(): void {
    const { engine, model } = this;
    if (engine === null || model.context.flush === null) return;
    const inspection = engine.inspect();
    if (!inspection.segments.some(({ number }) => number > model.context.lastSegment)) return;
    const before = model.state;
    this.#observe(readCommit(this.scenario, model.context, inspection));
    if (this.#byPriority) judgePriorities(this.scenario, before.context, model.context);
    model.state = goesOn(before, model.state);
  }

  /**
   * Takes reads into the model whose mark has moved. Losses move marks too: when one is announced, only a read that has
   * been answered took effect before it.
   */
  #linearizeReads(onlyAnswered = false): void {
    if (this.engine === null) return;
    for (const call of this.#underWay) {
      if (call.what !== 'read' || call.expected !== null) continue;
      const mark = this.#handle(call.stream)?.marks().read;
      const moved = !onlyAnswered && mark !== this.model.context.streams[call.stream]?.read;
      if (!moved && call.answered === null) continue;
      if (call.answered !== null && !('result' in call.answered && call.answered.result.ok)) continue;
      this.#guarded(() => this.#takeRead(call));
    }
  }

  /** Reads of one stream end in order: a peek that was asked for before this read has seen the state before it. */
  #takeRead(call: UnderWay): void {
    for (const earlier of this.#underWay) {
      if (earlier === call) break;
      if (earlier.what !== 'peek' || earlier.stream !== call.stream) continue;
      earlier.expected ??= expectedPeek(this.model.state, earlier.stream, earlier.offset, earlier.max);
    }
    call.expected = expectedRead(this.model.state, call.stream, call.max);
    this.#observe({ type: 'READ', stream: call.stream, max: call.max });
  }

  #judgeBatch(call: UnderWay, batch: RecordBatch): void {
    if (call.what === 'read' && call.expected === null) this.#takeRead(call);
    const expected = call.expected ?? expectedPeek(this.model.state, call.stream, call.offset, call.max);
    const finding = compareBatch(expected, batch);
    expect(finding === null, 'INV-03', () => `${call.what} of stream ${call.stream}: ${finding}`);
    if (call.what === 'read') this.#keepBatch(call.stream, batch);
  }

  /** For acknowledgements of whole batches, also of one that came before. */
  #keepBatch(stream: number, batch: RecordBatch): void {
    const kept = this.#batches[stream] ?? [];
    this.#batches[stream] = [...kept, batch].slice(-BATCHES_KEPT);
  }

  #opened(call: UnderWay, result: Result<Engine>): void {
    if (!result.ok) {
      const { code, message } = result.failure;
      expect(
        code === 'IO_FAILED' && this.#faults.met > call.faultsBefore,
        'INV-18',
        () => `open failed without a cause: ${code}, ${message}`,
      );
      this.#judgeReason('open', code, message);
      this.#observe({ type: 'OPEN_FAILED' });
      return;
    }
    const engine = result.value;
    this.engine = engine;
    const inspection = engine.inspect();
    let storeId = this.#knownIds.indexOf(inspection.storeId) + 1;
    if (storeId === 0) storeId = this.#knownIds.push(inspection.storeId);
    const damaged = this.#damagedInRecovery.filter((range) => this.#isStillDamaged(range, inspection));
    this.#damagedInRecovery = [];
    for (const range of damaged) this.#damageMade.allow(range);
    const mayEvict = this.#faults.lacksSpace;
    this.#recovered(readRecovered(this.scenario, inspection, storeId, damaged));
    const { damaged: damagedRecords, evicted } = engine.stats();
    this.#inRecovery = { damaged: damagedRecords, evicted: mayEvict ? evicted : 0 };
    this.#losses.opened(this.model.context.ledger, engine.ledger(), this.disk !== null);
    this.#handles = this.scenario.streams.map(({ source, sensor, kind, periodMs, type, priority }) => {
      const stream = engine.stream(
        { source, sensor },
        { kind, type, priority, ...(kind === 'tsd' ? { periodMs } : {}) },
      );
      expect(
        stream.ok,
        'INV-20',
        () => `stream ${source}/${sensor} is refused: ${stream.ok ? '' : stream.failure.message}`,
      );
      return stream.value;
    });
    this.#dirty = true;
  }

  /**
   * Takes RECOVERED into the model, behind an eviction that was done and not announced: its log batch was durable when
   * power failed, or it was reported as failed and reached the disk all the same.
   */
  #recovered(recovered: Extract<ModelEvent, { type: 'RECOVERED' }>): void {
    if (!this.model.enabled(recovered)) {
      for (const moment of this.#moments) {
        const states = [false, true].map((byCount) => this.#withEvictions(moment, recovered, byCount));
        const state = states.find((each) => each !== null && can(each, recovered));
        if (state === undefined || state === null) continue;
        this.model.state = state;
        break;
      }
    }
    if (!this.model.enabled(recovered) && this.#faults.lacksSpace) this.#evictInRecovery(recovered);
    this.#moments = [];
    this.#faults.opened();
    this.#observe(recovered);
  }

  /** A recovery whose log finds no space gives up the oldest segments, as a flush does. */
  #evictInRecovery(recovered: Extract<ModelEvent, { type: 'RECOVERED' }>): void {
    const evicted = evictedByRecovery(this.model.context, recovered);
    if (evicted !== null) this.model.state = evicted;
  }

  /** The state now, had evictions been done at that moment; null when there were none or what followed excludes it. */
  #withEvictions(
    moment: Moment,
    recovered: Extract<ModelEvent, { type: 'RECOVERED' }>,
    byCount: boolean,
  ): ModelState | null {
    const { context } = moment.state;
    const needBytes = this.#faults.lackedSpace ? Number.POSITIVE_INFINITY : mostNeededBytes(context, moment.otherBytes);
    const unannounced = unannouncedEvictions(context, recovered, needBytes, byCount);
    if (unannounced.length === 0) return null;
    let { state } = moment;
    for (const event of [...unannounced, ...moment.since]) {
      const meant = event.type === 'CHECKPOINT' ? notBelow(state.context, event) : event;
      if (can(state, meant)) state = step(state, meant);
      // What was found damaged meanwhile went with the eviction, and recovery knows it as that. It may have been
      // announced since, when nothing was left for it to take.
      else if (event.type !== 'DAMAGE' && !isGone(state.context, event)) return null;
    }
    return state;
  }

  /** An eviction may come to light later that was under way now. */
  #noteMoment(): void {
    this.#moments.push({ state: this.model.state, otherBytes: this.#otherBytes(), since: [], batches: 0 });
  }

  /**
   * A batch is durable. It is what of a failed flush is still to come; damage that was found while it was being written
   * is not in it, though: an eviction in it was reckoned before, and a power cut behind it leaves that.
   */
  #passBatch(): void {
    this.#moments = this.#moments.filter(({ since: [first], batches }) => first?.type === 'DAMAGE' && batches === 0);
    for (const moment of this.#moments) moment.batches++;
  }

  // ---- What the engine announces

  #hear(event: EngineEvent): void {
    if (this.engine === null) {
      if (event.type === 'damaged') this.#noteDamage(readDamage(this.scenario, event));
      return;
    }
    // It changes nothing: what is evicted is announced when it has gone.
    if (event.type === 'evictionStarted') return;
    const { engine } = this;
    this.#guarded(() => {
      this.#linearizeReads(event.type === 'damaged' || event.type === 'segmentEvicted');
      this.#throwHeard();
      if (this.#emergency && event.type !== 'flushed') this.#takePartialCommit();
      if (event.type === 'damaged') this.#damageMade.allow(readDamage(this.scenario, event));
      if (event.type === 'flushStarted') this.#faults.flushStarted();
      if (event.type === 'flushed') this.#retries.flushed();
      expect(
        event.type !== 'segmentEvicted' || this.scenario.whenDiskFull === 'evict-oldest',
        'INV-12',
        () => 'a segment is evicted from a store that refuses new records instead',
      );
      if (event.type === 'flushFailed') {
        expect(
          this.#faults.met > this.#faults.metAtFlush || this.#mayBeFull,
          'INV-09',
          () => `a flush failed without a fault: ${event.message}`,
        );
        this.#judgeReason('flush', 'IO_FAILED', event.message);
        this.#retries.flushFailed(event.retryInMs);
      }
      // One that somebody had asked for may be that one, in its turn before the call's own or after it.
      const isOwnOfCall = this.#emergency && !this.model.context.flushRequested;
      if (event.type === 'flushStarted' && this.#emergency) this.model.state = askedFor(this.model.state);
      const { context } = this.model;
      const needBytes = (): number =>
        this.#faults.lacksSpace ? Number.POSITIVE_INFINITY : mostNeededBytes(context, this.#otherBytes());
      const situation = {
        scenario: this.scenario,
        context,
        lifecycle: this.model.lifecycle,
        inspect: () => engine.inspect(),
        needBytes,
      };
      for (const modelEvent of readEvent(event, situation)) this.#observe(modelEvent);
      if (event.type === 'flushed') {
        this.#judgeThrift();
        this.#faults.flushed();
      }
      if (event.type === 'flushStarted') {
        this.#byPriority = isOwnOfCall;
        if (this.#emergency) this.model.state = inEmergency(this.model.state);
      }
      // A call that the flush which ended early did not take is waiting: it asks again.
      if (event.type === 'flushRequested' && this.#waitsForFlush) this.model.state = askedFor(this.model.state);
      if (event.type === 'closed') this.#judgeClosed(event.unsaved);
    });
  }

  #judgeThrift(): void {
    const { segments, bounds } = this.model.context;
    const heldBytes = segments.reduce((sum, { bytes }) => sum + bytes, this.#otherBytes());
    const cutShort = this.#emergency || this.#faults.lacksSpace;
    this.#evictions.flushed(heldBytes, bounds.quotaBytes, cutShort);
  }

  /** With a disk that works, a close saves everything. */
  #judgeClosed(unsaved: number): void {
    const before = this.#underWay.find(({ what }) => what === 'close')?.faultsBefore ?? 0;
    const mayFail =
      this.disk === null || this.#faults.met > before || this.#faults.met > this.#faults.metAtFlush || this.#mayBeFull;
    expect(unsaved === 0 || mayFail, 'INV-15', () => `close left ${unsaved} records unsaved, and no I/O failed`);
    this.#forgetEngine();
  }

  /** What an earlier recovery missed may be back: a removal that was not durable is undone by a power cut. */
  #isStillDamaged({ stream }: Range, { streams }: StoreInspection): boolean {
    const key = this.scenario.streams[stream];
    const found = streams.find(({ source, sensor }) => source === key?.source && sensor === key.sensor);
    return (found?.damaged ?? 0) > (this.model.context.streams[stream]?.damaged ?? 0);
  }

  /** A recovery that was cut off may have logged what it found: the next one knows it and does not say it again. */
  #noteDamage({ stream, from, to }: Range): void {
    const known = this.#damagedInRecovery.some(
      (range) => range.stream === stream && range.from === from && range.to === to,
    );
    if (!known) this.#damagedInRecovery.push({ stream, from, to });
  }

  /** Bytes of segment files that are not live: of a flush that is running or failed, copies, set aside. */
  #otherBytes(): number {
    const live = new Set(this.model.context.segments.map(({ number }) => number));
    let bytes = 0;
    for (const { directory, name, content } of this.disk?.files() ?? []) {
      if (directory !== '' && !live.has(parseSegmentName(name) ?? -1)) bytes += allocatedBytes(content.length);
    }
    return bytes;
  }

  #observe(event: ModelEvent): void {
    if (event.type === 'CHECKPOINT') this.#passBatch();
    if (event.type === 'FLUSH_FAILED' || event.type === 'DAMAGE') this.#noteMoment();
    for (const { since } of this.#moments) since.push(event);
    const states = { before: this.model.state, after: this.model.state };
    this.observed.push(event);
    this.observedStates.push(states);
    this.#evictions.observed(event, states.before.context.segments);
    try {
      this.model.observe(event);
    } finally {
      states.after = this.model.state;
    }
    const type = this.scenario.streams['stream' in event ? event.stream : 0]?.type ?? 'uint32';
    boundariesReached(event, states.before.context, this.model.context, type, this.#noteBoundary);
    if (event.type !== 'APPEND' && event.type !== 'READ') this.#dirty = true;
  }

  // ---- Comparisons

  /** The engine's own picture, or null while it has none. */
  inspect(): StoreInspection | null {
    return this.engine?.inspect() ?? null;
  }

  #sides(engine: Engine): Sides {
    const { scenario, model } = this;
    const { context, lifecycle } = model;
    const [inspection, stats] = [engine.inspect(), engine.stats()];
    return { scenario, context, lifecycle, inspection, stats, inRecovery: this.#inRecovery };
  }

  /** Every field that is compared, with both values, as they are now; empty while there is no engine. */
  comparison(): Difference[] {
    return this.engine === null ? [] : comparison(this.#sides(this.engine));
  }

  #compare(): void {
    if (this.disk !== null) {
      const { peakBytes, peakFileBytes } = this.disk.counts;
      expect(
        peakBytes <= this.scenario.quotaBytes,
        'INV-10',
        () => `${peakBytes} bytes on disk, the quota is ${this.scenario.quotaBytes}`,
      );
      expect(peakFileBytes <= 65_536, 'INV-10', () => `a file has ${peakFileBytes} bytes`);
    }
    if (this.engine === null) return;
    const sides = this.#sides(this.engine);
    const { inspection, stats, context } = sides;
    const found = differences(sides);
    if (found[0] !== undefined) {
      const summary = found.map(({ field, model, engine }) => `${field}: model ${model}, engine ${engine}`).join('; ');
      throw new Divergence(found[0].breaks, summary, found);
    }
    if (context.retryWaiting && isOpen(this.model.state)) this.#retries.waits(this.clock.nextTimerInMs);
    if (this.disk !== null && this.#ioUnderWay === 0 && this.#faults.met === 0 && this.disk.stalled().length === 0)
      this.#compareDisk(inspection.diskBytes, stats);
  }

  /** At rest and without a fault, what the engine reckons of the disk is what is there. */
  #compareDisk(diskBytes: number, stats: { readonly bytesWritten: number; readonly syncs: number }): void {
    const disk = this.disk as SimulatedDisk;
    const onDisk = disk.files().reduce((sum, { content }) => sum + allocatedBytes(content.length), 0);
    expect(diskBytes === onDisk, 'INV-22', () => `diskBytes is ${diskBytes}, the files take ${onDisk}`);
    const written = disk.counts.bytesWritten - this.#writtenBefore.bytes;
    expect(
      stats.bytesWritten === written,
      'INV-22',
      () => `stats bytesWritten is ${stats.bytesWritten}, the disk took ${written}`,
    );
    const syncs = disk.counts.syncs - this.#writtenBefore.syncs;
    expect(stats.syncs === syncs, 'INV-22', () => `stats syncs is ${stats.syncs}, the disk did ${syncs}`);
    if (!this.scenario.durableAcknowledge) return;
    for (const [stream, { durableHead }] of this.model.context.streams.entries()) {
      const promised = this.#acknowledgedTo[stream] ?? 0;
      const kept = durableHead >= promised;
      expect(kept, 'INV-15', () => `stream ${stream} is durable to ${durableHead}, acknowledged to ${promised}`);
    }
  }

  /** Peeks at everything unread of every stream that no held read blocks, and adds up the ledger. */
  async #checkContent(): Promise<void> {
    if (this.engine === null || !isOpen(this.model.state)) return;
    const held = this.disk?.holdReads ?? false;
    // The harness looks at what is there: what ails the disk is for the engine's own reads.
    const faults = this.disk?.faults.splice(0) ?? [];
    if (this.disk !== null) this.disk.holdReads = false;
    for (const [stream, handle] of this.#handles.entries()) {
      if (this.#underWay.some((call) => call.stream === stream)) continue;
      const batch = await answeredWithoutIo(handle.peek(0, ALL));
      this.#throwHeard();
      expect(batch !== null, 'liveness', () => `a peek at stream ${stream} waits for more than its reads`);
      expect(
        batch.ok,
        'INV-03',
        () => `stream ${stream} cannot be peeked at: ${batch.ok ? '' : batch.failure.message}`,
      );
      const finding = compareBatch(expectedPeek(this.model.state, stream, 0, ALL), batch.value);
      expect(finding === null, 'INV-03', () => `peek at all of stream ${stream}: ${finding}`);
    }
    if (this.disk !== null) this.disk.holdReads = held;
    this.disk?.faults.push(...faults);
    this.#compareLedger(this.engine);
    this.#compare();
  }

  #compareLedger(engine: Engine): void {
    const { entries, foldedRecords } = engine.ledger();
    const entered = entries.reduce((sum, { records }) => sum + records, foldedRecords);
    const lost = this.model.context.streams.reduce((sum, { evicted, damaged }) => sum + evicted + damaged, 0);
    expect(entered === lost, 'INV-12', () => `the ledger has ${entered} records, ${lost} were lost`);
    this.#losses.compare(this.model.context.ledger, engine.ledger());
  }
}
