/** The same seed twice: some modes run two times in their quick form, and their trace hashes compared. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeOutcome } from '../../conformance/evidence/make.ts';
import { newCoverage } from '../../conformance/model-run.ts';

const ROOT = join(import.meta.dirname, '../..');
const KIT = 'conformance/cli/main.ts';

const TWICE: readonly (readonly string[])[] = [
  ['--runs', '100', '--seed', '7'],
  ['--tour', '--quick'],
  ['--crash', '--quick', '--seed', '7'],
  ['--faults', '--quick', '--seed', '7'],
  ['--damage', '--quick', '--seed', '7'],
];

function hashOf(line: readonly string[]): Promise<string> {
  const full = [KIT, ...line, '--json', '--no-evidence'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, full, { cwd: ROOT, maxBuffer: 1 << 26 }, (_, stdout) => {
      const { traceHash } = JSON.parse(stdout === '' ? '{}' : stdout) as { traceHash?: string };
      if (traceHash === undefined) reject(new Error(`${line.join(' ')} gave no trace hash`));
      else resolve(traceHash);
    });
  });
}

/** Leaves its evidence as a mode of its own. @returns the lines whose two hashes differ. */
export async function runTwice(evidencePath: string): Promise<string[]> {
  const startedMs = performance.now();
  const differing: string[] = [];
  for (const line of TWICE) {
    const [first, second] = [await hashOf(line), await hashOf(line)];
    if (first !== second) differing.push(line.join(' '));
  }
  const { evidence } = makeOutcome({
    mode: 'repeat',
    command: 'npm run conformance:all',
    seed: 7,
    profiles: ['linux', 'wiced'],
    seconds: (performance.now() - startedMs) / 1_000,
    steps: 0,
    failures: differing.length,
    traceHash: null,
    figures: { runs: TWICE.length, same: TWICE.length - differing.length },
    coverage: newCoverage(),
    possible: [],
    failure: null,
  });
  mkdirSync(dirname(evidencePath), { recursive: true });
  writeFileSync(evidencePath, `${JSON.stringify(evidence, null, 2)}\n`);
  return differing;
}
