/** The form of a law of the platform port, what a law has to work with, and the few words that the laws share. */
import type { Directory, DiskPort, IoErrorCode, IoResult, Platform } from '../../../src/core/port.ts';
import { LawBroken } from '../observed-disk.ts';

/** What a manifest can offer beside the adapter itself. */
export type Offer = 'kill' | 'power' | 'faults';

/** An operation that can be made to fail, and with what. */
export interface InjectedFault {
  readonly operation: 'write' | 'sync';
  readonly code: IoErrorCode;
}

/** A fresh storage with an adapter on it whose lock is held. */
export interface Bench {
  readonly platform: Platform;
  readonly disk: DiskPort;
  /** Another adapter on the same storage, as another process would make it. Its lock is not taken. */
  another(): Promise<DiskPort>;
  /** The process dies: the adapter is dropped, and the one on the same storage that comes after it is given, locked. */
  kill(): Promise<DiskPort>;
  /** Power fails; else as `kill`. */
  cutPower(): Promise<DiskPort>;
  /** Makes the next such operation fail; null: none does any more. */
  inject(fault: InjectedFault | null): Promise<void>;
  elapse(ms: number): Promise<void>;
}

export interface Law {
  readonly id: `PORT-${string}`;
  /** A sentence that every adapter keeps. */
  readonly statement: string;
  /** Absent for what every adapter with a disk must do; `platform` for what one without a disk must do too. */
  readonly of?: 'platform' | Offer;
  /** @throws LawBroken when it does not hold. */
  readonly check: (bench: Bench) => Promise<void>;
}

export const must = (condition: boolean, message: () => string): void => {
  if (!condition) throw new LawBroken(message());
};

/** The value of a result that has to be a success. */
export function succeeded<T>(result: IoResult<T>, what: string): T {
  if (result.ok) return result.value;
  throw new LawBroken(`${what} answered ${result.error.code} (${result.error.detail}): a success was expected`);
}

/** Bytes that are nobody else's: of another seed or another length, they differ early. */
export const bytesOf = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7 + (index >> 8)) & 0xff);

export const place = (directory: Directory, name: string): string =>
  `${directory === '' ? '' : `${directory}/`}${name}`;

export async function write(
  disk: DiskPort,
  directory: Directory,
  name: string,
  content: Uint8Array,
  offset = 0,
): Promise<void> {
  succeeded(await disk.write(directory, name, offset, content), `write of ${place(directory, name)}`);
}

/** Writes and makes both content and name durable. */
export async function writeDurably(
  disk: DiskPort,
  directory: Directory,
  name: string,
  content: Uint8Array,
): Promise<void> {
  await write(disk, directory, name, content);
  succeeded(await disk.sync(directory, name), `sync of ${place(directory, name)}`);
  succeeded(await disk.syncDirectory(directory), `sync of the directory of ${place(directory, name)}`);
}

export function sameBytes(got: Uint8Array, wanted: Uint8Array, what: string): void {
  const common = Math.min(got.length, wanted.length);
  const wrong = wanted.subarray(0, common).findIndex((byte, i) => got[i] !== byte);
  must(wrong < 0, () => `${what}: byte ${wrong} is ${got[wrong]}, ${wanted[wrong]} was written there`);
  must(got.length === wanted.length, () => `${what}: ${got.length} bytes, ${wanted.length} were expected`);
}

const CONTENT_BYTES_MAX = 1 << 17;

/** Holds the whole content of a file against what it must be. */
export async function expectContent(
  disk: DiskPort,
  directory: Directory,
  name: string,
  wanted: Uint8Array,
): Promise<void> {
  const into = new Uint8Array(CONTENT_BYTES_MAX);
  const what = `read of ${place(directory, name)}`;
  const bytes = succeeded(await disk.read(directory, name, 0, into), what);
  must(bytes <= into.length, () => `${what} answered ${bytes} bytes: only ${into.length} were asked for`);
  sameBytes(into.subarray(0, bytes), wanted, what);
}

export async function expectMissing(disk: DiskPort, directory: Directory, name: string): Promise<void> {
  expectCode(await disk.read(directory, name, 0, new Uint8Array(1)), 'NOT_FOUND', `read of ${place(directory, name)}`);
}

export function expectCode(result: IoResult<unknown>, code: IoErrorCode, what: string): void {
  must(
    !result.ok && result.error.code === code,
    () => `${what} answered ${result.ok ? 'ok' : result.error.code}: ${code} was expected`,
  );
}

/** Holds the names and sizes of a directory against what they must be, in any order. */
export async function expectListed(
  disk: DiskPort,
  directory: Directory,
  wanted: Readonly<Record<string, number>>,
): Promise<void> {
  const what = `list of ${directory === '' ? 'the root' : directory}`;
  const listed = succeeded(await disk.list(directory), what);
  const found = new Map(listed.map(({ name, bytes }) => [name, bytes]));
  must(found.size === listed.length, () => `${what} names a file twice`);
  for (const [name, bytes] of Object.entries(wanted)) {
    must(found.has(name), () => `${what} does not name ${name}`);
    must(found.get(name) === bytes, () => `${what} gives ${name} ${found.get(name)} bytes, it has ${bytes}`);
    found.delete(name);
  }
  must(found.size === 0, () => `${what} names ${[...found.keys()].join(', ')}, which is not there`);
}
