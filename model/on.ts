/** Ties a rule to the events it is written for, so that it reads them without casts. */
import type { Context, EventType, ModelEvent } from './vocabulary.ts';

export type EventOf<T extends EventType> = Extract<ModelEvent, { readonly type: T }>;

/** @throws when the machine names the rule on another event: a mistake in the machine, never in a run. */
export function on<T extends EventType, R>(
  types: readonly T[],
  rule: (context: Context, event: EventOf<T>) => R,
): (context: Context, event: ModelEvent) => R {
  const [only] = types;
  return (context, event) => {
    if (event.type !== only && !(types as readonly string[]).includes(event.type)) {
      throw new Error(`a rule for ${types.join(', ')} was named on ${event.type}`);
    }
    return rule(context, event as EventOf<T>);
  };
}
