/**
 * A soak of a store with a planted bug: the same command, run in a copy of the sources in which one known bug of the museum
 * is put. It must fail there; a soak that does not is blind to that bug.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** @param id of a bug of the museum. @param line of the command, without `--plant` and `--days`. @returns the exit code. */
export async function soakPlanted(id: string, days: number, line: readonly string[]): Promise<number> {
  if (!existsSync(join(ROOT, 'src/core/engine.ts'))) {
    throw new Error('--plant needs the sources of the project, which an installed package does not have: use a clone');
  }
  const [{ plantingOf }, { EXHIBITS }, { makeCopy }] = await Promise.all([
    import('../museum/exhibit.ts'),
    import('../museum/run.ts'),
    import('../museum/visit.ts'),
  ]);
  const exhibit = EXHIBITS.find((each) => each.id === id);
  if (exhibit === undefined) {
    throw new Error(`--plant ${id}: there is no such bug; known are ${EXHIBITS.map((each) => each.id).join(', ')}`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'soak-planted-'));
  try {
    makeCopy(ROOT, folder, plantingOf(ROOT, exhibit).files);
    process.stderr.write(`soak: planted ${id}: ${exhibit.bug}\n`);
    const command = join(folder, 'conformance/soak/soak-cli.ts');
    return await run(command, ['--days', `${days}`, ...line], days);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Many times what a run takes. */
const PATIENCE_MS = 60_000;
const PATIENCE_A_DAY_MS = 90_000;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** @returns the exit code; 1 for a soak that does not end. */
function run(command: string, line: readonly string[], days: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command, ...line], { stdio: 'inherit' });
    const endless = setTimeout(
      () => {
        process.stderr.write('soak: with this bug it does not end; ended now\n');
        child.kill('SIGKILL');
      },
      PATIENCE_MS + days * PATIENCE_A_DAY_MS,
    );
    const pass = (signal: NodeJS.Signals): boolean => child.kill(signal);
    for (const signal of SIGNALS) process.on(signal, pass);
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(endless);
      for (const signal of SIGNALS) process.off(signal, pass);
      resolve(code ?? 1);
    });
  });
}
