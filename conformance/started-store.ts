/**
 * A store whose streams have a long past: everything up to `startsAt` was appended, delivered and acknowledged before the
 * run begins. So sequence numbers of 2^16 and 2^32 are reached without as many appends.
 *
 * Nothing in the engine knows of it. The disk holds the checkpoint log that such a store leaves behind, in the engine's
 * documented format (docs/format.md), and the model begins closed with the same marks; if the engine read anything else
 * out of the log, its first RECOVERED would be refused.
 */
import { newContext } from '../model/initial.ts';
import type { ModelState } from '../model/step.ts';
import { initialState, stateOf } from '../model/step.ts';
import type { Bounds, StreamState } from '../model/vocabulary.ts';
import { FrameList, partName, placeBatch } from '../src/core/checkpoint-format.ts';
import { encodeMarks, encodeStore, encodeStream } from '../src/core/checkpoint-image.ts';
import { SOURCE_DIRECTORIES } from '../src/core/port.ts';
import { shapeOf } from '../src/core/sector-pool.ts';
import { VALUE_TYPES } from '../src/core/types.ts';
import type { Scenario } from './actions.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

const EPOCH = 1;
const GENERATION = 1;
const PART_BYTES = 8_192;

const startOf = (scenario: Scenario, stream: number): number => scenario.streams[stream]?.startsAt ?? 0;

export const hasPast = ({ streams }: Scenario): boolean => streams.some(({ startsAt }) => (startsAt ?? 0) > 0);

/** Puts the log there that the store's past has left. */
export function placePast(scenario: Scenario, disk: SimulatedDisk, storeId: Uint8Array): void {
  const list = new FrameList();
  const totals = { nextSegment: 1, nextFlush: 1, foldedRecords: 0, bytesWrittenTotal: 0, syncsTotal: 0 };
  encodeStore(list, { epoch: EPOCH, clean: true, ...totals });
  scenario.streams.forEach(({ source, sensor, kind, type, periodMs, priority }, slot) => {
    const shape = shapeOf(SOURCE_DIRECTORIES.indexOf(source), kind === 'evt', VALUE_TYPES.indexOf(type));
    encodeStream(list, { slot, shape, sensor, periodMs, priority });
  });
  scenario.streams.forEach((_, slot) => {
    const mark = startOf(scenario, slot);
    encodeMarks(list, { slot, head: mark, synced: mark, discarded: 0, evicted: 0, damaged: 0, holes: [] });
  });
  const nowhere = { part: 0, offset: 0, allocated: 0 };
  const { placements } = placeBatch(list.finish(), storeId, GENERATION, 0, nowhere, PART_BYTES);
  for (const { part, bytes } of placements) disk.place('', partName(GENERATION, part), bytes);
}

/** The model before the first step of a run of the scenario. */
export const firstState = (scenario: Scenario, bounds: Bounds): ModelState =>
  scenario.profile === 'linux' && hasPast(scenario) ? stateWithPast(scenario, bounds) : initialState(bounds);

/** The model of the store with that past, closed. Its store id is the first one there is. */
function stateWithPast(scenario: Scenario, bounds: Bounds): ModelState {
  const context = newContext(bounds);
  const streams = context.streams.map((stream, i): StreamState => {
    const mark = startOf(scenario, i);
    const marks = { head: mark, read: mark, synced: mark, appended: mark, durableHead: mark, acknowledged: mark };
    return { ...stream, ...marks, identities: mark === 0 ? [] : [{ storeId: 1, epoch: EPOCH, from: 0, to: mark }] };
  });
  return stateOf('closed', { ...context, storeId: 1, epoch: EPOCH, streams });
}
