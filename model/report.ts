/**
 * What a search and a mutation run have to say: one object for machines, one page for people, one verdict for both.
 */
import { describeTrace } from './describe.ts';
import type { Exploration } from './explore.ts';
import { invariants } from './invariants/index.ts';
import type { MutationReport } from './mutations.ts';
import type { Profile } from './scope.ts';

export interface ExploreReport {
  readonly profiles: readonly Profile[];
  readonly explorations: readonly Exploration[];
  /** Null when it was not asked for. */
  readonly mutations: MutationReport | null;
  readonly seconds: number;
}

/** Share of the mutations that must be caught. */
export const CAUGHT_MIN = 0.95;

const applies = (needs: 'disk' | 'no disk' | undefined, profiles: readonly Profile[]): boolean =>
  needs === undefined || profiles.includes(needs === 'disk' ? 'linux' : 'wiced');

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const witnessesOf = (explorations: readonly Exploration[], index: number): number =>
  total(explorations.map(({ witnesses }) => witnesses[index] ?? 0));

/** Why the run fails, a line each; empty when it passes. */
export function faultsOf({ profiles, explorations, mutations }: ExploreReport): string[] {
  const faults = explorations.flatMap(({ scope, violation }) =>
    violation === null ? [] : [`${violation.invariant.id} ${violation.invariant.name} is broken in ${scope.name}`],
  );
  const broken = faults.length > 0;
  for (const [i, { id, name, needs }] of invariants.entries()) {
    if (broken || !applies(needs, profiles) || witnessesOf(explorations, i) > 0) continue;
    faults.push(`${id} ${name}: its premise never held, so the run proves nothing about it`);
  }
  if (mutations === null) return faults;
  const { caught, survivors, stale } = mutations;
  if (caught < mutations.total * CAUGHT_MIN) faults.push(`only ${caught} of ${mutations.total} mutations are caught`);
  for (const { mutation, explanation } of survivors) {
    if (explanation === '') faults.push(`${mutation} survives its mutation and nobody says why that is right`);
  }
  for (const name of stale) faults.push(`${name} is explained as a survivor, and is none`);
  return faults;
}

export function reportAsJson(report: ExploreReport): string {
  const { explorations, mutations, seconds } = report;
  const faults = faultsOf(report);
  return JSON.stringify({
    states: total(explorations.map(({ states }) => states)),
    edges: total(explorations.map(({ edges }) => edges)),
    refused: total(explorations.map(({ refused }) => refused)),
    depth: Math.max(...explorations.map(({ depth }) => depth)),
    invariants: invariants.map(({ id, name }, i) => ({ id, name, witnesses: witnessesOf(explorations, i) })),
    mutations:
      mutations === null
        ? null
        : {
            total: mutations.total,
            caught: mutations.caught,
            survivors: mutations.survivors,
            seconds: rounded(mutations.seconds),
            rows: mutations.outcomes,
          },
    scopes: explorations.map(({ scope, violation, ...rest }) => ({
      name: scope.name,
      ...rest,
      seconds: rounded(rest.seconds),
      violation:
        violation === null
          ? null
          : { id: violation.invariant.id, witnesses: violation.witnesses, trace: violation.path },
    })),
    seconds: rounded(seconds),
    faults,
    verdict: faults.length === 0 ? 'ok' : 'failed',
  });
}

const rounded = (seconds: number): number => Math.round(seconds * 10) / 10;

const grouped = (value: number): string => value.toLocaleString('en-US');

/** Columns aligned: numbers to the right, words to the left. */
export function table(rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? grouped(cell) : cell)));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row, line) =>
    row
      .map((cell, column) => {
        const isNumber = typeof rows[Math.max(1, line)]?.[column] === 'number';
        return isNumber ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
      })
      .join('  ')
      .trimEnd(),
  );
}

function violationLines({ scope, violation }: Exploration): string[] {
  if (violation === null) return [];
  const { invariant, witnesses, path } = violation;
  return [
    '',
    `${invariant.id} ${invariant.name} is broken in ${scope.name}, after ${path.length} events:`,
    ...describeTrace(path, scope.bounds),
    ...witnesses.map((witness) => `  !! ${witness}`),
    `  must hold: ${invariant.statement}`,
    `  because:   ${invariant.why}`,
  ];
}

function mutationLines({ outcomes, caught, total: all, survivors, seconds }: MutationReport): string[] {
  const rows = outcomes.map(({ kind, mutation, caughtBy, traceLength, witness }): (string | number)[] => [
    kind === 'guard' ? 'weakened guard' : 'omitted assign',
    mutation,
    caughtBy ?? 'SURVIVES',
    traceLength,
    witness.length > 72 ? `${witness.slice(0, 71)}…` : witness,
  ]);
  return [
    '',
    ...table([['mutation', 'rule', 'caught by', 'events', 'what it said'], ...rows]),
    '',
    `${caught} of ${all} mutations caught in ${rounded(seconds)} s; ${survivors.length} survive`,
    ...survivors.map(({ mutation, explanation }) => `  ${mutation}: ${explanation || 'unexplained'}`),
  ];
}

export function reportAsText(report: ExploreReport): string {
  const { profiles, explorations, mutations, seconds } = report;
  const faults = faultsOf(report);
  const scopeRows = explorations.map(({ scope, states, edges, refused, depth, seconds: took }) => [
    scope.name,
    states,
    edges,
    refused,
    depth,
    `${rounded(took)} s`,
  ]);
  const invariantRows = invariants.map(({ id, name, needs }, i) => [
    id,
    name,
    witnessesOf(explorations, i),
    applies(needs, profiles) ? '' : `needs ${needs}`,
  ]);
  return [
    ...table([['scope', 'states', 'edges', 'refused', 'depth', 'time'], ...scopeRows]),
    '',
    ...table([['invariant', '', 'premise held', ''], ...invariantRows]),
    ...explorations.flatMap(violationLines),
    ...(mutations === null ? [] : mutationLines(mutations)),
    '',
    ...faults.map((fault) => `FAULT  ${fault}`),
    faults.length === 0
      ? `ok: every reachable state of ${explorations.length} scopes keeps every invariant (${rounded(seconds)} s)`
      : `failed: ${faults.length} faults (${rounded(seconds)} s)`,
  ].join('\n');
}
