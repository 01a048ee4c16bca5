/**
 * Judges verify, dump and repair on one damaged store, in a directory of its own, by what was written and what was done to
 * it. Records are told from the model and from the bytes as docs/format.md reads them (decode.ts, damage-matrix/layout.ts),
 * never from what the engine says of itself.
 *
 *     untouched   verify, dump and the dry run change no byte, name or time of a file
 *     named       each damage has a finding that covers it; a block that was hit says whose it was
 *     only those  no file that is sound is called damaged
 *     as planned  repair does what the dry run said, deed for deed
 *     kept        each retained record whose block is sound is there after repair, as it was written
 *     told        each retained record that is not there is in the ledger
 *     not gone    a segment none of whose blocks is sound is set aside, not deleted
 *     dumped      dump gave before repair what is there after it
 */
import { crc32 } from 'node:zlib';
import { dump } from '../../src/operator/dump.ts';
import type { Place } from '../../src/operator/read-only-store.ts';
import { withPlace } from '../../src/operator/read-only-store.ts';
import type { Repair } from '../../src/operator/repair.ts';
import { planRepair, repair } from '../../src/operator/repair.ts';
import type { Finding } from '../../src/operator/verify/finding.ts';
import { verify } from '../../src/operator/verify/verify.ts';
import { hitRecords } from '../damage-matrix/oracle.ts';
import { hitsOf } from '../damage-matrix/spoil.ts';
import type { Written } from '../damage-matrix/written.ts';
import type { WrittenRecord } from '../format/read-block.ts';
import type { Damage, StoredFile } from './damages.ts';
import { spoilsOf } from './damages.ts';
import { decodeStore } from './decode.ts';
import { filesIn, stateOf } from './directory.ts';
import { isNamed, logHit, soundFiles } from './named.ts';

export interface Judgement {
  /** One sentence each; none: as it must be. */
  readonly findings: readonly string[];
  readonly named: number;
  /** Retained records before the damage, those that were hit, those that are there after repair. */
  readonly retained: number;
  readonly lost: number;
  /**
   * Sound ones that are not kept: the end of the log was spoiled, which makes their flush look cut off, and a record before
   * them was hit as well, so that they do not continue their stream. What survives of a cut-off flush is a prefix.
   */
  readonly uncommitted: number;
  readonly kept: number;
}

export interface Case {
  readonly directory: string;
  readonly written: Written;
  readonly damages: readonly Damage[];
  /** Segments that the log named before the damage. */
  readonly live: ReadonlySet<string>;
}

