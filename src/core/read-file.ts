/**
 * Reads a whole file of the store while it is opened, and as much of one as a failing medium gives.
 *
 * Damage is contained where it lies (INV-19): when the medium fails under a file, its pages are read one by one, and a
 * page that cannot be read is zeros, which no checksum takes for content. A file that may not be read (wrong owner, wrong
 * mode) is no damage: setting it aside would lose what only needs a permission.
 */
import { FILE_BYTES_MAX } from './config.ts';
import type { Directory, DiskPort, IoError, IoResult } from './port.ts';

const PAGE_BYTES = 4096;

export interface FileContent {
  /** Pages that the medium does not give are zeros. */
  readonly bytes: Uint8Array;
  /** What it said of the last of them; null: it gave them all. */
  readonly error: IoError | null;
}

/** @param size of the file, as listed; at most FILE_BYTES_MAX of it is read. A file that shrank is answered shorter. */
export async function readFile(
  port: DiskPort,
  directory: Directory,
  name: string,
  size: number,
): Promise<IoResult<FileContent>> {
  const bytes = new Uint8Array(Math.min(size, FILE_BYTES_MAX));
  const whole = await port.read(directory, name, 0, bytes);
  if (whole.ok) return { ok: true, value: { bytes: bytes.subarray(0, whole.value), error: null } };
  if (whole.error.code !== 'IO') return whole;
  let error: IoError | null = null;
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    const page = bytes.subarray(at, at + PAGE_BYTES);
    const read = await port.read(directory, name, at, page);
    if (!read.ok && read.error.code !== 'IO') return read;
    if (read.ok) continue;
    page.fill(0);
    error = read.error;
  }
  return { ok: true, value: { bytes, error } };
}
