/** MODEL = ENGINE: the compared fields at this step, those that changed marked, the first divergence on top. */
import { computed, useSignal } from '@preact/signals';
import { Panel, plural } from './parts.tsx';
import { goTo, isHypothetical, run, step } from './store.ts';

interface Field {
  readonly field: string;
  readonly model: string;
  readonly engine: string;
  readonly changed: boolean;
}

/** The engine's fields at each step, from their changes. */
const engineFields = computed(() => {
  const page = run.value?.page;
  const rows: (ReadonlyMap<string, Field> | null)[] = [null];
  if (page == null) return rows;
  let before: ReadonlyMap<string, Field> = new Map();
  for (const { engine } of page.steps) {
    if (engine === null) {
      before = new Map();
      rows.push(null);
      continue;
    }
    const now = new Map([...before].map(([field, each]) => [field, each.changed ? { ...each, changed: false } : each]));
    for (const [index, shown] of Object.entries(engine)) {
      const field = page.fields[Number(index)] as string;
      const [model, other] = typeof shown === 'string' ? [shown, shown] : shown;
      now.set(field, { field, model, engine: other, changed: true });
    }
    rows.push(now);
    before = now;
  }
  return rows;
});

type Shown = 'changed' | 'all';

function Rows({ fields }: { readonly fields: readonly Field[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">field</th>
          <th scope="col">model</th>
          <th scope="col">engine</th>
        </tr>
      </thead>
      <tbody>
        {fields.map(({ field, model, engine, changed }) => {
          const apart = model !== engine;
          return (
            <tr key={field} class={apart ? 'apart' : changed ? 'changed' : ''} data-field={field} data-apart={apart}>
              <th scope="row">{field}</th>
              <td>{model}</td>
              <td>
                {engine}
                {apart ? <b> ≠ apart</b> : null}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Verdict() {
  const page = run.value?.page;
  if (page == null) return null;
  const { failure, steps } = page;
  if (failure === null) {
    return (
      <p class="agree" data-verdict="clean">
        ✓ Model and engine agree at every one of the {plural(steps.length, 'step')};{' '}
        {plural(page.fields.length, 'field')} are compared after each.
      </p>
    );
  }
  return (
    <div class="diverged" data-verdict="diverged" data-step={failure.step}>
      <p>
        ✕ They part at step {failure.step}: {failure.breaks}.{' '}
        {step.value === failure.step ? null : (
          <button type="button" onClick={() => goTo(failure.step)}>
            go there
          </button>
        )}
      </p>
      {failure.differences.length === 0 ? <p>{failure.message}</p> : null}
      <ul>
        {failure.differences.map(({ field, model, engine, breaks }) => (
          <li key={field} data-difference={field}>
            <b>{field}</b>: model {model}, engine {engine} ({breaks})
          </li>
        ))}
      </ul>
    </div>
  );
}

export function Compare() {
  const shown = useSignal<Shown>('changed');
  const now = isHypothetical.value ? null : (engineFields.value[step.value] ?? null);
  const fields = [...(now?.values() ?? [])];
  const rows =
    shown.value === 'all' ? fields : fields.filter(({ changed, model, engine }) => changed || model !== engine);
  return (
    <Panel id="compare" title="Model = Engine" note="the fields that are compared after every step">
      <Verdict />
      {isHypothetical.value ? <p class="quiet">Hypothetical: no engine ran this, only the model.</p> : null}
      {now === null && !isHypothetical.value ? (
        <p class="quiet">No engine is in memory after this step: there is nothing to compare.</p>
      ) : null}
      {now === null ? null : (
        <>
          <div class="tools">
            <label>
              show{' '}
              <select value={shown.value} onChange={(event) => (shown.value = event.currentTarget.value as Shown)}>
                <option value="changed">what changed in this step</option>
                <option value="all">all {fields.length} fields</option>
              </select>
            </label>
          </div>
          {rows.length === 0 ? <p class="quiet">No field changed in this step.</p> : <Rows fields={rows} />}
        </>
      )}
    </Panel>
  );
}
