/**
 * The model's side of a run: its state, stepped by what the harness does and by what the engine announces.
 *
 * Every event must be one that the model's guards accept; every step is checked against every invariant. It counts
 * events, edges (state of the machine x event) and how often each invariant said something.
 */
import { guards } from '../model/guards.ts';
import type { Invariant, Step } from '../model/invariants/index.ts';
import { invariants } from '../model/invariants/index.ts';
import { machine } from '../model/machine.ts';
import type { ModelState } from '../model/step.ts';
import { can, initialState, lifecycleOf, step } from '../model/step.ts';
import { pathOf } from '../model/transitions.ts';
import type { Bounds, Context, EventType, Lifecycle, ModelEvent } from '../model/vocabulary.ts';
import type { Action, Scenario } from './actions.ts';
import { Divergence } from './divergence.ts';
import type { GuardTally } from './guard-counts.ts';
import { countGuards, countTaken } from './guard-counts.ts';

/** What runs have exercised, added up over a whole campaign. */
export interface Coverage extends GuardTally {
  readonly events: Map<string, number>;
  /** By `state EVENT`: how often it was taken. */
  readonly edges: Map<string, number>;
  /** Per invariant: steps in which its premise held. */
  readonly witnesses: Map<string, number>;
  /** Per class of payload boundary: steps that reached it. */
  readonly boundaries: Map<string, number>;
  /** Per deep start: runs that went on from it. */
  readonly starts: Map<string, number>;
  /** Per place of a crash and what it left (evidence/cells.ts): how often. */
  readonly cells: Map<string, number>;
  /** Of each of these the shortest run that went there. */
  readonly examples: Map<string, CrashExample>;
}

/** A run whose last step is the crash. */
export interface CrashExample {
  readonly scenario: Scenario;
  readonly actions: readonly Action[];
}

export const newCoverage = (): Coverage => ({
  events: new Map(),
  edges: new Map(),
  witnesses: new Map(),
  boundaries: new Map(),
  starts: new Map(),
  cells: new Map(),
  guardsPassed: new Map(),
  guardsRefused: new Map(),
  examples: new Map(),
});

export const tally = (counts: Map<string, number>, name: string, by = 1): void => {
  counts.set(name, (counts.get(name) ?? 0) + by);
};

/** All that is counted. */
export const COUNTS = [
  'events',
  'edges',
  'witnesses',
  'boundaries',
  'starts',
  'cells',
  'guardsPassed',
  'guardsRefused',
] as const satisfies readonly (keyof Coverage)[];

/** An example is for looking at: the shorter, the better. */
export function keepShorter({ examples }: Coverage, cell: string, example: CrashExample): void {
  const known = examples.get(cell);
  if (known !== undefined && known.actions.length <= example.actions.length) return;
  examples.set(cell, { ...example, actions: [...example.actions] });
}

/** Adds what another run, or another process, has exercised. */
export function addCoverage(to: Coverage, from: Coverage): void {
  for (const kind of COUNTS) for (const [name, by] of from[kind]) tally(to[kind], name, by);
  for (const [cell, example] of from.examples) keepShorter(to, cell, example);
}

interface StateNode {
  readonly key: string;
  readonly path: readonly string[];
  readonly ownEvents: readonly string[];
  readonly states: Readonly<Record<string, StateNode>>;
}

function collectEdges(node: StateNode, inherited: readonly string[], edges: string[]): string[] {
  const events = [...new Set([...inherited, ...node.ownEvents])];
  const children = Object.values(node.states);
  if (children.length === 0) edges.push(...events.map((event) => `${node.path.join('.')} ${event}`));
  for (const child of children) collectEdges(child, events, edges);
  return edges;
}

/** Every pair of a state of the machine and an event that it takes there. */
export const ALL_EDGES: readonly string[] = collectEdges(machine.root as unknown as StateNode, [], []);

