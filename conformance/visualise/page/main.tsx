/** Starts the page: unpacks what the file carries, makes the states, goes where the address says, draws. */
import { render } from 'preact';
import type { PageData } from '../page-data.ts';
import { followAddress, keepAddress } from './address.ts';
import { App } from './app.tsx';
import { listenToKeys } from './nav.ts';
import { data, dialog, keepJudging, run, runOfModel, runOfTrace, show } from './store.ts';
import { keepTheme, nextTheme } from './theme.ts';

/** The data lies in the page as base64 of deflated JSON: a thousand steps are a tenth of their size that way. */
async function unpack(text: string): Promise<PageData> {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return (await new Response(stream).json()) as PageData;
}

function begin(page: PageData): void {
  data.value = page;
  if (page.kind === 'trace') show(runOfTrace(page));
  const scope = page.kind === 'model' ? page.scopes[0] : undefined;
  if (scope !== undefined) show(runOfModel(scope.bounds));
}

const carried = document.getElementById('page-data')?.textContent ?? '';
const root = document.getElementById('app');
if (root !== null) {
  begin(await unpack(carried));
  followAddress(location.hash);
  keepTheme();
  keepAddress();
  keepJudging();
  listenToKeys({
    '?': () => (dialog.value = 'help'),
    t: nextTheme,
    s: () => (dialog.value = run.value === null ? null : 'share'),
    w: () => document.querySelector<HTMLElement>('#what-if button')?.focus(),
  });
  render(<App />, root);
}
