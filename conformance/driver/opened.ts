/** The answer to an open: what recovery found becomes the model's RECOVERED, and the streams get their handles. */
import { addSpan, coverSpan } from '../../model/spans.ts';
import type { ModelEvent, Range, Span } from '../../model/vocabulary.ts';
import type { Result } from '../../src/core/codes.ts';
import type { Engine } from '../../src/core/engine.ts';
import type { StreamHandle } from '../../src/core/stream-handle.ts';
import { expect } from '../divergence.ts';
import { evictedByRecovery } from '../evicted-by-recovery.ts';
import { readRecovered } from '../refinement.ts';
import { judgeReason } from './reason.ts';
import type { RunState } from './run-state.ts';
import type { UnderWay } from './under-way.ts';

type Recovered = Extract<ModelEvent, { type: 'RECOVERED' }>;

export function opened(run: RunState, call: UnderWay, result: Result<Engine>): void {
  if (!result.ok) {
    const { code, message } = result.failure;
    expect(
      code === 'IO_FAILED' && run.faults.met > call.faultsBefore,
      'INV-18',
      () => `open failed without a cause: ${code}, ${message}`,
    );
    judgeReason('open', code, message);
    run.observe({ type: 'OPEN_FAILED' });
    return;
  }
  const engine = result.value;
  run.engine = engine;
  const inspection = run.inspect(engine);
  let storeId = run.knownIds.indexOf(inspection.storeId) + 1;
  if (storeId === 0) storeId = run.knownIds.push(inspection.storeId);
  const damaged = run.damagedInRecovery.filter((range) => isStillDamaged(run, range, engine));
  run.damagedInRecovery = [];
  for (const range of damaged) run.damageMade.allow(range);
  const mayEvict = run.faults.lacksSpace;
  takeRecovered(run, readRecovered(run.scenario, inspection, storeId, damaged), engine);
  const { damaged: damagedRecords, evicted } = engine.stats();
  run.inRecovery = { damaged: damagedRecords, evicted: mayEvict ? evicted : 0 };
  run.losses.opened(run.model.context.ledger, engine.ledger(), run.disk !== null);
  run.handles = handlesOf(run, engine);
  run.dirty = true;
}

function handlesOf({ scenario }: RunState, engine: Engine): StreamHandle[] {
  return scenario.streams.map(({ source, sensor, kind, periodMs, type, priority }) => {
    const stream = engine.stream({ source, sensor }, { kind, type, priority, ...(kind === 'tsd' ? { periodMs } : {}) });
    expect(
      stream.ok,
      'INV-20',
      () => `stream ${source}/${sensor} is refused: ${stream.ok ? '' : stream.failure.message}`,
    );
    return stream.value;
  });
}

/** Takes RECOVERED into the model, behind an eviction that was done and not announced when only that explains it. */
function takeRecovered(run: RunState, recovered: Recovered, engine: Engine): void {
  const explaining = run.model.enabled(recovered)
    ? isDamageGone(run, engine) && (run.moments.undone(recovered) ?? run.moments.explaining(recovered))
    : run.moments.explaining(recovered);
  if (explaining) run.model.state = explaining;
  const found = run.model.enabled(recovered) || !run.faults.lacksSpace ? recovered : evictInRecovery(run, recovered);
  run.moments.recovered();
  run.faults.opened();
  run.observe(found);
}

/** Whether a stream has less damage than was known before power failed. */
function isDamageGone(run: RunState, engine: Engine): boolean {
  const { streams } = engine.inspect();
  return run.model.context.streams.some(({ damaged }, i) => {
    const key = run.scenario.streams[i];
    const found = streams.find(({ source, sensor }) => source === key?.source && sensor === key.sensor);
    return found !== undefined && found.damaged < damaged;
  });
}

/** A recovery whose log finds no space gives up the oldest segments, as a flush does. */
function evictInRecovery(run: RunState, recovered: Recovered): Recovered {
  const explained = evictedByRecovery(run.model.context, recovered);
  if (explained === null) return recovered;
  run.model.state = explained.state;
  return explained.recovered;
}

/** What an earlier recovery missed may be back: a removal that was not durable is undone by a power cut. */
function isStillDamaged(run: RunState, { stream, from, to }: Range, engine: Engine): boolean {
  const key = run.scenario.streams[stream];
  const found = engine.inspect().streams.find(({ source, sensor }) => source === key?.source && sensor === key.sensor);
  if ((found?.damaged ?? 0) === (run.model.context.streams[stream]?.damaged ?? 0)) return false;
  const { entries, foldedRecords } = engine.ledger();
  const lost = entries.filter(
    ({ source, sensor, reason }) => source === key?.source && sensor === key.sensor && reason === 'damaged',
  );
  return foldedRecords > 0 || coverSpan(lost.reduce<readonly Span[]>(addSpan, []), from, to);
}
