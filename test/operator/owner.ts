/** A store that another process has open, driven line by line. It is ended with the test that started it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { Stats } from '../../src/index.ts';
import { ROOT } from '../tools/project-files.ts';

export interface Owner {
  readonly pid: number;
  /** Waits until it is done. */
  tell(what: string): Promise<string>;
  stats(): Promise<Stats>;
}

export async function startOwner(directory: string, ...more: readonly 'shown'[]): Promise<Owner> {
  const file = join(import.meta.dirname, 'children/owner.ts');
  const child = spawn(process.execPath, [file, directory, ...more], { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => (await lines.next()).value as string;
  const tell = (what: string): Promise<string> => {
    child.stdin.write(`${what}\n`);
    return next();
  };
  await next();
  return { pid: child.pid as number, tell, stats: async () => JSON.parse(await tell('stats')) as Stats };
}
