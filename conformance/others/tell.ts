/** A failing run as a person reads it: which rule, the store, each step with its answer, and how to see it again. */
import type { Scenario } from '../actions.ts';
import type { Told } from './judge.ts';
import type { Call } from './observed-disk.ts';
import type { StoreFailure } from './store-run.ts';

/** Names of what is compared and is no invariant of the contract. */
const COMPARISONS: Readonly<Record<string, string>> = {
  answer: 'the form of an answer',
  thrown: 'an error that is no refusal',
  liveness: 'an answer that never came',
  protocol: 'the protocol',
  process: 'the process',
};

const INVARIANTS: Readonly<Record<string, string>> = {
  'INV-02': 'conservation: nothing appended is missing or counted twice',
  'INV-03': 'exact content: a read gives the oldest unread records as they were appended',
  'INV-07': 'RAM bound: an append is refused only when the store is full',
  'INV-09': 'a flush fails only when the disk does',
  'INV-12': 'nothing unasked: a record leaves only by acknowledge or discard, and just as many as were named',
  'INV-13': 'revert: afterwards nothing is pending and the next read repeats it',
  'INV-15': 'durable: what a flush promised survives every crash, the acknowledgements before it too',
  'INV-16': 'prefix: what survives a crash is the beginning of what was appended, whole and unaltered',
  'INV-17': 'identity: no identity is used twice',
  'INV-18': 'recovery: a store opens after every crash',
};

export const ruleOf = (breaks: string): string => {
  const meaning = INVARIANTS[breaks] ?? COMPARISONS[breaks];
  return meaning === undefined ? breaks : `${breaks} (${meaning})`;
};

export const tellStreams = ({ streams }: Scenario): string[] =>
  streams.map(
    ({ source, sensor, kind, periodMs, type }, i) =>
      `  stream ${i} is ${source}/${sensor}, ${kind}${kind === 'tsd' ? ` every ${periodMs} ms` : ''}, ${type}`,
  );

export function tellSteps(told: readonly Told[]): string[] {
  const width = Math.min(60, Math.max(6, ...told.map(({ action }) => action.length)));
  return [
    `  step  ${'action'.padEnd(width)}  the store answered`,
    ...told.map(
      ({ action, answer }, i) =>
        `  ${String(i + 1).padStart(4)}  ${action.padEnd(width)}  ${answer}${i === told.length - 1 ? '   << here' : ''}`,
    ),
  ];
}

/** @param what whose failure it is, such as `checkStore "my store"`. @param again how to run it again. */
export function tellFailure(
  what: string,
  { breaks, message, run, scenario, told }: StoreFailure,
  again: string,
): string {
  return [
    `${what} breaks ${ruleOf(breaks)}`,
    `  ${message}`,
    '',
    `  found in run ${run}, shrunk to ${told.length} step${told.length === 1 ? '' : 's'}; again with ${again}`,
    ...tellStreams(scenario),
    ...tellSteps(told),
  ].join('\n');
}

/** Calls at an adapter with their answers, the last one being where it went wrong. */
export function tellCalls(calls: readonly Call[], title: string): string[] {
  const width = Math.min(60, Math.max(0, ...calls.map(({ asked }) => asked.length)));
  const shown = calls.slice(-CALLS_MAX);
  const left = calls.length - shown.length;
  return [
    `  ${title}`,
    ...(left === 0 ? [] : [`        ${left} calls before these`]),
    ...shown.map(({ asked, answer }, i) => `  ${String(left + i + 1).padStart(4)}  ${asked.padEnd(width)}  ${answer}`),
  ];
}

const CALLS_MAX = 20;
