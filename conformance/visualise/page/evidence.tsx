/** The view of a whole run: what was taken how often, where crashes came, what was witnessed, who caught which bug. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { invariants } from '../../../model/invariants/index.ts';
import type { EvidencePage } from '../page-data.ts';
import { edgeCounts, heatMapOf, transitionCounts, witnessCounts } from '../shared/evidence-sums.ts';
import { Statechart } from './chart.tsx';
import { grouped, Panel, plural, Wide } from './parts.tsx';
import { goTo, lastStep, runOfTrace, show } from './store.ts';

function openExample(page: EvidencePage, index: number | null): void {
  const example = index === null ? undefined : page.examples[index];
  if (example === undefined) return;
  show(runOfTrace(example));
  goTo(lastStep.value);
}

function Modes({ modes }: Pick<EvidencePage, 'modes'>) {
  return (
    <Panel
      id="modes"
      title="Modes"
      note={plural(
        modes.reduce((sum, { steps }) => sum + steps, 0),
        'step',
      )}
    >
      <Wide label="modes and their figures">
        <table>
          <thead>
            <tr>
              <th scope="col">mode</th>
              <th scope="col">steps</th>
              <th scope="col">failures</th>
              <th scope="col">figures</th>
              <th scope="col">command</th>
            </tr>
          </thead>
          <tbody>
            {modes.map(({ mode, steps, failures, figures, command }) => (
              <tr key={mode} class={failures > 0 ? 'apart' : ''}>
                <th scope="row">{mode}</th>
                <td>{grouped(steps)}</td>
                <td>{failures === 0 ? 'none' : <b>✕ {failures}</b>}</td>
                <td>
                  {Object.entries(figures)
                    .map(([name, value]) => `${name} ${grouped(value)}`)
                    .join(', ')}
                </td>
                <td>{command}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </Panel>
  );
}

/** Four shades by order of magnitude; the number stands in each square. */
const shade = (count: number): string => `h${count === 0 ? 0 : Math.min(4, Math.floor(Math.log10(count)) + 1)}`;

function CrashHeat({ page }: { readonly page: EvidencePage }) {
  const residue = useSignal<string | null>(null);
  const { edges, ios, residues, square } = heatMapOf(page);
  return (
    <Panel
      id="crash-heat"
      title="Where crashes came"
      note="the machine's last edge × the I/O step under way; a square opens a run that went there"
    >
      <div class="tools">
        <label>
          what was left{' '}
          <select onChange={(event) => (residue.value = event.currentTarget.value || null)}>
            <option value="">anything</option>
            {residues.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      {edges.length === 0 ? <p class="quiet">No crash is in this evidence.</p> : null}
      <Wide label="crashes by edge and I/O step">
        <table class="heat">
          <thead>
            <tr>
              <th scope="col">edge</th>
              {ios.map((io) => (
                <th key={io} scope="col">
                  {io}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {edges.map((edge) => (
              <tr key={edge}>
                <th scope="row">{edge}</th>
                {ios.map((io) => {
                  const { count, example } = square(edge, io, residue.value);
                  return (
                    <td key={io} class={shade(count)} data-edge={edge} data-io={io} data-count={count}>
                      {count === 0 ? (
                        <span class="quiet">–</span>
                      ) : (
                        <button
                          type="button"
                          disabled={example === null}
                          aria-label={`${plural(count, 'crash', 'crashes')} after ${edge} at ${io}: open a run`}
                          onClick={() => openExample(page, example)}
                        >
                          {grouped(count)}
                        </button>
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </Panel>
  );
}

function Witnesses({ modes }: Pick<EvidencePage, 'modes'>) {
  const counts = witnessCounts(modes);
  const most = Math.max(1, ...counts.values());
  return (
    <Panel
      id="witnesses"
      title="Invariants put to the test"
      note="steps in which the premise held; one that never did proves nothing"
    >
      <ul class="witnesses">
        {invariants.map(({ id, name }) => {
          const count = counts.get(id) ?? 0;
          return (
            <li key={id} data-witness={id} data-count={count}>
              <span class="id">{id}</span> <span>{name}</span>
              <span class="meter" aria-hidden="true">
                <span
                  class="fill"
                  style={{
                    width: `${count === 0 ? 0 : Math.max(1, (100 * Math.log10(count + 1)) / Math.log10(most + 1))}%`,
                  }}
                />
              </span>
              <span class="count">{count === 0 ? 'never' : grouped(count)}</span>
            </li>
          );
        })}
      </ul>
      <p class="quiet">Bars grow with the order of magnitude.</p>
    </Panel>
  );
}

function Exhibits({ modes }: Pick<EvidencePage, 'modes'>) {
  const rows = modes.flatMap(({ exhibits = [] }) => exhibits);
  const caught = rows.filter(({ caughtBy }) => caughtBy !== null).length;
  return (
    <Panel
      id="exhibits"
      title="Planted bugs"
      note={rows.length === 0 ? 'none were planted in this evidence' : `${caught} of ${rows.length} caught`}
    >
      {rows.length === 0 ? null : (
        <Wide label="planted bugs">
          <table>
            <thead>
              <tr>
                <th scope="col">bug</th>
                <th scope="col">what goes wrong</th>
                <th scope="col">caught by</th>
                <th scope="col">steps</th>
                <th scope="col">modes</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ id, bug, caughtBy, steps, modes: by }) => (
                <tr key={id} class={caughtBy === null ? 'apart' : ''} data-exhibit={id}>
                  <th scope="row">{id}</th>
                  <td>{bug}</td>
                  <td>{caughtBy ?? <b>✕ nobody</b>}</td>
                  <td>{steps}</td>
                  <td>{by.join(', ')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
    </Panel>
  );
}

export function EvidenceView({ page }: { readonly page: EvidencePage }) {
  useEffect(() => {
    document.documentElement.dataset.ready = String(Math.round(performance.now()));
  }, []);
  const counts = transitionCounts(edgeCounts(page.modes));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
    <main tabIndex={0} data-scrolls>
      <div class="panels">
        <Modes modes={page.modes} />
        <Statechart state={null} taken={[]} heats={[{ name: 'all runs', counts, byEvent: true }]} />
        <Witnesses modes={page.modes} />
        <CrashHeat page={page} />
        <Exhibits modes={page.modes} />
      </div>
    </main>
  );
}
