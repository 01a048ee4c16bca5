/**
 * Reads c8's json-summary and says how much of each gated folder was run. Pure: what a file holds goes in, rows come
 * out, so that the gate itself is tested.
 */
import { relative } from 'node:path';
import type { Threshold } from './thresholds.ts';

interface Count {
  readonly total: number;
  readonly covered: number;
}

/** c8's coverage-summary.json: absolute paths, and `total`. */
export type CoverageSummary = Readonly<Record<string, { readonly lines: Count; readonly branches: Count }>>;

export interface CoverageRow {
  readonly folder: string;
  readonly files: number;
  readonly measure: keyof Threshold;
  readonly percent: number;
  readonly demand: number;
  readonly met: boolean;
}

/** One row a folder and measure. A folder of which nothing was seen counts 0 %: a gate that measures nothing is red. */
export function coverageRows(
  summary: CoverageSummary,
  root: string,
  thresholds: Readonly<Record<string, Threshold>>,
): CoverageRow[] {
  return Object.entries(thresholds).flatMap(([folder, threshold]) => {
    const files = Object.entries(summary)
      .filter(([file]) => file !== 'total' && relative(root, file).startsWith(`${folder}/`))
      .map(([, counts]) => counts);
    return (['lines', 'branches'] as const).map((measure) => {
      const total = files.reduce((sum, file) => sum + file[measure].total, 0);
      const covered = files.reduce((sum, file) => sum + file[measure].covered, 0);
      const percent = total === 0 ? 0 : (100 * covered) / total;
      return {
        folder,
        files: files.length,
        measure,
        percent,
        demand: threshold[measure],
        met: percent >= threshold[measure],
      };
    });
  });
}
