/**
 * `imatrix-mm serve`: a running store as a page (`--live`, which belongs to the kit), or a store's figures for Prometheus
 * (`--metrics`), until it is stopped.
 */
import { Command, InvalidArgumentError } from 'commander';
import { loadConfiguration } from '../config/index.ts';
import { serviceNotifier } from '../systemd.ts';
import { CliError } from './cli-error.ts';
import { startKit } from './kit.ts';
import { serveMetrics } from './serve/metrics-server.ts';

interface ServeFlags {
  readonly live?: string;
  readonly metrics?: number;
  readonly host: string;
  readonly port?: number;
  readonly open?: true;
}

const PORT_MAX = 65_535;

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= PORT_MAX)) throw new InvalidArgumentError('give a port from 0 to 65535; 0 is any that is free');
  return port;
}

export const serveCommand = (entry: string): Command =>
  new Command('serve')
    .summary('show a running store as a page, or give figures of a store to Prometheus')
    .description(
      'Shows a store until it is stopped: with --live a running one as a page on this machine, with --metrics the ' +
        'figures of any one for Prometheus. Safe beside the program that has the store open: nothing is written.',
    )
    .argument('[directory]', "for --metrics: the store's directory (default: disk_path of the configuration)")
    .option('--live <place>', "the page: the store's directory, or the address that serveLive returned")
    .option(
      '--port <n>',
      'for --live: where the page is served, on the loopback address (default: any that is free)',
      portOf,
    )
    .option('--open', 'for --live: open the page in the browser')
    .option('--metrics <port>', 'figures at http://HOST:PORT/metrics; 0 is any port that is free', portOf)
    .option(
      '--host <address>',
      'for --metrics: where it listens; 0.0.0.0 is every network of this machine',
      '127.0.0.1',
    )
    .addHelpText(
      'after',
      '\nThe program that has the store open calls serveLive(store, { directory });\n' +
        'without that --metrics gives what is on disk, and imatrix_mm_up 0.\nAll figures: docs/metrics.md.',
    )
    .action((directory: string | undefined, flags: ServeFlags) => serve(directory, flags, entry));

async function serve(directory: string | undefined, flags: ServeFlags, entry: string): Promise<void> {
  const { live, metrics, host, port, open } = flags;
  if ((live === undefined) === (metrics === undefined)) {
    throw new CliError('serve needs --live <place> or --metrics <port>, one of them: see imatrix-mm serve --help');
  }
  if (metrics !== undefined) {
    const server = await serveMetrics(directory ?? configuredDirectory(), host, metrics);
    process.stdout.write(`${server.url}\n`);
    // As a service it says when it listens, and gives signs of life (docs/service.md).
    const notifier = serviceNotifier();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => void Promise.all([notifier.stopping(), server.close()]));
    }
    await notifier.ready();
    return;
  }
  if (directory !== undefined) throw new CliError(`--live has its place already: leave ${directory} out`);
  const args = ['--live', live as string, ...(port === undefined ? [] : ['--port', `${port}`])];
  await startKit('serve', 'visualise/serve-cli', entry, [], open === true ? [...args, '--open'] : args);
}

/** Where the store of this machine is, by its configuration file and the environment. */
function configuredDirectory(): string {
  const loaded = loadConfiguration();
  if (loaded.ok) return loaded.value.values.disk_path;
  throw new CliError(loaded.failure.message);
}
