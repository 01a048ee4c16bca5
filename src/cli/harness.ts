/** `imatrix-mm harness`: the numbered tests that operators know, on both profiles. */
import type { Command } from 'commander';
import { kitCommand } from './kit.ts';

export const harnessCommand = (entry: string): Command =>
  kitCommand(
    'harness',
    'Run the numbered tests (1 to 42, and 99): a table, and what failed.',
    'harness/harness-cli',
    entry,
  );
