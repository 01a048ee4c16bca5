/**
 * Which eviction was being made durable at each step of a run: what the next batch of the log turned out to have in it.
 *
 * A store announces an eviction when its batch is durable, and power may fail just before. So the run is looked at from
 * its end. Where it ends with I/O under way, or is cut off by a crash of its own, the batch is found by going on; until
 * the store has recovered from that crash, the batch may be on the disk or not. The same where a write or sync of the log
 * is reported as failed: what it was to make durable may be on the disk until another batch is.
 */
import type { Action, Scenario } from '../actions.ts';
import { StoreRun } from '../driver.ts';
import { ioStepOf } from '../evidence/cells.ts';
import { newCoverage } from '../model-run.ts';

/** Heads behind the next batch that the log makes durable, when an eviction is in it; undefined when none is. */
export type Evicting = readonly number[] | undefined;

/** A batch of the log that was made durable in a step. */
interface Batch {
  readonly evictedTo: Evicting;
}

/** What the step made durable in the log, as the model heard of it; null for nothing. */
function batchOf({ observed, model }: StoreRun): Batch | null {
  if (!observed.some(({ type }) => type === 'CHECKPOINT' || type === 'FLUSH_DONE')) return null;
  const evicts = observed.some(({ type }) => type === 'EVICT');
  return { evictedTo: evicts ? model.context.streams.map(({ head }) => head) : undefined };
}

/** The next batch behind these steps, when nothing is done any more but the I/O that is under way and what follows it. */
async function batchBehind(scenario: Scenario, steps: readonly Action[]): Promise<Batch> {
  const run = new StoreRun(scenario, newCoverage());
  for (const step of steps) await run.take(step);
  while (await run.take({ do: 'io', pick: 0 })) {
    const batch = batchOf(run);
    if (batch !== null) return batch;
  }
  return { evictedTo: undefined };
}

/** Whether this step reports a write or sync of the log as failed: of its content, or of its name. */
function failsLog({ disk }: StoreRun, step: Action): boolean {
  if (step.do !== 'io' || step.fault === undefined || disk === null) return false;
  const pending = disk.pending();
  return pending.length > 0 && / (log|directory)$/.test(ioStepOf(pending[step.pick % pending.length]));
}

/** Heads behind both, where only one of them may have been made durable. */
function furthest(a: Evicting, b: Evicting): Evicting {
  if (a === undefined || b === undefined) return a ?? b;
  return a.map((head, i) => Math.max(head, b[i] ?? 0));
}

/**
 * @param steps of a run on which model and engine agree, I/O operations one by one.
 * @returns for the moment behind each step the eviction that is under way.
 */
export async function evictionsComing(scenario: Scenario, steps: readonly Action[]): Promise<readonly Evicting[]> {
  const run = new StoreRun(scenario, newCoverage());
  const batches: (Batch | null)[] = [];
  const recovered: boolean[] = [];
  const inVain: Evicting[] = [];
  for (const [at, step] of steps.entries()) {
    inVain.push(failsLog(run, step) ? (await batchBehind(scenario, steps.slice(0, at))).evictedTo : undefined);
    await run.take(step);
    batches.push(step.do === 'crash' ? await batchBehind(scenario, steps.slice(0, at)) : batchOf(run));
    recovered.push(run.observed.some(({ type }) => type === 'RECOVERED'));
  }
  const coming: Evicting[] = [];
  let next = await batchBehind(scenario, steps);
  for (let at = batches.length - 1; at >= 0; at--) {
    coming[at] = next.evictedTo;
    next = batches[at] ?? next;
  }
  inVain.forEach((evictedTo, failed) => {
    if (evictedTo === undefined) return;
    const settled = (at: number): boolean => batches[at] !== null || recovered[at] === true;
    for (let at = failed - 1; at >= 0 && !settled(at); at--) coming[at] = furthest(coming[at], evictedTo);
    for (let at = failed; at < steps.length && !settled(at); at++) coming[at] = furthest(coming[at], evictedTo);
  });
  let lost = false;
  for (const [at, step] of steps.entries()) {
    lost = (lost || step.do === 'crash') && recovered[at] !== true;
    if (lost) coming[at] = coming[at - 1];
  }
  return coming;
}
