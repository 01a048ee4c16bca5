/**
 * `imatrix-mm verify`: reads every byte of a store and names what is damaged, without touching it.
 *
 * Exit code 0: no damage (notes are none). 1: damage, or a store of a version that this program does not know. 2: it cannot
 * be read, or is no store.
 */
import { Command } from 'commander';
import { withPlace } from '../operator/read-only-store.ts';
import type { Finding } from '../operator/verify/finding.ts';
import { rangeText } from '../operator/verify/finding.ts';
import type { Verdict } from '../operator/verify/verify.ts';
import { verify } from '../operator/verify/verify.ts';
import { CliError, EXIT_WRONG } from './cli-error.ts';
import { DEFAULT_DIRECTORY, DIRECTORY_HELP } from './operator/common.ts';
import type { Paint } from './screen.ts';
import { bytesText, Progress, paintFor, plural, thousands, wrap } from './screen.ts';

export const verifyCommand = (): Command =>
  new Command('verify')
    .summary('read every byte of a store and name what is damaged')
    .description(
      'Reads every byte of a store and names each damaged block: file, offset, stream and sequence numbers.\n' +
        'Safe beside the program that has it open: nothing is written.',
    )
    .argument('[directory]', DIRECTORY_HELP, DEFAULT_DIRECTORY)
    .option('--json', 'one JSON object instead of text', false)
    .addHelpText('after', '\nExit code: 0 no damage, 1 damage, 2 it cannot be read or is no store.')
    .action((directory: string, { json }: { readonly json: boolean }) => run(directory, json));

async function run(directory: string, json: boolean): Promise<void> {
  const progress = new Progress(json);
  const verdict = await withPlace(directory, (place) =>
    verify(place, ({ done, total }) => {
      const line = (): string => `${thousands(done)} of ${plural(total, 'segment')} read`;
      progress.show(() => [line()], line);
    }),
  ).finally(() => progress.end());
  const damaged = verdict.findings.some(({ level }) => level === 'damage');
  if (json) process.stdout.write(`${JSON.stringify(verdict)}\n`);
  if (verdict.refused?.code === 'IO_FAILED') throw new CliError(verdict.refused.message);
  if (!json) process.stdout.write(`${verdictText(verdict, paintFor(process.stdout))}\n`);
  if (damaged || verdict.refused !== null) process.exitCode = EXIT_WRONG;
}

function findingText({ level, what, file, offset, bytes, text }: Finding, paint: Paint): string {
  const mark = level === 'damage' ? paint.red('damage') : 'note  ';
  const where = bytes === 0 ? '' : `  ${bytes === 1 ? `byte ${offset}` : `bytes ${offset} to ${offset + bytes - 1}`}`;
  return `${mark}  ${paint.bold(file)}${where}  (${what})\n${wrap(text, '        ')}`;
}

function verdictText(verdict: Verdict, paint: Paint): string {
  const { directory, holder, refused, segments, logParts, blocks, bytes, retained, findings, lost } = verdict;
  const lines = [directory, ''];
  for (const finding of findings) lines.push(findingText(finding, paint), '');
  if (refused !== null) return [...lines, `it cannot be opened: ${refused.message}`].join('\n');
  const damage = findings.filter(({ level }) => level === 'damage').length;
  lines.push(
    `${plural(segments, 'segment')} with ${plural(blocks, 'intact block')}, ${plural(logParts, 'log file')}, ${bytesText(bytes)} read`,
    `opening it gives ${plural(retained, 'record')}${
      lost.length === 0
        ? ''
        : ` and enters ${plural(
            lost.reduce((sum, { from, to }) => sum + to - from, 0),
            'record',
          )} into the ledger as damaged:`
    }`,
    ...lost.map((range) => `  ${rangeText(range)}`),
  );
  if (holder !== null) lines.push(`open by ${holder}: this is the disk at one moment; RAM is not visible from here`);
  lines.push(damage === 0 ? paint.green('no damage') : paint.red(`${plural(damage, 'damage', 'damages')} named`));
  return lines.join('\n');
}
