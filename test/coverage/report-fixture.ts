/** Small evidence for the renderers: two modes, a crash cell, a planted bug, texts that look like markup. */
import type { ModeEvidence } from '../../conformance/evidence/record.ts';
import { EVIDENCE_FORMAT } from '../../conformance/evidence/record.ts';
import type { Report } from '../../coverage/report/build.ts';
import { buildReport } from '../../coverage/report/build.ts';
import type { Lists } from '../../coverage/report/seen.ts';
import { Seen } from '../../coverage/report/seen.ts';

export const evidenceOf = (given: Partial<ModeEvidence> & Pick<ModeEvidence, 'mode'>): ModeEvidence => ({
  format: EVIDENCE_FORMAT,
  version: 1,
  command: `npm run conformance -- --${given.mode}`,
  seed: 7,
  profiles: ['linux', 'wiced'],
  seconds: 1.5,
  steps: 1_234,
  failures: 0,
  traceHash: 'c0ffee00c0ffee00c0ffee00',
  figures: {},
  events: {},
  edges: { covered: [], possible: [] },
  invariants: {},
  cells: [],
  ...given,
});

export const TOUR = evidenceOf({
  mode: 'tour',
  figures: { taken: 62_242, edges: 62_242, modelMissing: 0 },
  seconds: 31,
  edges: { covered: ['closed OPEN'], possible: [], counts: { 'closed OPEN': 4_321 } },
  events: { OPEN: 4_321 },
  invariants: { 'INV-01': 55 },
  guards: { fitsPool: { passed: 40, refused: 7 }, raisesEpoch: { passed: 9, refused: 0 } },
});

export const CRASH = evidenceOf({
  mode: 'crash',
  figures: { images: 3_690, doubleCrashes: 590 },
  cells: [
    { edge: 'closed OPEN', io: 'write', residue: 'a file torn', count: 3 },
    { edge: 'closed OPEN', io: 'write', residue: 'nothing left', count: 4 },
    { edge: 'ready.ram APPEND', io: 'none', residue: 'everything left', count: 5 },
  ],
});

export const MUSEUM = evidenceOf({
  mode: 'museum',
  figures: { planted: 2, killed: 1, medianSteps: 4 },
  failures: 1,
  exhibits: [
    { id: 'V1', bug: 'read moves "head" <too>', caughtBy: 'INV-12', steps: 4, modes: ['random', 'tour'] },
    { id: 'K9', bug: 'nobody & nothing', caughtBy: null, steps: 0, modes: [] },
  ],
});

export const LISTS: Lists = {
  unreached: [
    { file: 'src/core/engine.ts', line: 120, code: 'if (a < b) return;', reason: 'the port never answers so' },
    { file: 'src/core/ledger.ts', line: 61, code: 'fold();', reason: '' },
  ],
  survivors: [
    { file: 'src/core/flush.ts', line: 7, original: 'a < b', replacement: 'a <= b', reason: 'they are never equal' },
  ],
};

export const report = (run: readonly ModeEvidence[], recorded: readonly ModeEvidence[] = []): Report =>
  buildReport(new Seen(run, recorded, LISTS), {
    baseline: { tolerancePercent: 2, measures: { 'crash images': 4_000, 'edges of the tour': 62_000 } },
    isThere: (path) => !path.includes('campaign'),
  });
