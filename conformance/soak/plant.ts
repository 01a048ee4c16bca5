/**
 * A soak of a store with a planted bug: the same command, run in a copy of the sources in which one known bug of the museum
 * is put. It must fail there; a soak that does not is blind to that bug.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** @param id of a bug of the museum. @param line of the command, without `--plant`. @returns the exit code. */
export async function soakPlanted(id: string, line: readonly string[]): Promise<number> {
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
    return await run(join(folder, 'conformance/soak/soak-cli.ts'), line);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

function run(command: string, line: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command, ...line], { stdio: 'inherit' });
    const pass = (signal: NodeJS.Signals): boolean => child.kill(signal);
    for (const signal of SIGNALS) process.on(signal, pass);
    child.on('error', reject);
    child.on('exit', (code) => {
      for (const signal of SIGNALS) process.off(signal, pass);
      resolve(code ?? 1);
    });
  });
}
