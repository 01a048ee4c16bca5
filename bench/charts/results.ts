/**
 * Figures out of a file that `npm run bench` has written. The file may be of another version of the bench, or of a part of
 * it: what a chart needs and does not find is one line that says so.
 */
import { readFileSync } from 'node:fs';
import { CliError } from '../../src/cli/cli-error.ts';
import type { Report } from '../report.ts';
import { type MeasuredRow, median } from '../row.ts';
import type { Timeline } from '../series/timeline.ts';
import type { CurvePoint } from './line-chart.ts';

const REMEDY = 'measure all rows with npm run bench';

/** Whatever stands in `raw`. */
type Found = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Found =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isRow = (value: unknown): value is MeasuredRow =>
  isObject(value) &&
  ['id', 'title', 'unit'].every((key) => typeof value[key] === 'string') &&
  ['demand', 'measured'].every((key) => Number.isFinite(value[key])) &&
  typeof value.met === 'boolean' &&
  Array.isArray(value.range) &&
  value.range.length === 2 &&
  value.range.every((end) => Number.isFinite(end)) &&
  isObject(value.raw);

const isReport = (value: unknown): value is Report =>
  isObject(value) &&
  isObject(value.machine) &&
  isObject(value.run) &&
  Array.isArray(value.failures) &&
  Array.isArray(value.rows) &&
  value.rows.every(isRow);

/** A file of results. */
export class Results {
  readonly report: Report;
  /** As messages name it. */
  readonly name: string;

  /** @throws CliError for what no bench has written, and for a file without a row. */
  constructor(text: string, name: string) {
    this.name = name;
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      throw new CliError(`${name} is not JSON: ${REMEDY}`);
    }
    if (!isReport(parsed)) throw new CliError(`${name} is no result of this bench: ${REMEDY}`);
    if (parsed.rows.length === 0) throw new CliError(`${name} has no row: ${REMEDY}`);
    this.report = parsed;
  }

  /** @param name as messages name the file. */
  static read(path: string, name = path): Results {
    return new Results(readFileSync(path, 'utf8'), name);
  }

  /** @throws CliError when the row is not there. */
  row(id: string): MeasuredRow {
    const found = this.report.rows.find((row) => row.id === id);
    if (found === undefined) throw new CliError(`${this.name} has no row ${id}: ${REMEDY}`);
    return found;
  }

  /** @param path keys in the row's raw figures, one below the other. @throws CliError when there is nothing. */
  raw(id: string, ...path: readonly string[]): unknown {
    let at: unknown = this.row(id).raw;
    for (const key of path) at = isObject(at) ? at[key] : undefined;
    if (at === undefined || at === null) throw this.#old(id, path.join('.'));
    return at;
  }

  #old(id: string, what: string): CliError {
    return new CliError(`${this.name}: row ${id} has no ${what}, it is of another version of the bench: ${REMEDY}`);
  }

  /** A curve: at each `xName` the median of `yName` over the repetitions. @throws CliError for what is not that. */
  curve(id: string, path: readonly string[], xName: string, yName: string): CurvePoint[] {
    const found = this.raw(id, ...path);
    const what = `${path.join('.')} of ${xName} and ${yName}`;
    if (!Array.isArray(found) || found.length === 0) throw this.#old(id, what);
    return found.map((point: unknown) => {
      const x = isObject(point) ? point[xName] : undefined;
      const given = isObject(point) ? point[yName] : undefined;
      const values: readonly unknown[] = Array.isArray(given) ? given : [given];
      if (!isFigure(x) || values.length === 0 || !values.every(isFigure)) throw this.#old(id, what);
      return { x, y: median(values), low: Math.min(...values), high: Math.max(...values) };
    });
  }

  /**
   * One figure of each store, from every row that has it: rows that keep the turns of each store by name, in whatever they
   * call it. A store that is in several rows counts once.
   * @param what the rows are, for the message. @throws CliError when the store itself is in none of them.
   */
  turns(isWanted: (id: string) => boolean, figure: string, what: string): Map<string, readonly number[]> {
    const stores = new Map<string, readonly number[]>();
    for (const { raw } of this.report.rows.filter(({ id }) => isWanted(id))) {
      for (const [name, turns] of Object.values(raw)
        .filter(isObject)
        .flatMap(Object.entries<unknown>)) {
        const values = Array.isArray(turns) ? turns.map((turn) => (isObject(turn) ? turn[figure] : undefined)) : [];
        if (values.length > 0 && values.every(isFigure) && !stores.has(name)) stores.set(name, values);
      }
    }
    if (!stores.has('own'))
      throw new CliError(`${this.name} has no row about ${what}, with ${figure} of each store: ${REMEDY}`);
    return stores;
  }

  /** One run of one store, in buckets of time. @throws CliError for what is not that. */
  timeline(id: string, store: string): Timeline {
    const found = this.raw(id, 'timelines', store);
    if (!isTimeline(found)) throw this.#old(id, `timelines.${store} in buckets with its flushes`);
    return found;
  }
}

/** Everything that is drawn is above nothing: a time, a rate, a size. */
const isFigure = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value > 0;

const isTimeline = (value: unknown): value is Timeline =>
  isObject(value) &&
  isFigure(value.bucketMs) &&
  Array.isArray(value.longestAppendMs) &&
  value.longestAppendMs.some(isFigure) &&
  value.longestAppendMs.every((ms) => ms === 0 || isFigure(ms)) &&
  Array.isArray(value.flushes) &&
  value.flushes.every((span) => Array.isArray(span) && span.length === 2 && span.every(Number.isFinite));
