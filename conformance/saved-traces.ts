/** Failing runs as files: how one is made, saved under a name of its own, and found again. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Action, Scenario, Trace } from './actions.ts';
import { TRACE_FORMAT } from './actions.ts';

export interface Failure {
  readonly breaks: string;
  readonly message: string;
  readonly trace: Trace;
  /** Runs up to and including the one that failed. */
  readonly runs: number;
  /** fast-check's own way to the failing recipe; null for a saved trace that fails again. */
  readonly path: string | null;
}

export const makeTrace = (scenario: Scenario, actions: readonly Action[], seed: number, note: string): Trace => ({
  format: TRACE_FORMAT,
  version: 1,
  note: note.split('\n')[0] ?? note,
  seed,
  scenario,
  actions,
});

/** Paths of the traces saved in a folder, by name, without their ITF forms; none for a folder that is not there. */
export function savedTraces(folder: string | null): string[] {
  if (folder === null || !existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.endsWith('.itf.json'));
  return names.sort().map((name) => join(folder, name));
}

/** Saves a failing trace under a name made of what it breaks and a hash of itself. @returns its path, as one types it. */
export function saveTrace(folder: string, { breaks, trace }: Pick<Failure, 'breaks' | 'trace'>): string {
  mkdirSync(folder, { recursive: true });
  const hash = createHash('sha256')
    .update(JSON.stringify([trace.scenario, trace.actions]))
    .digest('hex')
    .slice(0, 8);
  const path = join(folder, `${breaks.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-${hash}.json`);
  writeFileSync(path, `${JSON.stringify(trace, null, 2)}\n`);
  return relative(process.cwd(), path);
}
