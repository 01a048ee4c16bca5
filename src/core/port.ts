/**
 * The platform port: everything the engine may ask of the world. The engine owns this file, adapters implement it
 * (src/platform), and the conformance kit implements it with a disk that can lose power.
 *
 * Nothing here throws or rejects: an I/O error is a value, so that a fault at any step is an ordinary branch.
 * Nothing is durable before the matching sync has answered ok: content after `sync(name)`, names (created,
 * renamed, removed) after `syncDirectory(directory)`.
 *
 * "No disk" is a capability, not a platform name: `disk` is null.
 */

/** The store's directories. `''` is its root. */
export type Directory = '' | 'host' | 'mgc' | 'can_controller';

/** In contract order: the index is the CSD type. */
export const SOURCE_DIRECTORIES = ['host', 'mgc', 'can_controller'] as const;

export type IoErrorCode = 'NOT_FOUND' | 'NO_SPACE' | 'READ_ONLY' | 'DENIED' | 'IO';

export interface IoError {
  readonly code: IoErrorCode;
  /** The system's own words (errno name and path), for the message a user reads. */
  readonly detail: string;
}

export type IoResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: IoError };

export interface FileEntry {
  readonly name: string;
  readonly bytes: number;
}

export type LockResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly holder: string }
  | { readonly ok: false; readonly error: IoError };

/**
 * A disk with crash semantics. The engine never has two writing calls for one file under way at once; reads may
 * run beside anything. A file, once synced under its final name and listed by the checkpoint, is never rewritten.
 */
export interface DiskPort {
  /**
   * Makes the root and the three source directories where they are missing (mode 755, durable), then takes the
   * store's lock. A lock left by a dead process is taken over. `holder` names who has it (pid, host, since when).
   */
  lock(): Promise<LockResult>;
  unlock(): Promise<void>;
  /** Regular files of the directory, in any order; the lock file is not among them. */
  list(directory: Directory): Promise<IoResult<readonly FileEntry[]>>;
  /** Fills `into` from `offset`; answers how many bytes there were, fewer only at the end of the file. */
  read(directory: Directory, name: string, offset: number, into: Uint8Array): Promise<IoResult<number>>;
  /**
   * As read, answered at once: for callers that cannot wait, such as the old synchronous calls. May be left out; then
   * what is on disk can be had by waiting only.
   */
  readNow?(directory: Directory, name: string, offset: number, into: Uint8Array): IoResult<number>;
  /**
   * As read from the file's beginning, of one file of many that are read once, while a store is opened: nothing is kept for
   * the next read of it. May be left out; then `read` serves.
   */
  readOnce?(directory: Directory, name: string, into: Uint8Array): Promise<IoResult<number>>;
  /**
   * Writes all of `bytes` at `offset`, creating the file when it is missing. Not durable before `sync`.
   * A short write is an error. `bytes` belongs to the caller again when the promise settles.
   */
  write(directory: Directory, name: string, offset: number, bytes: Uint8Array): Promise<IoResult<void>>;
  /** fdatasync of one file. After an error nothing is known about the file's content, and a retry proves nothing. */
  sync(directory: Directory, name: string): Promise<IoResult<void>>;
  /** Makes created, renamed and removed names of the directory durable. */
  syncDirectory(directory: Directory): Promise<IoResult<void>>;
  /** Removes a file; a missing file is success. Durable after `syncDirectory`. */
  remove(directory: Directory, name: string): Promise<IoResult<void>>;
  /** Renames within one directory, replacing nothing (an existing target is an IO error). Durable after `syncDirectory`. */
  rename(directory: Directory, from: string, to: string): Promise<IoResult<void>>;
  /** Free bytes of the file system that this process may use; Infinity where the platform cannot tell. */
  freeBytes(): Promise<IoResult<number>>;
  /**
   * Resolves when the program has had its turn: a flush asks for it between two slices of its gathering, so that it holds up
   * nobody for longer than one of them. May be left out; then all of a segment is gathered in one go.
   */
  pause?: (() => Promise<void>) | undefined;
  /** Calls back once after at least `delayMs`, unless cancelled. Used for the retry of a failed flush only. */
  after(delayMs: number, callback: () => void): () => void;
}

export interface Platform {
  readonly name: string;
  readonly disk: DiskPort | null;
  /** UTC milliseconds, an integer. May jump; the engine orders nothing by it. */
  nowMs(): number;
  /** Milliseconds since a moment that stays the same; never goes back. Deadlines go by it, where the platform has it. */
  elapsedMs?(): number;
  /** 16 fresh bytes, never handed out twice: the identity of a new store. */
  newStoreId(): Uint8Array;
  /** CRC-32 (IEEE) continued from `seed` (0 to begin), when the platform has a fast one; else the engine's own. */
  readonly crc32?: (bytes: Uint8Array, seed: number) => number;
}
