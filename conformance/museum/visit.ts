/**
 * A visit to one exhibit: the bug is planted in a copy of the sources, and the kit looks for it there in a process of its
 * own, so that a bug that never ends is ended.
 *
 * The kit is not tuned to any bug: these are its ordinary modes in their quick form, with the ordinary weights.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Mode } from '../evidence/record.ts';
import type { Planting } from './exhibit.ts';
import type { Found } from './search.ts';

/** What a copy consists of, and what a bug may change. */
export const COPIED = ['src', 'model', 'conformance'] as const;
/** The modes that look, in their order; search.ts has what they do. */
export const SEARCHING_MODES = [
  'random',
  'refusals',
  'damage',
  'faults',
  'crash',
  'liveness',
  'interleavings',
  'tour',
] as const satisfies readonly Mode[];

/** A search that takes longer does not end. */
const NEVER_ENDS_MS = 120_000;
/** One that shows no sign of life for so long is in a loop without a wait. */
const SILENCE_MS = 20_000;

export interface Catch {
  readonly id: string;
  readonly bug: string;
  /** The invariant or comparison that failed first, `timeout` for a run that never ended, null when nothing did. */
  readonly caughtBy: string | null;
  /** Of the shrunk trace. */
  readonly steps: number;
  /** Runs until it was caught. */
  readonly runs: number;
  /** The modes that caught it, in the order in which they looked; the first one alone unless all were asked. */
  readonly modes: readonly string[];
}

export interface VisitOptions {
  readonly seed: number;
  /** Seeded runs after which the bug counts as not caught by them. */
  readonly runs: number;
  /** Every mode looks, also when one before it has caught the bug. */
  readonly everyMode: boolean;
  /** The modes that look, by name. Default: all. */
  readonly only?: readonly string[];
}

/** Looks in a copy; null when it did not end. @throws when the copy cannot run at all, which catches nothing. */
function searchCopy(folder: string, options: VisitOptions): Promise<readonly Found[] | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['conformance/museum/search.ts', JSON.stringify(options)], { cwd: folder });
    let ended = false;
    const end = (): void => {
      ended = true;
      child.kill('SIGKILL');
    };
    const longest = setTimeout(end, NEVER_ENDS_MS);
    let silence = setTimeout(end, SILENCE_MS);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      clearTimeout(silence);
      silence = setTimeout(end, SILENCE_MS);
      stderr += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(longest);
      clearTimeout(silence);
      if (ended) resolve(null);
      else if (stdout.trim() === '') reject(new Error(`the planted copy cannot run: ${reasonOf(stderr)}`));
      else resolve(JSON.parse(stdout) as Found[]);
    });
  });
}

function reasonOf(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.find((line) => line.includes('Error')) ?? lines.find((line) => line !== '.') ?? 'it said nothing';
}

/** A copy of the sources with these files in place of their own. */
export function makeCopy(root: string, folder: string, files: Planting['files']): void {
  for (const part of COPIED) cpSync(join(root, part), join(folder, part), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [file, content] of files) {
    const path = join(folder, file);
    if (content === null) rmSync(path);
    else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
  }
}

/** Plants one bug in a copy of `root` and lets the kit look for it. */
export async function visit(root: string, { id, bug, files }: Planting, options: VisitOptions): Promise<Catch> {
  const folder = mkdtempSync(join(tmpdir(), 'museum-'));
  try {
    makeCopy(root, folder, files);
    const found = await searchCopy(folder, options).catch((error: Error) => {
      throw new Error(`${id}: ${error.message}`);
    });
    if (found === null) return { id, bug, caughtBy: 'timeout', steps: 0, runs: 0, modes: [] };
    const [first] = found;
    if (first === undefined) return { id, bug, caughtBy: null, steps: 0, runs: options.runs, modes: [] };
    return {
      id,
      bug,
      caughtBy: first.breaks,
      steps: first.steps,
      runs: first.runs,
      modes: found.map(({ mode }) => mode),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
