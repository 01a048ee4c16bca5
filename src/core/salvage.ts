/**
 * What a cut-off flush left whole is copied into new segments: per stream the blocks that continue it exactly, so that what
 * survives is a prefix (INV-16). Copied, not adopted: a flush that was cut off may have seen its fsync fail, and what such
 * a file reads as need not be what the flash holds (docs/decisions/0015).
 *
 * What does not fit under the quota, or on the disk, is left out, which is the end of the prefix: nobody was told that it
 * is synced. But before that, files that have nothing to give make room, such as the copies of a recovery that was
 * itself cut off (INV-18: without them it found the room). Nothing else is removed; recovery.ts commits.
 */
import { ioFailure } from './checkpoint-log.ts';
import type { Result } from './codes.ts';
import { success } from './codes.ts';
import type { LiveSegment } from './disk-index.ts';
import { allocatedBytes, segmentName } from './disk-index.ts';
import { liveSegment } from './flush.ts';
import type { FoundSegment, ReadSegment } from './found-segments.ts';
import { directoryOf } from './found-segments.ts';
import type { DiskPort, IoResult } from './port.ts';
import type { FileContent } from './read-file.ts';
import type { BlockInfo } from './segment.ts';
import { decodeBlock, SegmentBuilder, scanSegment } from './segment.ts';
import type { DiskSide, StoreState } from './store-state.ts';

/** What salvaging needs of the recovery that it is part of. */
export interface SalvageContext {
  readonly state: StoreState;
  readonly port: DiskPort;
  readonly disk: DiskSide;
  /** Every segment file there is, without those that were set aside. */
  readonly found: readonly FoundSegment[];
  /** Those of them that the log does not know yet and whose headers do not read. */
  readonly torn: readonly FoundSegment[];
  /** Epoch of the flush that was cut off. */
  readonly epoch: number;
  readonly read: (segment: FoundSegment) => Promise<IoResult<FileContent>>;
  /** Slot of a block's stream; null when the block contradicts the stream. */
  readonly slotOf: (source: number, block: BlockInfo) => Result<number | null>;
}

export interface Salvaged {
  readonly segments: readonly LiveSegment[];
  readonly records: number;
}

/** Null when nothing of a segment continues a stream. */
type Copied = Result<LiveSegment | 'no space' | null>;

const NO_SPACE: Promise<Copied> = Promise.resolve(success('no space'));

/** A name that cannot be written, because a directory has it for instance, is passed by; a disk that takes none is not. */
const NAMES_TRIED_MAX = 4;

export async function salvage(context: SalvageContext, cutOff: readonly ReadSegment[]): Promise<Result<Salvaged>> {
  const { state, disk } = context;
  const segments: LiveSegment[] = [];
  let records = 0;
  if (cutOff.length === 0) return success({ segments, records });
  const flush = disk.nextFlush++;
  const gone = new Set<FoundSegment>();
  for (const [at, segment] of cutOff.entries()) {
    if (segment.header.epoch !== context.epoch || gone.has(segment)) continue;
    const copy = (): Promise<Copied> =>
      fits(context, segment.bytes, segments, gone) ? copySegment(context, segment, flush) : NO_SPACE;
    let copied = await copy();
    if (copied.ok && copied.value === 'no space') {
      const madeRoom = await removeSpare(context, cutOff.slice(at), gone);
      if (gone.has(segment)) continue;
      if (madeRoom) copied = await copy();
    }
    if (!copied.ok) return copied;
    if (copied.value === 'no space') break;
    if (copied.value === null) continue;
    records += copied.value.records.reduce((sum, each) => sum + each, 0);
    segments.push(copied.value);
  }
  for (const source of new Set(segments.map((segment) => segment.source))) {
    const directory = directoryOf(source);
    const named = await context.port.syncDirectory(directory);
    if (!named.ok) return ioFailure(`sync directory ${directory}`, named.error);
    state.counters.syncs++;
  }
  for (const segment of segments) {
    disk.index.add(segment);
    segment.slots.forEach((slot) => {
      state.pool.synced[slot] = state.pool.appended[slot] as number;
      disk.loggedSynced[slot] = state.pool.appended[slot] as number;
    });
  }
  return success({ segments, records });
}

/**
 * Removes the files that have nothing to give, and notes them in `gone`: torn ones, of the cut-off ones those that give
 * nothing behind the others, and free ones.
 * @returns whether there were any.
 */
async function removeSpare(
  context: SalvageContext,
  cutOff: readonly ReadSegment[],
  gone: Set<FoundSegment>,
): Promise<boolean> {
  const before = gone.size;
  const ends = context.state.pool.appended.slice();
  const spare: FoundSegment[] = [...context.torn];
  for (const segment of cutOff) if (!(await gives(context, segment, ends))) spare.push(segment);
  spare.push(...(await freeFiles(context)));
  for (const segment of spare) {
    if (gone.has(segment)) continue;
    const removed = await context.port.remove(directoryOf(segment.source), segmentName(segment.file));
    if (removed.ok) gone.add(segment);
  }
  return gone.size > before;
}

