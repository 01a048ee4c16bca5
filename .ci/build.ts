/**
 * Makes dist/: what `npm pack` publishes.
 *
 *     dist/src, dist/model, dist/conformance   compiled file by file, with types and source maps (tsc)
 *     dist/wiced.js                            the RAM-only store as one file without imports, for a bare engine
 *     dist/conformance/cli/main.js             the kit's command, on top of the compiled files, with the packages it uses
 *     dist/conformance/soak/soak-cli.js        the soak, in the same way
 *     dist/conformance/harness/harness-cli.js  the numbered tests, in the same way
 *     dist/conformance/visualise/cli.js        the same for the page for design review, and the page without its data
 *     dist/cli/imatrix-mm.js                   the command with every package it uses inside, and their licences
 *     dist/src/config/read-ini.js and others   compiled files with the one package inside that each uses
 *
 * The package has no dependencies because of the last two. A build is whole or fails: dist/ is emptied first.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { BuildOptions, Plugin } from 'esbuild';
import { build } from 'esbuild';
import { makeTemplate } from '../conformance/visualise/bundle.ts';
import { licenceNotice } from './licence-notice.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

/** The wiced entry as one file of plain ECMAScript: no imports, no module system needed beyond its own exports. */
export async function bundleWiced(format: 'esm' | 'iife'): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/wiced.ts'],
    bundle: true,
    write: false,
    format,
    ...(format === 'iife' ? { globalName: 'memoryManager' } : {}),
    // Neutral: an import of node: or of a package would fail the build here, not on the device.
    platform: 'neutral',
    target: 'es2022',
    logLevel: 'silent',
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error('esbuild gave no bundle of src/wiced.ts');
  return bundle.text;
}

/** How a command becomes a file that runs by itself. */
const COMMAND = {
  absWorkingDir: ROOT,
  bundle: true,
  metafile: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.12',
  legalComments: 'none',
  // Packages in CommonJS form ask for node: modules by `require`, which an ESM file has to make for itself.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** Packages inside the command of the kit. Others are its peers, or tools that only this repository has. */
const INSIDE_KIT = new Set(['commander', 'picocolors', 'cli-table3']);

/** The kit's own command is bundled, not compiled file by file: who uses a file of it takes it along. */
const KIT_COMMAND = join(ROOT, 'conformance/cli');

/**
 * What is compiled file by file stays outside the bundle, under the name that it has there; the files of the command's own
 * folder go into it.
 */
const keepCompiled = (folder: string): Plugin => ({
  name: 'keep-compiled',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\// }, ({ path, importer }) => {
      if (importer === '' || importer.includes('/node_modules/')) return null;
      const target = join(dirname(importer), path);
      const fromFolder = relative(join(ROOT, folder), target);
      if (!fromFolder.startsWith('..') || target.startsWith(`${KIT_COMMAND}/`)) return null;
      return { path: fromFolder.replace(/\.ts$/, '.js'), external: true };
    });
    onResolve({ filter: /^[a-z@]/ }, ({ path, importer }) =>
      importer.includes('/node_modules/') || path.startsWith('node:') || INSIDE_KIT.has(path)
        ? null
        : { path, external: true },
    );
  },
});

/** What of the kit prints with packages, and goes into the harness's command; the tests themselves stay compiled files. */
const INSIDE_HARNESS = /^conformance\/(cli\/|soak\/(report|picture)\.ts$|harness\/report\.ts$)/;

/** As keepCompiled, for a command whose parts lie in folders of different depth. */
const keepCompiledTests: Plugin = {
  name: 'keep-compiled-tests',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\// }, ({ path, importer, kind }) => {
      const file = resolve(dirname(importer), path);
      if (kind === 'entry-point' || importer.includes('/node_modules/')) return null;
      if (INSIDE_HARNESS.test(relative(ROOT, file))) return null;
      const from = relative(join(ROOT, 'conformance/harness'), file).replace(/\.ts$/, '.js');
      return { path: from.startsWith('.') ? from : `./${from}`, external: true };
    });
  },
};

/** Compiled files of the library that use a package: it goes into the file, for the library has no dependency. */
const WITH_PACKAGE_INSIDE = ['src/config/read-ini.ts', 'src/log/rotating-file.ts'];

