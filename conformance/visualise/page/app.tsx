/** The page: its head line, the view that its data asks for, its dialogs. */
import { computed } from '@preact/signals';
import { edgeCounts, transitionCounts } from '../shared/evidence-sums.ts';
import { Dialogs, Legend, THREE_SENTENCES } from './dialogs.tsx';
import { EvidenceView } from './evidence.tsx';
import { itfOf } from './export.ts';
import { LiveView } from './live.tsx';
import { download, plural } from './parts.tsx';
import { data, dialog, notice, run } from './store.ts';
import { endFirstVisit, isFirstVisit, nextTheme, theme } from './theme.ts';
import { ScopeChoice, TraceView } from './trace-view.tsx';

/** What the page is about, in the words of its first line. */
function titleOf(): string {
  const page = run.value?.page;
  if (page != null) {
    const { failure, steps, trace } = page;
    const what = failure === null ? 'clean trace' : 'counterexample';
    const end = failure === null ? 'model and engine agree' : `${failure.breaks} fails at ${failure.step}`;
    return `${what} · seed ${trace.seed} · ${plural(steps.length, 'step')} · ${end}`;
  }
  return { trace: '', model: 'the model alone', evidence: 'evidence of a whole run', live: 'a running store' }[
    data.value.kind
  ];
}

function saveItf(): void {
  const shown = run.value;
  if (shown?.page == null) return;
  const name = shown.page.name.replace(/(\.itf)?\.json$/, '');
  download(`${name}.itf.json`, 'application/json', JSON.stringify(itfOf(shown.page, shown.frames), null, 1));
}

function Head() {
  const page = run.value?.page;
  const shown = data.value;
  return (
    <header class="page-head">
      <h1 data-title>{titleOf()}</h1>
      <div class="actions">
        {shown.kind === 'model' ? <ScopeChoice scopes={shown.scopes} /> : null}
        {shown.kind === 'evidence' && run.value !== null ? (
          <button type="button" data-back onClick={() => (run.value = null)}>
            ← all runs
          </button>
        ) : null}
        {run.value === null ? null : (
          <button type="button" data-share-button onClick={() => (dialog.value = 'share')}>
            share
          </button>
        )}
        {page == null ? null : (
          <>
            <button type="button" data-itf-button onClick={saveItf}>
              ITF
            </button>
            <button type="button" onClick={() => (dialog.value = 'test')}>
              test
            </button>
          </>
        )}
        <button type="button" onClick={nextTheme} data-theme-button>
          theme: {theme.value}
        </button>
        <button type="button" aria-label="help and keys" onClick={() => (dialog.value = 'help')}>
          ?
        </button>
      </div>
    </header>
  );
}

function Welcome() {
  if (!isFirstVisit.value) return null;
  return (
    <aside class="welcome" aria-label="first visit">
      <div>
        {THREE_SENTENCES.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        <Legend />
      </div>
      <button type="button" data-welcome onClick={endFirstVisit}>
        got it
      </button>
    </aside>
  );
}

/** Counts of the whole run that this page's runs are examples of. */
const allRuns = computed(() =>
  data.value.kind === 'evidence' ? transitionCounts(edgeCounts(data.value.modes)) : null,
);

function View() {
  const page = data.value;
  if (run.value !== null) return <TraceView allRuns={allRuns.value} />;
  if (page.kind === 'evidence') return <EvidenceView page={page} />;
  if (page.kind === 'live') return <LiveView page={page} />;
  return null;
}

export function App() {
  return (
    <div class="app">
      <Head />
      <Welcome />
      <View />
      <p class="notice" role="status" data-notice>
        {notice.value}
      </p>
      <Dialogs />
    </div>
  );
}
