/** A bug planted in a copy of the sources, and what one mode of the kit, started there as a process, says of it. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const NEVER_ENDS_MS = 100_000;

export interface Bug {
  readonly file: string;
  readonly search: string;
  readonly replace: string;
}

export interface ModeAnswer {
  readonly failures: number;
  readonly failure?: { readonly breaks: string; readonly message: string; readonly steps: number };
}

/** Runs `conformance ...line --json` of a copy with this bug. @throws when the bug's place is not found exactly once. */
export const runWith = (bug: Bug, line: readonly string[]): Promise<ModeAnswer> =>
  inPlantedCopy(bug, (folder) => answerOf(folder, line));

/** Does its work in a copy of the sources with this bug. @throws when the bug's place is not found exactly once. */
export async function inPlantedCopy<T>(
  { file, search, replace }: Bug,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const source = readFileSync(join(ROOT, file), 'utf8');
  if (source.split(search).length !== 2) throw new Error(`the place of the bug in ${file} is not found once`);
  const folder = mkdtempSync(join(tmpdir(), 'planted-'));
  try {
    for (const part of ['src', 'model', 'conformance'])
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(
      join(folder, file),
      source.replace(search, () => replace),
    );
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function answerOf(folder: string, line: readonly string[]): Promise<ModeAnswer> {
  const full = ['conformance/cli/main.ts', ...line, '--json', '--no-evidence', '--out', join(folder, 'found')];
  const options = { cwd: folder, timeout: NEVER_ENDS_MS, maxBuffer: 1 << 26 };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, full, options, (_, stdout, stderr) => {
      if (stdout.trim() === '') reject(new Error(`the planted copy could not run: ${stderr.slice(0, 2_000)}`));
      else resolve(JSON.parse(stdout) as ModeAnswer);
    });
  });
}