/** Events whose guards say how the contract limits the engine; a refusal there is the engine's fault. */
const GUARD_BREAKS: Readonly<Record<string, string>> = {
  keepsOrRenewsStoreId: 'INV-17',
  raisesEpoch: 'INV-17',
  survivesAsPrefix: 'INV-15',
  headSurvives: 'INV-15',
  accountsForHead: 'INV-02',
  damageSurvived: 'INV-19',
  keepsSegments: 'INV-18',
  segmentsHoldSurvivors: 'INV-15',
  withinQuota: 'INV-10',
  withinFileLimit: 'INV-10',
  blocksOfOneSource: 'INV-20',
  flushAsked: 'INV-08',
  isOldestSegment: 'INV-11',
  quotaWouldOverflow: 'INV-12',
  nothingReclaimable: 'INV-12',
  numbersSegmentsOnward: 'INV-11',
  continuesStreams: 'INV-16',
  reachesTargets: 'INV-09',
  headsAdvance: 'INV-15',
  headsSinceStart: 'INV-15',
  holdsNothing: 'INV-12',
  liesOnDisk: 'INV-19',
  namesUnsaved: 'INV-22',
  headsAreDurable: 'INV-15',
};

type GuardFunction = (context: Context, event: ModelEvent) => boolean;

/** The guards on this event that do not hold. Asked only when a step was refused. */
function failedGuards(context: Context, event: ModelEvent): string[] {
  return Object.entries(guards as Record<string, GuardFunction>).flatMap(([name, guard]) => {
    if (GUARD_BREAKS[name] === undefined) return [];
    try {
      return guard(context, event) ? [] : [name];
    } catch {
      // A rule that is written for other events says nothing about this one.
      return [];
    }
  });
}

/** Of the guards that read no payload, those that belong to the event. */
const EVENT_GUARDS: Readonly<Partial<Record<EventType, readonly string[]>>> = {
  FLUSH_STARTED: ['flushAsked'],
};
const PAYLOAD_FREE: readonly string[] = Object.values(EVENT_GUARDS).flat();

export class ModelRun {
  state: ModelState;
  /** Steps that an earlier run has taken and been judged by: they are taken only, neither compared nor counted. */
  repeats = false;
  /** The edge that was taken last, as `state EVENT`. */
  lastEdge = 'none';
  readonly coverage: Coverage;
  readonly #invariants: readonly Invariant[];

  /** @param state where it begins; default: a store that was never opened. */
  constructor(bounds: Bounds, coverage: Coverage, state = initialState(bounds)) {
    this.state = state;
    this.coverage = coverage;
    this.#invariants = invariants.filter(({ needs }) => needs === undefined || (needs === 'disk') === bounds.disk);
  }

  get context(): Context {
    return this.state.context;
  }

  get lifecycle(): Lifecycle {
    return lifecycleOf(this.state);
  }

  enabled(event: ModelEvent): boolean {
    return can(this.state, event);
  }

  /** Takes note of a call that was refused, as it must be, and is no step. */
  refuses(event: ModelEvent): void {
    if (!this.repeats) countGuards(this.state, event, this.coverage);
  }

  /** Takes the step. @throws Divergence when the model refuses it, or when an invariant is broken by it. */
  observe(event: ModelEvent): void {
    const before = this.state;
    const after = step(before, event);
    if (after === before && !can(before, event)) {
      this.refuses(event);
      this.#refuse(event);
    }
    this.state = after;
    this.lastEdge = `${pathOf(before.value)} ${event.type}`;
    if (this.repeats) return;
    countTaken(before, event, this.lastEdge, this.coverage);
    tally(this.coverage.events, event.type);
    tally(this.coverage.edges, this.lastEdge);
    this.#check({ before, event, after, rules: machine });
  }

  #check(taken: Step): void {
    for (const invariant of this.#invariants) {
      if (!invariant.premise(taken)) continue;
      tally(this.coverage.witnesses, invariant.id);
      const [finding] = invariant.check(taken);
      if (finding !== undefined) throw new Divergence(invariant.id, `${invariant.id} ${invariant.name}: ${finding}`);
    }
  }

  #refuse(event: ModelEvent): never {
    const failed = failedGuards(this.context, event).filter(
      (name) => !PAYLOAD_FREE.includes(name) || EVENT_GUARDS[event.type]?.includes(name),
    );
    const breaks = failed.map((name) => GUARD_BREAKS[name])[0] ?? `${event.type} refused`;
    const because = failed.length > 0 ? `guards ${failed.join(', ')}` : `no such step in ${pathOf(this.state.value)}`;
    throw new Divergence(breaks, `the model refuses ${JSON.stringify(event)}: ${because}`);
  }
}
