/** PLACEMENT: one lane a stream, cut at its marks, disk apart from RAM, what changed outlined. */
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { pendingOf, retainedOf, unreadOf, unsyncedOf } from '../../../model/queries.ts';
import type { Bounds, Context, StreamState } from '../../../model/vocabulary.ts';
import { syncedMark } from '../../../model/vocabulary.ts';
import { piecesOf, pixelOf } from '../shared/placement.ts';
import { Panel, plural } from './parts.tsx';
import type { Run } from './store.ts';

interface Props {
  readonly context: Context;
  /** The state before it, to outline what changed. */
  readonly before: Context | null;
  /** The engine's own, at the step at which it is somewhere else. */
  readonly engine?: Context | null;
  readonly keys: Run['keys'];
  /** Per stream: the sequence number that its lane begins with. */
  readonly origins: readonly number[];
  /** Records that the longest lane shows. */
  readonly longest: number;
}

const MARKS = [
  ['head', '▲', ({ head }: StreamState) => head],
  ['read', '◆', ({ read }: StreamState) => read],
  ['synced', '■', syncedMark],
  ['appended', '●', ({ appended }: StreamState) => appended],
] as const;

export function streamName(keys: Run['keys'], bounds: Bounds, index: number): string {
  const key = keys[index];
  const { source = '?', kind = '?' } = bounds.streams[index] ?? {};
  return `stream ${index} · ${source}${key === undefined ? '' : `/${key.sensor}`} · ${kind}`;
}

/** Width of an element in whole pixels, kept up to date. */
function useWidth(): [{ readonly current: HTMLDivElement | null }, number] {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return;
    const measure = (): void => setWidth(Math.floor(current.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

interface MarkProps {
  readonly name: string;
  readonly glyph: string;
  readonly at: number;
  readonly was: number;
  /** Where the engine has it, at a failing step; null when there is nothing to compare. */
  readonly engine: number | null;
}

function Mark({ name, glyph, at, was, engine }: MarkProps) {
  const changed = at !== was;
  const by = at - was;
  return (
    <span class={changed ? 'mark changed' : 'mark'} data-mark={name}>
      <span aria-hidden="true">{glyph}</span> {name} <b>{at}</b>
      {changed ? <small> {by > 0 ? `+${by}` : by}</small> : null}
      {engine === null || engine === at ? null : <strong class="apart"> ≠ engine {engine}</strong>}
    </span>
  );
}

interface LaneProps {
  readonly name: string;
  readonly stream: StreamState;
  readonly was: StreamState;
  readonly engine: StreamState | null;
  readonly from: number;
  readonly to: number;
  readonly index: number;
}

function Lane({ name, stream, was, engine, from, to, index }: LaneProps) {
  const [element, pixels] = useWidth();
  const pieces = piecesOf(stream, from, to, pixels);
  const words = `${plural(pendingOf(stream), 'record')} pending, ${unreadOf(stream)} unread; ${retainedOf(stream) - unsyncedOf(stream)} on disk, ${unsyncedOf(stream)} in RAM`;
  return (
    <li class="lane" data-stream={index}>
      <h3>{name}</h3>
      <div class="bar" ref={element} data-pixels={pixels} role="img" aria-label={`${name}: ${words}`}>
        {pieces.map(({ from: begin, to: end, reader, place, left, width }) => (
          <span
            key={`${begin}-${reader}`}
            class={`piece ${reader} ${place}`}
            style={{ left: `${left}px`, width: `${width}px` }}
            data-from={begin}
            data-to={end}
            data-reader={reader}
            data-place={place}
          />
        ))}
        {stream.holes.map((hole) => (
          <span
            key={`hole ${hole.from}`}
            class="hole"
            style={{
              left: `${pixelOf(hole.from, from, to, pixels)}px`,
              width: `${Math.max(2, pixelOf(hole.to, from, to, pixels) - pixelOf(hole.from, from, to, pixels))}px`,
            }}
          />
        ))}
        {MARKS.map(([mark, , of]) => (
          <span key={mark} class={`tick ${mark}`} style={{ left: `${pixelOf(of(stream), from, to, pixels)}px` }} />
        ))}
      </div>
      <p class="marks">
        {MARKS.map(([mark, glyph, of]) => (
          <Mark
            key={mark}
            name={mark}
            glyph={glyph}
            at={of(stream)}
            was={of(was)}
            engine={engine === null ? null : of(engine)}
          />
        ))}
        <span class="quiet">{words}</span>
      </p>
    </li>
  );
}

/** Lanes drawn at once; a store may have thousands of streams. */
const LANES_MAX = 48;

export function Placement({ context, before, engine = null, keys, origins, longest }: Props) {
  const zoomed = useSignal(false);
  const wanted = useSignal('');
  const { streams, bounds } = context;
  const named = streams.map((stream, index) => ({ stream, index, name: streamName(keys, bounds, index) }));
  const chosen = named.filter(({ name }) => name.includes(wanted.value));
  const span = Math.max(
    1,
    zoomed.value ? Math.max(0, ...streams.map(({ head, appended }) => appended - head)) : longest,
  );
  const fromOf = (stream: StreamState, index: number): number => (zoomed.value ? stream.head : (origins[index] ?? 0));
  return (
    <Panel id="placement" title="Placement" note="what the reader has done × what holds it">
      <div class="tools">
        <label>
          <input type="checkbox" checked={zoomed.value} onChange={() => (zoomed.value = !zoomed.value)} /> only what is
          retained
        </label>
        {streams.length > 8 ? (
          <label>
            streams named{' '}
            <input type="text" value={wanted.value} onInput={(event) => (wanted.value = event.currentTarget.value)} />
          </label>
        ) : null}
        <span class="key">
          <i class="swatch erased gone" /> erased <i class="swatch pending disk" /> pending{' '}
          <i class="swatch unread disk" /> unread; solid: on disk, <i class="swatch unread ram" /> striped: in RAM,{' '}
          <i class="swatch holes" /> hole
        </span>
      </div>
      <ul class="lanes">
        {chosen.slice(0, LANES_MAX).map(({ stream, index, name }) => (
          <Lane
            key={index}
            name={name}
            stream={stream}
            was={before?.streams[index] ?? stream}
            engine={engine?.streams[index] ?? null}
            from={fromOf(stream, index)}
            to={fromOf(stream, index) + span}
            index={index}
          />
        ))}
      </ul>
      {chosen.length > LANES_MAX ? (
        <p class="quiet">{chosen.length - LANES_MAX} more streams; name some above.</p>
      ) : null}
      {streams.length === 0 ? <p class="quiet">The store has no stream yet.</p> : null}
    </Panel>
  );
}
