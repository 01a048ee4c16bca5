/**
 * `npm run conformance:report`: one report of all that the modes of the kit have left in coverage/out/evidence.
 *
 * Exit code 0: no failure, every gate met, nothing dropped. 1: not so. 2: arguments or files that make no sense.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import pc from 'picocolors';
import { EVIDENCE } from '../../conformance/cli/arguments.ts';
import { asJson } from './as-json.ts';
import { buildReport } from './build.ts';
import { asHtml } from './html.ts';
import { asJunit } from './junit.ts';
import { isThere, readBaseline, record, seenIn, updateBaseline } from './sources.ts';
import { asText } from './terminal.ts';

interface Arguments {
  readonly evidence: string;
  readonly json: boolean;
  readonly html: string;
  readonly junit: string;
  readonly updateBaseline: boolean;
  readonly record?: string;
}

function parse(): Arguments {
  const command = new Command('conformance:report')
    .description(
      'Draws one report of what the modes of the conformance kit have shown, and holds it against the gates.',
    )
    .option('--evidence <folder>', 'what the modes have left', EVIDENCE)
    .option('--json', 'one JSON object instead of the tables', false)
    .option('--html <file>', 'the report as a page', 'coverage/out/report/report.html')
    .option('--junit <file>', 'the report as JUnit XML', 'coverage/out/report/report.xml')
    .option('--update-baseline', 'what was measured becomes what later runs are compared with', false)
    .option('--record <mode>', 'keep the evidence of this mode in coverage/recorded: of a run that CI has no time for')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  command.parse();
  return command.opts<Arguments>();
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function run(given: Arguments): number {
  if (given.record !== undefined) {
    const path = record(seenIn(given.evidence).run, given.record);
    console.error(`recorded ${relative(process.cwd(), path)}`);
  }
  const seen = seenIn(given.evidence);
  const first = buildReport(seen, { baseline: readBaseline(), isThere });
  if (given.updateBaseline) updateBaseline(first.measures);
  const report = given.updateBaseline ? buildReport(seen, { baseline: readBaseline(), isThere }) : first;
  write(resolve(given.html), asHtml(report));
  write(resolve(given.junit), asJunit(report));
  if (given.json) console.log(asJson(report));
  else {
    console.log(asText(report, pc));
    console.log(`\npage ${given.html}, JUnit ${given.junit}`);
  }
  return report.faults.length === 0 ? 0 : 1;
}

try {
  process.exitCode = run(parse());
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else {
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    console.error(`conformance:report: ${message.replace(/^error: /, '')}; see --help`);
    process.exitCode = 2;
  }
}
