/**
 * Makes the page's template: one HTML file with program, styles and the chart's layout inside, and one place for data.
 *
 * It is made when the package is built, and in the repository whenever a page is asked for; esbuild and the layout take
 * half a second together. Whoever installs the package gets the template as a file and needs neither.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { build } from 'esbuild';
import { chartOf } from '../../model/chart.ts';
import { layOutChart } from './chart-layout.ts';
import { DATA_PLACE } from './page.ts';

const PAGE = join(import.meta.dirname, 'page');
const ROOT = join(import.meta.dirname, '../..');
const MODEL = join(ROOT, 'model');

/** A short hash of the model's sources: pages and addresses of different ones do not go together. */
export function modelVersion(): string {
  const hash = createHash('sha256');
  const names = readdirSync(MODEL, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  for (const name of names.sort()) hash.update(name).update(readFileSync(join(MODEL, name)));
  return hash.digest('hex').slice(0, 10);
}

/**
 * Files of the kit that the page shares may name node: modules for what only Node does with them. What the page uses
 * does not: an import that stays in the program would be a request, and the page's test would see it.
 */
const nodeModulesUnused: Plugin = {
  name: 'node modules unused',
  setup({ onResolve }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true, sideEffects: false }));
  },
};

interface Bundled {
  readonly script: string;
  readonly style: string;
  /** Files that went in, as paths. */
  readonly inputs: readonly string[];
}

async function bundled(root: string): Promise<Bundled> {
  const layout = await layOutChart(chartOf());
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    metafile: true,
    entryPoints: { page: join(PAGE, 'main.tsx'), style: join(PAGE, 'styles.css') },
    outdir: 'out',
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    charset: 'utf8',
    legalComments: 'inline',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: {
      CHART_LAYOUT: JSON.stringify(layout),
      MODEL_VERSION: JSON.stringify(modelVersion()),
      'process.env.NODE_ENV': '"production"',
    },
    plugins: [nodeModulesUnused],
    logLevel: 'silent',
  });
  const text = (end: string): string => {
    const file = outputFiles.find(({ path }) => path.endsWith(end));
    if (file === undefined) throw new Error(`the bundler made no ${end} of the page`);
    return file.text;
  };
  return { script: text('.js'), style: text('.css'), inputs: Object.keys(metafile.inputs) };
}

export interface Template {
  /** The whole page but its data. */
  readonly html: string;
  /** Files that went in, as paths from the project's folder: a page that is given away has others' code inside. */
  readonly inputs: readonly string[];
}

/** @param notice the licences of what is inside, for a template that is published. */
export async function makeTemplate(notice = ''): Promise<Template> {
  const { script, style, inputs } = await bundled(ROOT);
  const html = `<!doctype html>
${notice === '' ? '' : `<!--\n${notice.replaceAll('--', '- -')}\n-->\n`}<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:">
<link rel="icon" href="data:,">
<title>imatrix-mm</title>
<style>${style}</style>
</head>
<body>
<div id="app"></div>
<script type="text/plain" id="page-data">${DATA_PLACE}</script>
<script type="module">${script.replaceAll('</script', '<\\/script')}</script>
</body>
</html>
`;
  return { html, inputs };
}
