/**
 * One life of the storing process: open, feed, drain, close; or until the plug is pulled. Runs in the process of the
 * command when nothing is to be killed, else in a child (worker.ts).
 */
import { createLinuxPlatform, openOn, resolveSettings, type Store, StoreError } from '../../index.ts';
import { CliError } from '../cli-error.ts';
import { Plug } from './cuts.ts';
import { Drain } from './drain.ts';
import { feed } from './feed.ts';
import type { LifeJob, MarkOf, Send, Span } from './messages.ts';
import { StreamIndex, totalRecords } from './plan.ts';

/**
 * @param pull what pulling the plug does; it does not return.
 * @throws CliError and StoreError when the store cannot be used; what was stored is there.
 */
export async function runLife(
  job: LifeJob,
  send: Send,
  pull: (during: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const plug = new Plug(job.cut, pull);
  const settings = resolveSettings(job.settings);
  if (!settings.ok) throw new StoreError(settings.failure);
  const beginMs = performance.now();
  await using store = await openOn(plug.wire(createLinuxPlatform({ directory: job.directory })), settings.value);
  const base = tellOpened(store, job, send, performance.now() - beginMs);
  tellFlushes(store, job, send);
  const total = totalRecords(job.plan);
  const spans: Span[] = [...job.spans];
  if (job.broken !== null) spans.push({ ...job.broken, survived: base });
  if (job.from < total) {
    const to = await feed({ store, plan: job.plan, from: job.from, plug, send, signal });
    spans.push({ epoch: store.epoch, from: job.from, to, base, survived: null });
    if (signal.aborted) return;
    // A life that is to be cut stops early by plan; what it left is the next one's.
    if (to < total && job.cut?.phase !== 'append') send({ type: 'refused', from: to });
  }
  if (job.cut?.phase === 'append') {
    // The flush that was asked for at the cut goes on until the plug is pulled in it.
    await store.flush();
    plug.finished();
  }
  const tally = job.drain ? await drainAll(store, job, spans, plug, send, signal) : null;
  if (job.cut !== null) plug.finished();
  await store.close();
  const { bytesWrittenTotal, syncsTotal, diskBytes } = store.stats();
  let evicted = 0;
  let damaged = 0;
  for (const stream of store.inspect().streams) {
    evicted += stream.evicted;
    damaged += stream.damaged;
  }
  send({ type: 'done', tally, evicted, damaged, bytesWritten: bytesWrittenTotal, syncs: syncsTotal, diskBytes });
}

async function drainAll(
  store: Store,
  job: LifeJob,
  spans: readonly Span[],
  plug: Plug,
  send: Send,
  signal: AbortSignal,
): ReturnType<Drain['run']> {
  if (job.flushFirst && job.evictedBelow === null) await store.flush();
  let { evictedBelow } = job;
  if (evictedBelow === null) {
    const heads = marksOf(store, job, 'head');
    send({ type: 'drainBegins', heads });
    const below: number[] = job.plan.streams.map(() => 0);
    for (const [stream, head] of heads) below[stream] = head;
    evictedBelow = below;
  }
  const { plan, keep, checkpointEvery } = job;
  return new Drain({ store, plan, spans, evictedBelow, keep, checkpointEvery, plug, send, signal }).run();
}

function marksOf(store: Store, job: LifeJob, mark: 'head' | 'synced' | 'appended'): MarkOf[] {
  const index = new StreamIndex(job.plan.streams);
  const marks: MarkOf[] = [];
  for (const stream of store.streams()) {
    const at = index.of(stream.source, stream.sensor);
    if (at !== undefined) marks.push([at, stream.marks[mark]]);
  }
  return marks;
}

/** @returns per stream: `appended` now. */
function tellOpened(store: Store, job: LifeJob, send: Send, durationMs: number): number[] {
  const { retained } = store.stats();
  if (job.first && !job.keep && retained > 0) {
    throw new CliError(
      `--storage ${job.directory}: it holds ${retained} records of an earlier run; give another directory, ` +
        'or --keep to leave them there beside those of this run',
    );
  }
  const appended = marksOf(store, job, 'appended');
  send({
    type: 'opened',
    epoch: store.epoch,
    durationMs,
    heads: marksOf(store, job, 'head'),
    appended,
  });
  const base: number[] = job.plan.streams.map(() => 0);
  for (const [stream, mark] of appended) base[stream] = mark;
  return base;
}

function tellFlushes(store: Store, job: LifeJob, send: Send): void {
  store.on('flushStarted', () => send({ type: 'flushStarted' }));
  store.on('flushFailed', ({ message }) => send({ type: 'flushFailed', message }));
  store.on('flushed', ({ segments, bytes }) => {
    send({ type: 'flushed', segments, bytes, synced: marksOf(store, job, 'synced') });
  });
}
