import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import { asJson } from '../../coverage/report/as-json.ts';
import { DEMANDS } from '../../coverage/report/demands.ts';
import { asHtml } from '../../coverage/report/html.ts';
import { asJunit } from '../../coverage/report/junit.ts';
import { asText } from '../../coverage/report/terminal.ts';
import { CRASH, MUSEUM, report, TOUR } from './report-fixture.ts';

const whole = report([TOUR, CRASH, MUSEUM]);
const VOID = new Set(['meta', 'link', 'br']);

/** Names of tags that are opened and not closed, or closed and not open. */
function unbalanced(markup: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, slash, name = '', rest = ''] of markup.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (VOID.has(name) || rest.endsWith('/')) continue;
    if (slash !== '/') open.push(name);
    else if (open.pop() !== name) wrong.push(name);
  }
  return [...wrong, ...open];
}

describe('the report', () => {
  // Goal: every demand is in it, with what was measured of it. Method: the rows against the list, by hand for three.
  it('has a row for every demand, met, short, or not measured', () => {
    expect(whole.demands.map(({ id }) => id)).toEqual(DEMANDS.map(({ id }) => id));
    const row = (id: string) => whole.demands.find((demand) => demand.id === id);
    expect(row('R1')).toMatchObject({ status: 'met', command: 'npm run conformance -- --tour' });
    expect(row('R2')).toMatchObject({ status: 'short' });
    expect(row('R2')?.measured).toContain('3,690 images');
    expect(row('R3a')?.measured).toContain('1 of 2 killed');
    expect(row('R5a')).toMatchObject({ status: 'not measured' });
    expect(row('D8a')).toMatchObject({ status: 'held by a test' });
    // Its test files are said to be missing.
    expect(row('D10a')).toMatchObject({ status: 'not measured' });
  });

  // Goal: a long run that was recorded counts for what CI has no time for, and a failure of the run at hand still shows.
  it('takes a recorded run into account', () => {
    const long = { ...CRASH, figures: { images: 210_000, doubleCrashes: 21_000 }, seconds: 400 };
    const rows = report([CRASH], [long]);
    expect(rows.demands.find(({ id }) => id === 'R2')?.status).toBe('met');
    expect(rows.modes.map(({ recorded }) => recorded)).toEqual([false, true]);
    const failing = report([{ ...CRASH, failures: 2 }], [long]);
    expect(failing.faults.join()).toContain('crash: 2 failures');
    expect(failing.demands.find(({ id }) => id === 'D2b')?.status).toBe('short');
  });

  // Goal: a person reads it in a terminal. Method: the words that must be there, without colour.
  it('is drawn for a terminal', () => {
    const text = asText(whole, createColors(false));
    for (const word of [
      'INV-01',
      'closed OPEN',
      '4,321',
      'NOT CAUGHT',
      'a < b',
      'NOT LISTED',
      'SHORT',
      'DROPPED',
      'R7',
      'failed:',
      'fitsPool',
      'never asked: ',
    ])
      expect(text, word).toContain(word);
    expect(text).not.toContain('\u001b[');
    expect(asText(whole, createColors(true))).toContain('\u001b[');
  });

  // Goal: a machine reads it. Method: parse it; the cells must be in it one by one.
  it('is drawn as JSON', () => {
    const parsed = JSON.parse(asJson(whole)) as {
      verdict: string;
      totals: { edges: { edge: string; cells: object[] }[] };
    };
    expect(parsed.verdict).toBe('failed');
    const open = parsed.totals.edges.find(({ edge }) => edge === 'closed OPEN');
    expect(open?.cells).toEqual([
      { io: 'write', residue: 'a file torn', count: 3 },
      { io: 'write', residue: 'nothing left', count: 4 },
    ]);
  });

  // Goal: a CI system reads it. Method: balanced, counted, and nothing of the texts taken for markup.
  it('is drawn as JUnit XML', () => {
    const xml = asJunit(whole);
    expect(unbalanced(xml.replace(/<\?xml[^>]*\?>/, ''))).toEqual([]);
    const counted = [...xml.matchAll(/<testsuite name="(\w+)" tests="(\d+)" failures="(\d+)"/g)].map(
      ([, name, tests]) => [name, Number(tests)],
    );
    expect(counted.map(([name]) => name)).toEqual(['modes', 'demands', 'gates', 'baseline']);
    expect(xml.match(/<testcase /g)).toHaveLength(counted.reduce((sum, [, tests]) => sum + Number(tests), 0));
    expect(xml).toContain(
      '<testcase classname="conformance.modes" name="museum" time="1.500"><failure message="1 failures',
    );
    expect(xml).not.toContain('<too>');
  });

  // Goal: a page that opens anywhere and says with words what it says with colour. Method: no address, no script, balanced
  // tags, headers in every table, a landmark for each section, both schemes, and every mark's word.
  it('is drawn as a page of its own', () => {
    const page = asHtml(whole);
    expect(page).not.toMatch(/https?:|src=|@import|url\(|<script/);
    expect(unbalanced(page.replace('<!doctype html>', ''))).toEqual([]);
    expect(page).toContain('prefers-color-scheme: dark');
    const tables = page.match(/<table>.*?<\/table>/gs) ?? [];
    expect(tables.length).toBeGreaterThan(8);
    for (const table of tables) {
      expect(table).toContain('<caption>');
      expect(table).toContain('<th scope="col">');
      const rows = table.match(/<tr>/g)?.length ?? 0;
      expect(table.match(/<th scope="row">/g)?.length ?? 0).toBe(rows - 1);
    }
    for (const word of ['NOT CAUGHT', 'SHORT', 'DROPPED', 'NOT LISTED', '2 of 3 (7)', 'fitsPool', 'never asked: '])
      expect(page).toContain(word);
    expect(page).toContain('read moves &quot;head&quot; &lt;too&gt;');
    const ids = [...page.matchAll(/<section id="(\w+)"/g)].map(([, id]) => id);
    for (const id of ids) expect(page).toContain(`href="#${id}"`);
  });
});
