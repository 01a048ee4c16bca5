/** imatrix-memory-manager/log: what a store announces as lines in a rotating file or the journal. docs/logging.md. */
export { eventLog, lineOfEvent } from './event-log.ts';
export type { LogFields, LogOptions, LogSink } from './log.ts';
export { Log, openLog } from './log.ts';
