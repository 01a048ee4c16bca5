/** One turn of one peer: a process writes and is killed where it stands, another one reads and compares every record. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { askOnce, askProcess } from '../ask-process.ts';
import { peerNamed } from '../peers/all.ts';
import { storeIn, type VerifyRequest, type WriteRequest, type Written } from './requests.ts';

const WRITER = join(import.meta.dirname, 'writer.ts');
const VERIFIER = join(import.meta.dirname, 'verifier.ts');

export interface Kept extends Written {
  readonly verifiedRecords: number;
}

/** What preparing a peer's directory took, once; nothing where it does without. */
export type Prepared = Readonly<Record<string, number>>;

/** @param directory of the request; it exists. */
export async function prepare(peer: string, directory: string): Promise<Prepared | undefined> {
  const { prepare: preparing } = peerNamed(peer);
  if (preparing === undefined) return undefined;
  await mkdir(storeIn(directory), { recursive: true });
  return preparing(storeIn(directory));
}

/**
 * @param whenWritten runs while the writer is still there, with its store open.
 * @throws Error when a record is not what it was, or is not there.
 */
export async function writeKillVerify(request: WriteRequest, whenWritten?: () => Promise<void>): Promise<Kept> {
  const { peer, load, directory } = request;
  const writer = askProcess<Written>(WRITER, request);
  let written: Written;
  try {
    written = await writer.answer;
    await whenWritten?.();
  } finally {
    await writer.kill();
  }
  const verify: VerifyRequest = { peer, load, directory: storeIn(directory) };
  const verifiedRecords = await askOnce<number>(VERIFIER, verify).catch((error: Error) => {
    throw new Error(`${peer} did not keep what it took: ${error.message}`);
  });
  return { ...written, verifiedRecords };
}

/** The list begun at another place, so that nobody always comes first or behind the same one. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const at = ((by % list.length) + list.length) % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
