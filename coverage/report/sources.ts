/** Where the report takes everything from and puts it: the files of coverage/. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModeEvidence } from '../../conformance/evidence/record.ts';
import type { Baseline } from './gates.ts';
import type { MeasureName } from './measures.ts';
import { readEvidence } from './read.ts';
import type { Lists, SurvivingMutant, UnreachedLine } from './seen.ts';
import { Seen } from './seen.ts';

const ROOT = join(import.meta.dirname, '../..');
const BASELINE = join(ROOT, 'coverage/baseline.json');
/** Evidence of long runs, committed: what CI has no time for. */
const RECORDED = join(ROOT, 'coverage/recorded');
/** A figure may fall by so much before it counts as a drop. */
const TOLERANCE_PERCENT = 2;

const readJson = <T>(path: string, otherwise: T): T =>
  existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : otherwise;

function lists(): Lists {
  const survivors = readJson<readonly SurvivingMutant[]>(join(ROOT, 'coverage/survivors.json'), []);
  const places = readJson<readonly UnreachedLine[]>(join(ROOT, 'coverage/out/kit/places.json'), []);
  return { survivors, unreached: places };
}

/** @throws an Error of one line for a file in the folder that is no evidence. */
export const seenIn = (folder: string): Seen => new Seen(readEvidence(folder), readEvidence(RECORDED), lists());

export const isThere = (path: string): boolean => existsSync(join(ROOT, path));

export const readBaseline = (): Baseline =>
  readJson<Baseline>(BASELINE, { tolerancePercent: TOLERANCE_PERCENT, measures: {} });

/** What was measured replaces what was; what was not stays as it was. */
export function updateBaseline(measures: Readonly<Record<MeasureName, number | null>>): void {
  const { tolerancePercent, measures: before } = readBaseline();
  const measured = Object.fromEntries(Object.entries(measures).filter(([, value]) => value !== null));
  const baseline: Baseline = { tolerancePercent, measures: { ...before, ...measured } };
  writeFileSync(BASELINE, `${JSON.stringify(baseline, null, 2)}\n`);
}

/** Keeps the evidence of a long run without its examples. @throws an Error of one line when the mode was not run. */
export function record(run: readonly ModeEvidence[], mode: string): string {
  const evidence = run.find((each) => each.mode === mode);
  if (evidence === undefined) {
    throw new Error(`there is no evidence of the mode '${mode}' to record: run it first`);
  }
  const slim = { ...evidence, cells: evidence.cells.map(({ example: _, ...cell }) => cell) };
  mkdirSync(RECORDED, { recursive: true });
  const path = join(RECORDED, `${mode}.json`);
  writeFileSync(path, `${JSON.stringify(slim, null, 2)}\n`);
  return path;
}