/** The compiled files again, with their packages; the licences of those beside them. */
async function bundlePackages(): Promise<void> {
  const { metafile } = await build({
    ...COMMAND,
    entryPoints: WITH_PACKAGE_INSIDE,
    outbase: 'src',
    outdir: 'dist/src',
    plugins: [
      {
        name: 'keep-own-files',
        setup({ onResolve }) {
          onResolve({ filter: /^\.\.?\// }, ({ path, importer, kind }) =>
            kind === 'entry-point' || importer.includes('/node_modules/')
              ? null
              : { path: path.replace(/\.ts$/, '.js'), external: true },
          );
        },
      },
    ],
  });
  const notice = await licenceNotice(ROOT, Object.keys(metafile.inputs), 'This library');
  await writeFile(join(DIST, 'src/THIRD-PARTY-LICENSES.txt'), notice);
}

/** `imatrix-mm`, and the kit's own command that it starts; the licences of what is inside either. */
async function bundleCommands(): Promise<void> {
  await rm(join(DIST, 'conformance/cli'), { recursive: true, force: true });
  const [command, kit, visualise, serve, soak, harness] = await Promise.all([
    build({ ...COMMAND, entryPoints: { 'imatrix-mm': 'src/cli/main.ts' }, outdir: 'dist/cli' }),
    build({
      ...COMMAND,
      entryPoints: ['conformance/cli/main.ts'],
      outdir: 'dist/conformance/cli',
      splitting: true,
      plugins: [keepCompiled('conformance/cli')],
    }),
    build({
      ...COMMAND,
      entryPoints: ['conformance/visualise/cli.ts'],
      outdir: 'dist/conformance/visualise',
      plugins: [keepCompiled('conformance/visualise')],
    }),
    build({
      ...COMMAND,
      entryPoints: ['conformance/visualise/serve-cli.ts'],
      outdir: 'dist/conformance/visualise',
      plugins: [keepCompiled('conformance/visualise')],
    }),
    build({
      ...COMMAND,
      entryPoints: ['conformance/soak/soak-cli.ts'],
      outdir: 'dist/conformance/soak',
      plugins: [keepCompiled('conformance/soak')],
    }),
    build({
      ...COMMAND,
      entryPoints: ['conformance/harness/harness-cli.ts'],
      outdir: 'dist/conformance/harness',
      plugins: [keepCompiledTests],
    }),
  ]);
  await chmod(join(DIST, 'cli/imatrix-mm.js'), 0o755);
  const inputs = [command, kit, visualise, serve, soak, harness].flatMap(({ metafile }) =>
    Object.keys(metafile.inputs),
  );
  await writeFile(join(DIST, 'cli/THIRD-PARTY-LICENSES.txt'), await licenceNotice(ROOT, inputs));
}

/** The page for design review without its data, with the licences of what is inside. */
async function writePageTemplate(): Promise<void> {
  const { inputs } = await makeTemplate();
  const { html } = await makeTemplate(await licenceNotice(ROOT, inputs, 'This page'));
  await writeFile(join(DIST, 'conformance/visualise/page-template.html'), html);
}

/** The saved traces, which the kit runs first. */
async function copyTraces(): Promise<void> {
  await cp(join(ROOT, 'conformance/regressions'), join(DIST, 'conformance/regressions'), { recursive: true });
}

async function compile(): Promise<void> {
  await promisify(execFile)(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'src/tsconfig.build.json'], { cwd: ROOT });
}

/** Empties dist/ and makes all of it. */
export async function buildAll(): Promise<void> {
  await rm(DIST, { recursive: true, force: true });
  await compile();
  await Promise.all([
    bundleCommands(),
    bundlePackages(),
    copyTraces(),
    writePageTemplate(),
    bundleWiced('esm').then((text) => writeFile(join(DIST, 'wiced.js'), text)),
  ]);
}

if (import.meta.main) {
  try {
    await buildAll();
  } catch (error) {
    // The compiler explains itself on stdout; a stack trace of this script would bury that.
    const { stdout, message } = error as { stdout?: string; message: string };
    console.error(stdout || message);
    process.exitCode = 1;
  }
}
