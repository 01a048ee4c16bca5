/**
 * Durable ingest: how many records a second each peer keeps for good. In each repetition every peer has its turn, and
 * the order changes from one to the next; a ratio is taken within a repetition, where both had the same minute.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadSpec } from '../load-spec.ts';
import { peerNamed } from '../peers/all.ts';
import type { BenchContext } from '../row.ts';
import { type Kept, type Prepared, prepare, rotated, writeKillVerify } from './turn.ts';

/** What one peer did in one repetition. */
export interface Turn extends Kept {
  readonly recordsPerSecond: number;
  readonly prepared?: Prepared;
}

export interface IngestPlan {
  readonly peers: readonly string[];
  readonly batchRecords: number;
  readonly load: LoadSpec;
  readonly warmUpBatches: number;
}

/** Turns of each peer, by repetition. One round before them is not counted; a quick run does without it. */
export async function measureIngest(context: BenchContext, plan: IngestPlan): Promise<Map<string, Turn[]>> {
  const turns = new Map(plan.peers.map((peer): [string, Turn[]] => [peer, []]));
  for (let repetition = context.quick ? 0 : -1; repetition < context.repetitions; repetition++) {
    const short = repetition < 0;
    for (const peer of rotated(plan.peers, context.seed + repetition)) {
      context.progress(
        `${peer}, ${plan.load.kind}, ${short ? 'warming up' : `repetition ${repetition + 1} of ${context.repetitions}`}`,
      );
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

async function oneTurn({ directory }: BenchContext, plan: IngestPlan, peer: string): Promise<Turn> {
  const { batchRecords, warmUpBatches } = plan;
  const load = { ...plan.load, records: Math.min(plan.load.records, peerNamed(peer).recordsMax ?? plan.load.records) };
  const own = join(directory, peer);
  await mkdir(own);
  try {
    const prepared = await prepare(peer, own);
    const kept = await writeKillVerify({ peer, load, batchRecords, directory: own, warmUpBatches, settle: false });
    return { ...kept, recordsPerSecond: kept.records / kept.seconds, ...(prepared === undefined ? {} : { prepared }) };
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}
