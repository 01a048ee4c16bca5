/**
 * `npm run explore`: searches the scopes of the profiles, weakens the machine rule by rule, prints what came out.
 * Exit code 0 when every invariant held and was put to the test, and the mutations were caught; 1 when not; 2 for an
 * option it does not know.
 */
import { explore } from './explore.ts';
import { machine } from './machine.ts';
import type { MutationReport } from './mutations.ts';
import { runMutations } from './mutations.ts';
import { faultsOf, reportAsJson, reportAsText } from './report.ts';
import type { Profile } from './scope.ts';
import { PROFILES, SCOPES } from './scope.ts';

const HELP = `Usage: npm run explore -- [options]

Visits every reachable state of the model in a small scope, checks the 22 invariants on every edge,
then weakens each guard and leaves out each assign of the machine and shows which invariant notices.

  --json                       one object instead of the tables
  --profile linux|wiced|both   which store is searched (default both)
  --no-mutations               the search only
  --help                       this text`;

interface Options {
  readonly json: boolean;
  readonly profiles: readonly Profile[];
  readonly mutations: boolean;
}

/** @returns the options, or the sentence that says what is wrong with them. */
export function parseOptions(args: readonly string[]): Options | string {
  let options: Options = { json: false, profiles: PROFILES, mutations: true };
  for (let i = 0; i < args.length; i++) {
    const [name, inline] = (args[i] as string).split('=', 2);
    if (name === '--json') options = { ...options, json: true };
    else if (name === '--no-mutations') options = { ...options, mutations: false };
    else if (name === '--profile') {
      const value = inline ?? args[++i];
      const profile = PROFILES.find((each) => each === value);
      if (profile === undefined && value !== 'both') {
        return `--profile takes linux, wiced or both, not ${value === undefined ? 'nothing' : `'${value}'`}`;
      }
      options = { ...options, profiles: profile === undefined ? PROFILES : [profile] };
    } else return `unknown option '${args[i]}'; --help lists what there is`;
  }
  return options;
}

const PATIENCE_MS = 2000;

/** A line on stderr that is rewritten, for people who wait; nothing when stderr is a file or a pipe. */
function progressLine(): { show(text: string): void; clear(): void } {
  const started = performance.now();
  let shown = false;
  return {
    show(text) {
      if (!process.stderr.isTTY || performance.now() - started < PATIENCE_MS) return;
      process.stderr.write(`\r\x1b[K${text}`);
      shown = true;
    },
    clear() {
      if (shown) process.stderr.write('\r\x1b[K');
    },
  };
}

function run({ json, profiles, mutations }: Options): number {
  const started = performance.now();
  const progress = progressLine();
  const explorations = profiles
    .flatMap((profile) => SCOPES[profile])
    .map((scope) =>
      explore(scope, {
        onProgress: (states, edges) => progress.show(`${scope.name}: ${states} states, ${edges} edges`),
      }),
    );
  let tried: MutationReport | null = null;
  if (mutations && explorations.every(({ violation }) => violation === null)) {
    tried = runMutations(machine, (done, total) => progress.show(`mutation ${done + 1} of ${total}`));
  }
  progress.clear();
  const report = { profiles, explorations, mutations: tried, seconds: (performance.now() - started) / 1000 };
  process.stdout.write(`${json ? reportAsJson(report) : reportAsText(report)}\n`);
  return faultsOf(report).length === 0 ? 0 : 1;
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  const options = parseOptions(args);
  if (args.includes('--help')) process.stdout.write(`${HELP}\n`);
  else if (typeof options === 'string') {
    process.stderr.write(`explore: ${options}\n`);
    process.exitCode = 2;
  } else process.exitCode = run(options);
}
