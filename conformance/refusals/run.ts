/**
 * The refusals: every call with arguments that make no sense, every setting at the ends of its range and beyond them, and
 * what answers carry beside records. Contract section 4: each is refused with its code, and the state is unchanged.
 *
 * A table without chance: what the random modes draw seldom, or never, is here once each.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../actions.ts';
import { macrotask } from '../answers.ts';
import { makeOutcome } from '../evidence/make.ts';
import type { ModeOutcome } from '../evidence/record.ts';
import { scenarioOf } from '../execute.ts';
import { newCoverage } from '../model-run.ts';
import type { Failure } from '../run.ts';
import { makeTrace } from '../run.ts';
import { ABOVE_QUOTA } from './above-quota.ts';
import { ANSWERS } from './answers.ts';
import { APPENDING_MANY } from './appending-many.ts';
import { BATCHES } from './batches.ts';
import { CALLS } from './calls.ts';
import type { Case } from './case.ts';
import { FLUSH_SLICES } from './flush-slices.ts';
import { FREE_FILES } from './free-files.ts';
import { HOLES } from './holes.ts';
import { LIVES } from './lives.ts';
import { LOG_BYTES } from './log-bytes.ts';
import { LOG_UPKEEP } from './log-upkeep.ts';
import { MAKING_ROOM } from './making-room.ts';
import { MOMENTS } from './moments.ts';
import { NUMBERS } from './numbers.ts';
import { OPENING_READS } from './opening-reads.ts';
import { PACKED_JUDGED } from './packed-judged.ts';
import { PACKED_SMALL } from './packed-small.ts';
import { PLATFORMS } from './platforms.ts';
import { POOLS } from './pools.ts';
import { READING } from './reading.ts';
import { READING_OLDEST } from './reading-oldest.ts';
import { RECOVERIES } from './recoveries.ts';
import { RECOVERIES_CUT_SHORT } from './recoveries-cut-short.ts';
import { RECOVERIES_LOG } from './recoveries-log.ts';
import { RECOVERIES_UNCERTAIN } from './recoveries-uncertain.ts';
import { SEGMENT_HEADS } from './segment-heads.ts';
import { SEGMENTS } from './segments.ts';
import { SETTINGS } from './settings.ts';
import { UPKEEP } from './upkeep.ts';
import { WHOLE_SEGMENTS } from './whole-segments.ts';

export const CASES: readonly Case[] = [
  ...SETTINGS,
  ...CALLS,
  ...ANSWERS,
  ...LIVES,
  ...UPKEEP,
  ...RECOVERIES,
  ...RECOVERIES_CUT_SHORT,
  ...RECOVERIES_LOG,
  ...LOG_UPKEEP,
  ...READING,
  ...READING_OLDEST,
  ...BATCHES,
  ...APPENDING_MANY,
  ...POOLS,
  ...PLATFORMS,
  ...SEGMENTS,
  ...MAKING_ROOM,
  ...NUMBERS,
  ...HOLES,
  ...MOMENTS,
  ...LOG_BYTES,
  ...RECOVERIES_UNCERTAIN,
  ...PACKED_SMALL,
  ...PACKED_JUDGED,
  ...FREE_FILES,
  ...ABOVE_QUOTA,
  ...SEGMENT_HEADS,
  ...OPENING_READS,
  ...WHOLE_SEGMENTS,
  ...FLUSH_SLICES,
];

/** Turns of the event loop that a case may take, and how long one lasts for a case on a real disk. */
const TURNS_MAX = 2_000;
const REAL_TURN_MS = 5;

/** Its answer; a sentence when it is still not there after so many turns. */
async function answerOf(answer: Promise<string | null>, onRealDisk: boolean): Promise<string | null> {
  let answered = false;
  const note = (): void => {
    answered = true;
  };
  answer.then(note, note);
  for (let turn = 0; turn < TURNS_MAX && !answered; turn++) await (onRealDisk ? sleep(REAL_TURN_MS) : macrotask());
  return answered ? answer : 'it is never answered';
}

/** @returns what is wrong with the case, or null. */
export async function findingOf({ check, onRealDisk = false }: Case): Promise<string | null> {
  try {
    return await answerOf(Promise.resolve(check()), onRealDisk);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** No steps lead to it: the case is found again by its name. */
const SCENARIO: Scenario = scenarioOf('wiced', 1);

/** Looks at every case; the first that is wrong is the failure. */
export async function runRefusals({ command }: { readonly command: string }): Promise<ModeOutcome> {
  const startedMs = performance.now();
  let failure: Failure | null = null;
  let wrong = 0;
  for (const each of CASES) {
    const finding = await findingOf(each);
    if (finding === null) continue;
    wrong++;
    const message = `${each.name}: ${finding}`;
    failure ??= { breaks: 'refusal', message, trace: makeTrace(SCENARIO, [], 0, message), runs: 1, path: null };
  }
  return makeOutcome({
    mode: 'refusals',
    command,
    seed: null,
    profiles: ['linux', 'wiced'],
    seconds: (performance.now() - startedMs) / 1_000,
    steps: CASES.length,
    failures: wrong,
    traceHash: null,
    figures: { cases: CASES.length },
    coverage: newCoverage(),
    possible: [],
    failure,
  });
}
