/**
 * Room on the disk: what goes so that a flush finds the space that it needs. Keeps INV-10 and INV-11.
 *
 *     free files              first: nothing is in them
 *     doomed, empty segments  then: nothing is lost with them
 *     the oldest live ones    last, where the store may: logged durably and in the ledger before anything happens to the file
 *
 * The file of a segment that was evicted is free then, and the segment that needed the room is written over it where it fits.
 * It writes no segment; flush.ts does.
 */
import { removeDoomed, writeCheckpoint } from './checkpoint.ts';
import { logStepBytes } from './config.ts';
import type { LiveSegment } from './disk-index.ts';
import { allocatedBytes, segmentName } from './disk-index.ts';
import type { IoResult } from './port.ts';
import { SOURCE_DIRECTORIES } from './port.ts';
import type { SegmentFile } from './segment-files.ts';
import type { DiskSide, StoreState } from './store-state.ts';
import { heldBytes } from './store-state.ts';

/** What the disk said of its free space, and what the store held when it said so. */
export interface FreeSpace {
  readonly freeBytes: number;
  readonly heldBytes: number;
}

/** What room is made for. */
export interface Need {
  readonly bytes: number;
  /** Where: a free file of the source that has room for it is room enough. Null: for segments of which only this is known. */
  readonly source: number | null;
}

const directoryOf = (source: number): (typeof SOURCE_DIRECTORIES)[number] => SOURCE_DIRECTORIES[source as 0 | 1 | 2];

/**
 * Lets the oldest segments go until what is needed fits under the quota and leaves the floor of free space, with room for
 * the log's next generation, for without that the store could neither evict nor be opened. Segments that hold nothing
 * any more go first and cost nothing. One log batch for all of them, before anything happens to any file.
 */
export async function makeRoom(
  state: StoreState,
  { bytes, source }: Need,
  known: FreeSpace | null,
): Promise<IoResult<FreeSpace>> {
  const disk = state.disk as DiskSide;
  // For a whole flush the free files are room as well; they are not, for a segment that none of them can take.
  const held = (): number => heldBytes(disk) - (source === null ? disk.files.freeBytes : 0);
  const measured = known === null ? await measure(disk) : ({ ok: true, value: known } as const);
  if (!measured.ok) return measured;
  const before = heldBytes(disk);
  const free = measured.value.freeBytes - (before - measured.value.heldBytes);
  const deficitBytes = state.settings.freeFloorBytes + state.nextLogBytes() + bytes - free;
  const limit = state.segmentQuotaBytes() - disk.setAsideBytes;
  const fits = (gone: number): boolean => held() - gone + bytes <= limit && before - held() + gone >= deficitBytes;
  if (fits(0)) return measured;
  await removeDoomed(state);
  if (source !== null) await removeFree(disk, () => fits(0));
  if (fits(0)) return measured;
  // What goes with the next batch anyway: the empty ones, and what a suspect log held back.
  let gone = 0;
  for (const segment of disk.index.empty) gone += takenBy(disk, segment);
  for (const file of disk.doomed.values()) gone += allocatedBytes(file.bytes);
  if (!fits(gone) && state.settings.whenDiskFull === 'refuse-new') return full(state, '');
  const victims: LiveSegment[] = [];
  for (const oldest of liveOldestFirst(disk)) {
    if (fits(gone)) break;
    victims.push(oldest);
    gone += takenBy(disk, oldest);
  }
  // Others fill the disk, and all that the store holds would not make up for it: then none of it goes in vain.
  const enough = fits(gone);
  if (enough || disk.index.empty.size + disk.doomed.size > 0) {
    const logged = await forgetSegments(state, enough ? victims : []);
    if (!logged.ok) return logged;
  }
  const inPlace = (): boolean => source !== null && disk.files.fits(source, bytes) && held() <= limit;
  if (source !== null) await removeFree(disk, () => inPlace() || fits(0));
  if (!inPlace() && !fits(0)) return full(state, ', and dropping what the store holds would not be enough');
  return measured;
}

/** Space that goes with a segment: none when its file is gone already. */
const takenBy = ({ files }: DiskSide, { file, fileBytes }: LiveSegment): number =>
  files.gone.has(file) ? 0 : allocatedBytes(fileBytes);

