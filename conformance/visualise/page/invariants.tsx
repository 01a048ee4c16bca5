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

interface Stretch {
  readonly truth: Truth;
  readonly from: number;
  readonly to: number;
}

/** Steps of equal truth joined. */
function stretches(truths: readonly Truth[]): Stretch[] {
  const found: Stretch[] = [];
  for (const [at, truth] of truths.entries()) {
    const last = found[found.length - 1];
    if (last?.truth === truth) found[found.length - 1] = { ...last, to: at + 1 };
    else found.push({ truth, from: at, to: at + 1 });
  }
  return found;
}

/** Heights tell the truths apart too: a full bar with a cross, half a bar, a line. */
const SHAPE: Readonly<Record<Truth, readonly [y: number, height: number]>> = {
  holds: [4, 8],
  idle: [7, 2],
  fails: [0, 16],
};

function Strip({ truths, now }: { truths: readonly Truth[]; now: number }) {
  const count = Math.max(1, truths.length);
  const failing = truths.filter((truth) => truth === 'fails').length;
  const holding = truths.filter((truth) => truth === 'holds').length;
  const words = `holds at ${holding} of ${plural(count, 'step')}, ${failing === 0 ? 'fails at none' : `fails at step ${truths.indexOf('fails')}`}`;
  return (
    <svg class="strip" viewBox={`0 0 ${count} 16`} preserveAspectRatio="none" role="img" aria-label={words}>
      {stretches(truths).map(({ truth, from, to }) => (
        <rect key={from} class={truth} x={from} y={SHAPE[truth][0]} width={to - from} height={SHAPE[truth][1]} />
      ))}
      <rect class="now" x={now} y="0" width={Math.max(1, count / 120)} height="16" />
    </svg>
  );
}

interface RowProps {
  readonly invariant: Invariant;
  readonly verdict: Verdict;
  readonly truths: readonly Truth[];
  readonly now: number;
}

function Row({ invariant, verdict, truths, now }: RowProps) {
  const { id, name, statement, why } = invariant;
  const { sign, word } = TRUTH[verdict.truth];
  return (
    <li class={`invariant ${verdict.truth}`} data-invariant={id} data-truth={verdict.truth}>
      <details>
        <summary>
          <span class="id">{id}</span> <span class="name">{name}</span>
          <Strip truths={truths} now={now} />
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
  readonly verdicts: readonly (readonly Verdict[])[];
  readonly now: number;
  readonly note?: ComponentChildren;
}

export function Invariants({ bounds, verdicts, now, note }: Props) {
  const list = invariantsOf(bounds);
  const current = verdicts[now] ?? [];
  const failing = current.filter(({ truth }) => truth === 'fails');
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
            verdict={current[i] ?? { id: invariant.id, truth: 'idle', findings: [] }}
            truths={verdicts.map((each) => each[i]?.truth ?? 'idle')}
            now={now}
          />
        ))}
      </ul>
    </Panel>
  );
}
