/** Reads what the modes of the kit have left, one file a mode. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModeEvidence } from '../../conformance/evidence/record.ts';
import { EVIDENCE_FORMAT, MODES } from '../../conformance/evidence/record.ts';

/** @throws an Error of one line: which file, what is wrong, what to do. */
function readOne(path: string): ModeEvidence {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`cannot read the evidence ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const evidence = parsed as Partial<ModeEvidence> | null;
  if (evidence === null || evidence.format !== EVIDENCE_FORMAT || evidence.version !== 1) {
    throw new Error(`${path} is no evidence of version 1: remove it, or run its mode again`);
  }
  if (!MODES.includes(evidence.mode as ModeEvidence['mode'])) {
    throw new Error(`${path} is of the mode '${evidence.mode}', which this version does not know: remove it`);
  }
  return evidence as ModeEvidence;
}

/** In the order of MODES. A folder that is not there has none. @throws an Error of one line for a file that is none. */
export function readEvidence(folder: string): ModeEvidence[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.map((name) => readOne(join(folder, name))).sort((a, b) => MODES.indexOf(a.mode) - MODES.indexOf(b.mode));
}
