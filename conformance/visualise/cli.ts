/**
 * `imatrix-mm visualise`: makes a page for design review, of a trace, of the model alone, or of the evidence of a run.
 *
 * Exit code 0: the page is written. 2: what was asked for makes no sense, or a file cannot be used.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command, CommanderError } from 'commander';
import { readTrace } from '../actions.ts';
import { endWithReader } from '../cli/reader-gone.ts';
import { evidenceData, readEvidence } from './evidence-data.ts';
import { modelData } from './model-data.ts';
import { openInBrowser } from './open-in-browser.ts';
import { renderPage } from './page.ts';
import type { PageData } from './page-data.ts';
import { traceData } from './trace-data.ts';

const EVIDENCE = 'coverage/out/evidence';

interface Given {
  readonly out?: string;
  readonly model?: true;
  /** True: the default folder. */
  readonly evidence?: string | true;
  readonly open?: true;
}

interface Made {
  readonly data: PageData;
  readonly title: string;
  readonly out: string;
}

function commandLine(): Command {
  return new Command('visualise')
    .description('Makes a page for design review: one HTML file that needs nothing else.')
    .argument('[trace]', 'a trace that a conformance run saved, in its JSON or its ITF form')
    .option('-o, --out <file>', 'the page (default: beside the trace; model.html; evidence.html)')
    .option('--model', 'the model alone, to play with')
    .option('--evidence [folder]', `what a whole run has shown (default folder: ${EVIDENCE})`)
    .option('--open', 'open the page in the browser')
    .addHelpText(
      'after',
      '\nExamples:\n  imatrix-mm visualise inv-13-1a2b3c4d.json --open\n  imatrix-mm visualise --model -o model.html',
    )
    .exitOverride()
    .configureOutput({ outputError: () => {} });
}

async function make(trace: string | undefined, { model, evidence, out }: Given): Promise<Made> {
  const asked = [trace !== undefined, model === true, evidence !== undefined].filter((each) => each).length;
  if (asked !== 1) throw new Error('give one of them: a trace, --model, or --evidence');
  if (trace !== undefined) {
    const data = await traceData(basename(trace), readTrace(trace));
    return { data, title: basename(trace), out: out ?? trace.replace(/(\.itf)?\.json$/, '').concat('.html') };
  }
  if (model === true) return { data: modelData(), title: 'the model', out: out ?? 'model.html' };
  const folder = typeof evidence === 'string' ? evidence : EVIDENCE;
  const shown = await evidenceData(readEvidence(folder), progress());
  return { data: shown, title: 'evidence', out: out ?? 'evidence.html' };
}

/** A line now and then on stderr for what takes longer than a moment. */
function progress(): (at: { what: string; done: number; total: number | null }) => void {
  let shownMs = performance.now();
  return ({ what, done, total }) => {
    if (performance.now() - shownMs < 2_000) return;
    shownMs = performance.now();
    console.error(`  ${what}: ${done} of ${total}`);
  };
}

async function main(): Promise<void> {
  const command = commandLine();
  command.parse();
  const given = command.opts<Given>();
  const { data, title, out } = await make(command.args[0], given);
  const html = await renderPage(data, title);
  mkdirSync(dirname(resolve(out)), { recursive: true });
  writeFileSync(out, html);
  console.log(`${out}  ${Math.ceil(html.length / 1_000)} KB`);
  if (given.open === true) openInBrowser(pathToFileURL(resolve(out)).href);
}

endWithReader();
try {
  await main();
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else {
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    console.error(`visualise: ${message.replace(/^error: /, '')}; see --help`);
    process.exitCode = 2;
  }
}
