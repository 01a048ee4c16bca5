/**
 * The operations of the simulated disk: what one is, what makes it fail, and what it does to what the disk holds.
 *
 * Functions over a DiskState; when an operation ends, and which of those under way ends next, is simulated-disk.ts's.
 */
import type { Directory, IoErrorCode, IoResult } from '../src/core/port.ts';
import type { DiskState } from './disk-state.ts';

export type ChangeKind = 'write' | 'sync' | 'syncDirectory' | 'rename' | 'remove';
export type OperationKind = ChangeKind | 'read' | 'list' | 'lock' | 'freeBytes';

/** An operation that the engine asked for and that has not ended. */
export interface Operation {
  readonly id: number;
  readonly kind: OperationKind;
  readonly directory: Directory;
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

/** How an operation fails. */
export interface Fault {
  readonly code: IoErrorCode;
  /** Of a write: bytes that reach the file before the error. Default 0. */
  readonly shortBytes?: number;
  /** Of a sync: whether the pages that are lost can still be read. Default true, as on most systems. */
  readonly keepReadable?: boolean;
}

/**
 * Fails operations as they complete, whoever completes them, or holds them back when they are asked for (`slow`). Absent
 * fields match everything.
 */
export interface FaultRule {
  readonly kind?: OperationKind | readonly OperationKind[];
  readonly directory?: Directory;
  readonly namePrefix?: string;
  /** How many matching operations pass first. */
  skip?: number;
  /** How many fail then; Infinity for a fault that stays. */
  times: number;
  readonly fault: Fault | 'slow';
}

/** Hears of each operation that the engine asks for, and how it ended: null for well. */
export interface DiskObserver {
  asked(operation: Operation): void;
  ended(operation: Operation, code: IoErrorCode | null): void;
}

export interface DiskCounts {
  /** Operations completed or failed, reads and lists not counted. */
  steps: number;
  writes: number;
  bytesWritten: number;
  /** File and directory syncs. */
  syncs: number;
  reads: number;
  faults: number;
  /** Most bytes that all files together ever had, and most bytes of one file. */
  peakBytes: number;
  peakFileBytes: number;
}

/** An operation that has been asked for, with all that it takes to end it. */
export interface AskedOperation extends Operation {
  readonly to: string;
  readonly data: Uint8Array | null;
  /** The state's mark when it was asked for: a sync covers no later write. */
  readonly mark: number;
  readonly settle: (result: IoResult<never>) => void;
}

const ERRNO: Readonly<Record<IoErrorCode, string>> = {
  NOT_FOUND: 'ENOENT',
  NO_SPACE: 'ENOSPC',
  READ_ONLY: 'EROFS',
  DENIED: 'EACCES',
  IO: 'EIO',
};

/** The error of an operation, in the words of the system. */
export function refused(
  code: IoErrorCode,
  operation: { kind: string; directory: Directory; name: string },
): IoResult<never> {
  return {
    ok: false,
    error: { code, detail: `${ERRNO[code]}: ${operation.kind} ${operation.directory}/${operation.name}` },
  };
}

/** Of the operations that change something: those that wait for the harness. */
export const isChange = (kind: OperationKind): boolean =>
  kind !== 'read' && kind !== 'list' && kind !== 'lock' && kind !== 'freeBytes';

const isOf = (kind: OperationKind, wanted: FaultRule['kind']): boolean =>
  wanted === undefined || wanted === kind || (typeof wanted === 'object' && wanted.includes(kind));

/** The fault of the first rule that this operation meets, which is used up by it; null for none. */
export function faultFor(rules: readonly FaultRule[], operation: Operation, slow: boolean): FaultRule['fault'] | null {
  for (const rule of rules) {
    if ((rule.fault === 'slow') !== slow || !isOf(operation.kind, rule.kind)) continue;
    if (rule.directory !== undefined && rule.directory !== operation.directory) continue;
    if (rule.namePrefix !== undefined && !operation.name.startsWith(rule.namePrefix)) continue;
    if ((rule.skip ?? 0) > 0) {
      rule.skip = (rule.skip ?? 0) - 1;
      continue;
    }
    if (rule.times <= 0) continue;
    rule.times--;
    return rule.fault;
  }
  return null;
}

/** Ends it with an error, and does what of it was done before. */
export function performFaulty(state: DiskState, operation: AskedOperation, fault: Fault): IoResult<never> {
  const { kind, directory, name } = operation;
  if (kind === 'write' && (fault.shortBytes ?? 0) > 0) {
    state.write(directory, name, operation.offset, (operation.data as Uint8Array).slice(0, fault.shortBytes));
  }
  if (kind === 'sync') state.loseUnsynced(directory, name, operation.mark, fault.keepReadable ?? true);
  return refused(fault.code, operation);
}

/** Does it to what the disk holds. `capacityBytes` are those of the file system. */
export function perform(
  state: DiskState,
  operation: AskedOperation,
  capacityBytes: number,
  counts: DiskCounts,
): IoResult<unknown> {
  const { kind, directory, name } = operation;
  const done = { ok: true, value: undefined } as const;
  switch (kind) {
    case 'lock':
      return done;
    case 'freeBytes':
      return { ok: true, value: Math.max(0, capacityBytes - state.totalBytes()) };
    case 'list':
      return {
        ok: true,
        // A directory gives its names in no order that anybody could rely on: here the newest first.
        value: state
          .names(directory)
          .reverse()
          .map((each) => ({ name: each, bytes: state.file(directory, each)?.cache.length })),
      };
    case 'read': {
      counts.reads++;
      const file = state.file(directory, name);
      if (file === undefined) return refused('NOT_FOUND', operation);
      const found = file.cache.subarray(operation.offset, operation.offset + operation.bytes);
      (operation.data as Uint8Array).set(found);
      return { ok: true, value: found.length };
    }
    case 'write': {
      const data = operation.data as Uint8Array;
      const grown = Math.max(0, operation.offset + data.length - (state.file(directory, name)?.cache.length ?? 0));
      const room = capacityBytes - state.totalBytes();
      const fits = grown <= room;
      const written = fits ? data : data.slice(0, Math.max(0, data.length - (grown - Math.max(0, room))));
      state.write(directory, name, operation.offset, written);
      counts.writes++;
      counts.bytesWritten += written.length;
      return fits ? done : refused('NO_SPACE', operation);
    }
    case 'sync':
      if (state.file(directory, name) === undefined) return refused('NOT_FOUND', operation);
      state.sync(directory, name, operation.mark);
      counts.syncs++;
      return done;
    case 'syncDirectory':
      state.syncDirectory(directory, operation.mark);
      counts.syncs++;
      return done;
    case 'remove':
      state.remove(directory, name);
      return done;
    case 'rename':
      if (state.file(directory, name) === undefined) return refused('NOT_FOUND', operation);
      if (state.file(directory, operation.to) !== undefined) return refused('IO', operation);
      state.rename(directory, name, operation.to);
      return done;
  }
}

/** A copy of the state in which all of these changes have been made and none of them is durable; it, if there are none. */
export function withChanges(before: DiskState, operations: readonly AskedOperation[]): DiskState {
  const changes = operations.filter(({ kind }) => kind === 'write' || kind === 'rename' || kind === 'remove');
  changes.sort((a, b) => a.id - b.id);
  if (changes.length === 0) return before;
  const state = before.copy();
  for (const { kind, directory, name, offset, data, to } of changes) {
    if (kind === 'write') state.write(directory, name, offset, data as Uint8Array);
    else if (kind === 'remove') state.remove(directory, name);
    else if (state.file(directory, name) !== undefined && state.file(directory, to) === undefined)
      state.rename(directory, name, to);
  }
  return state;
}
