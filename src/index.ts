/**
 * imatrix-memory-manager: durable sensor storage for gateways. `openStore` is the way in.
 * Importing this loads the engine and node: modules, nothing else.
 */
export type { StoreEvent } from './announcer.ts';
export type { Code } from './core/codes.ts';
export {
  APPEND_CLOSED,
  APPEND_INVALID,
  CODE_MEANINGS,
  RAM_FULL,
  refusalCode,
} from './core/codes.ts';
export type { Settings, SettingsInput, WhenDiskFull } from './core/config.ts';
export { parseSize, resolveSettings } from './core/config.ts';
export type { SaveReport } from './core/engine.ts';
export type {
  Directory,
  DiskPort,
  FileEntry,
  IoError,
  IoErrorCode,
  IoResult,
  LockResult,
  Platform,
} from './core/port.ts';
export type { SensorRecord } from './core/record-batch.ts';
export { RecordBatch } from './core/record-batch.ts';
export { FORMAT_VERSION } from './core/segment.ts';
export type { RunColumns, StoreRecord, StoreRun } from './core/store-batch.ts';
export { StoreBatch } from './core/store-batch.ts';
export type { Marks } from './core/stream-handle.ts';
export type {
  EngineEvent,
  Kind,
  Ledger,
  LossEntry,
  LossReason,
  RecoveryReport,
  Source,
  Stats,
  StoreInspection,
  StreamOptions,
  ValueType,
} from './core/types.ts';
export { KINDS, SOURCES, VALUE_TYPES } from './core/types.ts';
export { createLinuxPlatform } from './platform/linux.ts';
export type { ShellOptions, StoreOptions, WaitOptions } from './store.ts';
export { openOn, openStore, SensorStream, Store, StoreError } from './store.ts';
