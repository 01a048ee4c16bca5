/**
 * A page is a template (bundle.ts) with its data put in: deflated, as base64, so that a thousand steps fit beside the
 * program in 300 KB.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import type { PageData } from './page-data.ts';

/** Where in the template the data goes. */
export const DATA_PLACE = '%PAGE-DATA%';

/** Beside the compiled files of the package; absent in the repository. */
const BUILT = join(import.meta.dirname, 'page-template.html');

let template: Promise<string> | null = null;

/** Named so that nobody follows it who only wants the page's other half: the bundler is a tool of the repository. */
const BUNDLER = new URL('./bundle.ts', import.meta.url).href;

async function makeTemplate(): Promise<string> {
  const { makeTemplate: make } = (await import(BUNDLER)) as {
    readonly makeTemplate: () => Promise<{ readonly html: string }>;
  };
  return (await make()).html;
}

/** The template that came with the package; in the repository it is made anew, so that it is that of the sources. */
export function pageTemplate(): Promise<string> {
  template ??= existsSync(BUILT) ? Promise.resolve(readFileSync(BUILT, 'utf8')) : makeTemplate();
  return template;
}

const packed = (page: PageData): string => deflateRawSync(JSON.stringify(page), { level: 9 }).toString('base64');

/** The whole file. */
export async function renderPage(page: PageData, title: string): Promise<string> {
  const escaped = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return (await pageTemplate())
    .replace(DATA_PLACE, () => packed(page))
    .replace('<title>imatrix-mm</title>', () => `<title>${escaped} · imatrix-mm</title>`);
}
