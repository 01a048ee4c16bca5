/**
 * The museum as a user runs it: known bugs are caught by short traces, bugs from outside are planted as diffs, and what does
 * not fit is said in one line.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAst } from 'vitest/node';
import type { Exhibit } from '../../conformance/museum/exhibit.ts';
import { plant, plantingOf } from '../../conformance/museum/exhibit.ts';
import { plantingOfDiff } from '../../conformance/museum/patches.ts';
import { EXHIBITS, runMuseum } from '../../conformance/museum/run.ts';

const ROOT = join(import.meta.dirname, '../..');
/** A visit takes a second or two on an idle machine; others may be at work on it. */
const LONG_MS = 300_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'museum-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const diffOf = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** As `git diff` writes it: the read mark does not move. */
const READ_TWICE = `diff --git a/src/core/stream-handle.ts b/src/core/stream-handle.ts
index 1111111..2222222 100644
--- a/src/core/stream-handle.ts
+++ b/src/core/stream-handle.ts
@@ -115,5 +115,4 @@ export class StreamHandle {
   readonly #markUpTo = (batch: RecordBatch, end: number): void => {
     if (batch.length === 0) return;
-    this.#state.pool.read[this.#slot] = end;
     this.#state.counters.read += batch.length;
   };
`;

/** As `diff -u` writes it, over two files: a new one is used by one that is there. */
const TWO_FILES = `--- /dev/null
+++ src/core/off-by-one.ts
@@ -0,0 +1 @@
+export const OFF_BY_ONE = 1;
--- src/core/sector-pool.ts\t2026-01-01 00:00:00
+++ src/core/sector-pool.ts\t2026-01-02 00:00:00
@@ -17,4 +17,5 @@
 import type { IndexArray } from './arena.ts';
 import { Arena, ArenaPlan } from './arena.ts';
 import { invariant, RAM_FULL } from './codes.ts';
+import { OFF_BY_ONE } from './off-by-one.ts';
 import { LossLedger } from './ledger.ts';
@@ -229,3 +230,3 @@
     this.#free = this.next[sector] as number;
-    this.used++;
+    this.used += 1 + OFF_BY_ONE;
     this.owner[sector] = slot;
`;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const museum = (...given: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const line = [join(ROOT, 'conformance/museum-cli.ts'), '--no-evidence', ...given];
    execFile(process.execPath, line, { cwd: folder }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });

describe('the museum', () => {
  // Goal: the kit can fail, with a trace that one can read. Method: three exhibits, each in a copy of the engine.
  it(
    'catches planted bugs with traces of at most 8 steps',
    async () => {
      const known = EXHIBITS.filter(({ id }) => ['V1', 'V24', 'K40'].includes(id));
      const { rows, killed, outcome } = await runMuseum({
        root: ROOT,
        plantings: known.map((exhibit) => plantingOf(ROOT, exhibit)),
        seed: 7,
        runs: 500,
        everyMode: false,
        command: 'test',
      });
      expect(killed).toBe(3);
      for (const { steps } of rows) expect(steps).toBeGreaterThan(0);
      for (const { steps } of rows) expect(steps).toBeLessThanOrEqual(8);
      expect(outcome.evidence.figures).toMatchObject({ planted: 3, killed: 3 });
      // What the page of a whole run draws its planted bugs from.
      expect(outcome.evidence.exhibits).toEqual(
        rows.map(({ id, bug, caughtBy, steps, modes }) => ({ id, bug, caughtBy, steps, modes })),
      );
    },
    LONG_MS,
  );

  // Goal: an engine without a bug is not accused. Method: a diff that changes a comment; the exit code says 1.
  it(
    'says so when nothing catches a change, and exits with 1',
    async () => {
      diffOf(
        'harmless.diff',
        '--- a/src/core/ledger.ts\n+++ b/src/core/ledger.ts\n@@ -1,1 +1,2 @@\n /**\n+ * Harmless.\n',
      );
      const { code, stdout } = await museum('--museum', folder, '--runs', '20', '--modes', 'random,refusals', '--json');
      expect(JSON.parse(stdout)).toMatchObject({ planted: 1, killed: 0, rows: [{ id: 'harmless', caughtBy: null }] });
      expect(code).toBe(1);
    },
    LONG_MS,
  );

  // Goal: bugs from outside are planted as they are given. Method: two diffs in a folder, in the two usual forms.
  it(
    'plants the diffs of a folder and answers with the same keys',
    async () => {
      diffOf('read-twice.diff', READ_TWICE);
      diffOf('two-files.patch', TWO_FILES);
      const { code, stdout, stderr } = await museum('--museum', folder, '--json');
      expect(stderr).toBe('');
      const { planted, killed, rows } = JSON.parse(stdout);
      expect([planted, killed, code]).toEqual([2, 2, 0]);
      expect(rows).toMatchObject([{ id: 'read-twice' }, { id: 'two-files' }]);
      for (const { caughtBy, steps, runs } of rows) {
        expect(caughtBy).toMatch(/^INV-\d\d$/);
        expect(steps).toBeGreaterThan(0);
        expect(runs).toBeGreaterThan(0);
      }
    },
    LONG_MS,
  );
});

