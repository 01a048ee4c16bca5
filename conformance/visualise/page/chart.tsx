/** STATECHART: the machine as it is, with the current state lit, what was never taken dashed, and how often the rest was. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { type ChartTransition, chartOf } from '../../../model/chart.ts';
import type { ModelState } from '../../../model/step.ts';
import type { PlacedTransition } from '../chart-layout.ts';
import { LINE, transitionLabel } from '../chart-metrics.ts';
import { grouped, Panel, plural } from './parts.tsx';

const CHART = chartOf();
const PLACES = new Map(CHART_LAYOUT.transitions.map((each) => [each.id, each]));

export interface Heat {
  readonly name: string;
  /** Per transition; null: the chart without counts. */
  readonly counts: ReadonlyMap<string, number> | null;
  /** Where a state has several ways to take an event, each has the count of all. */
  readonly byEvent?: boolean;
}

const isOneOfSeveral = ({ id, from, event }: ChartTransition): boolean =>
  CHART.transitions.some((other) => other.id !== id && other.from === from && other.event === event);

interface Props {
  /** Null: no state is lit. */
  readonly state: ModelState | null;
  /** Transitions of the step that is shown. */
  readonly taken: readonly string[];
  readonly heats: readonly Heat[];
}

const litPaths = (state: ModelState | null): Set<string> => {
  if (state === null) return new Set();
  if (typeof state.value === 'string') return new Set([state.value]);
  const [[parent, child]] = Object.entries(state.value) as [[string, string]];
  return new Set([parent, `${parent}.${child}`]);
};

interface TransitionProps {
  readonly transition: ChartTransition;
  readonly place: PlacedTransition;
  readonly count: number | null;
  /** The count is that of all ways in which the state takes the event. */
  readonly ofAllWays: boolean;
  readonly taken: boolean;
  readonly picked: boolean;
  readonly onPick: () => void;
}

/** Three widths of arrows are told apart at a glance; more are not. */
const strength = (count: number | null): number =>
  count === null ? 1 : count === 0 ? 1 : count < 10 ? 1.5 : count < 100 ? 2.5 : 3.5;

function Transition({ transition, place, count, ofAllWays, taken, picked, onPick }: TransitionProps) {
  const { id, from, to } = transition;
  const never = count === 0;
  const counted = count === null ? '' : never ? ' never' : ` ${ofAllWays ? 'Σ' : '×'}${grouped(count)}`;
  // What is read aloud begins with what is written.
  const label = `${transitionLabel(transition)}${counted}, ${to === null ? `stays in ${from}` : `from ${from} to ${to}`}`;
  const classes = ['transition', never ? 'never' : '', taken ? 'taken' : '', picked ? 'picked' : ''].join(' ');
  return (
    <g class={classes} data-transition={id} data-count={count ?? ''} data-taken={taken}>
      {place.points.length > 0 ? (
        <polyline
          points={place.points.map((point) => point.join()).join(' ')}
          stroke-width={strength(count)}
          marker-end={taken ? 'url(#arrow-lit)' : 'url(#arrow)'}
        />
      ) : null}
      {/* biome-ignore lint/a11y/useSemanticElements: a part of an SVG drawing cannot be an HTML button */}
      <g
        role="button"
        tabindex={0}
        aria-pressed={picked}
        aria-label={label}
        onClick={onPick}
        onKeyDown={(pressed) => {
          if (pressed.key !== 'Enter' && pressed.key !== ' ') return;
          pressed.preventDefault();
          onPick();
        }}
      >
        <rect class="hit" x={place.x - 3} y={place.y} width={place.width} height={LINE} rx="3" />
        <text x={place.x} y={place.y + 13}>
          {transitionLabel(transition)}
          <tspan class="count">{counted}</tspan>
        </text>
      </g>
    </g>
  );
}

