/**
 * `imatrix-mm serve --live`: shows a running store as a page on this machine, until it is stopped.
 *
 * Exit code 0: it was stopped. 2: what was asked for makes no sense, or there is no running store to show.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { endWithReader } from '../cli/reader-gone.ts';
import { openInBrowser } from './open-in-browser.ts';
import { servePage } from './serve.ts';

const PORT_MAX = 65_535;

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= PORT_MAX)) throw new InvalidArgumentError('give a port from 0 to 65535; 0 is any that is free');
  return port;
}

function commandLine(): Command {
  return new Command('serve')
    .description('Shows a running store as a page on this machine: placement, gauges and invariants as it works.')
    .requiredOption('--live <place>', "the store's directory, or the address that serveLive returned")
    .option('--port <n>', 'where the page is served, on the loopback address (default: any that is free)', portOf, 0)
    .option('--open', 'open the page in the browser')
    .addHelpText('after', '\nThe program that has the store open calls serveLive(store, { directory }).')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
}

endWithReader();
try {
  const command = commandLine();
  command.parse();
  const { live, port, open } = command.opts<{ readonly live: string; readonly port: number; readonly open?: true }>();
  const server = await servePage(live, port);
  console.log(server.url);
  if (open === true) openInBrowser(server.url);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server[Symbol.asyncDispose]());
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else {
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    console.error(`serve: ${message.replace(/^error: /, '')}; see --help`);
    process.exitCode = 2;
  }
}
