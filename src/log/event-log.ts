/**
 * What a store announces, as lines of a log: one line an event, entry and exit of recovery, flush and eviction by name.
 * docs/logging.md has the table, and a test holds it to this one.
 */
import type { EventOf, StoreEvent } from '../announcer.ts';
import type { LogLevel } from '../config/keys.ts';
import type { Log, LogFields } from './log.ts';

interface Line {
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

const line = (level: LogLevel, event: string, fields: LogFields = {}): Line => ({ level, event, fields });

const name = ({ source, sensor }: { readonly source: string; readonly sensor: number }): string =>
  `${source}/${sensor}`;

function recovered({ report }: EventOf<'recovered'>): Line {
  const { found, epoch, segments, records, salvagedRecords, damagedRecords, setAside } = report;
  const isSound = damagedRecords === 0 && setAside.length === 0;
  return line(isSound ? 'info' : 'warn', 'recovery-end', {
    found,
    epoch,
    segments,
    records,
    salvaged: salvagedRecords,
    damaged: damagedRecords,
    set_aside: setAside.length,
    ...(setAside.length === 0 ? {} : { files: setAside.join(' ') }),
  });
}

const heads = ({ heads }: EventOf<'checkpointed'>): string =>
  heads.map((head) => `${name(head)}:${head.head}`).join(' ');

const LINES: { readonly [T in StoreEvent['type']]: (event: EventOf<T>) => Line } = {
  recoveryStarted: () => line('info', 'recovery-begin'),
  recovered,
  recoveryFailed: ({ code, message }) => line('error', 'recovery-failed', { code, message }),
  flushRequested: () => line('debug', 'flush-requested'),
  flushStarted: ({ flush }) => line('info', 'flush-begin', { flush }),
  flushed: ({ flush, records, segments, bytes, durationMs }) =>
    line('info', 'flush-end', { flush, records, segments, bytes, duration_ms: durationMs }),
  flushFailed: ({ flush, code, message, retryInMs }) =>
    line('error', 'flush-failed', { flush, code, message, retry_in_ms: retryInMs }),
  checkpointed: (event) => line('debug', 'checkpoint', { streams: event.heads.length, heads: heads(event) }),
  evictionStarted: ({ segments }) => line('warn', 'eviction-begin', { segments }),
  segmentEvicted: ({ segment, records }) => line('warn', 'eviction-end', { segment, records }),
  sectorEvicted: ({ key, from, to }) => line('warn', 'sector-evicted', { stream: name(key), from, to }),
  segmentRemoved: ({ segment }) => line('debug', 'segment-removed', { segment }),
  acknowledgeRefused: ({ key, code, message }) =>
    line('warn', 'acknowledge-refused', { stream: name(key), code, message }),
  damaged: ({ key, from, to, file }) => line('error', 'damaged', { stream: name(key), from, to, file }),
  closed: ({ unsaved }) => line(unsaved === 0 ? 'info' : 'warn', 'closed', { unsaved }),
};

/** The line of one event. */
export const lineOfEvent = (event: StoreEvent): Line => (LINES[event.type] as (event: StoreEvent) => Line)(event);

/**
 * For `onEvent` of openStore: writes what the store announces into the log.
 * @param store how the store is called in its lines, such as its directory; left out, lines have no such field.
 */
export function eventLog(log: Log, store?: string): (event: StoreEvent) => void {
  const own = store === undefined ? {} : { store };
  return (event) => {
    const { level, event: what, fields } = lineOfEvent(event);
    log.write(level, what, { ...own, ...fields });
  };
}
