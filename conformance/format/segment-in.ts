/** Which segment a file holds, by its own header (docs/format.md): a file's name says it only of the first one in it. */
import { crc32 } from 'node:zlib';
import { Cursor } from './cursor.ts';

const magicOf = (content: Uint8Array): string => Buffer.from(content.subarray(0, 8)).toString('latin1');

/** Number of the segment that the file begins with; null where no header reads. */
export function segmentIn(content: Uint8Array): number | null {
  if (content.length < 64 || magicOf(content) !== 'IMM2SEGM') return null;
  if (crc32(content.subarray(0, 60), 0) !== new Cursor(content, 60).u32()) return null;
  return new Cursor(content, 32).u64();
}

/** Whether the file was made ahead and no segment was ever written into it. */
export const isMadeAhead = (content: Uint8Array): boolean => magicOf(content) === 'IMM2FREE';
