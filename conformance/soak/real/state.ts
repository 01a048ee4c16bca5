/**
 * Where a real soak stands, as one file beside its store, so that it can be stopped and go on: written whole under another
 * name, then renamed. It is written every few minutes; what a run that was killed itself had done since, the store says
 * (`Account.believe`).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountImage } from '../account.ts';
import type { DeviceFigures } from '../device-figures.ts';
import type { FindingsImage } from '../findings.ts';
import type { Mark } from '../incidents.ts';
import type { WearTotals } from '../wear.ts';

const FILE = 'soak.json';
const STORE = 'store';
const VERSION = 1;

/** What a run was asked for; to go on it must be asked for the same. */
export interface RealPlan {
  readonly seconds: number;
  readonly seed: number;
  /** Seconds of the load that pass in one of real time. */
  readonly speed: number;
}

export interface RealState {
  readonly version: typeof VERSION;
  readonly plan: RealPlan;
  /** `stopped`: its store was closed in good order. */
  readonly status: 'running' | 'stopped' | 'ended';
  /** The next tick, and the next incident of the schedule. */
  readonly tick: number;
  readonly incident: number;
  readonly storeId: string | null;
  readonly startMs: number;
  /** From which tick on the clock is by how much off. */
  readonly clockSet: readonly (readonly [tick: number, byMs: number])[];
  readonly refusedUntil: number;
  readonly account: AccountImage;
  readonly figures: DeviceFigures;
  readonly findings: FindingsImage;
  readonly incidents: Readonly<Record<string, number>>;
  readonly wear: WearTotals & { readonly kernelBytes: number };
  readonly reads: number;
  readonly failedReads: number;
  readonly atRiskMax: number;
  readonly offlineRecords: number;
  readonly quietFlushes: number;
  readonly runSeconds: number;
  readonly slots: readonly {
    readonly poolPercent: number;
    readonly diskBytes: number;
    readonly flushes: number;
    readonly offline: number;
    readonly marks: readonly Mark[];
  }[];
}

export const storeDirectory = (directory: string): string => join(directory, STORE);

export function saveState(directory: string, state: RealState): void {
  const path = join(directory, FILE);
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

/**
 * The state of the soak in this directory; null for a new or empty one, which is made.
 * @throws an Error with one clear line when the directory holds something else, or a soak that was asked for otherwise.
 */
export function findState(directory: string, asked: Partial<RealPlan>): RealState | null {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, FILE);
  if (!existsSync(path)) {
    if (readdirSync(directory).length === 0) return null;
    throw new Error(`--directory ${directory}: it is not empty and holds no soak; give a new or an empty directory`);
  }
  const state = readState(path);
  if (state.status === 'ended') {
    throw new Error(`--directory ${directory}: the soak in it has ended; give a new or an empty directory`);
  }
  const { seconds, seed, speed } = state.plan;
  const same =
    (asked.seconds ?? seconds) === seconds && (asked.seed ?? seed) === seed && (asked.speed ?? speed) === speed;
  if (same) return state;
  throw new Error(
    `--directory ${directory}: the soak in it is one of --for ${seconds}s --seed ${seed} --speed ${speed}; ask for the same, or give another directory`,
  );
}

function readState(path: string): RealState {
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as RealState;
    if (state.version === VERSION) return state;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Error(`${path} is not the state of a soak that this version can go on with; give another directory`);
}
