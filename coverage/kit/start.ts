/** Starts one run of the kit as a process of its own and lets it speak for itself. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Line } from './lines.ts';

const ROOT = join(import.meta.dirname, '../..');

/** @returns its exit code. */
export function start({ script, line }: Line, more: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...line, ...more], { cwd: ROOT, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
