/** `imatrix-mm visualise`: a trace, the model or the evidence of a run as one page for design review. */
import type { Command } from 'commander';
import { kitCommand } from './kit.ts';

export const visualiseCommand = (entry: string): Command =>
  kitCommand(
    'visualise',
    'Show a trace, the model or the evidence of a run as one page that opens from its file (needs xstate, fast-check).',
    'visualise/cli',
    entry,
  );
