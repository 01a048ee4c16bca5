/**
 * The runs that make up `npm run conformance:all` and `npm run conformance:coverage`: each mode of the kit in the size that
 * CI can wait for, with a seed, so that the same code gives the same figures.
 */
import type { Mode } from '../../conformance/evidence/record.ts';

export interface Line {
  readonly mode: Mode;
  /** The script, and what follows it. */
  readonly script: string;
  readonly line: readonly string[];
  /** Adds nothing to what is reached of the engine in this process: bugs and stores in others. */
  readonly elsewhere?: true;
}

const KIT = 'conformance/cli/main.ts';
const SEEDED = ['--seed', '7'] as const;

export const LINES: readonly Line[] = [
  { mode: 'tour', script: KIT, line: ['--tour'] },
  { mode: 'random', script: KIT, line: ['--steps', '200k', ...SEEDED] },
  { mode: 'crash', script: KIT, line: ['--crash', '--quick', ...SEEDED] },
  { mode: 'faults', script: KIT, line: ['--faults', '--quick', ...SEEDED] },
  { mode: 'damage', script: KIT, line: ['--damage', '--quick', ...SEEDED] },
  { mode: 'interleavings', script: KIT, line: ['--interleavings', '--quick', ...SEEDED] },
  { mode: 'liveness', script: KIT, line: ['--liveness', '--quick', ...SEEDED] },
  { mode: 'refusals', script: KIT, line: ['--refusals'] },
  { mode: 'legacy', script: KIT, line: ['--legacy', ...SEEDED] },
  { mode: 'others', script: KIT, line: ['--others', ...SEEDED], elsewhere: true },
  { mode: 'museum', script: 'conformance/museum-cli.ts', line: [...SEEDED], elsewhere: true },
];

/** What of them measures code: smaller where size brings nothing new, one thread where c8 sees only that. */
export const COVERAGE_LINES: readonly Line[] = LINES.filter(({ elsewhere }) => elsewhere !== true).map((each) => {
  if (each.mode === 'tour') return { ...each, line: ['--tour', '--quick', '--jobs', '1'] };
  if (each.mode === 'random') return { ...each, line: ['--steps', '50k', ...SEEDED] };
  const inThreads = each.mode === 'crash' || each.mode === 'interleavings';
  return inThreads ? { ...each, line: [...each.line, '--jobs', '1'] } : each;
});
