/**
 * Reads over all streams: when they take effect in the model, and what their batches must give.
 *
 * The marks of all streams move in one instant, so which record went to which of two reads that overlap could not be told
 * from the marks alone: while one of these is under way no other read is begun, and the other way round. Everything else
 * goes on beside it.
 */
import { expectedOldest, isOpen, step } from '../../model/step.ts';
import type { ModelEvent } from '../../model/vocabulary.ts';
import type { StoreBatch } from '../../src/core/store-batch.ts';
import { expect } from '../divergence.ts';
import type { RunState } from './run-state.ts';
import type { UnderWay } from './under-way.ts';

/** Whether a read of one stream may begin now. */
export const oldestUnderWay = (run: RunState): boolean => run.underWay.some(({ what }) => what === 'readOldest');

/** Whether a read over all streams may begin now. */
export const readsUnderWay = (run: RunState): boolean =>
  run.underWay.some(({ what }) => what === 'read' || what === 'peek' || what === 'readOldest');

/** Takes the read into the model when it has been answered, or when all marks stand where it would put them. */
export function linearizeOldest(run: RunState, call: UnderWay, onlyAnswered: boolean): void {
  if (call.expectedRuns !== null) return;
  if (call.answered !== null) {
    if ('result' in call.answered && call.answered.result.ok) takeOldest(run, call);
    return;
  }
  if (onlyAnswered || !isOpen(run.model.state)) return;
  const { streams } = run.model.context;
  const after = step(run.model.state, eventOf(run, call)).context.streams;
  const moves = streams.some(({ read }, i) => read !== after[i]?.read);
  if (moves && after.every(({ read }, i) => read === run.handle(i)?.marks().read)) takeOldest(run, call);
}

function takeOldest(run: RunState, call: UnderWay): void {
  const event = eventOf(run, call);
  call.expectedRuns = expectedOldest(run.model.state, event);
  run.observe(event);
}

/** The read as the model knows it: with the order of the store's streams where that is not the scenario's. */
function eventOf({ engine, scenario }: RunState, { max }: UnderWay): Extract<ModelEvent, { type: 'READ_OLDEST' }> {
  const order = (engine?.streams() ?? []).map((handle) =>
    scenario.streams.findIndex(({ source, sensor }) => source === handle.source && sensor === handle.sensor),
  );
  return order.every((stream, at) => stream === at)
    ? { type: 'READ_OLDEST', max }
    : { type: 'READ_OLDEST', max, order: order.filter((stream) => stream >= 0) };
}

/** Every record, with its stream, in the order of the model. */
export function judgeOldest(run: RunState, call: UnderWay, batch: StoreBatch): void {
  if (call.expectedRuns === null) takeOldest(run, call);
  const due = (call.expectedRuns ?? []).flatMap(({ stream, records }) =>
    records.map((record) => ({ stream, ...record })),
  );
  expect(
    batch.length === due.length,
    'INV-03',
    () => `readOldest gave ${batch.length} records, the model ${due.length}`,
  );
  for (let i = 0; i < batch.runCount; i++) {
    const { source, sensor, type, offset, length } = batch.run(i);
    for (let at = offset; at < offset + length; at++) {
      const record = due[at];
      const stream = run.scenario.streams[record?.stream ?? -1];
      const rightStream = stream?.source === source && stream.sensor === sensor && stream.type === type;
      const same =
        batch.sequences[at] === record?.sequence &&
        batch.epochs[at] === record?.epoch &&
        batch.bits[at] === record?.valueBits &&
        batch.timesMs[at] === record?.timeMs;
      expect(
        rightStream && same,
        rightStream ? 'INV-03' : 'INV-06',
        () =>
          `readOldest: record ${at} is ${source}/${sensor} sequence ${batch.sequences[at]} bits ${batch.bits[at]} time ` +
          `${batch.timesMs[at]} epoch ${batch.epochs[at]}, the model has stream ${record?.stream} sequence ` +
          `${record?.sequence} bits ${record?.valueBits} time ${record?.timeMs} epoch ${record?.epoch}`,
      );
    }
  }
}
