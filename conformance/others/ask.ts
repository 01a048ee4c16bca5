/** Asking a store for one operation: waits for its answer, but not for ever; a thrown refusal is an answer. */
import { Divergence } from '../divergence.ts';
import type { MaybePromise, Refused, StoreRecord } from './store-under-test.ts';
import { isRefused, refusalOf } from './store-under-test.ts';
import { showRecord } from './survivors.ts';

const SHOWN_MAX = 4;

/** The answer as the trace shows it; null for one that says nothing more than that it was done. */
export function showAnswer(answer: unknown): string | null {
  if (isRefused(answer)) return `refused ${answer.refused}`;
  return typeof answer === 'number' ? `sequence ${answer}` : null;
}

export function showRecords(records: readonly StoreRecord[]): string {
  if (records.length === 0) return 'nothing';
  const shown = records.slice(0, SHOWN_MAX).map(showRecord).join(', ');
  return `${records.length} (${shown}${records.length > SHOWN_MAX ? ', ...' : ''})`;
}

const late = (operation: string, timeoutMs: number): Divergence =>
  new Divergence('liveness', `${operation} gave no answer within ${timeoutMs} ms`);

async function inTime<T>(operation: string, answer: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late(operation, timeoutMs)), timeoutMs);
  });
  try {
    return await Promise.race([answer, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws Divergence: `liveness` when no answer came, `thrown` for an error that is no refusal, or the store's own. */
export async function ask<T>(operation: string, call: () => MaybePromise<T>, timeoutMs: number): Promise<T | Refused> {
  try {
    const answer = call();
    return answer instanceof Promise ? await inTime(operation, answer, timeoutMs) : answer;
  } catch (thrown) {
    const refusal = refusalOf(thrown);
    if (refusal !== null) return refusal;
    if (thrown instanceof Divergence) throw thrown;
    const [line] = (thrown instanceof Error ? thrown.message : String(thrown)).split('\n');
    throw new Divergence('thrown', `${operation} threw: ${line}`);
  }
}
