/** INVARIANTS: formula, truth over the steps as a strip, truth now, and why one fails. */
import type { ComponentChildren } from 'preact';
import type { Invariant } from '../../../model/invariants/index.ts';
import type { Bounds } from '../../../model/vocabulary.ts';
import type { Truth, Verdict } from '../shared/verdicts.ts';
import { invariantsOf } from '../shared/verdicts.ts';
import { Panel, plural } from './parts.tsx';

/** A sign and a word for each truth: never colour alone. */
export const TRUTH: Readonly<Record<Truth, { readonly sign: string; readonly word: string }>> = {
  holds: { sign: '✓', word: 'holds' },
  idle: { sign: '·', word: 'no say' },
  fails: { sign: '✕', word: 'FAILS' },
};

/** Heights tell the truths apart too: a full bar, half a bar, a line. */
const SHAPE: Readonly<Record<Truth, readonly [y: number, height: number]>> = {
  holds: [4, 8],
  idle: [7, 2],
  fails: [0, 16],
};

/** The truth of one invariant over the steps: an outline a truth, and the same in words. */
export interface Strip {
  readonly outlines: readonly (readonly [Truth, string])[];
  readonly words: string;
}

/** @param truths of the steps that are judged, from the first. */
export function stripOf(truths: readonly Truth[]): Strip {
  const outlines: Record<Truth, string> = { holds: '', idle: '', fails: '' };
  const counts: Record<Truth, number> = { holds: 0, idle: 0, fails: 0 };
  for (let from = 0; from < truths.length; ) {
    const truth = truths[from] as Truth;
    let to = from + 1;
    while (truths[to] === truth) to++;
    const [y, height] = SHAPE[truth];
    outlines[truth] += `M${from} ${y}H${to}v${height}H${from}z`;
    counts[truth] += to - from;
    from = to;
  }
  const failing = counts.fails === 0 ? 'fails at none' : `fails first at step ${truths.indexOf('fails')}`;
  const words = `holds at ${counts.holds} of ${plural(truths.length, 'step')}, ${failing}`;
  return { outlines: Object.entries(outlines) as [Truth, string][], words };
}

function StripDrawing({ strip, now, count }: { readonly strip: Strip; readonly now: number; readonly count: number }) {
  return (
    <svg class="strip" viewBox={`0 0 ${count} 16`} preserveAspectRatio="none" role="img" aria-label={strip.words}>
      {strip.outlines.map(([truth, outline]) => (
        <path key={truth} class={truth} d={outline} />
      ))}
      <rect class="now" x={now} y="0" width={Math.max(1, count / 120)} height="16" />
    </svg>
  );
}

interface RowProps {
  readonly invariant: Invariant;
  readonly verdict: Verdict;
  readonly strip: Strip | null;
  readonly now: number;
  readonly count: number;
}

function Row({ invariant, verdict, strip, now, count }: RowProps) {
  const { id, name, statement, why } = invariant;
  const { sign, word } = TRUTH[verdict.truth];
  return (
    <li class={`invariant ${verdict.truth}`} data-invariant={id} data-truth={verdict.truth}>
      <details>
        <summary>
          <span class="id">{id}</span> <span class="name">{name}</span>
          {strip === null ? <span /> : <StripDrawing strip={strip} now={now} count={count} />}
          <span class="truth">
            <span aria-hidden="true">{sign}</span> {word}
          </span>
        </summary>
        <p class="formula">{statement}</p>
        <p class="quiet">{why}</p>
      </details>
      {verdict.findings.length === 0 ? null : (
        <div class="findings">
          <p class="formula">{statement}</p>
          <ul>
            {verdict.findings.map((finding) => (
              <li key={finding} data-finding>
                {finding}
              </li>
            ))}
          </ul>
        </div>
      )}
    </li>
  );
}

interface Props {
  readonly bounds: Bounds;
  /** At this step, in the order of the invariants. */
  readonly verdicts: readonly Verdict[];
  /** One an invariant; null where there are no steps. */
  readonly strips: readonly Strip[] | null;
  readonly now: number;
  /** Steps that a strip has room for. */
  readonly count: number;
  readonly note?: ComponentChildren;
  /** The ones that are shown; absent: all of them. */
  readonly only?: readonly string[];
}

export function Invariants({ bounds, verdicts, strips, now, count, note, only }: Props) {
  const list = invariantsOf(bounds).filter(({ id }) => only === undefined || only.includes(id));
  const failing = verdicts.filter(({ truth }) => truth === 'fails');
  const said =
    failing.length === 0
      ? `none of ${list.length} fails at this step`
      : `${failing.map(({ id }) => id).join(', ')} ${failing.length === 1 ? 'fails' : 'fail'} at this step`;
  return (
    <Panel id="invariants" title="Invariants" note={note ?? said}>
      <ul class="invariant-list">
        {list.map((invariant, i) => (
          <Row
            key={invariant.id}
            invariant={invariant}
            verdict={verdicts[i] ?? { id: invariant.id, truth: 'idle', findings: [] }}
            strip={strips?.[i] ?? null}
            now={now}
            count={count}
          />
        ))}
      </ul>
    </Panel>
  );
}