/**
 * Files of which the log says that they may go. What it says need not be durable yet, when a process was killed before its
 * sync, so it is made durable first. A store that keeps no free files has hardly any.
 */
async function freeFiles({ disk, found }: SalvageContext): Promise<readonly FoundSegment[]> {
  if (!disk.files.recycles || disk.doomed.size === 0) return [];
  const confirmed = await disk.log.confirm();
  if (!confirmed.ok) return [];
  for (const doomed of disk.doomed.values()) disk.doomed.set(doomed.file, { ...doomed, sound: false });
  return found.filter(({ file, source }) => disk.doomed.get(file)?.source === source);
}

/** Whether a block of it goes on where its stream ends; `ends` go on with it. One that cannot be read may. */
async function gives(context: SalvageContext, segment: ReadSegment, ends: Float64Array): Promise<boolean> {
  if (segment.header.epoch !== context.epoch) return false;
  const read = await context.read(segment);
  const scan = read.ok ? scanSegment(read.value.bytes, context.state.platform.crc32) : null;
  let goesOn = scan === null;
  for (const block of scan?.state === 'ok' ? scan.blocks : []) {
    const slot = context.slotOf(segment.source, block);
    if (!slot.ok || slot.value === null) continue;
    const end = ends[slot.value] as number;
    if (block.first > end || block.first + block.records <= end) continue;
    ends[slot.value] = block.first + block.records;
    goesOn = true;
  }
  return goesOn;
}

/** @returns the copy, synced; null when nothing of it continues a stream. */
async function copySegment(context: SalvageContext, segment: FoundSegment, flush: number): Promise<Copied> {
  const { state, port } = context;
  const directory = directoryOf(segment.source);
  const read = await context.read(segment);
  if (!read.ok) return ioFailure(`read ${directory}/${segmentName(segment.file)}`, read.error);
  const { bytes } = read.value;
  for (let tries = 1; ; tries++) {
    const appendedBefore = state.pool.appended.slice();
    const gathered = gather(context, segment, bytes, flush);
    if (!gathered.ok || gathered.value === null) return gathered as Result<null>;
    const builder = gathered.value;
    const whole = builder.finish();
    const name = segmentName(builder.header.number);
    const written = await port.write(directory, name, 0, whole);
    if (!written.ok) {
      state.pool.appended.set(appendedBefore);
      if (written.error.code === 'NO_SPACE') {
        await port.remove(directory, name);
        return success('no space');
      }
      if (written.error.code === 'IO' && tries < NAMES_TRIED_MAX) continue;
      return ioFailure(`write ${directory}/${name}`, written.error);
    }
    const synced = await port.sync(directory, name);
    if (!synced.ok) return ioFailure(`sync ${directory}/${name}`, synced.error);
    state.counters.bytesWritten += whole.length;
    state.counters.syncs++;
    return success(liveSegment(builder, whole.length));
  }
}

/** The blocks that continue their streams, in a segment of a new number; marks go on with them. */
function gather(
  { state, disk, slotOf }: SalvageContext,
  { source }: FoundSegment,
  bytes: Uint8Array,
  flush: number,
): Result<SegmentBuilder | null> {
  const { pool } = state;
  const scan = scanSegment(bytes, state.platform.crc32);
  if (scan.state !== 'ok') return success(null);
  const header = { ...scan.header, storeId: state.storeId, number: disk.nextSegment++, flush };
  const builder = new SegmentBuilder(header, state.platform.crc32);
  for (const block of scan.blocks) {
    const known = slotOf(source, block);
    if (!known.ok) return known;
    const slot = known.value;
    if (slot === null) continue;
    const expected = pool.appended[slot] as number;
    const skip = expected - block.first;
    if (skip < 0 || skip >= block.records) continue;
    const length = block.records - skip;
    const timesMs = new Float64Array(length);
    const bits = new Uint32Array(length);
    if (!decodeBlock(bytes, block, skip, length, timesMs, bits, 0)) continue;
    const { evt, type, sensor, periodMs } = block;
    const taken = builder.add({ slot, evt, type, sensor, periodMs }, expected, timesMs, bits, length);
    pool.appended[slot] = expected + taken;
  }
  return success(builder.records === 0 ? null : builder);
}

function fits(
  { state, disk, found }: SalvageContext,
  bytes: number,
  copies: readonly LiveSegment[],
  gone: ReadonlySet<FoundSegment>,
): boolean {
  let held = disk.index.segmentBytes + disk.setAsideBytes + allocatedBytes(bytes);
  for (const copy of copies) held += allocatedBytes(copy.bytes);
  for (const segment of found) {
    const isLive = disk.index.segments.get(segment.number)?.file === segment.file;
    if (!isLive && !gone.has(segment)) held += allocatedBytes(segment.bytes);
  }
  return held <= state.segmentQuotaBytes();
}
