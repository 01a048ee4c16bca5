/**
 * Where a run stands: the store under test, its disk, the model beside it, and what the parts of the driver know of
 * them. The parts are functions over it, a file for each responsibility; ../driver.ts takes the steps.
 *
 * It keeps the two sides in step: each event goes through `observe` into the model, and what is thrown while the engine
 * is at work is kept until the engine is done. It calls no operation of the store and compares nothing.
 */
import type { ModelState } from '../../model/step.ts';
import type { ModelEvent, Range } from '../../model/vocabulary.ts';
import { toHex } from '../../src/core/bytes.ts';
import { allocatedBytes, parseSegmentName } from '../../src/core/disk-index.ts';
import type { Engine } from '../../src/core/engine.ts';
import type { RecordBatch } from '../../src/core/record-batch.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import type { StoreInspection } from '../../src/core/types.ts';
import type { Scenario } from '../actions.ts';
import { boundariesReached } from '../boundaries.ts';
import { DamageMade } from '../damage.ts';
import type { DiskObserver } from '../disk-operations.ts';
import { FaultWatch } from '../fault-watch.ts';
import { isMadeAhead, segmentIn } from '../format/segment-in.ts';
import { LossWatch } from '../losses.ts';
import type { Coverage } from '../model-run.ts';
import { ModelRun, tally } from '../model-run.ts';
import { boundsOf } from '../refinement.ts';
import { RetryWatch } from '../retry-watch.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { firstState, hasPast, placePast } from '../started-store.ts';
import { EvictionWatch } from '../thrift.ts';
import { StoreIds, VirtualClock } from '../virtual-clock.ts';
import { Moments } from './moments.ts';
import type { UnderWay } from './under-way.ts';

export class RunState {
  readonly scenario: Scenario;
  readonly model: ModelRun;
  readonly clock = new VirtualClock();
  readonly storeIds = new StoreIds();
  /** Store ids that were met; the model knows each by its place here, from 1. */
  readonly knownIds: string[] = [];
  disk: SimulatedDisk | null;
  engine: Engine | null = null;
  handles: StreamHandle[] = [];
  /** The batches last read of each stream. */
  batches: RecordBatch[][] = [];
  underWay: UnderWay[] = [];
  /** Announced by a recovery that is under way. */
  damagedInRecovery: Range[] = [];
  /** Records that the last recovery lost: the engine's figures of this session begin with them. */
  inRecovery = { damaged: 0, evicted: 0 };
  /** Something happened in this step that could harm what is retained. */
  dirty = false;
  readonly damageMade = new DamageMade();
  readonly faults: FaultWatch;
  readonly retries = new RetryWatch();
  readonly evictions = new EvictionWatch();
  readonly losses: LossWatch;
  readonly moments: Moments;
  /** Heads when their owner last acknowledged: what `durableAcknowledge` promises. */
  acknowledgedTo: number[] = [];
  /** The running flush began because power is failing, for certain: it goes by priority. Any other is only cut short. */
  byPriority = false;
  /** What the disk had taken when this engine was opened. */
  writtenBefore = { bytes: 0, syncs: 0 };
  /** Model events of the step being taken, for a timeline. */
  observed: ModelEvent[] = [];
  /**
   * The model before and after each of them. Where one does not begin in what the one before it left, the model was
   * corrected by what only then came to light.
   */
  observedStates: { readonly before: ModelState; after: ModelState }[] = [];
  /** Hears of every I/O operation beside the run itself. */
  watcher: DiskObserver | null = null;
  /** Nothing can follow: what the last step did is outside of the model. */
  over = false;
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
  /** Of segments: the number in the name of the file, and how much of the file is theirs. */
  readonly #places = new Map<number, { readonly file: number; readonly bytes: number }>();
  readonly #noteBoundary: (name: string) => void;
  /** Thrown inside a listener: kept until the engine is done, so that the engine is not disturbed. */
  #heard: unknown = null;

  constructor(scenario: Scenario, coverage: Coverage) {
    this.scenario = scenario;
    this.#noteBoundary = (name) => tally(coverage.boundaries, name);
    const bounds = boundsOf(scenario);
    const past = scenario.profile === 'linux' && hasPast(scenario);
    this.model = new ModelRun(bounds, coverage, firstState(scenario, bounds));
    this.losses = new LossWatch(scenario.streams);
    this.faults = new FaultWatch(
      this.damageMade,
      scenario.whenDiskFull === 'evict-oldest',
      () => this.model,
      (number) => this.fileOf(number),
    );
    this.moments = new Moments(this.faults);
    this.disk = scenario.profile === 'linux' ? this.harnessed(new SimulatedDisk(this.clock)) : null;
    if (past && this.disk !== null) {
      const storeId = this.storeIds.next();
      this.knownIds.push(toHex(storeId));
      placePast(scenario, this.disk, storeId);
    }
  }

