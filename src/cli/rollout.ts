/**
 * `imatrix-mm rollout`: may the next stage begin? Reads the fleet and what its devices report, changes nothing.
 * Exit code 0: go; 1: hold or roll back; 2: the input cannot be read.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Finding, RolloutDecision } from '../rollout/decide.ts';
import { decide } from '../rollout/decide.ts';
import { FleetError, readFleet, readReports } from '../rollout/read-fleet.ts';
import type { Stage } from '../rollout/stages.ts';
import { devicesOf, STAGES } from '../rollout/stages.ts';
import { CliError, EXIT_WRONG } from './cli-error.ts';
import { paintFor, plural, table } from './screen.ts';

interface Flags {
  readonly reports: string;
  readonly stage: Stage;
  readonly release: string;
  readonly now?: number;
  readonly all: boolean;
  readonly json: boolean;
}

/** Findings that are met and not asked for are counted, not listed. */
const SHOWN_MAX = 40;

const MARKS: Readonly<Record<Finding['verdict'], string>> = {
  met: 'ok',
  missed: 'MISSED',
  dangerous: 'DANGER',
  unknown: 'UNKNOWN',
};

/** There is no stage behind the last one. */
const COMPLETE = 'the rollout is complete: every device has the version, and is well with it';

const NEXT: Readonly<Record<RolloutDecision['decision'], string>> = {
  go: 'the next stage may begin',
  hold: 'leave the stage as it is, and look again when the figure is there or has mended',
  'roll back': 'take the new version back from the devices of this stage: imatrix-mm deploy rollback',
};

function time(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('give a time such as 2026-01-31T08:00:00Z');
  return ms;
}

export const rolloutCommand = (): Command =>
  new Command('rollout')
    .summary('may the next stage of a rollout begin: go, hold or roll back')
    .description(
      'Holds what the devices of a fleet report against the gates, and says go, hold or roll back, with the figure\n' +
        'that decided. Stages: dev, staging, pilot (10 % of production, chosen by a hash of the id), full.',
    )
    .argument('<fleet>', 'JSON file with the devices')
    .requiredOption('--reports <path>', 'JSON file with the reports of the devices, or a folder of such files')
    .addOption(new Option('--stage <stage>', 'the stage that is out now').choices(STAGES).makeOptionMandatory())
    .option('--release <name>', 'name of the release; another one has another pilot', '2')
    .option('--now <time>', 'the time to judge by (default: now)', time)
    .option('--all', 'list every figure, also those that are met', false)
    .option('--json', 'one JSON object instead of the table', false)
    .addHelpText('after', '\nFiles, gates and limits: docs/rollout.md.')
    .action(rollout);

function rollout(fleet: string, { reports, stage, release, now, all, json }: Flags): void {
  const { decision, members } = judge(fleet, reports, stage, release, now ?? Date.now());
  process.stdout.write(`${json ? JSON.stringify({ ...decision, members }) : asText(decision, members, all)}\n`);
  if (decision.decision !== 'go') process.exitCode = EXIT_WRONG;
}

function judge(
  fleet: string,
  reports: string,
  stage: Stage,
  salt: string,
  nowMs: number,
): { readonly decision: RolloutDecision; readonly members: readonly string[] } {
  try {
    const devices = readFleet(fleet);
    const decision = decide({ stage, devices, reports: readReports(reports), nowMs, salt });
    return { decision, members: devicesOf(stage, devices, salt).map(({ id }) => id) };
  } catch (error) {
    if (error instanceof FleetError) throw new CliError(error.message);
    throw error;
  }
}

function asText(
  { stage, decision, because, devices, findings }: RolloutDecision,
  members: readonly string[],
  all: boolean,
): string {
  const paint = paintFor(process.stdout);
  const colour = { go: paint.green, hold: paint.yellow, 'roll back': paint.red }[decision];
  const shown = findings.filter(({ verdict }) => all || verdict !== 'met');
  const rows = shown
    .slice(0, all ? undefined : SHOWN_MAX)
    .map(({ device, gate, verdict, measured, limit }) => [device, gate, measured, limit, MARKS[verdict]]);
  const met = findings.length - findings.filter(({ verdict }) => verdict !== 'met').length;
  const lines = [`stage ${stage}: ${plural(members.length, 'device')}, with earlier stages ${devices}`, ''];
  if (rows.length > 0) lines.push(table(['device', 'gate', 'measured', 'limit', ''], rows, [2]), '');
  if (shown.length > rows.length)
    lines.push(`  and ${plural(shown.length - rows.length, 'figure')} more: --all lists them`, '');
  lines.push(`${plural(met, 'figure')} within ${met === 1 ? 'its' : 'their'} limits`);
  const reason =
    because === null ? '' : `: ${because.device}, ${because.gate} is ${because.measured}, it must be ${because.limit}`;
  const isEnd = decision === 'go' && stage === 'full';
  lines.push(`${colour(decision.toUpperCase())}${reason}`, isEnd ? COMPLETE : NEXT[decision]);
  return lines.join('\n');
}
