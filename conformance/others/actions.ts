/**
 * The steps of a run on somebody else's store. They are the kit's own actions (../actions.ts), so that a saved trace can
 * be replayed on the engine as well; two of them carry what cannot be done to a store from outside step by step:
 *
 *     flush with a fault      is saved as  flush, io (the fault), drain
 *     crash inside a flush    is saved as  flush, io ..., crash
 *     flush, open             are saved followed by drain: from outside they end before the next step
 */
import type { Action } from '../actions.ts';
import { describeAction } from '../actions.ts';
import type { Fault } from '../disk-operations.ts';
import type { CrashChoice } from '../power-cut.ts';

type Plain = Extract<Action, { do: 'append' | 'read' | 'acknowledge' | 'revert' | 'discard' | 'open' }>;

export type StoreAction =
  | Plain
  | { readonly do: 'flush'; readonly fault?: Fault }
  /** `inFlush`: a flush begins, and power fails after so many of its I/O operations. */
  | { readonly do: 'crash'; readonly choice: CrashChoice; readonly inFlush?: number };

const PLAIN: readonly string[] = ['append', 'read', 'acknowledge', 'revert', 'discard', 'open'];

export const isPlain = (action: Action): action is Plain => PLAIN.includes(action.do);

/** One line for a trace. */
export function describeStep(action: StoreAction): string {
  if (action.do === 'crash')
    return action.inFlush === undefined ? 'crash' : `crash after ${action.inFlush} operations of a flush`;
  if (action.do === 'open') return 'recover, read everything, revert';
  const fault =
    action.do === 'flush' && action.fault !== undefined ? `, one operation fails with ${action.fault.code}` : '';
  return `${describeAction(action)}${fault}`;
}

/** As the kit saves them. A run from outside begins with a store that is open. */
export function toSaved(actions: readonly StoreAction[]): Action[] {
  return [{ do: 'open' }, { do: 'drain' }, ...actions.flatMap(savedAs)];
}

function savedAs(action: StoreAction): Action[] {
  switch (action.do) {
    case 'open':
      return [action, { do: 'drain' }];
    case 'flush':
      return action.fault === undefined
        ? [action, { do: 'drain' }]
        : [{ do: 'flush' }, { do: 'io', pick: 0, fault: action.fault }, { do: 'drain' }];
    case 'crash': {
      const crash: Action = { do: 'crash', choice: action.choice };
      if (action.inFlush === undefined) return [crash];
      return [{ do: 'flush' }, ...Array.from({ length: action.inFlush }, (): Action => ({ do: 'io', pick: 0 })), crash];
    }
    default:
      return [action];
  }
}

/** Reads saved actions; what cannot be done from outside is left out, the first opening too. */
export function fromSaved(saved: readonly Action[]): StoreAction[] {
  const actions: StoreAction[] = [];
  let inFlush: number | null = null;
  const endFlush = (fault?: Fault): void => {
    if (inFlush !== null) actions.push(fault === undefined ? { do: 'flush' } : { do: 'flush', fault });
    inFlush = null;
  };
  for (const action of saved) {
    if (action.do === 'io' && inFlush !== null) {
      if (action.fault === undefined) inFlush++;
      else endFlush(action.fault);
    } else if (action.do === 'crash') {
      actions.push(inFlush === null ? action : { ...action, inFlush });
      inFlush = null;
    } else {
      endFlush();
      if (action.do === 'flush') inFlush = 0;
      else if (isPlain(action)) actions.push(action);
    }
  }
  endFlush();
  return actions[0]?.do === 'open' ? actions.slice(1) : actions;
}