function full({ settings }: StoreState, why: string): IoResult<never> {
  const { quotaBytes, freeFloorBytes } = settings;
  const what = `quotaBytes is ${quotaBytes}, and freeFloorBytes asks to leave ${freeFloorBytes} bytes free`;
  return { ok: false, error: { code: 'NO_SPACE', detail: `the disk is full: ${what}${why}` } };
}

async function measure(disk: DiskSide): Promise<IoResult<FreeSpace>> {
  const free = await disk.port.freeBytes();
  // What it holds is counted behind the answer, so that what went meanwhile is not taken for free twice.
  return free.ok ? { ok: true, value: { freeBytes: free.value, heldBytes: heldBytes(disk) } } : free;
}

/** Removes free files, the largest first, until it is enough. One that cannot be removed is doomed, and tried again later. */
async function removeFree(disk: DiskSide, enough: () => boolean): Promise<void> {
  for (let file = disk.files.largest(); file !== null && !enough(); file = disk.files.largest()) {
    await removeOne(disk, file);
  }
}

async function removeOne(disk: DiskSide, file: SegmentFile): Promise<void> {
  disk.files.drop(file);
  disk.doomed.set(file.file, { ...file, sound: false });
  const removed = await disk.port.remove(directoryOf(file.source), segmentName(file.file));
  if (removed.ok) disk.doomed.delete(file.file);
}

/**
 * Gives way because the file system has no space: a free file, else one segment. @returns false when there is none that may go.
 */
export async function giveWay(state: StoreState): Promise<boolean> {
  const disk = state.disk as DiskSide;
  const free = disk.files.largest();
  if (free !== null) {
    await removeOne(disk, free);
    return true;
  }
  if (state.settings.whenDiskFull === 'refuse-new') return false;
  const [oldest] = liveOldestFirst(disk);
  if (oldest === undefined && disk.index.empty.size === 0) return false;
  const logged = await forgetSegments(state, oldest === undefined ? [] : [oldest]);
  return logged.ok;
}

function* liveOldestFirst(disk: DiskSide): Iterable<LiveSegment> {
  for (const segment of disk.index.segments.values()) if (segment.liveBlocks > 0) yield segment;
}

/**
 * Logs that the empty segments are gone and that the victims give way; marks pass the victims' records when that is
 * durable, and the files go last. When the log itself finds no space, the files go first, the free ones before any other,
 * and the oldest segments with them until it does: a crash or a read in between then reports their records as damaged
 * instead of evicted, and still none in silence.
 */
export async function forgetSegments(state: StoreState, victims: readonly LiveSegment[]): Promise<IoResult<void>> {
  const disk = state.disk as DiskSide;
  const evicted = [...victims];
  const removed = new Set<LiveSegment>();
  if (victims.length > 0) state.emit({ type: 'evictionStarted', segments: victims.length });
  for (;;) {
    const logged = await writeCheckpoint(state, { evicted });
    if (logged.ok || logged.error.code !== 'NO_SPACE') return logged;
    if (disk.files.largest() !== null) {
      await removeFree(disk, () => false);
      continue;
    }
    const files = [...disk.index.empty, ...evicted].filter((segment) => !removed.has(segment));
    if (files.length === 0) {
      const mayGo = state.settings.whenDiskFull !== 'refuse-new' && logMayFit(state, disk);
      const next = mayGo ? oldestBeside(disk, removed) : undefined;
      if (next === undefined) return logged;
      state.emit({ type: 'evictionStarted', segments: 1 });
      evicted.push(next);
      files.push(next);
    }
    for (const segment of files) {
      const gone = await disk.port.remove(directoryOf(segment.source), segmentName(segment.file));
      if (!gone.ok) return gone;
      removed.add(segment);
      disk.files.gone.set(segment.file, allocatedBytes(segment.fileBytes));
    }
  }
}

/**
 * Whether the quota has room for the log's files and the least that a new one takes, were no segment held. Where files that were
 * set aside leave less, all that the store holds would go in vain.
 */
function logMayFit({ settings }: StoreState, { log, setAsideBytes }: DiskSide): boolean {
  let bytes = logStepBytes(settings);
  for (const size of log.fileSizes) bytes += allocatedBytes(size);
  return bytes <= settings.quotaBytes - setAsideBytes;
}

function oldestBeside(disk: DiskSide, known: ReadonlySet<LiveSegment>): LiveSegment | undefined {
  for (const segment of liveOldestFirst(disk)) if (!known.has(segment)) return segment;
  return undefined;
}
