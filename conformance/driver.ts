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
 *
 * Here are the steps; what each does, hears and judges is in driver/, a file for each responsibility.
 */
import type { ModelState } from '../model/step.ts';
import type { ModelEvent, Range } from '../model/vocabulary.ts';
import type { Engine } from '../src/core/engine.ts';
import type { StoreInspection } from '../src/core/types.ts';
import type { Action, Scenario, SingleAction } from './actions.ts';
import type { DiskObserver } from './disk-operations.ts';
import { settle } from './driver/answered.ts';
import {
  checkpoint,
  close,
  emergencyFlush,
  flush,
  open,
  readOldest,
  readOrPeek,
  ready,
} from './driver/awaited-calls.ts';
import { checkContent, compare, sidesOf } from './driver/comparisons.ts';
import {
  addFault,
  crash,
  drainIo,
  endFaults,
  endIo,
  flipBit,
  holdReads,
  limitSpace,
  spoil,
} from './driver/disk-actions.ts';
import { judgeSettled, rest, wait, waitForTimer } from './driver/rest.ts';
import { RunState } from './driver/run-state.ts';
import {
  acknowledgeBatch,
  acknowledgeOrDiscard,
  append,
  appendValues,
  markRead,
  revert,
} from './driver/store-calls.ts';
import type { View } from './generator.ts';
import type { Coverage, ModelRun } from './model-run.ts';
import { keepShorter } from './model-run.ts';
import type { Difference } from './refinement.ts';
import { comparison } from './refinement.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Sees each step that was taken: for the trace hash and for timelines. */
export type OnStep = (action: Action, run: StoreRun) => void;

/** One in so many quiet steps has its content checked too. */
const CONTENT_EVERY_STEPS = 16;
/** In some runs content is looked at seldom, so that a reader meets blocks that it does not remember. */
const CONTENT_SELDOM_STEPS = 64;

export class StoreRun {
  readonly #state: RunState;
  #steps = 0;

  constructor(scenario: Scenario, coverage: Coverage) {
    this.#state = new RunState(scenario, coverage);
  }

  get scenario(): Scenario {
    return this.#state.scenario;
  }

  get model(): ModelRun {
    return this.#state.model;
  }

  get clock(): VirtualClock {
    return this.#state.clock;
  }

  get disk(): SimulatedDisk | null {
    return this.#state.disk;
  }

  /** Whether the file of a live segment had to go because the log found no space to say so. */
  gaveUp(segment: number): boolean {
    return this.#state.faults.gaveUp(segment);
  }

  get engine(): Engine | null {
    return this.#state.engine;
  }

  /** Model events of the last step, for a timeline. */
  get observed(): readonly ModelEvent[] {
    return this.#state.observed;
  }

  /**
   * The model before and after each of them. Where one does not begin in what the one before it left, the model was
   * corrected by what only then came to light.
   */
  get observedStates(): readonly { readonly before: ModelState; readonly after: ModelState }[] {
    return this.#state.observedStates;
  }

  /** Hears of every I/O operation beside the run itself. */
  set watcher(watcher: DiskObserver | null) {
    this.#state.watcher = watcher;
  }

  /** Paths of files of which this run flipped a bit. */
  get spoiledFiles(): ReadonlySet<string> {
    return this.#state.spoiledFiles;
  }

  /** Records that they held. */
  get spoiledRanges(): readonly Range[] {
    return this.#state.spoiledRanges;
  }

  /** I/O operations and timers that the last rest took. */
  get restSteps(): number {
    return this.#state.restSteps;
  }

  /** Virtual time that the last rest took. */
  get restMs(): number {
    return this.#state.restMs;
  }

  /** Longest delay after a failed flush so far. */
  get longestRetryMs(): number {
    return this.#state.retries.longestMs;
  }

  /** Takes the run up to its last step, a crash, as an example of where that came, unless there is a shorter one. */
  exemplify(actions: readonly Action[]): void {
    const { crashCell, scenario, model } = this.#state;
    if (crashCell !== null && !model.repeats) keepShorter(model.coverage, crashCell, { scenario, actions });
  }