function Details({ transition }: { transition: ChartTransition }) {
  const { from, event, to, guards, actions, way } = transition;
  return (
    <div class="details" role="status">
      <p>
        <b>{event}</b> in {from}
        {to === null ? ', stays' : ` → ${to}`}
        {way === 0 ? '' : `; tried when ${plural(way, 'way')} before it said no`}
      </p>
      <p>guards: {guards.length === 0 ? 'none' : guards.join(', ')}</p>
      <p>actions: {actions.length === 0 ? 'none' : actions.join(', ')}</p>
    </div>
  );
}

/** Scrolls the drawing, not the page, so that the lit state is seen. */
function useLitInView(path: string) {
  const frame = useRef<HTMLElement>(null);
  useEffect(() => {
    const box = frame.current;
    const lit = box?.querySelector(`[data-state="${path}"]`);
    if (box == null || lit == null) return;
    const [outer, inner] = [box.getBoundingClientRect(), lit.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom)
      box.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
    if (inner.left < outer.left || inner.right > outer.right)
      box.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
  }, [path]);
  return frame;
}

export function Statechart({ state, taken, heats }: Props) {
  const chosen = useSignal(0);
  const picked = useSignal<string | null>(null);
  const whole = useSignal(false);
  const heat = heats[chosen.value] ?? heats[0];
  const counts = heat?.counts ?? null;
  const lit = litPaths(state);
  const frame = useLitInView([...lit].at(-1) ?? '');
  const details = CHART.transitions.find(({ id }) => id === picked.value);
  return (
    <Panel id="chart" title="Statechart" note={state === null ? '' : `now in ${[...lit].at(-1)}`}>
      <div class="tools">
        <label>
          counts{' '}
          <select value={chosen.value} onChange={(event) => (chosen.value = Number(event.currentTarget.value))}>
            {heats.map(({ name }, i) => (
              <option key={name} value={i}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <input type="checkbox" checked={whole.value} onChange={() => (whole.value = !whole.value)} /> whole drawing
        </label>
        <span class="key">
          <i class="swatch lit" /> now here, <i class="swatch dashed" /> never taken
        </span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard */}
      <section class="chart-frame" ref={frame} tabIndex={0} aria-label="drawing of the machine" data-scrolls>
        <svg
          class={whole.value ? 'chart whole' : 'chart'}
          width={CHART_LAYOUT.width + 16}
          height={CHART_LAYOUT.height + 8}
          viewBox={`-4 -4 ${CHART_LAYOUT.width + 16} ${CHART_LAYOUT.height + 8}`}
        >
          <title>states and transitions of the machine</title>
          <defs>
            {['arrow', 'arrow-lit'].map((id) => (
              <marker
                key={id}
                id={id}
                viewBox="0 0 8 8"
                refX="7"
                refY="4"
                markerWidth="8"
                markerHeight="8"
                markerUnits="userSpaceOnUse"
                orient="auto"
              >
                <path d="M0 0 L8 4 L0 8 z" />
              </marker>
            ))}
          </defs>
          {CHART_LAYOUT.states.map(({ path, x, y, width, height }) => (
            <g key={path} class={lit.has(path) ? 'state lit' : 'state'} data-state={path} data-lit={lit.has(path)}>
              <rect x={x} y={y} width={width} height={height} rx="8" />
              <text class="name" x={x + 8} y={y + 17}>
                {lit.has(path) ? '● ' : ''}
                {path.split('.').at(-1)}
              </text>
            </g>
          ))}
          {CHART.transitions.map((transition) => (
            <Transition
              key={transition.id}
              transition={transition}
              place={PLACES.get(transition.id) as PlacedTransition}
              ofAllWays={heat?.byEvent === true && isOneOfSeveral(transition)}
              count={counts === null ? null : (counts.get(transition.id) ?? 0)}
              taken={taken.includes(transition.id)}
              picked={picked.value === transition.id}
              onPick={() => (picked.value = picked.value === transition.id ? null : transition.id)}
            />
          ))}
        </svg>
      </section>
      {details === undefined ? (
        <p class="quiet">Press a transition for its guards and actions. There are {CHART.transitions.length}.</p>
      ) : (
        <Details transition={details} />
      )}
    </Panel>
  );
}
