/** Stores for tests that go step by step with the model, and the one sentence that a divergence becomes. */
import type { Profile, Scenario, ScenarioStream } from '../actions.ts';
import type { Divergence } from '../divergence.ts';
import { quotaBytesMin } from '../refinement.ts';
import { HarnessFailure } from './bench.ts';

const STREAMS: readonly ScenarioStream[] = [
  { source: 'host', sensor: 1, kind: 'tsd', periodMs: 1_000, type: 'uint32', priority: 9 },
  { source: 'mgc', sensor: 1, kind: 'evt', periodMs: 0, type: 'int32', priority: 1 },
  { source: 'can_controller', sensor: 7, kind: 'evt', periodMs: 0, type: 'float32', priority: 5 },
];

/** A small store of so many streams. @param quotas its quota, as a multiple of the least one. */
export function scenarioOf(profile: Profile, streams = 3, sectors = 8, quotas = 4): Scenario {
  return {
    profile,
    mode: profile === 'wiced' ? 'ram' : 'disk',
    streams: STREAMS.slice(0, streams),
    sectors,
    sectorBytes: 32,
    quotaBytes: quotas * quotaBytesMin(sectors, 32),
    whenDiskFull: 'evict-oldest',
    durableAcknowledge: false,
  };
}

/** @throws HarnessFailure when model and engine have parted. */
export function mustAgree(what: string, failure: Pick<Divergence, 'breaks' | 'message'> | null): void {
  if (failure === null) return;
  throw new HarnessFailure(what, 'the engine where the model is', `${failure.breaks}: ${failure.message}`);
}
