/**
 * The mode `--verify`: stores drawn by chance, damaged by chance, and what verify, dump and repair make of each. A store and its
 * damage are a seed and a number, so each can be had again by itself.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withPlace } from '../../src/operator/read-only-store.ts';
import { verify } from '../../src/operator/verify/verify.ts';
import { describeSpoil } from '../damage-matrix/spoil.ts';
import { build } from '../damage-matrix/stores.ts';
import { writtenOf } from '../damage-matrix/written.ts';
import { readLog } from '../format/read-log.ts';
import { segmentFileName } from '../format/write-segment.ts';
import { Random } from '../random.ts';
import type { Damage, StoredFile } from './damages.ts';
import { applyDamages, drawDamages } from './damages.ts';
import { writeFiles } from './directory.ts';
import type { Case } from './judge.ts';
import { judge } from './judge.ts';
import { recipeOf } from './recipes.ts';

export interface VerifyRunOptions {
  readonly seed: number;
  readonly count: number;
  /** Only the store with this number. */
  readonly only?: number;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

export interface KindRow {
  readonly kind: string;
  damages: number;
  named: number;
}

export interface VerifyRunFailure {
  /** Of the store, from 0: with the seed it is the store. */
  readonly store: number;
  readonly damages: readonly string[];
  readonly findings: readonly string[];
}

export interface VerifyRunResult {
  readonly seed: number;
  readonly stores: number;
  readonly rows: readonly KindRow[];
  readonly damages: number;
  readonly named: number;
  readonly retained: number;
  /** Of them in blocks that were hit. */
  readonly lost: number;
  /** Sound ones behind them, of a flush whose commit was spoiled too (judge.ts). */
  readonly uncommitted: number;
  readonly kept: number;
  readonly failures: readonly VerifyRunFailure[];
}

type Sums = Record<'damages' | 'named' | 'retained' | 'lost' | 'uncommitted' | 'kept', number>;

interface Drawn {
  readonly files: readonly StoredFile[];
  readonly damages: readonly Damage[];
  readonly written: Case['written'];
  readonly live: ReadonlySet<string>;
}

/** A store with something on disk, and its damage. */
export async function draw(seed: number, number: number): Promise<Drawn> {
  const random = new Random((seed ^ Math.imul(number + 1, 0x9e37_79b1)) >>> 0);
  for (;;) {
    const run = await build(recipeOf(random));
    const files = run.disk?.files() ?? [];
    const written = writtenOf(run);
    const damages = drawDamages(files, written.files, random);
    if (damages.length > 0) return { files, damages, written, live: liveOf(files) };
  }
}

/** Segments that the log names, by the document. A store that was cut off may have a torn end: then its files are asked. */
function liveOf(files: readonly StoredFile[]): ReadonlySet<string> {
  const segments = files
    .filter(({ name }) => name.endsWith('.seg'))
    .map(({ directory, name }) => `${directory}/${name}`);
  try {
    const log = readLog(files.filter(({ directory, name }) => directory === '' && name.endsWith('.log')));
    const named = [...log.segments].map(
      ([number, source]) => `${source}/${segmentFileName(log.files.get(number) ?? number)}`,
    );
    return new Set(segments.filter((path) => named.includes(path)));
  } catch {
    // Nothing is demanded of a segment of which the document does not say that it counts.
    return new Set();
  }
}

const describeDamage = ({ spoil, more }: Damage): string =>
  more === undefined
    ? describeSpoil(spoil)
    : `${describeSpoil(spoil)}, and one of each of ${more.length} bytes behind it`;

/** Runs all of it; a store that fails does not end the run. */
export async function runVerify({ seed, count, only, onProgress }: VerifyRunOptions): Promise<VerifyRunResult> {
  const rows = new Map<string, KindRow>();
  const failures: VerifyRunFailure[] = [];
  const sums = { damages: 0, named: 0, retained: 0, lost: 0, uncommitted: 0, kept: 0 };
  const numbers = only === undefined ? Array.from({ length: count }, (_, i) => i) : [only];
  const root = await mkdtemp(join(tmpdir(), 'imatrix-damage-'));
  try {
    for (const [done, number] of numbers.entries()) {
      const drawn = await draw(seed, number);
      const findings = await judgeDrawn(join(root, `${number}`), drawn, rows, sums);
      if (findings.length > 0) {
        failures.push({ store: number, damages: drawn.damages.map(describeDamage), findings });
      }
      onProgress?.({ done: done + 1, total: numbers.length });
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  const sorted = [...rows.values()].sort((a, b) => a.kind.localeCompare(b.kind));
  return { seed, stores: numbers.length, rows: sorted, ...sums, failures };
}

async function judgeDrawn(
  directory: string,
  { files, damages, written, live }: Drawn,
  rows: Map<string, KindRow>,
  sums: Sums,
): Promise<readonly string[]> {
  try {
    await writeFiles(directory, files);
    const sound = await withPlace(directory, verify);
    const accused = sound.findings.find(({ level }) => level === 'damage');
    if (accused !== undefined)
      return [`before anything was done to it, ${accused.file} is called damaged: ${accused.text}`];
    await rm(directory, { recursive: true });
    await writeFiles(directory, applyDamages(files, damages));
    const judged = await judge({ directory, written, damages, live });
    for (const { kind } of damages) {
      const row = rows.get(kind) ?? { kind, damages: 0, named: 0 };
      row.damages++;
      rows.set(kind, row);
    }
    // Which of several was not named is in the findings; the table counts by kind where all were.
    const missed = judged.findings.filter((each) => each.startsWith('not named')).length;
    for (const [i, { kind }] of damages.entries()) if (i >= missed) (rows.get(kind) as KindRow).named++;
    sums.damages += damages.length;
    for (const key of ['named', 'retained', 'lost', 'uncommitted', 'kept'] as const) sums[key] += judged[key];
    return judged.findings;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
