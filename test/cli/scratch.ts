/** Temporary directories for tests that need files, and the command as a user starts it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export const ROOT = join(import.meta.dirname, '../..');
export const FIXTURES = join(ROOT, 'test/fixtures/recordings');
const NODE = join(ROOT, 'node_modules/.bin/node');
const MAIN = join(ROOT, 'src/cli/main.ts');
/** Compiled code, kept between runs: most of what a short command does would else be compiling. */
const COMPILED = join(ROOT, 'node_modules/.cache/imatrix-memory-manager/compiled');

/** A directory that is removed when the test file is done. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'imatrix-test-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

let files = 0;

export function writeScratch(directory: string, content: string | Uint8Array, name?: string): string {
  const path = join(directory, name ?? `file-${files++}`);
  writeFileSync(path, content);
  return path;
}

export interface CommandEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Called with the child's id as soon as it runs. */
  readonly onStart?: (pid: number) => void;
}

/** Runs `imatrix-mm ...args`. */
export function imatrixMm(args: readonly string[], options: CommandOptions = {}): Promise<CommandEnd> {
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILED, ...options.env };
  const child = spawn(NODE, [MAIN, ...args], { cwd: options.cwd ?? ROOT, env });
  if (child.pid !== undefined) options.onStart?.(child.pid);
  const end = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      end[name] += text;
    });
  }
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...end }));
  });
}