export async function judge(of: Case): Promise<Judgement> {
  const wrong: string[] = [];
  const counts = { named: 0, retained: 0, lost: 0, uncommitted: 0, kept: 0 };
  try {
    const before = await stateOf(of.directory);
    const seen = await withPlace(of.directory, async (place) => ({
      findings: (await verify(place)).findings,
      dumped: await dumped(place),
      plan: await planRepair(place),
    }));
    if ((await stateOf(of.directory)) !== before) wrong.push('looking at the store changed its directory');
    counts.named = judgeNaming(of, seen.findings, wrong);
    const done = await withPlace(of.directory, (place) => repair(place));
    judgePlan(seen.plan, done, wrong);
    if (!done.ok) wrong.push(`repair was refused: ${done.failure.message}`);
    else {
      await judgeRecords(of, seen, counts, wrong);
      wrong.push(...deletedFiles(of, seen.findings, await filesIn(of.directory)));
    }
    const after = await withPlace(of.directory, (place) => verify(place));
    if (after.refused !== null || after.lost.length > 0) wrong.push('after repair the store is not whole');
  } catch (error) {
    wrong.push(`it threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  return { findings: wrong, ...counts };
}

function judgeNaming(of: Case, findings: readonly Finding[], wrong: string[]): number {
  let named = 0;
  for (const damage of of.damages) {
    const complaint = isNamed(of, damage, findings);
    if (complaint === null) named++;
    else wrong.push(complaint);
  }
  const sound = soundFiles(of);
  for (const { level, file, text } of findings) {
    if (level === 'damage' && sound.has(file)) wrong.push(`${file} is sound and called damaged: ${text}`);
  }
  return named;
}

type RepairAnswer = Awaited<ReturnType<typeof repair>>;

function judgePlan(plan: RepairAnswer, done: RepairAnswer, wrong: string[]): void {
  const told = (answer: RepairAnswer): string => {
    if (!answer.ok) return answer.failure.code;
    const { deeds, lost, recovery }: Repair = answer.value;
    return JSON.stringify({ deeds, lost, recovery });
  };
  if (told(plan) !== told(done)) wrong.push(`repair did not do what the dry run said: ${told(plan)} and ${told(done)}`);
}

/** By stream, what dump gives. */
async function dumped(place: Place): Promise<Map<string, Map<number, WrittenRecord>>> {
  const streams = new Map<string, Map<number, WrittenRecord>>();
  for await (const { source, sensor, sequence, epoch, bits, timeMs } of dump(place)) {
    const key = `${source}/${sensor}`;
    const records = streams.get(key) ?? new Map<number, WrittenRecord>();
    records.set(sequence, { sequence, epoch, valueBits: bits, timeMs });
    streams.set(key, records);
  }
  return streams;
}

/** Live segments that were hit in every block, and are there no more under any name. */
function deletedFiles(of: Case, findings: readonly Finding[], after: readonly StoredFile[]): string[] {
  const { written, damages, live } = of;
  const hits = spoilsOf(damages).flatMap(hitsOf);
  return written.files.flatMap(({ directory, name, blocks }) => {
    const path = `${directory}/${name}`;
    const own = hits.filter((hit) => hit.directory === directory && hit.name === name);
    const isHit = ({ from, to }: { readonly from: number; readonly to: number }): boolean =>
      own.some((hit) => hit.from < to && from < hit.to);
    const wasThere = !damages.some(
      ({ spoil }) => spoil.how === 'remove' && `${spoil.directory}/${spoil.name}` === path,
    );
    // With the end of the log spoiled it looks like one of a flush that was cut off, which holds nothing that was promised.
    const isCutOff = logHit(of) && findings.some(({ file, what }) => file === path && what === 'cut off');
    if (isCutOff || !live.has(path) || !wasThere || own.length === 0 || !blocks.every(isHit)) return [];
    const isThere = after.some((file) => file.directory === directory && file.name.startsWith(name));
    return isThere ? [] : [`${path} was damaged in every block, and repair deleted it`];
  });
}

const digest = (records: Iterable<WrittenRecord>): number =>
  crc32(JSON.stringify([...records].sort((a, b) => a.sequence - b.sequence)));

/** Records of segments that verify calls cut off, where the end of the log was spoiled: `source/sensor` and number. */
function cutOffRecords({ written, damages }: Case, findings: readonly Finding[]): Set<string> {
  const cutOff = logHit({ damages }) ? findings.filter(({ what }) => what === 'cut off') : [];
  const files = written.files.filter(({ directory, name }) =>
    cutOff.some(({ file }) => file === `${directory}/${name}`),
  );
  return new Set(
    files.flatMap(({ directory, blocks }) =>
      blocks.flatMap(({ sensor, records }) => records.map(({ sequence }) => `${directory}/${sensor} ${sequence}`)),
    ),
  );
}

async function judgeRecords(
  of: Case,
  seen: {
    readonly findings: readonly Finding[];
    readonly dumped: ReadonlyMap<string, ReadonlyMap<number, WrittenRecord>>;
  },
  counts: { retained: number; lost: number; uncommitted: number; kept: number },
  wrong: string[],
): Promise<void> {
  const { directory, written, damages } = of;
  const cutOff = cutOffRecords(of, seen.findings);
  const { streams } = decodeStore(await filesIn(directory));
  const spoils = spoilsOf(damages);
  // What the log forgot of itself cannot be told: that there were records behind the last that is left, for instance.
  const untold = logHit({ damages });
  for (const [i, { records, retained }] of written.streams.entries()) {
    const { source, sensor } = written.scenario.streams[i] as Written['scenario']['streams'][number];
    const name = `${source}/${sensor}`;
    const stream = streams.find((each) => each.source === source && each.sensor === sensor);
    const given = stream?.records ?? new Map<number, WrittenRecord>();
    const hit = hitRecords(written, spoils, i);
    for (const [sequence, record] of given) {
      const same = JSON.stringify(record) === JSON.stringify(records.get(sequence));
      if (!same) wrong.push(`${name} has a wrong record: ${JSON.stringify(record)}`);
    }
    for (const sequence of retained) {
      counts.retained++;
      if (given.has(sequence)) counts.kept++;
      else if (cutOff.has(`${name} ${sequence}`) && [...hit].some((before) => before < sequence)) counts.uncommitted++;
      else if (!hit.has(sequence)) wrong.push(`${name} lost record ${sequence}, whose block is sound`);
      else {
        counts.lost++;
        const told = stream?.isLost(sequence) === true || untold;
        if (!told) wrong.push(`${name} lost record ${sequence}, which is not in the ledger`);
      }
    }
    if (digest(given.values()) !== digest(seen.dumped.get(name)?.values() ?? []))
      wrong.push(`dump gave other records of ${name} than are there after repair`);
  }
}
