/** The few words that tests of a disk share. */
import type { Directory, DiskPort, IoResult } from '../../src/core/port.ts';

/** The value of a result that must be a success; the failure's own words otherwise. */
export function unwrap<T>(result: IoResult<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.detail}`);
  return result.value;
}

export async function contentOf(
  disk: DiskPort,
  directory: Directory,
  name: string,
  bytesMax = 1 << 20,
): Promise<Uint8Array> {
  const into = new Uint8Array(bytesMax);
  return into.subarray(0, unwrap(await disk.read(directory, name, 0, into)));
}
