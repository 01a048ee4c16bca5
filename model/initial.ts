/** The state before anything happened: a store that was never opened. */
import type { Bounds, Context, StreamState } from './vocabulary.ts';
import { ZERO_COUNTERS } from './vocabulary.ts';

const NEW_STREAM: StreamState = {
  head: 0,
  read: 0,
  synced: 0,
  appended: 0,
  durableHead: 0,
  acknowledged: 0,
  discarded: 0,
  evicted: 0,
  damaged: 0,
  forgiven: 0,
  holes: [],
  records: [],
  sectors: [],
  lastTimeMs: null,
  offered: [],
  identities: [],
};

export const newContext = (bounds: Bounds): Context => ({
  bounds,
  storeId: 0,
  epoch: 0,
  attempts: 0,
  streams: bounds.streams.map(() => NEW_STREAM),
  free: bounds.sectors,
  nextOrdinal: 0,
  flush: null,
  flushRequested: false,
  retryWaiting: false,
  segments: [],
  lastSegment: 0,
  ledger: [],
  counters: ZERO_COUNTERS,
});
