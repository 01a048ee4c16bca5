/**
 * Calls that the store answers at once: append, markRead, acknowledge, revert, discard. Each is made on the engine, its
 * answer is held against the model's, and then the model takes the step.
 *
 * @returns of each: false when the call has no meaning now, a store that is not open for one.
 */
import { expectedAcknowledge, expectedAppend, expectedDiscard, expectedPeek, isOpen } from '../../model/step.ts';
import type { StreamState } from '../../model/vocabulary.ts';
import type { Result } from '../../src/core/codes.ts';
import { refusalCode } from '../../src/core/codes.ts';
import { bitsAsNumber, meaningOf, numberOf } from '../call-forms.ts';
import { expect } from '../divergence.ts';
import { oldestUnderWay } from './oldest-reads.ts';
import type { RunState } from './run-state.ts';

export function append(run: RunState, stream: number, bits: number, timeMs: number): boolean {
  const handle = run.handle(stream);
  if (handle === null) return false;
  const appended = handle.appendBits(bits, timeMs);
  const answer = refusalCode(appended) ?? appended;
  const validTime = Number.isInteger(timeMs) && timeMs >= 0 && timeMs < 2 ** 48;
  const wanted =
    isOpen(run.model.state) && !validTime ? 'PARAMETER_INVALID' : expectedAppend(run.model.state, stream, timeMs);
  expect(
    answer === wanted,
    wanted === 'RAM_FULL' || answer === 'RAM_FULL' ? 'INV-07' : 'INV-03',
    () => `append answered ${answer}, the model ${wanted}`,
  );
  if (isOpen(run.model.state) && validTime) run.observe({ type: 'APPEND', stream, valueBits: bits, timeMs });
  return true;
}

/** As values, with the platform's time: one by itself, several in one call that ends at the first refused. */
export function appendValues(run: RunState, stream: number, bits: readonly number[]): boolean {
  const handle = run.handle(stream);
  const { type, periodMs } = run.scenario.streams[stream] ?? { type: 'uint32', periodMs: 0 };
  if (handle === null || !isOpen(run.model.state) || bits.length === 0) return false;
  const values = bits.map((each) => numberOf(type, each));
  const first = handle.marks().appended;
  const taken = values.length === 1 ? Number(handle.append(values[0] as number) === first) : handle.appendMany(values);
  let wanted = 0;
  for (const [i, each] of bits.entries()) {
    const timeMs = run.clock.wallMs + i * periodMs;
    const refused = typeof expectedAppend(run.model.state, stream, timeMs) !== 'number';
    run.observe({ type: 'APPEND', stream, valueBits: bitsAsNumber(type, each), timeMs });
    if (refused) break;
    wanted++;
  }
  expect(taken === wanted, 'INV-07', () => `of ${bits.length} values ${taken} were taken, the model takes ${wanted}`);
  return true;
}

export function markRead(run: RunState, stream: number, ahead: number): boolean {
  const handle = run.handle(stream);
  const next = expectedPeek(run.model.state, stream, 0, 1)[0];
  if (handle === null || !isOpen(run.model.state) || oldestUnderWay(run)) return false;
  const sequence = (next?.sequence ?? handle.marks().read) + ahead;
  const wanted = next !== undefined && ahead === 0;
  const taken = handle.markRead(sequence);
  expect(taken === wanted, 'INV-03', () => `markRead of ${sequence} answered ${taken}, the model ${wanted}`);
  if (wanted) run.observe({ type: 'READ', stream, max: 1 });
  return true;
}

export function acknowledgeBatch(run: RunState, stream: number, back: number): boolean {
  const handle = run.handle(stream);
  const batch = run.batches[stream]?.at(-1 - back);
  const state = run.model.context.streams[stream];
  if (handle === null || batch === undefined || state === undefined) return false;
  const meaning = isOpen(run.model.state) ? meaningOf(batch, state) : { code: 'CLOSED' };
  const result = handle.acknowledge(batch);
  const answer = result.ok ? 'ok' : result.failure.code;
  const wanted = 'n' in meaning ? 'ok' : meaning.code;
  expect(answer === wanted, 'INV-12', () => `acknowledge of a batch answered ${answer}, the model ${wanted}`);
  if ('n' in meaning) acknowledged(run, stream, meaning.n, result);
  return true;
}

/** Takes an acknowledge of `n` records, lost ones included, that the engine has accepted. */
function acknowledged(run: RunState, stream: number, n: number, result: Result<unknown>): void {
  const before = run.model.context.streams[stream]?.acknowledged ?? 0;
  run.observe({ type: 'ACKNOWLEDGE', stream, n });
  const { head, acknowledged } = run.model.context.streams[stream] as StreamState;
  const left = acknowledged - before;
  if (left > 0) run.acknowledgedTo[stream] = head;
  expect(
    result.ok && result.value === left,
    'INV-12',
    () => `acknowledge of ${n} says that ${result.ok ? result.value : 'none'} left, the model ${left}`,
  );
}

export function acknowledgeOrDiscard(
  run: RunState,
  what: 'acknowledge' | 'discard',
  stream: number,
  n: number,
): boolean {
  const handle = run.handle(stream);
  if (handle === null) return false;
  const expected = what === 'acknowledge' ? expectedAcknowledge : expectedDiscard;
  const wanted = expected(run.model.state, stream, n);
  const result = what === 'acknowledge' ? handle.acknowledge(n) : handle.discard(n);
  const code = result.ok ? null : result.failure.code;
  expect(code === wanted, 'INV-12', () => `${what} of ${n} answered ${code ?? 'ok'}, the model ${wanted ?? 'ok'}`);
  if (wanted !== null) {
    run.model.refuses({ type: what === 'acknowledge' ? 'ACKNOWLEDGE' : 'DISCARD', stream, n });
    return true;
  }
  if (what === 'acknowledge') acknowledged(run, stream, n, result);
  else run.observe({ type: 'DISCARD', stream, n });
  return true;
}

export function revert(run: RunState, stream: number): boolean {
  const handle = run.handle(stream);
  if (handle === null) return false;
  const result = handle.revert();
  expect(
    result.ok === isOpen(run.model.state),
    'INV-13',
    () => `revert answered ${result.ok}, lifecycle ${run.model.lifecycle}`,
  );
  if (result.ok) run.observe({ type: 'REVERT', stream });
  return true;
}
