/**
 * A failing run as text: its steps, what the model took for each, and where model and engine stand at the end.
 */
import { syncedMark } from '../model/vocabulary.ts';
import type { Action, Scenario } from './actions.ts';
import { describeAction } from './actions.ts';
import type { Divergence } from './divergence.ts';
import type { StoreRun } from './driver.ts';
import { runActions } from './execute.ts';
import { newCoverage } from './model-run.ts';
import type { Highlight } from './replay/three-way.ts';
import { threeWay } from './replay/three-way.ts';

const showStreams = ({ streams, sectors, sectorBytes, quotaBytes, profile }: Scenario): string[] => [
  `store    ${profile}, pool of ${sectors} sectors of ${sectorBytes} bytes${profile === 'linux' ? `, quota ${quotaBytes} bytes` : ''}`,
  ...streams.map(
    ({ source, sensor, kind, periodMs, type }, i) =>
      `stream ${i} ${source}/${sensor} ${kind}${kind === 'tsd' ? ` every ${periodMs} ms` : ''} ${type}`,
  ),
];

/** head read synced appended of every stream, as the model has them and as the engine has them. */
function showMarks(run: StoreRun): string {
  const engine = run.inspect();
  return run.scenario.streams
    .map(({ source, sensor }, i) => {
      const model = run.model.context.streams[i];
      if (model === undefined) return '';
      const mine = `${model.head} ${model.read} ${syncedMark(model)} ${model.appended}`;
      const other = engine?.streams.find((stream) => stream.source === source && stream.sensor === sensor);
      const theirs = other === undefined ? mine : `${other.head} ${other.read} ${other.synced} ${other.appended}`;
      return `${i}: ${mine}${theirs === mine ? '' : ` << engine ${theirs}`}`;
    })
    .join(' | ');
}

function showDifferences(failure: Divergence): string[] {
  if (failure.differences.length === 0) return [];
  const width = (name: 'field' | 'model'): number =>
    Math.max(name.length, ...failure.differences.map((each) => each[name].length));
  const row = (field: string, model: string, engine: string, breaks: string): string =>
    `  ${field.padEnd(width('field'))}  ${model.padEnd(width('model'))}  ${engine}${breaks === '' ? '' : `   << ${breaks}`}`;
  return [
    row('field', 'model', 'engine', ''),
    ...failure.differences.map((each) => row(each.field, each.model, each.engine, each.breaks)),
  ];
}

/**
 * Runs the trace once more and writes down what happened, and where model, engine and disk stand at the end if it fails.
 * Marks are head, read, synced, appended.
 * @param highlight for what differs, on a terminal.
 */
export async function timeline(
  scenario: Scenario,
  actions: readonly Action[],
  highlight: Highlight = (text) => text,
): Promise<string> {
  const lines = [...showStreams(scenario), '', 'step  action  ->  what the model took'];
  let step = 0;
  const outcome = await runActions(scenario, actions, newCoverage(), (action, run) => {
    const took = run.observed.map(({ type }) => type).join(' ');
    lines.push(`${String(++step).padStart(4)}  ${describeAction(action)}${took === '' ? '' : `  ->  ${took}`}`);
    lines.push(`        ${showMarks(run)}`);
  });
  const { failure, run } = outcome;
  if (failure === null) return [...lines, '', 'no failure'].join('\n');
  const failed = outcome.actions.at(-1);
  if (failed !== undefined) lines.push(`${String(step + 1).padStart(4)}  ${describeAction(failed)}  ->  FAILS`);
  lines.push(`        ${showMarks(run)}`, '', 'behind the failing step', ...threeWay(run, highlight));
  return [...lines, '', `breaks ${failure.breaks}: ${failure.message}`, ...showDifferences(failure)].join('\n');
}
