/** The page's dialogs: what it is and its keys, the address to share, the test to keep, an address that is refused. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { exportTest } from '../../replay/export-test.ts';
import { addressNow, refusal } from './address.ts';
import { WAYS } from './nav.ts';
import { download } from './parts.tsx';
import { dialog, run } from './store.ts';

function Dialog({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog ref={element} aria-labelledby="dialog-title" onClose={() => (dialog.value = null)}>
      <h2 id="dialog-title">{title}</h2>
      {children}
      <form method="dialog">
        <button type="submit">close</button>
      </form>
    </dialog>
  );
}

const OTHER_KEYS: readonly (readonly [string, string])[] = [
  ['w', 'to the events of What if'],
  ['t', 'light, dark, or as the system has it'],
  ['s', 'share: the address of what is seen now'],
  ['?', 'this help'],
  ['Tab, Enter, Space', 'every control, in the order in which they are read'],
  ['Esc', 'closes a dialog'],
];

export function Legend() {
  return (
    <ul class="legend">
      <li>
        <span class="truth holds">✓ holds</span>, <span class="truth idle">· no say</span> (its premise does not hold in
        this step), <span class="truth fails">✕ FAILS</span>: the truth of an invariant
      </li>
      <li>
        <i class="swatch erased gone" /> erased, <i class="swatch pending disk" /> pending,{' '}
        <i class="swatch unread disk" /> unread; solid on disk, <i class="swatch unread ram" /> striped in RAM: the
        records of a stream
      </li>
      <li>▲ head ◆ read ■ synced ● appended: its marks; outlined when the step moved them</li>
      <li>
        <i class="swatch lit" /> the machine is here, <i class="swatch dashed" /> never taken
      </li>
      <li>
        + append, r read, A acknowledge, N revert, F flush done, ! flush failed, E eviction, D damage, ⚡ crash, R
        recovered
      </li>
    </ul>
  );
}

/** What the page is, in three sentences. */
export const THREE_SENTENCES = [
  'This page shows a store as its formal model sees it: the state of the machine, where every record is, and which invariants hold, step by step.',
  'Move through the steps with the arrow keys or the slider; every panel shows the same step, and v, c and d lead to the first violation, the next crash and the first divergence of model and engine.',
  'Under What if the model itself runs in this page: what you try there becomes a fork beside the run, labelled hypothetical.',
] as const;

function Help() {
  return (
    <Dialog title="What this page shows">
      {THREE_SENTENCES.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <Legend />
      <h3>Keys</h3>
      <dl class="keys">
        {[...WAYS.map(({ keyShown, label }) => [keyShown, label] as const), ...OTHER_KEYS].map(([key, label]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet">Version of the model: {MODEL_VERSION}</p>
    </Dialog>
  );
}

function Share() {
  const text = `${location.href.split('#')[0]}#${addressNow()}`;
  return (
    <Dialog title="Share what is seen now">
      <p>The address carries the step and the what-if events. Whoever has this page opens it there.</p>
      <textarea
        readOnly
        rows={4}
        aria-label="address"
        data-share
        value={text}
        onFocus={(event) => event.currentTarget.select()}
      />
      <button type="button" onClick={() => navigator.clipboard?.writeText(text)}>
        copy
      </button>
    </Dialog>
  );
}

function Test() {
  const page = run.value?.page;
  const text = page == null ? '' : exportTest(page.trace);
  return (
    <Dialog title="Keep it as a test">
      <p>A test of its own that runs these steps on the engine again. Put it into a file and run it with vitest.</p>
      <textarea
        readOnly
        rows={10}
        aria-label="test"
        data-test
        value={text}
        onFocus={(event) => event.currentTarget.select()}
      />
      <button type="button" onClick={() => download('conformance-trace.test.ts', 'text/typescript', text)}>
        save
      </button>
    </Dialog>
  );
}

export function Dialogs() {
  switch (dialog.value) {
    case 'help':
      return <Help />;
    case 'share':
      return <Share />;
    case 'test':
      return <Test />;
    case 'refused':
      return (
        <Dialog title="This address belongs to another page">
          <p role="alert" data-refused-address>
            {refusal.value}
          </p>
        </Dialog>
      );
    default:
      return null;
  }
}
