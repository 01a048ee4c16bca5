/**
 * Makes segment files ahead of use, so that a flush finds its space in files that are there: no new name, no file that grows,
 * from the first one on. It happens while the store is opened, once; files that are free from earlier count.
 *
 * Never more than the quota and the floor of free space leave, and never a reason not to open: what cannot be made now is
 * made when it is needed. Power may fail at any point: a file whose front was not made is removed by the next opening.
 */
import { aheadFileBytes } from './config.ts';
import { segmentName } from './disk-index.ts';
import { SOURCE_DIRECTORIES } from './port.ts';
import { shapeSource } from './sector-pool.ts';
import type { SegmentFile } from './segment-files.ts';
import { blankFile } from './segment-files.ts';
import type { DiskSide, StoreState } from './store-state.ts';
import { heldBytes } from './store-state.ts';

/** Files made side by side: their syncs then share the disk's time. */
const AT_ONCE = 8;

const directoryOf = (source: number): (typeof SOURCE_DIRECTORIES)[number] => SOURCE_DIRECTORIES[source as 0 | 1 | 2];

/** The caller has opened the store and nothing else goes on in it. */
export async function preallocate(state: StoreState): Promise<void> {
  const disk = state.disk as DiskSide;
  const missing = await filesMissing(state, disk);
  if (missing <= 0) return;
  const sources = sourcesIn(state);
  const content = blankFile(aheadFileBytes(state.settings));
  const made: SegmentFile[] = [];
  for (let i = 0; i < missing; i += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, missing - i) }, (_, k) =>
      make(state, disk, sources[(i + k) % sources.length] as number, content),
    );
    const files = (await Promise.all(some)).filter((file) => file !== null);
    made.push(...files);
    if (files.length < some.length) break;
  }
  for (const source of new Set(made.map((file) => file.source))) {
    const named = await disk.port.syncDirectory(directoryOf(source));
    if (named.ok) state.counters.syncs++;
    for (const file of made) {
      if (file.source !== source) continue;
      if (named.ok) disk.files.put(file);
      else disk.doomed.set(file.file, { ...file, sound: false });
    }
  }
}

/** How many files are to be made, within quota and floor. */
async function filesMissing(state: StoreState, disk: DiskSide): Promise<number> {
  const { preallocateBytes, freeFloorBytes } = state.settings;
  const held = heldBytes(disk);
  const wanted = preallocateBytes - held;
  const fileBytes = aheadFileBytes(state.settings);
  if (wanted < fileBytes) return 0;
  const free = await disk.port.freeBytes();
  if (!free.ok) return 0;
  const underQuota = state.segmentQuotaBytes() - disk.setAsideBytes - held;
  const aboveFloor = free.value - freeFloorBytes - state.nextLogBytes();
  return Math.floor(Math.min(wanted, underQuota, aboveFloor) / fileBytes);
}

/** Those that have streams; of a store that has none yet, all. */
function sourcesIn({ pool }: StoreState): readonly number[] {
  const sources = new Set<number>();
  for (let slot = 0; slot < pool.streams; slot++) sources.add(shapeSource(pool.shape[slot] as number));
  return sources.size === 0 ? SOURCE_DIRECTORIES.map((_, source) => source) : [...sources].sort();
}

/** @returns null when the disk refuses: then the file is doomed. */
async function make(
  state: StoreState,
  disk: DiskSide,
  source: number,
  content: Uint8Array,
): Promise<SegmentFile | null> {
  const file: SegmentFile = { file: disk.nextSegment++, source, bytes: content.length, held: null };
  const name = segmentName(file.file);
  const written = await disk.port.write(directoryOf(source), name, 0, content);
  const synced = written.ok ? await disk.port.sync(directoryOf(source), name) : written;
  if (!synced.ok) {
    disk.doomed.set(file.file, { ...file, sound: false });
    return null;
  }
  state.counters.bytesWritten += content.length;
  state.counters.syncs++;
  return file;
}
