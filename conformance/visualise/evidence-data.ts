/**
 * The page of a whole run, from the evidence files that the kit's modes left: figures as they are, and for each place of
 * a crash a run that went there, run once more so that it can be opened.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TRACE_FORMAT } from '../actions.ts';
import type { ModeEvidence, ModeProgress } from '../evidence/record.ts';
import { EVIDENCE_FORMAT, MODES } from '../evidence/record.ts';
import type { CrashExample } from '../model-run.ts';
import type { EvidencePage, ShownCell, TracePage } from './page-data.ts';
import { traceData } from './trace-data.ts';

/** Longer runs are not opened from a cell: there are shorter ones, and they would make the page large. */
const EXAMPLE_STEPS_MAX = 250;

function readMode(path: string): ModeEvidence {
  let parsed: Partial<ModeEvidence> | null;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8')) as Partial<ModeEvidence> | null;
  } catch (error) {
    throw new Error(`cannot read the evidence ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (parsed?.format !== EVIDENCE_FORMAT || parsed.version !== 1 || !Array.isArray(parsed.cells)) {
    throw new Error(`${path} is no evidence of version 1: let the conformance run write it again`);
  }
  return parsed as ModeEvidence;
}

/** Evidence of every mode in the folder, in the order of the report. @throws an Error with one clear line. */
export function readEvidence(folder: string): ModeEvidence[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const found = MODES.filter((mode) => names.includes(`${mode}.json`)).map((mode) =>
    readMode(join(folder, `${mode}.json`)),
  );
  if (found.length === 0) throw new Error(`there is no evidence in ${folder}: run npm run conformance first`);
  return found;
}

async function openable({ scenario, actions }: CrashExample, name: string, seed: number | null): Promise<TracePage> {
  const note = `a run that went to: ${name}`;
  return traceData(name, { format: TRACE_FORMAT, version: 1, note, seed: seed ?? 0, scenario, actions });
}

export async function evidenceData(modes: readonly ModeEvidence[], onProgress?: ModeProgress): Promise<EvidencePage> {
  const examples: TracePage[] = [];
  const cells: ShownCell[] = [];
  const total = modes.reduce((sum, mode) => sum + mode.cells.length, 0);
  for (const { mode, seed, cells: counted } of modes) {
    for (const { example, ...cell } of counted) {
      const short = example !== undefined && example.actions.length <= EXAMPLE_STEPS_MAX;
      const name = `${cell.edge}, ${cell.io}, ${cell.residue}`;
      const index = short ? examples.push(await openable(example, name, seed)) - 1 : null;
      cells.push({ ...cell, mode, example: index });
      onProgress?.({ what: 'runs that crashes are shown by', done: cells.length, total });
    }
  }
  return { kind: 'evidence', modes: modes.map(({ cells: _, ...rest }) => rest), cells, examples };
}
