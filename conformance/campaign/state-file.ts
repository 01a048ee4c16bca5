/**
 * The file from which an interrupted campaign goes on: its plan, and what is added up of it. It is replaced as a whole, so
 * that a process killed at any moment leaves a file that reads.
 *
 * Numbers from other sources, or of another plan, would be added up to a figure that no run ever had: such a file is
 * refused.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plan } from './plan.ts';
import type { SavedTally } from './tally.ts';
import { Tally } from './tally.ts';

export const STATE_FORMAT = 'imatrix-memory-manager conformance state';
export const STATE_VERSION = 1;

interface State {
  readonly format: typeof STATE_FORMAT;
  readonly version: typeof STATE_VERSION;
  /** Of model, engine and kit. */
  readonly sources: string;
  readonly plan: Plan;
  /** Seconds spent on what is added up. */
  readonly seconds: number;
  readonly tally: SavedTally;
}

/** What a state file gives back. */
export interface Resumed {
  readonly tally: Tally;
  readonly seconds: number;
}

const ROOT = join(import.meta.dirname, '../..');

/** A hash of every source file that decides what a run does: model, engine, kit. */
export function sourcesHash(): string {
  const hash = createHash('sha256');
  for (const folder of ['model', 'src/core', 'conformance']) {
    const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((each) => /(?<!\.d)\.[tj]s$/.test(each)).sort())
      hash.update(`${folder}/${name}\n`).update(readFileSync(join(ROOT, folder, name)));
  }
  return hash.digest('hex');
}

/** Whatever is in the file; undefined when there is none. */
function parse(path: string): Partial<State> | null | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`the state ${path} cannot be read (${(error as Error).message}): give another file`);
  }
  try {
    return JSON.parse(text) as Partial<State> | null;
  } catch {
    throw new Error(`the state ${path} is not JSON: delete it to begin anew`);
  }
}

/** The seed of the state there, so that a run without one of its own can go on; null when there is none. */
export const seedOfState = (path: string): number | null => parse(path)?.plan?.seed ?? null;

/** @returns null when there is no such file. @throws with one clear line when it is of something else than `plan`. */
export function readState(path: string, plan: Plan, sources: string): Resumed | null {
  const found = parse(path);
  if (found === undefined) return null;
  const refuse = (reason: string): never => {
    throw new Error(`the state ${path} ${reason}: delete it to begin anew`);
  };
  if (found?.format !== STATE_FORMAT) return refuse('is not a state of a conformance run');
  if (found.version !== STATE_VERSION) refuse(`is of version ${found.version}, and this is version ${STATE_VERSION}`);
  // Written by this version, as a whole.
  const state = found as State;
  if (state.plan.seed !== plan.seed) refuse(`is of seed ${state.plan.seed}, and this run has seed ${plan.seed}`);
  if (JSON.stringify(state.plan) !== JSON.stringify(plan))
    refuse(`is of another command (${JSON.stringify(state.plan)})`);
  if (state.sources !== sources) refuse('was begun with other source code');
  return { tally: Tally.restore(state.tally), seconds: state.seconds };
}

/** Replaces the file in one step. */
export function writeState(path: string, plan: Plan, sources: string, seconds: number, tally: Tally): void {
  const state: State = {
    format: STATE_FORMAT,
    version: STATE_VERSION,
    sources,
    plan,
    seconds,
    tally: tally.save(),
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

export function removeState(path: string): void {
  rmSync(path, { force: true });
}
