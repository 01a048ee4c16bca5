/** How checks are shown: a table with what was seen, and below it what to do. */
import type { Checked } from '../../deploy/checks.ts';
import { worst } from '../../deploy/checks.ts';
import { paintFor, plural, table, wrap } from '../screen.ts';

const MARKS: Readonly<Record<Checked['state'], string>> = { ok: 'ok', warn: 'WARN', fail: 'FAIL' };

export function checksText(title: string, checked: readonly Checked[]): string {
  const paint = paintFor(process.stdout);
  const rows = checked.map(({ id, state, seen }) => [id, seen, MARKS[state]]);
  const lines = [title, '', table(['check', 'seen', ''], rows), ''];
  for (const { id, state, remedy } of checked)
    if (state !== 'ok') lines.push(wrap(`${MARKS[state]} ${id}: ${remedy}`, '', '  '));
  const of = (state: Checked['state']): number => checked.filter((each) => each.state === state).length;
  const verdict = worst(checked);
  const colour = { ok: paint.green, warn: paint.yellow, fail: paint.red }[verdict];
  lines.push(colour(`${plural(of('ok'), 'check')} passed, ${plural(of('warn'), 'warning')}, ${of('fail')} failed`));
  return lines.join('\n');
}
