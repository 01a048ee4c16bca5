/**
 * How every mode ends: its figures as text or as one JSON object, its evidence as a file, and a failure with everything
 * that it takes to see it again. The trace of a failure is the last thing printed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ModeOutcome } from '../evidence/record.ts';
import { saveItf } from '../itf.ts';
import type { Failure } from '../run.ts';
import { saveTrace } from '../run.ts';
import { timeline } from '../timeline.ts';
import { renderPage } from '../visualise/page.ts';
import { traceData } from '../visualise/trace-data.ts';
import { annotation } from './annotation.ts';
import type { CommonArguments } from './arguments.ts';
import { PROGRAM } from './arguments.ts';
import type { ModeReport } from './modes.ts';
import type { Screen } from './screen.ts';
import { highlightOn } from './screen.ts';

export const replayCommand = (saved: string): string => `${PROGRAM} --replay ${saved}`;

const sorted = (counts: ReadonlyMap<string, number>): [string, number][] =>
  [...counts].sort((a, b) => a[0].localeCompare(b[0]));

const stepsPerSecond = ({ evidence: { steps, seconds } }: ModeOutcome): number =>
  Math.round(steps / Math.max(seconds, 0.001));

const missingOf = ({ evidence: { edges } }: ModeOutcome): string[] => {
  const covered = new Set(edges.covered);
  return edges.possible.filter((edge) => !covered.has(edge));
};

/** Edges that were taken and that there are; a mode may take some that it does not count on. */
const coveredCount = (outcome: ModeOutcome): number =>
  outcome.evidence.edges.possible.length - missingOf(outcome).length;

function failureAsJson(failure: Failure, saved: string): object {
  const { breaks, message, trace, runs, path } = failure;
  return { breaks, message, steps: trace.actions.length, runs, path, saved, replay: replayCommand(saved) };
}

/** Every crash leaves an image of the disk; those that came in a recovery count among them, and by themselves. */
function crashesOf({ evidence: { failures }, coverage: { events } }: ModeOutcome): object {
  const [crashes, again] = [events.get('CRASH') ?? 0, events.get('RECOVERY_CRASHED') ?? 0];
  const recoveries = events.get('RECOVERED') ?? 0;
  return { images: crashes + again, recoveries, doubleCrashes: again, failures };
}

function showJson({ outcome, runs, regressions, json }: ModeReport, saved: string | null): void {
  const { evidence, coverage, failure } = outcome;
  console.log(
    JSON.stringify({
      seed: evidence.seed,
      runs: runs ?? 0,
      steps: evidence.steps,
      stepsPerSecond: stepsPerSecond(outcome),
      traceHash: evidence.traceHash,
      failures: evidence.failures,
      regressions: regressions ?? 0,
      events: Object.fromEntries(sorted(coverage.events)),
      edges: { covered: coveredCount(outcome), total: evidence.edges.possible.length, missing: missingOf(outcome) },
      invariants: sorted(coverage.witnesses).map(([id, witnesses]) => ({ id, witnesses })),
      crash: crashesOf(outcome),
      ...json,
      ...(failure === null || saved === null ? {} : { failure: failureAsJson(failure, saved) }),
    }),
  );
}

export const table = (counts: ReadonlyMap<string, number>): string =>
  sorted(counts)
    .map(([name, value]) => `  ${name.padEnd(18)}${String(value).padStart(10)}`)
    .join('\n');

function showText({ outcome, runs, regressions, text }: ModeReport, screen: Screen): void {
  const { evidence, coverage } = outcome;
  const missing = missingOf(outcome);
  if (coverage.events.size > 0) screen.text(`\nevents of the model\n${table(coverage.events)}`);
  if (coverage.witnesses.size > 0)
    screen.text(`\nsteps in which an invariant was put to the test\n${table(coverage.witnesses)}`);
  for (const line of text ?? []) screen.text(line);
  if (evidence.edges.possible.length > 0) {
    const notTaken = missing.length > 0 ? `, not taken: ${missing.join(', ')}` : '';
    screen.text(
      `\nedges (state of the model x event)  ${coveredCount(outcome)} of ${evidence.edges.possible.length}${notTaken}`,
    );
  }
  const saved = regressions === undefined ? '' : `${regressions} saved traces, `;
  const ran = runs === undefined ? '' : `${runs} runs, `;
  screen.text(
    `${saved}${ran}${evidence.steps} steps in ${evidence.seconds.toFixed(1)} s, ${stepsPerSecond(outcome)} steps/s`,
  );
  if (evidence.traceHash !== null) screen.text(`trace hash ${evidence.traceHash}`);
}

/** The failing run as a page beside its trace. @returns its path, or why there is none. */
async function writePage(saved: string, { trace }: Failure): Promise<string> {
  const path = saved.replace(/\.json$/, '.html');
  try {
    writeFileSync(path, await renderPage(await traceData(basename(saved), trace), basename(saved)));
    return path;
  } catch (error) {
    // The trace is saved and is what counts: an engine that fails in a new way each time must not hide it.
    return `could not be made: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
  }
}

/** What there is to know of a failure, and its trace as the last thing. */
async function showFailure(failure: Failure, saved: string, screen: Screen): Promise<void> {
  const { breaks, message, trace, runs, path } = failure;
  const foundBy = path === null ? '' : ` (fast-check seed ${trace.seed}, path ${path})`;
  screen.note(`\nFAILED in run ${runs}, shrunk to ${trace.actions.length} steps${foundBy}`);
  screen.note(`breaks ${breaks}: ${message.split('\n')[0]}\nsaved  ${saved}\nreplay ${replayCommand(saved)}`);
  screen.note(`page   ${await writePage(saved, failure)}`);
  if (process.env.GITHUB_ACTIONS === 'true') screen.note(annotation(breaks, message, saved, replayCommand(saved)));
  screen.note(`\n${await timeline(trace.scenario, trace.actions, highlightOn(process.stderr))}`);
}

/** Leaves a mode's evidence as a file of the folder. */
export function writeEvidence(folder: string, { evidence }: ModeOutcome): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${evidence.mode}.json`), `${JSON.stringify(evidence, null, 2)}\n`);
}

/** Prints and writes what a mode has to say. @returns the exit code. */
export async function finish(report: ModeReport, given: CommonArguments, screen: Screen): Promise<number> {
  const { outcome, beside } = report;
  const { failure } = outcome;
  const saved = failure === null ? null : saveTrace(given.out, failure);
  if (failure !== null && saved !== null) await saveItf(saved, failure.trace);
  screen.clear();
  if (given.evidence !== false) for (const each of [...(beside ?? []), outcome]) writeEvidence(given.evidence, each);
  if (given.json) showJson(report, saved);
  else showText(report, screen);
  if (failure === null || saved === null) {
    screen.text(outcome.evidence.failures === 0 ? 'no failure' : `${outcome.evidence.failures} failures`);
    return outcome.evidence.failures === 0 ? 0 : 1;
  }
  await showFailure(failure, saved, screen);
  return 1;
}
