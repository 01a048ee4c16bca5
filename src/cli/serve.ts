/** `imatrix-mm serve --live`: a running store as a page, as it works. */
import type { Command } from 'commander';
import { kitCommand } from './kit.ts';

export const serveCommand = (entry: string): Command =>
  kitCommand('serve', 'Show a running store as a page on this machine, as it works.', 'visualise/serve-cli', entry, []);
