/**
 * The formal model as others may use it (`imatrix-memory-manager/model`): the machine, its vocabulary, the pure step,
 * the invariants, and the search. Needs xstate and ts-pattern; the engine needs neither, and shares no code with this.
 */
export { describeEvent, describeTrace } from './describe.ts';
export { mermaidOf } from './diagram.ts';
export type { Exploration, ExploreOptions, Violation } from './explore.ts';
export { checkStep, explore } from './explore.ts';
export { newContext } from './initial.ts';
export type { Invariant, InvariantId, Step } from './invariants/index.ts';
export { invariants } from './invariants/index.ts';
export type { StoreMachine } from './machine.ts';
export { machine } from './machine.ts';
export type { Mutation, MutationReport, Outcome } from './mutations.ts';
export { mutationsOf, runMutations, weaken } from './mutations.ts';
export type { Profile, Scope } from './scope.ts';
export { LINUX_SCOPE, SCOPES, WICED_SCOPE } from './scope.ts';
export type { ModelState, Refusal } from './step.ts';
export {
  can,
  expectedAcknowledge,
  expectedAppend,
  expectedDiscard,
  expectedPeek,
  expectedRead,
  expectedRetained,
  initialState,
  isOpen,
  lifecycleOf,
  pendingCount,
  retainedCount,
  stateOf,
  step,
} from './step.ts';
export type * from './vocabulary.ts';
