/**
 * The dashboard and the page of metrics, held to the table of metrics.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { METRICS, PREFIX } from '../../src/metrics/index.ts';
import { ROOT } from '../tools/project-files.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const json = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
const dashboard = json('docs/grafana/imatrix-memory-manager.json') as { readonly panels: readonly Panel[] };
const schema = json('test/metrics/dashboard.schema.json') as object;
const targets = dashboard.panels.flatMap(({ targets = [], title }) => targets.map((target) => ({ ...target, title })));

/** What is wrong with a dashboard, in the schema's words. */
function faults(of: unknown): string[] {
  const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
  ajv.validate(schema, of);
  return (ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** Names of the store's metrics in a query. */
const namesIn = (expr: string): string[] => expr.match(/imatrix_mm_\w+/g) ?? [];
const known = new Map(METRICS.map((metric) => [`${PREFIX}${metric.name}`, metric]));

/** How many places of a query no grammar explains; Grafana's own variables are put in first. */
function syntaxFaults(expr: string): number {
  let found = 0;
  const query = expr.replaceAll('$__rate_interval', '5m').replaceAll('$store', 'x');
  parser.parse(query).iterate({
    enter: ({ type }) => {
      if (type.isError) found++;
    },
  });
  return found;
}

describe('the dashboard', () => {
  // Goal: Grafana can import it. Method: a JSON schema; which itself is tried on a dashboard that is broken.
  test('is one by its schema, which a broken one is not', () => {
    expect(faults(dashboard)).toEqual([]);
    const [row, first, ...others] = dashboard.panels;
    expect(faults({ ...dashboard, panels: [row, { ...first, type: 'pie' }, ...others] })).not.toEqual([]);
    expect(faults({ ...dashboard, panels: [row, { ...first, targets: [] }, ...others] })).not.toEqual([]);
    expect(faults({ ...dashboard, uid: 'with blanks' })).not.toEqual([]);
  });

  // Goal: no panel stays empty for a name that nobody gives. Method: every name of every query, both ways.
  test('asks for metrics that exist, and for each of them', () => {
    const asked = targets.flatMap(({ expr }) => namesIn(expr));
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
    expect([...known.keys()].filter((name) => !asked.includes(name))).toEqual([]);
    expect(namesIn(JSON.stringify(dashboard)).filter((name) => !known.has(name))).toEqual([]);
  });

  // Goal: every query can be run. Method: Prometheus' own grammar; which itself is tried on a query that is broken.
  test.each(targets.map(({ title, expr }) => [title, expr]))('has a query that runs: %s: %s', (_, expr) => {
    expect(syntaxFaults(expr)).toBe(0);
    expect(syntaxFaults(`${expr})`)).toBeGreaterThan(0);
    // A counter alone says nothing, and the rate of a gauge is none.
    for (const name of namesIn(expr)) {
      expect(/^(rate|increase)\(/.test(expr), name).toBe(known.get(name)?.type === 'counter');
    }
    expect(expr).toContain('store=~"$store"');
  });

  test('names labels that the metrics have', () => {
    for (const { expr, legendFormat } of targets) {
      const labels = namesIn(expr).flatMap((name) => known.get(name)?.labels ?? []);
      const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label as string);
      expect(shown.filter((label) => label !== 'store' && !labels.includes(label))).toEqual([]);
    }
  });

  test('has no two panels in one place, and none with the same number', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

describe('the table of metrics', () => {
  // Goal: names as Prometheus has them. Method: each name, against the rules and the five exceptions.
  test('keeps the conventions of Prometheus, but for the five of old', () => {
    const old = ['ram_usage_percent', 'flush_count_per_hour', 'disk_storage_mb', 'recovery_events', 'error_rate'];
    expect(METRICS.slice(0, 5).map(({ name }) => name)).toEqual(old);
    for (const { name, type, help } of METRICS.slice(5)) {
      expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(name, name).not.toMatch(/(_ms|_mb|_kb|_percent|_minutes|_hour)(_|$)/);
      expect(help, name).toMatch(/^[A-Z0-9].*[.]$/);
    }
    expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
  });

  // Goal: the page says what is given. Method: a row for each, with type and the same sentence.
  test('is that of docs/metrics.md', () => {
    const page = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `(imatrix_mm_\w+)` \| (\w+) \| (.*?) \|$/gm)].map(([, ...cells]) => cells);
    const expected = METRICS.map(({ name, type, help, labels }) => [
      `${PREFIX}${name}`,
      type,
      labels.length === 0 ? help : `${help} Labels: ${labels.join(', ')}.`,
    ]);
    expect(rows).toEqual(expected);
    const alerts = [...page.matchAll(/^\| `([^`]*[(=>][^`]*)`/gm)].map(([, expr]) => expr as string);
    expect(alerts.length).toBeGreaterThan(3);
    for (const expr of alerts) {
      expect(syntaxFaults(expr), expr).toBe(0);
      expect(namesIn(expr).filter((name) => !known.has(name))).toEqual([]);
    }
  });
});
