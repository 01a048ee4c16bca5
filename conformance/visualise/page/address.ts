/**
 * The address carries what is looked at: the version of the model, the trace, the step, and the fork as its events.
 *
 *     #model=4be1c0ffee&trace=1a2b3c4d&step=11&fork=9&what=<base64url of JSON>
 *
 * An address of another model or another trace is refused with a sentence and not half understood.
 */
import { effect, signal } from '@preact/signals';
import type { ForkStep } from './store.ts';
import { branch, currentFork, data, dialog, forkOf, forks, goToBranch, run, step } from './store.ts';

export const refusal = signal('');

const toText = (value: unknown): string => {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
};

const fromText = (text: string): unknown => {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0))));
};

const traceName = (): string => run.value?.page?.traceId ?? data.value.kind;

/** The part behind `#` for what is looked at now. */
export function addressNow(): string {
  const parts = new URLSearchParams({ model: MODEL_VERSION, trace: traceName(), step: String(step.value) });
  const fork = currentFork.value;
  if (fork !== null) {
    parts.set('fork', String(fork.at));
    parts.set('what', toText(fork.steps.map(({ label, events }) => [label, events])));
  }
  return parts.toString();
}

function refuse(sentence: string): void {
  refusal.value = sentence;
  dialog.value = 'refused';
}

function forkSteps(text: string): ForkStep[] {
  const read = fromText(text) as [string, ForkStep['events']][];
  return read.map(([label, events]) => ({ label: String(label), events }));
}

/** Goes where the address says, or says why not and stays. */
export function followAddress(hash: string): void {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  const [model, trace] = [parts.get('model'), parts.get('trace')];
  if (model === null) return;
  if (model !== MODEL_VERSION) {
    refuse(
      `This address was made for version ${model} of the model, and this page has version ${MODEL_VERSION}: a step there may be another here. Open it in the page that it came from.`,
    );
    return;
  }
  if (trace !== traceName()) {
    refuse(
      `This address leads into another trace (${trace}); this page shows ${traceName()}. Open the page of that trace.`,
    );
    return;
  }
  const at = Number(parts.get('step') ?? 0);
  const what = parts.get('what');
  const trunk = run.value?.frames;
  if (trunk === undefined) return;
  if (what === null) {
    goToBranch(0, Number.isInteger(at) ? at : 0);
    return;
  }
  try {
    const from = Number(parts.get('fork'));
    const steps = forkSteps(what);
    if (!Number.isInteger(from) || trunk[from] === undefined) throw new Error(`the trunk has no step ${from}`);
    const same = forks.value.find((each) => each.at === from && toText(each.steps) === toText(steps));
    const fork = same ?? forkOf(trunk, forks.value.length + 1, from, steps);
    if (same === undefined) forks.value = [...forks.value, fork];
    goToBranch(fork.id, at);
  } catch (error) {
    refuse(
      `The what-if steps in this address cannot be read (${error instanceof Error ? error.message : error}). Copy it again.`,
    );
  }
}

/** From now on the address says where the page is, and the page goes where the address says. */
export function keepAddress(): void {
  effect(() => {
    void branch.value;
    const next = `#${addressNow()}`;
    // A refused address stays readable until something is done.
    if (dialog.value === 'refused' || next === location.hash) return;
    history.replaceState(null, '', next);
  });
  addEventListener('hashchange', () => followAddress(location.hash));
}
