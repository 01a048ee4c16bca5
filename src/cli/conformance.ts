/** `imatrix-mm conformance`: the store against its formal model. */
import type { Command } from 'commander';
import { kitCommand } from './kit.ts';

export const conformanceCommand = (entry: string): Command =>
  kitCommand(
    'conformance',
    'Check the store against its formal model: seeded runs, crashes, faults (needs xstate, fast-check).',
    'cli/main',
    entry,
  );
