/** `imatrix-mm soak`: days of the reference load with crashes, disk trouble and clock jumps, and a table of gates. */
import type { Command } from 'commander';
import { kitCommand } from './kit.ts';

export const soakCommand = (entry: string): Command =>
  kitCommand(
    'soak',
    'Run the reference load for days with crashes, disk trouble and clock jumps; verify every record.',
    'soak/soak-cli',
    entry,
    [],
  );