  /** A disk of which each step is the harness's, and which it listens to. */
  harnessed(disk: SimulatedDisk): SimulatedDisk {
    disk.autoSteps = 0;
    disk.observer = {
      asked: (operation) => {
        this.guarded(() => this.faults.asked(operation));
        this.watcher?.asked(operation);
      },
      ended: (operation, code) => {
        this.faults.ended(operation, code);
        this.watcher?.ended(operation, code);
      },
    };
    return disk;
  }

  /** Does what may diverge while the engine is at work; what it throws waits for `throwHeard`. */
  guarded(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.overhear(thrown);
    }
  }

  overhear(thrown: unknown): void {
    this.#heard ??= thrown;
  }

  throwHeard(): void {
    if (this.#heard === null) return;
    throw this.#heard;
  }

  /** Takes an event into the model. @throws Divergence when the model refuses it, or an invariant is broken by it. */
  observe(event: ModelEvent): void {
    if (event.type === 'CHECKPOINT') this.moments.passBatch();
    if (event.type === 'FLUSH_FAILED' || event.type === 'DAMAGE') this.noteMoment();
    this.moments.observed(event);
    const states = { before: this.model.state, after: this.model.state };
    this.observed.push(event);
    this.observedStates.push(states);
    this.evictions.observed(event, states.before.context.segments);
    try {
      this.model.observe(event);
    } finally {
      states.after = this.model.state;
    }
    const type = this.scenario.streams['stream' in event ? event.stream : 0]?.type ?? 'uint32';
    boundariesReached(event, states.before.context, this.model.context, type, this.#noteBoundary);
    if (event.type !== 'APPEND' && event.type !== 'READ' && event.type !== 'READ_OLDEST') this.dirty = true;
  }

  /** An eviction may come to light later that was under way now. */
  noteMoment(): void {
    this.moments.note(this.model.state, this.otherBytes());
  }

  handle(stream: number): StreamHandle | null {
    return this.handles[stream] ?? null;
  }

  /** The engine is gone, or will do nothing more: no call of it is waited for. */
  forgetEngine(): void {
    if (this.engine !== null) this.engine.onEvent = null;
    this.engine = null;
    this.handles = [];
    this.batches = [];
    this.acknowledgedTo = [];
    this.underWay = [];
  }

  get waitsForFlush(): boolean {
    return this.underWay.some(({ what }) => what === 'flush');
  }

  get emergency(): boolean {
    return this.underWay.some(({ what }) => what === 'emergencyFlush');
  }

  /** I/O operations under way. */
  get ioUnderWay(): number {
    return this.disk?.pending().length ?? 0;
  }

  /** A flush may be refused though no operation failed: the quota is reached, or others fill the disk. */
  get mayBeFull(): boolean {
    return this.scenario.whenDiskFull === 'refuse-new' || this.faults.tight;
  }

  /** What the engine shows, of which the files of segments are kept in mind: a damaged one does not say what it holds. */
  inspect(engine: Engine): StoreInspection {
    const inspection = engine.inspect();
    for (const { number, file, bytes } of inspection.segments) this.#places.set(number, { file, bytes });
    return inspection;
  }

  /** The number in the name of a segment's file. */
  fileOf(number: number): number {
    return this.#places.get(number)?.file ?? number;
  }

  /** Bytes of a segment, which its file may have more of; null for one that no engine has shown. */
  bytesOf(number: number): number | null {
    return this.#places.get(number)?.bytes ?? null;
  }

  /** Bytes of segment files that are neither live nor free: of a flush that is running or failed, copies, set aside. */
  otherBytes(): number {
    const { segments, lastSegment } = this.model.context;
    const live = new Set(segments.map(({ number }) => this.fileOf(number)));
    const keepsFree = (this.scenario.recycleBytes ?? 0) + (this.scenario.preallocateBytes ?? 0) > 0;
    const isFree = (content: Uint8Array): boolean =>
      keepsFree && (isMadeAhead(content) || (segmentIn(content) ?? Number.POSITIVE_INFINITY) <= lastSegment);
    let bytes = 0;
    for (const { directory, name, content } of this.disk?.files() ?? []) {
      const file = parseSegmentName(name);
      if (directory === '' || (file !== null && (live.has(file) || isFree(content)))) continue;
      bytes += allocatedBytes(content.length);
    }
    return bytes;
  }
}
