/**
 * One leg of the tour: a store from its first opening on, driven from place to place, with every action written down so
 * that the leg is a trace.
 */
import { harmAfter } from '../../model/candidates.ts';
import type { Harm } from '../../model/scope.ts';
import { NO_HARM } from '../../model/scope.ts';
import type { ModelState } from '../../model/step.ts';
import { step } from '../../model/step.ts';
import type { ModelEvent } from '../../model/vocabulary.ts';
import type { Action, SingleAction } from '../actions.ts';
import { Divergence } from '../divergence.ts';
import { StoreRun } from '../driver.ts';
import type { Coverage } from '../model-run.ts';
import type { Choice, Standpoint } from './choices.ts';
import { choicesAt } from './choices.ts';
import type { ModelEdges } from './model-edges.ts';
import type { TourScope } from './scopes.ts';
import { holdsOnlyEmptySegments, phaseOf, Situation } from './situation.ts';

/** A fault that the engine does not try again at once under another name. */
const READ_ONLY = { code: 'READ_ONLY' } as const;

export type OnAction = (action: Action, run: StoreRun) => void;

/** Calls of the turn that is being made up, and the model behind them. */
interface Turn {
  readonly steps: readonly SingleAction[];
  readonly state: ModelState;
  /** A checkpoint will be waiting behind it. */
  readonly queues: boolean;
}

/** What of the segment a crash can still bring back. */
const recordsOf = ({ context }: ModelState, pick: number): string =>
  (context.segments[pick]?.blocks ?? [])
    .map(({ stream, from, to }) => `${Math.max(from, context.streams[stream]?.durableHead ?? 0)}.${to}`)
    .join();

export class Leg {
  readonly run: StoreRun;
  readonly actions: Action[] = [];
  readonly #of: TourScope;
  readonly #edges: ModelEdges;
  readonly #onAction: OnAction;
  #harm: Harm = NO_HARM;
  #turn: Turn | null = null;
  /** At the place where the leg is; null until somebody asks. */
  #choices: readonly Choice[] | null = null;
  #flips = 0;
  /** Records of the segment in which the last bit was flipped. */
  #flipped = '';
  /** How far what is on disk was read since the store was opened: that is not read again. */
  #readUpTo = 0;
  readonly #situation: Situation;

  constructor(of: TourScope, coverage: Coverage, edges: ModelEdges, onAction: OnAction) {
    this.run = new StoreRun(of.scenario, coverage);
    this.#situation = new Situation(this.run);
    this.#of = of;
    this.#edges = edges;
    this.#onAction = onAction;
  }

  get standpoint(): Standpoint {
    const { model, disk } = this.run;
    return {
      state: this.#turn?.state ?? model.state,
      harm: this.#harm,
      disk,
      holding: this.#turn !== null,
      mayFail: !this.#situation.failureLeavesFiles,
      flipped: this.#flips > this.#harm.damages,
    };
  }

  choices(): readonly Choice[] {
    this.#choices ??= choicesAt(this.standpoint, this.#of);
    return this.#choices;
  }

  /** Names the place at which the leg is. */
  async place(): Promise<string> {
    const { state } = this.standpoint;
    const key = this.#edges.arrive(state, this.#harm, true);
    const held = this.#turn === null ? '' : `held${this.#turn.queues ? ', queues' : ''} `;
    const flipped = this.#flips > this.#harm.damages ? `, flipped ${this.#flipped}` : '';
    const read = this.#of.scope.damagesMax > 0 ? `, read ${this.#readUpTo}` : '';
    return `${key} # ${held}${await this.#situation.now()}${flipped}${read}`;
  }

  /** @throws Divergence where model and engine part. */
  async carryOut({ deed }: Choice): Promise<void> {
    this.#choices = null;
    switch (deed.how) {
      case 'act':
        return this.#take(deed.action);
      case 'hold': {
        const before = this.standpoint.state;
        const state = deed.event === null ? before : step(before, deed.event);
        const empties = state !== before && (deed.action.do === 'acknowledge' || deed.action.do === 'discard');
        const queues = this.#turn?.queues === true || (empties && holdsOnlyEmptySegments(state.context));
        this.#turn = { steps: [...(this.#turn?.steps ?? []), deed.action], state, queues };
        return;
      }
      case 'endTurn': {
        const steps = [...deed.first, ...(this.#turn?.steps ?? []), ...deed.last];
        this.#turn = null;
        return this.#take({ do: 'together', steps });
      }
      case 'phase':
        return this.#phase();
      case 'phaseFails':
        this.#situation.noteFailure();
        return this.#take({ do: 'io', pick: 0, fault: READ_ONLY });
    }
  }

  /** Makes the calls that are still held: the leg ends here. */
  async finish(): Promise<void> {
    if (this.#turn !== null) await this.carryOut({ label: 'let go', deed: { how: 'endTurn', first: [], last: [] } });
  }

  /** Lets I/O go on until it is something else's turn, or the model has heard of it. */
  async #phase(): Promise<void> {
    const { disk } = this.run;
    if (disk === null) return;
    const phase = phaseOf(disk);
    while (phaseOf(disk) === phase && phase !== '') {
      await this.#take({ do: 'io', pick: 0 });
      if (this.run.observed.length > 0) return;
    }
  }

  /**
   * Takes the action, and lets removals go on behind it: how many there are hangs on what earlier failures left behind,
   * which no place tells.
   */
  async #take(action: Action): Promise<void> {
    await this.#takeOne(action);
    while (this.run.disk !== null && phaseOf(this.run.disk) === 'removal') await this.#takeOne({ do: 'io', pick: 0 });
  }

  async #takeOne(action: Action): Promise<void> {
    let { state } = this.run.model;
    this.actions.push(action);
    if (!(await this.run.take(action))) {
      throw new Divergence('tour', `${JSON.stringify(action)} has no meaning where the tour makes it`);
    }
    this.#onAction(action, this.run);
    if (action.do === 'damage') {
      this.#flips++;
      this.#flipped = recordsOf(state, action.pick);
    }
    for (const event of this.#eventsOf(action)) {
      this.#situation.note(event);
      if (event.type === 'CRASH' || event.type === 'CLOSED') this.#readUpTo = 0;
      const after = step(state, event);
      const harm = harmAfter(this.#harm, event);
      this.#edges.observe(state, this.#harm, event, after, harm);
      if (event.type === 'READ') this.#noteRead(after, event.stream);
      if (event.type === 'READ_OLDEST') after.context.streams.forEach((_, stream) => this.#noteRead(after, stream));
      state = after;
      this.#harm = harm;
    }
  }

  #noteRead({ context }: ModelState, stream: number): void {
    const of = context.streams[stream];
    if (of !== undefined) this.#readUpTo = Math.max(this.#readUpTo, Math.min(of.read, of.synced));
  }

  /** An emergency asks for the flush that it begins; the model's search has it in two steps. */
  #eventsOf(action: Action): readonly ModelEvent[] {
    const { observed } = this.run;
    if (action.do !== 'emergencyFlush') return observed;
    return observed.flatMap((event): ModelEvent[] =>
      event.type === 'FLUSH_STARTED' ? [{ type: 'FLUSH' }, { ...event, emergency: true }] : [event],
    );
  }
}
