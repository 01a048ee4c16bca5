/**
 * The form of an action: it answers with the part of the context that changes.
 *
 * The machine says in which order the actions of an event run, and each sees what the ones before it did. None decides
 * whether the event may happen: that is what guards are for.
 */
import type { Context, Counters, Loss, ModelEvent, StreamIndex, StreamState } from '../vocabulary.ts';
import { LEDGER_MAX } from '../vocabulary.ts';

export type Change = Partial<Context>;
export type Action = (context: Context, event: ModelEvent) => Change;

export const NOTHING: Change = {};

/** Streams that a rule leaves alone stay the same objects: what did not change can be seen at a glance. */
export function mapStreams(context: Context, rule: (stream: StreamState, index: StreamIndex) => StreamState): Change {
  const streams = context.streams.map(rule);
  return streams.every((stream, i) => stream === context.streams[i]) ? NOTHING : { streams };
}

export const changeStream = (context: Context, index: StreamIndex, part: Partial<StreamState>): Change => ({
  streams: context.streams.map((stream, i) => (i === index ? { ...stream, ...part } : stream)),
});

export const count = ({ counters }: Context, name: keyof Counters, by: number): Change =>
  by === 0 ? NOTHING : { counters: { ...counters, [name]: counters[name] + by } };

/** Writes losses into the ledger, the oldest entries giving way. */
export const enterLosses = ({ ledger }: Context, losses: readonly Loss[]): Change =>
  losses.length === 0 ? NOTHING : { ledger: [...ledger, ...losses].slice(-LEDGER_MAX) };

export const lostRecords = (losses: readonly Loss[]): number => losses.reduce((sum, { records }) => sum + records, 0);
