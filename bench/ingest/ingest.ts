/**
 * Durable ingest: how many records a second each peer keeps for good. In each repetition every peer has its turn, and
 * the order changes from one to the next; a ratio is taken within a repetition, where both had the same minute.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { askOnce, askProcess } from '../ask-process.ts';
import type { LoadSpec } from '../load-spec.ts';
import { peerNamed } from '../peers/all.ts';
import type { BenchContext } from '../row.ts';
import type { VerifyRequest } from './verifier.ts';
import { storeIn, type WriteRequest, type Written } from './writer.ts';

const WRITER = join(import.meta.dirname, 'writer.ts');
const VERIFIER = join(import.meta.dirname, 'verifier.ts');

/** What one peer did in one repetition. */
export interface Turn extends Written {
  readonly recordsPerSecond: number;
  readonly verifiedRecords: number;
}

export interface IngestPlan {
  readonly peers: readonly string[];
  readonly batchRecords: number;
  readonly load: LoadSpec;
  readonly warmUpBatches: number;
}

/** Turns of each peer, by repetition. One round before them is not counted. */
export async function measureIngest(context: BenchContext, plan: IngestPlan): Promise<Map<string, Turn[]>> {
  const turns = new Map(plan.peers.map((peer): [string, Turn[]] => [peer, []]));
  for (let repetition = -1; repetition < context.repetitions; repetition++) {
    const short = repetition < 0;
    for (const peer of rotated(plan.peers, context.seed + repetition)) {
      context.progress(`${peer}, ${short ? 'warming up' : `repetition ${repetition + 1} of ${context.repetitions}`}`);
      const turn = await oneTurn(context, short ? shortened(plan) : plan, peer);
      if (!short) turns.get(peer)?.push(turn);
    }
  }
  return turns;
}

/** The round that is not counted is a tenth as long: it is there for the disk, each writer warms itself up. */
const shortened = (plan: IngestPlan): IngestPlan => ({
  ...plan,
  load: { ...plan.load, records: Math.ceil(plan.load.records / 10) },
});

/** The list begun at another place, so that nobody always comes first or behind the same one. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const at = ((by % list.length) + list.length) % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

/** Writes, kills the writer, reads in another process. @throws Error when a record is not what it was. */
async function oneTurn({ directory }: BenchContext, plan: IngestPlan, peer: string): Promise<Turn> {
  const { batchRecords, warmUpBatches } = plan;
  const load = { ...plan.load, records: Math.min(plan.load.records, peerNamed(peer).recordsMax ?? plan.load.records) };
  const own = join(directory, peer);
  await mkdir(own);
  try {
    const request: WriteRequest = { peer, load, batchRecords, directory: own, warmUpBatches, settle: false };
    const writer = askProcess<Written>(WRITER, request);
    let written: Written;
    try {
      written = await writer.answer;
    } finally {
      await writer.kill();
    }
    const verify: VerifyRequest = { peer, load, directory: storeIn(own) };
    const verifiedRecords = await askOnce<number>(VERIFIER, verify).catch((error: Error) => {
      throw new Error(`${peer} did not keep what it took: ${error.message}`);
    });
    return { ...written, recordsPerSecond: written.records / written.seconds, verifiedRecords };
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}