describe('what does not fit', () => {
  const refused = (path: string): string => {
    try {
      plantingOfDiff(path, ROOT);
    } catch (error) {
      return (error as Error).message;
    }
    return 'accepted';
  };

  // Goal: a diff of other sources is refused, naming file and hunk. Method: the second hunk changed; the command's exit.
  it('names the file and the hunk of a diff that does not apply, in one line, and exits with 2', async () => {
    diffOf('stale.diff', TWO_FILES.replace('this.used++', 'this.used--'));
    const { code, stdout, stderr } = await museum('--museum', folder);
    expect(stderr).toMatch(
      /^conformance:museum: .*stale\.diff does not apply: hunk 2 of src\/core\/sector-pool\.ts \(lines 229 to 231\) is not in the source; make the diff anew; see --help\n$/,
    );
    expect([code, stdout]).toEqual([2, '']);
  });

  // Goal: anything else that is no fitting diff is refused too. Method: one of each kind.
  it('refuses what is no diff, changes nothing, or changes what is not copied', async () => {
    expect(refused(diffOf('a.diff', 'no diff at all\n'))).toMatch(/a\.diff has no hunk/);
    expect(refused(diffOf('b.diff', '--- a/x\n+++ b/x\n@@ -1 +1 @@\nnonsense\n'))).toMatch(
      /b\.diff is no unified diff/,
    );
    const readme = '--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-a\n+b\n';
    expect(refused(diffOf('c.diff', readme))).toMatch(/changes a\/README\.md: only src, model, conformance/);
    expect(refused(diffOf('d.diff', readme.replaceAll('README.md', 'src/../../x')))).toMatch(/only src, model/);
    expect(refused(diffOf('e.diff', readme.replaceAll('README.md', 'src/none.ts')))).toMatch(/which is not there/);
    expect((await museum('--museum', join(folder, 'none'))).stderr).toMatch(/none is not a folder: give one/);
    expect((await museum('--only', 'V1,X9')).stderr).toMatch(/there is no X9; there are V1, /);
  });

  // Goal: an exhibit that no longer fits is seen. Method: a source without its place, and one with it twice.
  it('fails loudly when the place of an exhibit is not found exactly once', () => {
    const exhibit: Exhibit = { id: 'X', bug: 'none', file: 'x.ts', search: 'here', replace: 'there' };
    expect(plant('it is here', exhibit)).toBe('it is there');
    expect(() => plant('nothing', exhibit)).toThrow('exhibit X: its place in x.ts is found 0 times');
    expect(() => plant('here and here', exhibit)).toThrow('found 2 times');
    for (const each of EXHIBITS) {
      const [planted] = plantingOf(ROOT, each).files.values();
      expect(() => parseAst(planted ?? '', { lang: 'ts' }), each.id).not.toThrow();
    }
  });
});
