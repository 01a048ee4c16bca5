/** GAUGES and SEGMENTS: how full the pool and the disk are, what a power cut would take, and what lies on the disk. */
import { unsyncedOf } from '../../../model/queries.ts';
import type { Context, Range } from '../../../model/vocabulary.ts';
import type { CrashFacts } from '../page-data.ts';
import { grouped, Panel, plural } from './parts.tsx';

interface GaugeProps {
  readonly name: string;
  readonly value: number;
  readonly most: number;
  /** Where a mark stands on it, and what it means. */
  readonly mark?: { readonly at: number; readonly label: string };
  readonly words: string;
}

function Gauge({ name, value, most, mark, words }: GaugeProps) {
  const share = most === 0 ? 0 : Math.min(100, (100 * value) / most);
  return (
    <div class="gauge">
      <div class="row">
        <b>{name}</b> <span>{words}</span>
      </div>
      <div class="meter" role="img" aria-label={`${name}: ${words}`} data-gauge={name} data-value={value}>
        <span class={mark !== undefined && value >= mark.at ? 'fill over' : 'fill'} style={{ width: `${share}%` }} />
        {mark === undefined || most === 0 ? null : <span class="at" style={{ left: `${(100 * mark.at) / most}%` }} />}
      </div>
      {mark === undefined ? null : <small class="quiet">{mark.label}</small>}
    </div>
  );
}

/** Small scopes count segments, which weigh 1, and not bytes. */
const bytesWords = (bytes: number): string => {
  if (bytes < 4_096) return grouped(bytes);
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(0)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
};

const riskWords = (atRisk: number, isRunning: boolean): string => {
  if (atRisk === 0) return 'none';
  return `${grouped(atRisk)}: ${isRunning ? 'a power cut now takes them' : 'recovery will say which came through'}`;
};

interface GaugesProps {
  readonly context: Context;
  /** The store has something in RAM. */
  readonly isRunning: boolean;
  /** As the engine counts it; absent: the sum of the segments. */
  readonly diskBytes?: number;
}

export function Gauges({ context, isRunning, diskBytes }: GaugesProps) {
  const { bounds, free, segments, streams, flushRequested, retryWaiting, flush } = context;
  const used = bounds.sectors - free;
  const bytes = diskBytes ?? segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const atRisk = streams.reduce((sum, stream) => sum + unsyncedOf(stream), 0);
  return (
    <Panel id="gauges" title="Gauges">
      <Gauge
        name="pool"
        value={used}
        most={bounds.sectors}
        mark={{
          at: bounds.flushAtSectors,
          label: bounds.disk
            ? `flush asked for at ${bounds.flushAtSectors} sectors (80 %)`
            : 'at 100 % the oldest sector goes',
        }}
        words={`${used} of ${plural(bounds.sectors, 'sector')}, ${((100 * used) / bounds.sectors).toFixed(0)} %`}
      />
      {bounds.disk ? (
        <Gauge
          name="disk"
          value={bytes}
          most={bounds.quotaBytes}
          words={`${bytesWords(bytes)} of ${bytesWords(bounds.quotaBytes)}`}
        />
      ) : null}
      <p class="row" data-at-risk={atRisk}>
        <b>records at risk</b> <span>{riskWords(atRisk, isRunning)}</span>
      </p>
      <p class="row">
        <b>flush</b>
        <span>
          {flush === null ? 'none runs' : flush.emergency ? 'emergency flush runs' : 'runs'}
          {flushRequested ? ', asked for' : ''}
          {retryWaiting ? ', retry waits' : ''}
        </span>
      </p>
      <p class="row">
        <b>lost so far</b>
        <span>
          {grouped(streams.reduce((sum, { evicted }) => sum + evicted, 0))} evicted,{' '}
          {grouped(streams.reduce((sum, { damaged }) => sum + damaged, 0))} damaged, all in the ledger
        </span>
      </p>
    </Panel>
  );
}

/** Share of the block that is still wanted, and whether it was found damaged. */
function blockWords(context: Context, { stream, from, to }: Range): { words: string; kind: string } {
  const of = context.streams[stream];
  const hole = of?.holes.some((each) => each.from <= Math.max(from, of.head) && to <= each.to) === true;
  const range = `stream ${stream} [${from}, ${to})`;
  if (of === undefined) return { words: range, kind: 'live' };
  if (hole) return { words: `${range} damaged`, kind: 'damaged' };
  return to <= of.head ? { words: `${range} erased`, kind: 'dead' } : { words: range, kind: 'live' };
}

interface Shown {
  readonly range: Range;
  readonly kind: string;
  readonly words: string;
  readonly blocks: number;
}

/** Blocks of one stream and kind that go on from each other are shown as one. */
function joined(context: Context, blocks: readonly Range[]): Shown[] {
  const found: Shown[] = [];
  for (const block of blocks) {
    const last = found[found.length - 1];
    const { kind } = blockWords(context, block);
    const goesOn = last?.range.stream === block.stream && last.range.to === block.from && last.kind === kind;
    const range = goesOn ? { ...last.range, to: block.to } : block;
    const count = goesOn ? last.blocks + 1 : 1;
    if (goesOn) found.pop();
    const { words } = blockWords(context, range);
    found.push({ range, kind, blocks: count, words: count === 1 ? words : `${words} in ${count} blocks` });
  }
  return found;
}

const SEGMENTS_SHOWN = 24;

export function Segments({ context, crash }: { readonly context: Context; readonly crash: CrashFacts | null }) {
  const { segments, streams } = context;
  const holes = streams.flatMap((stream, i) => stream.holes.map((hole) => `stream ${i} [${hole.from}, ${hole.to})`));
  const torn = crash?.files.filter((file) => file.torn).map(({ name }) => name) ?? [];
  return (
    <Panel
      id="segments"
      title="Segments"
      note={segments.length === 0 ? 'nothing is on disk' : plural(segments.length, 'live segment')}
    >
      <ol class="segments">
        {segments.slice(-SEGMENTS_SHOWN).map(({ number, source, bytes, blocks }) => (
          <li key={number}>
            <b>{number}</b> {source}, {bytesWords(bytes)}
            <ul>
              {joined(context, blocks).map(({ words, kind }) => (
                <li key={words} class={`block ${kind}`}>
                  {words}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
      {segments.length > SEGMENTS_SHOWN ? <p class="quiet">and {segments.length - SEGMENTS_SHOWN} older ones</p> : null}
      <p class="row">
        <b>holes</b> <span>{holes.length === 0 ? 'none' : holes.join(', ')}</span>
      </p>
      {crash === null ? null : (
        <p class="row">
          <b>torn</b> <span>{torn.length === 0 ? 'no file' : torn.join(', ')}</span>
        </p>
      )}
    </Panel>
  );
}
