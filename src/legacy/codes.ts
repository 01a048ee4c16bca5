/**
 * The old interface's constants and result codes, and the one table that says which code the engine's refusals become
 * (contract section 10). Where a code needs a reason beside the table, docs/migration.md has it.
 */
import type { Code } from '../core/codes.ts';

export const CSD_TYPE_HOST = 0;
export const CSD_TYPE_MGC = 1;
export const CSD_TYPE_CAN_CONTROLLER = 2;

/** Records stay in RAM; full, the oldest sector goes into the loss ledger. */
export const MODE_RAM_ONLY = 0;
/** Records live in RAM and go to disk in one batch at RAM_THRESHOLD_PERCENT. */
export const MODE_RAM_PRIMARY = 1;

export const RAM_THRESHOLD_PERCENT = 80;
export const RAM_FULL_PERCENT = 100;
/** Bytes of one file of the store at most. */
export const MAX_DISK_FILE_SIZE = 65_536;
/** MiB of all files of the store at most. */
export const MAX_DISK_STORAGE_MB = 256;
export const DEFAULT_DISK_PATH = '/var/imatrix/storage';

export const SUCCESS = 0;
export const INVALID_PARAMETER = 1;
export const INSUFFICIENT_SPACE = 2;
export const BOUNDS_VIOLATION = 3;
export const CONSISTENCY_FAILURE = 4;
export const INITIALIZATION_FAILED = 5;
export const PLATFORM_UNSUPPORTED = 6;
export const CHECKSUM_MISMATCH = 7;
export const SEQUENCE_VIOLATION = 8;
export const IMPOSSIBLE_STATE = 9;
export const CORRUPTION_DETECTED = 10;
export const DISK_FULL = 11;
export const DISK_IO_FAILED = 12;
export const MODE_TRANSITION_FAILED = 13;

/** What a call answers; the index is the code. */
export const CODE_NAMES = [
  'SUCCESS',
  'INVALID_PARAMETER',
  'INSUFFICIENT_SPACE',
  'BOUNDS_VIOLATION',
  'CONSISTENCY_FAILURE',
  'INITIALIZATION_FAILED',
  'PLATFORM_UNSUPPORTED',
  'CHECKSUM_MISMATCH',
  'SEQUENCE_VIOLATION',
  'IMPOSSIBLE_STATE',
  'CORRUPTION_DETECTED',
  'DISK_FULL',
  'DISK_IO_FAILED',
  'MODE_TRANSITION_FAILED',
] as const;

/** A whole number from 0 to 13; 0 and nothing else is success. */
export type ResultCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13;

/**
 * The engine's code as the old one. INSUFFICIENT_SPACE becomes DISK_FULL where the pool is full because the disk is
 * (manager.ts), and what no refusal explains is IMPOSSIBLE_STATE.
 */
export const CODE_OF: Readonly<Record<Code, ResultCode>> = {
  CONFIG_INVALID: INVALID_PARAMETER,
  LOCKED: INITIALIZATION_FAILED,
  UNSUPPORTED_FORMAT: PLATFORM_UNSUPPORTED,
  IO_FAILED: DISK_IO_FAILED,
  PARAMETER_INVALID: INVALID_PARAMETER,
  KIND_MISMATCH: CONSISTENCY_FAILURE,
  TOO_MANY_STREAMS: INSUFFICIENT_SPACE,
  RAM_FULL: INSUFFICIENT_SPACE,
  BOUNDS_VIOLATION,
  CLOSED: INITIALIZATION_FAILED,
  ABORTED: MODE_TRANSITION_FAILED,
};
