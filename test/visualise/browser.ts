/**
 * A real browser for the tests of the page: headless Chromium out of a package, started once a file. A browser that does
 * not start makes the tests fail.
 */
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { renderPage } from '../../conformance/visualise/page.ts';
import type { PageData } from '../../conformance/visualise/page-data.ts';

const UNPACK_WITHIN_MS = 60_000;

/** Where the browser's program is unpacked, once for all files and runs. */
const PROGRAM = join(tmpdir(), 'imatrix-mm-test-browser');

/** The package unpacks into the folder for temporary files, and says nothing when two do it at a time. */
async function executablePath(): Promise<string> {
  mkdirSync(PROGRAM, { recursive: true });
  const lock = join(PROGRAM, 'unpacking');
  for (const untilMs = Date.now() + UNPACK_WITHIN_MS; ; ) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      // Somebody else unpacks, or died while doing so.
      if (Date.now() > untilMs) rmSync(lock, { recursive: true, force: true });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  const before = process.env.TMPDIR;
  process.env.TMPDIR = PROGRAM;
  try {
    const { default: packed } = await import('@sparticuz/chromium');
    return await packed.executablePath();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmdirSync(lock);
  }
}

/** What a page asked for and complained about. */
export interface Opened {
  readonly page: Page;
  readonly requests: string[];
  readonly complaints: string[];
}

export interface Workbench {
  /** Writes the page's file and opens it, with the network off. @param hash the address behind `#`. */
  open(data: PageData, options?: BrowserContextOptions & { readonly hash?: string }): Promise<Opened>;
  openFile(path: string, options?: BrowserContextOptions & { readonly hash?: string }): Promise<Opened>;
  /** Opens what a server gives, with the network on. */
  openUrl(url: string, options?: BrowserContextOptions): Promise<Opened>;
  /** A folder of its own, gone afterwards. */
  readonly folder: string;
}

async function listen(browser: Browser, options: BrowserContextOptions): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const opened: Opened = { page, requests: [], complaints: [] };
  page.on('request', (request) => opened.requests.push(request.url()));
  page.on('pageerror', (error) => opened.complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') opened.complaints.push(message.text());
  });
  return opened;
}

/** The page has drawn itself. Its own rules forbid it to evaluate what a test sends as text, so that is not how to ask. */
export const isReady = (page: Page): Promise<void> =>
  page.locator('html[data-ready]').waitFor({ state: 'attached', timeout: 20_000 });

/** Starts the browser before the tests of a file, and ends it after them. */
export function useBrowser(): Workbench {
  const folder = mkdtempSync(join(tmpdir(), 'imatrix-mm-page-'));
  let browser: Browser | undefined;
  let files = 0;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: await executablePath(),
      headless: true,
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    });
  });
  afterAll(async () => {
    await browser?.close();
    if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
  });
  const started = (): Browser => {
    if (browser === undefined) throw new Error('the browser did not start');
    return browser;
  };
  const openFile: Workbench['openFile'] = async (path, { hash, ...options } = {}) => {
    const opened = await listen(started(), { offline: true, ...options });
    await opened.page.goto(`${pathToFileURL(path)}${hash === undefined ? '' : `#${hash}`}`);
    await isReady(opened.page);
    return opened;
  };
  return {
    folder,
    openFile,
    async open(data, options) {
      const path = join(folder, `page-${++files}.html`);
      writeFileSync(path, await renderPage(data, 'test'));
      return openFile(path, options);
    },
    async openUrl(url, options = {}) {
      const opened = await listen(started(), options);
      await opened.page.goto(url);
      await isReady(opened.page);
      return opened;
    },
  };
}
