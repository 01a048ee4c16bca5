/**
 * What is on the simulated disk, file by file, as somebody would want to see it beside model and engine: which blocks
 * and which log batches can be read, what of each file is durable, and which operations are under way.
 *
 * Plain data; it is made from bytes, never from the engine's memory.
 */
import { completeBatches, parsePartName, readPartHeader, scanPart } from '../../src/core/checkpoint-format.ts';
import { parseSegmentName } from '../../src/core/disk-index.ts';
import { SOURCE_DIRECTORIES } from '../../src/core/port.ts';
import { scanSegment } from '../../src/core/segment.ts';
import type { Operation } from '../disk-operations.ts';
import type { DiskImage } from '../disk-state.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';

/** A readable block of a segment: records [from, to) of one sensor. */
export interface BlockView {
  readonly sensor: number;
  readonly from: number;
  readonly to: number;
}

export interface FileView {
  readonly directory: string;
  readonly name: string;
  readonly bytes: number;
  /** Bytes that a power cut now leaves at least. */
  readonly durableBytes: number;
  /** Whether a power cut now leaves the name. */
  readonly durableName: boolean;
  readonly holds:
    | {
        readonly kind: 'segment';
        readonly number: number;
        readonly epoch: number;
        readonly blocks: readonly BlockView[];
      }
    /** `batches`: whole ones that can be read, the snapshot among them. */
    | { readonly kind: 'log'; readonly generation: number; readonly part: number; readonly batches: number }
    | { readonly kind: 'other' };
}

export interface DiskView {
  readonly files: readonly FileView[];
  /** Operations that have not ended, oldest first. */
  readonly underWay: readonly Pick<Operation, 'kind' | 'directory' | 'name' | 'offset' | 'bytes'>[];
  /** Names that are gone for a reader and that a power cut now brings back. */
  readonly goneNotDurably: readonly string[];
}

function holdsOf(directory: string, name: string, content: Uint8Array): FileView['holds'] {
  const number = parseSegmentName(name);
  if (number !== null && directory !== '') {
    const scan = scanSegment(content);
    if (scan.state !== 'ok') return { kind: 'other' };
    const blocks = scan.blocks.map(({ sensor, first, records }) => ({ sensor, from: first, to: first + records }));
    return { kind: 'segment', number: scan.header.number, epoch: scan.header.epoch, blocks };
  }
  const part = parsePartName(name);
  const header = part === null ? null : readPartHeader(content);
  if (part === null || header?.state !== 'ok') return { kind: 'other' };
  const frames = scanPart(content, header.storeId, part.generation, part.part);
  return { kind: 'log', ...part, batches: completeBatches(frames).size };
}

/** Per directory: the file behind each name, now and after a power cut that leaves nothing more. */
function namesOf(image: DiskImage, directory: string): { now: Map<string, number>; durable: Map<string, number> } {
  const found = image.directories.find((each) => each.directory === directory);
  const durable = new Map(found?.durable ?? []);
  const now = new Map(durable);
  for (const change of found?.unsynced ?? []) {
    if (change.kind === 'create') now.set(change.name, change.inode);
    else now.delete(change.name);
    if (change.kind === 'rename') now.set(change.to, change.inode);
  }
  return { now, durable };
}

const bytesOfBase64 = (text: string): number =>
  (text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);

/** A picture of the disk at this moment. Changes nothing. */
export function viewDisk(disk: SimulatedDisk): DiskView {
  const image = disk.snapshot();
  const inodes = new Map(image.files.map((file) => [file.inode, file]));
  const names = new Map(['', ...SOURCE_DIRECTORIES].map((directory) => [directory, namesOf(image, directory)]));
  const files = disk.files().map(({ directory, name, content }): FileView => {
    const { now, durable } = names.get(directory) as ReturnType<typeof namesOf>;
    const inode = now.get(name) as number;
    return {
      directory,
      name,
      bytes: content.length,
      durableBytes: bytesOfBase64(inodes.get(inode)?.durable ?? ''),
      durableName: durable.get(name) === inode,
      holds: holdsOf(directory, name, content),
    };
  });
  const goneNotDurably = [...names].flatMap(([directory, { now, durable }]) =>
    [...durable.keys()].filter((name) => !now.has(name)).map((name) => `${directory}/${name}`),
  );
  const underWay = disk
    .pending()
    .map(({ kind, directory, name, offset, bytes }) => ({ kind, directory, name, offset, bytes }));
  return { files, underWay, goneNotDurably };
}
