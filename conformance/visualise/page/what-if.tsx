/** WHAT IF: every event that the model takes here as a button; one that it refuses names the guard, with its values. */
import type { ModelState } from '../../../model/step.ts';
import { crashPointsIn, offersIn } from '../shared/offers.ts';
import { Panel, plural } from './parts.tsx';
import { traceStep, whatIf } from './store.ts';

export function WhatIf({ state }: { readonly state: ModelState }) {
  const offers = offersIn(state);
  const enabled = offers.filter((offer) => offer.enabled);
  const refused = offers.filter((offer) => !offer.enabled);
  const points = crashPointsIn(state);
  const underWay = traceStep.value?.underWay ?? [];
  return (
    <Panel
      id="what-if"
      title="What if"
      note="the real model runs here; what you try becomes a fork, the run stays as it was"
    >
      <h3>{plural(enabled.length, 'event')} that the model takes</h3>
      <div class="offers">
        {enabled.map(({ label, event }) => (
          <button
            key={label}
            type="button"
            data-offer={JSON.stringify(event)}
            data-event={event.type}
            onClick={() => whatIf(label, [event])}
          >
            {label}
          </button>
        ))}
      </div>
      {points.length === 0 ? null : (
        <>
          <h3>Power fails, by I/O step, and the store is opened again</h3>
          {underWay.length === 0 ? null : <p class="quiet">The engine has under way: {underWay.join('; ')}.</p>}
          <div class="offers">
            {points.map(({ label, events }) => (
              <button
                key={label}
                type="button"
                data-crash-point={label}
                onClick={() => whatIf(`crash: ${label}`, events)}
              >
                ⚡ {label}
              </button>
            ))}
          </div>
        </>
      )}
      <details>
        <summary>{plural(refused.length, 'event')} that it refuses, and which guard says no</summary>
        <ul class="refused">
          {refused.map(({ label, event, refusal }) => (
            <li key={label} data-refused={event.type}>
              <button type="button" disabled>
                {label}
              </button>{' '}
              <span data-refusal>{refusal}</span>
            </li>
          ))}
        </ul>
      </details>
    </Panel>
  );
}
