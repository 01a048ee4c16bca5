/** The view of a running store: placement, gauges, segments and invariants as it works, and what became of it. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ModelState } from '../../../model/step.ts';
import type { LiveSnapshot } from '../../../src/live.ts';
import type { LivePage } from '../page-data.ts';
import type { LiveState } from '../shared/live-state.ts';
import { liveState } from '../shared/live-state.ts';
import { Statechart } from './chart.tsx';
import { Gauges, Segments } from './gauges.tsx';
import { Invariants } from './invariants.tsx';
import { grouped, Panel } from './parts.tsx';
import { Placement } from './placement.tsx';

type Connection = 'waiting' | 'live' | 'closed' | 'gone';

const WORDS: Readonly<Record<Connection, string>> = {
  waiting: '… waiting for the store',
  live: '● live',
  closed: '■ the store is closed; this is its last state',
  gone: '✕ the store has gone without closing, or its process has; this is the last that was seen',
};

const connection = signal<Connection>('waiting');
const shown = signal<(LiveState & { readonly snapshot: LiveSnapshot }) | null>(null);
/** The state before the shown one, to outline what changed. */
const before = signal<ModelState | null>(null);

function take(text: string): void {
  const snapshot = JSON.parse(text) as LiveSnapshot;
  before.value = shown.value?.state ?? null;
  shown.value = { ...liveState(snapshot), snapshot };
  connection.value = 'live';
}

function listen({ events }: LivePage): () => void {
  const source = new EventSource(events);
  source.addEventListener('snapshot', (event) => take(event.data as string));
  source.addEventListener('closed', () => (connection.value = 'closed'));
  source.addEventListener('ended', () => (connection.value = 'gone'));
  source.addEventListener('gone', () => {
    if (connection.value === 'live') connection.value = 'gone';
  });
  // The page's own server has stopped; the browser goes on asking for it.
  source.addEventListener('error', () => {
    if (connection.value === 'live') connection.value = 'gone';
  });
  return () => source.close();
}

function Figures({ stats }: Pick<LiveSnapshot, 'stats'>) {
  const rows = Object.entries(stats).filter(([, value]) => typeof value === 'number');
  return (
    <Panel id="figures" title="Figures" note="since it was opened, unless the name says total">
      <dl class="figures">
        {rows.map(([name, value]) => (
          <div key={name} data-figure={name}>
            <dt>{name}</dt>
            <dd>{Number.isInteger(value) ? grouped(value as number) : (value as number).toFixed(1)}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function State({ state, keys, verdicts, asked, snapshot }: NonNullable<typeof shown.value>) {
  const { context } = state;
  const { inspection, stats } = snapshot;
  const longest = Math.max(0, ...context.streams.map(({ head, appended }) => appended - head));
  const last = before.value?.context ?? null;
  const same = last?.streams.length === context.streams.length ? last : null;
  return (
    <div class="panels shown-live">
      <Placement
        context={context}
        before={same}
        keys={keys}
        origins={context.streams.map(({ head }) => head)}
        longest={longest}
      />
      <Gauges context={context} isRunning={typeof state.value === 'object'} diskBytes={inspection.diskBytes} />
      <Invariants
        bounds={context.bounds}
        verdicts={verdicts}
        strips={null}
        now={0}
        count={1}
        only={asked}
        note={`${asked.length} can be asked of a running store; the rest is the conformance run's`}
      />
      <Segments context={context} crash={null} />
      <Figures stats={stats} />
      <Statechart state={state} taken={[]} heats={[{ name: 'off', counts: null }]} />
    </div>
  );
}

export function LiveView({ page }: { readonly page: LivePage }) {
  useEffect(() => {
    document.documentElement.dataset.ready = String(Math.round(performance.now()));
    return listen(page);
  }, [page]);
  const now = shown.value;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
    <main tabIndex={0} data-scrolls>
      <p class={`connection ${connection.value}`} role="status" data-connection={connection.value}>
        {WORDS[connection.value]}
        {now === null
          ? ''
          : ` · ${page.name} · store ${now.snapshot.inspection.storeId.slice(0, 8)} · epoch ${now.snapshot.inspection.epoch} · ${now.snapshot.inspection.lifecycle}`}
      </p>
      {now === null ? null : <State {...now} />}
    </main>
  );
}