  view(): View {
    const { scenario, model, clock, disk, underWay, ioUnderWay } = this.#state;
    return {
      scenario,
      context: model.context,
      lifecycle: model.lifecycle,
      enabled: (event) => model.enabled(event),
      ioUnderWay,
      timers: clock.timers,
      holdsReads: disk?.holdReads ?? false,
      segments: model.context.segments.length,
      nowMs: clock.wallMs,
      readsUnderWay: underWay.filter(({ what }) => what === 'read' || what === 'readOldest' || what === 'peek').length,
      recovering: model.lifecycle === 'recovering',
    };
  }

  /** Takes one action. @returns false when it has no meaning now. @throws Divergence. */
  async take(action: Action): Promise<boolean> {
    const run = this.#state;
    run.observed = [];
    run.observedStates = [];
    if (run.over) return false;
    if (!(await this.#perform(action))) return false;
    this.#steps++;
    await settle(run);
    run.throwHeard();
    if (!run.model.repeats) compare(run);
    if (this.#contentDue()) await checkContent(run);
    run.dirty = false;
    run.faults.stepEnded();
    return true;
  }

  #contentDue(): boolean {
    const { scenario, dirty } = this.#state;
    const { contentEverySteps: every } = scenario;
    if (every !== undefined) return every > 0 && this.#steps % every === 0;
    const seldom = scenario.streams.length % 2 === 0;
    const due = this.#steps % (seldom ? CONTENT_SELDOM_STEPS : CONTENT_EVERY_STEPS) === 0;
    return due || (dirty && !seldom);
  }

  /** Takes note of what was thrown where nobody listens. */
  overhear(thrown: unknown): void {
    this.#state.overhear(thrown);
  }

  /** The engine's own picture, or null while it has none. */
  inspect(): StoreInspection | null {
    return this.engine?.inspect() ?? null;
  }

  /** Every field that is compared, with both values, as they are now; empty while there is no engine. */
  comparison(): Difference[] {
    return this.engine === null ? [] : comparison(sidesOf(this.#state, this.engine));
  }

  #perform(action: Action): boolean | Promise<boolean> {
    const run = this.#state;
    switch (action.do) {
      case 'append':
        return append(run, action.stream, action.bits, action.timeMs);
      case 'appendValues':
        return appendValues(run, action.stream, action.bits);
      case 'read':
        return readOrPeek(run, 'read', action.stream, 0, action.max);
      case 'readOldest':
        return readOldest(run, action.max);
      case 'markRead':
        return markRead(run, action.stream, action.ahead);
      case 'peek':
        return readOrPeek(run, 'peek', action.stream, action.offset, action.max);
      case 'acknowledge':
      case 'discard':
        return acknowledgeOrDiscard(run, action.do, action.stream, action.n);
      case 'acknowledgeBatch':
        return acknowledgeBatch(run, action.stream, action.back);
      case 'revert':
        return revert(run, action.stream);
      case 'flush':
        return flush(run);
      case 'emergencyFlush':
        return emergencyFlush(run, action.deadlineMs);
      case 'checkpoint':
        return checkpoint(run);
      case 'ready':
        return ready(run);
      case 'close':
        return close(run);
      case 'open':
        return open(run);
      case 'io':
        return endIo(run, action.pick, action.fault, action.times ?? 1);
      case 'together':
        return this.#together(action.steps);
      case 'drain':
        return drainIo(run);
      case 'timer':
        return waitForTimer(run);
      case 'holdReads':
        return holdReads(run, action.hold);
      case 'damage':
        return flipBit(run, action.pick, action.bit);
      case 'crash':
        return crash(run, action);
      case 'fault':
        return addFault(run, action.rule);
      case 'space':
        return limitSpace(run, action.bytes);
      case 'faultsEnd':
        return endFaults(run);
      case 'settled':
        return judgeSettled(run, action);
      case 'spoil':
        return spoil(run, action);
      case 'wait':
        return wait(run, action.ms);
      case 'rest':
        return rest(run);
    }
  }

  /** Nothing is awaited in between: the engine finds all of the calls done when it goes on. */
  #together(steps: readonly SingleAction[]): boolean {
    let any = false;
    for (const step of steps) {
      if (this.#perform(step) !== true) continue;
      any = true;
      compare(this.#state);
    }
    return any;
  }
}
