/**
 * The old calls over a store: arguments are checked, the store is asked, and whatever comes of it is a code. Nothing is
 * thrown from here, whatever is handed in, and an out-parameter is touched only when the answer is SUCCESS.
 *
 * The calls are synchronous, and a read finds what is on disk too (the store's peekNow). Opening, flushing
 * and shutting down wait for the disk: they answer by promise, and while the store is being opened or closed every other
 * call answers MODE_TRANSITION_FAILED (docs/decisions/0050).
 */
import type { Store } from '../store.ts';
import type { ResultCode } from './codes.ts';
import { BOUNDS_VIOLATION, CONSISTENCY_FAILURE, INVALID_PARAMETER, SEQUENCE_VIOLATION, SUCCESS } from './codes.ts';
import { Lifecycle } from './lifecycle.ts';
import { positionSamples } from './position.ts';
import type { Sample, Session } from './session.ts';
import type { Entry } from './shapes.ts';
import { checked, entryOf, isCount, isWritable, readRecordOf, sourceOf, writeOf } from './shapes.ts';
import type { LegacyStream } from './stream.ts';

/** A place to read at: `null` for behind what was read last; `cursor` is counted on. */
interface Place {
  readonly position: number | null;
  readonly cursor: { value: number } | null;
}

export class LegacyMemoryManager {
  readonly #lifecycle = new Lifecycle();
  /** What a cursor or an entry's no_pending said when a call left it: found unchanged, it means "go on". */
  readonly #left = new WeakMap<object, number>();

  // ---- From init to shutdown

  /** Opens the store. @returns SUCCESS once every other call works; the refusals of docs/migration.md. */
  init(options?: unknown): Promise<ResultCode> {
    return this.#lifecycle.open(options);
  }

  shutdown(): Promise<ResultCode> {
    return this.#lifecycle.close();
  }

  flush(): Promise<ResultCode> {
    return this.#lifecycle.flush();
  }

  setMode(mode: unknown): ResultCode {
    return this.#lifecycle.say(mode);
  }

  setDiskPath(path: unknown): ResultCode {
    return this.#lifecycle.sayPath(path);
  }

  /** The store behind the calls while it is open, for its figures and its ledger; null otherwise. */
  get store(): Store | null {
    return this.#lifecycle.store;
  }

  // ---- By source

  /** One record for a sensor of the source. Durable with the next flush. */
  write(csdType: unknown, data: unknown): ResultCode {
    const write = writeOf(csdType, data);
    if (write === null) return INVALID_PARAMETER;
    const { target, value, timeMs } = write;
    return this.#within((session) => session.write([{ target, value }], timeMs ?? session.now()));
  }

  /**
   * Fills `record` with the record at `position` of what is not erased; it is read from then on, and not consumed.
   * @returns BOUNDS_VIOLATION when there is none, SEQUENCE_VIOLATION when the position leaves some out that were never read.
   */
  read(csdType: unknown, record: unknown, position: unknown): ResultCode {
    const source = sourceOf(csdType);
    const place = this.#placeOf(position);
    if (source === null || place === null || !checked(() => isWritable(record))) return INVALID_PARAMETER;
    return this.#within((session) => {
      const records = session.source(source);
      if (place.position !== null && place.position > records.pending) return SEQUENCE_VIOLATION;
      if (place.position !== null && place.position < records.pending) records.rewind(place.position);
      const found = session.read(source);
      if (found === null) return BOUNDS_VIOLATION;
      const { sensor } = found.stream;
      const fields = readRecordOf(sensor, sensor.kind === 'evt', found.record);
      if (!put(record as object, fields) || !this.#leave(place.cursor, 'value', records.pending)) {
        // What the caller did not get was not read.
        records.rewind(records.pending - 1);
        return INVALID_PARAMETER;
      }
      return SUCCESS;
    });
  }

  /** Erases the oldest `count` that were read. @returns BOUNDS_VIOLATION, nothing changed, when fewer were read. */
  erase(csdType: unknown, count: unknown): ResultCode {
    const source = sourceOf(csdType);
    if (source === null || !isCount(count)) return INVALID_PARAMETER;
    return this.#within((session) => (session.source(source).erase(count) ? SUCCESS : BOUNDS_VIOLATION));
  }

  // ---- By entry

  /** One record for the entry's sensor; with `addGps` and a fix, the position beside it, all with one time. */
  writeEntry(csb: unknown, csd: unknown, index: unknown, value: unknown, addGps: unknown): ResultCode {
    const entry = entryOf(csb, csd, index);
    if (entry === null || typeof value !== 'number' || !(addGps === undefined || typeof addGps === 'boolean')) {
      return INVALID_PARAMETER;
    }
    return this.#within((session) => {
      const timeMs = session.now();
      const position = addGps === true ? this.#lifecycle.position() : null;
      const beside = position === null ? [] : positionSamples(csb, csd, entry, position);
      const written: (Sample & { readonly data?: Entry['data'] })[] = [{ ...entry, value }, ...beside];
      const code = session.write(written, timeMs);
      for (const { target, data, value } of code === SUCCESS ? written : []) {
        if (data === undefined) continue;
        // Not its no_pending: somebody may have set that back, for the next read to find.
        const no_samples = session.find(target)?.sensor.marks.retained;
        put(data, { last_sample_time: timeMs, last_value: value, valid: 1, no_samples });
        if (checked(() => data.no_pending ?? null) === null) this.#leave(data, 'no_pending', 0);
      }
      return this.#noted(entry, code);
    });
  }

  /**
   * The entry's oldest unread record, into `out` and the entry's `last_read`; no_pending is one more then.
   * @returns BOUNDS_VIOLATION when there is none, CONSISTENCY_FAILURE when no_pending says more than was read.
   */
  readEntry(csb: unknown, csd: unknown, index: unknown, out: unknown): ResultCode {
    const entry = entryOf(csb, csd, index);
    if (entry === null || !(out === undefined || checked(() => isWritable(out)))) return INVALID_PARAMETER;
    return this.#within((session) => {
      const stream = session.find(entry.target);
      if (stream === null) return BOUNDS_VIOLATION;
      const records = session.source(entry.target.source);
      const position = this.#setBy(entry) ?? stream.taken;
      if (position > stream.taken) return this.#putRight(entry, stream, CONSISTENCY_FAILURE);
      if (position < stream.taken) records.rewindStream(stream, position);
      const record = records.readFrom(stream);
      this.#count(stream, entry.data);
      if (record === null) return BOUNDS_VIOLATION;
      const fields = readRecordOf(entry.target, stream.sensor.kind === 'evt', record);
      if (out === undefined || put(out as object, fields)) {
        put(entry.data, { last_read: fields });
        return SUCCESS;
      }
      records.rewindStream(stream, stream.taken - 1);
      this.#count(stream, entry.data);
      return INVALID_PARAMETER;
    });
  }

  /** Erases what no_pending says was read of the entry. @returns BOUNDS_VIOLATION, nothing changed, when less was. */
  eraseEntry(csb: unknown, csd: unknown, index: unknown): ResultCode {
    const entry = entryOf(csb, csd, index);
    if (entry === null) return INVALID_PARAMETER;
    return this.#within((session) => {
      const stream = session.find(entry.target);
      const taken = stream?.taken ?? 0;
      const said = checked(() => entry.data.no_pending ?? null);
      const count = isCount(said) ? said : taken;
      const isErased = stream === null ? count === 0 : session.source(entry.target.source).eraseOf(stream, count);
      return this.#putRight(entry, stream, isErased ? SUCCESS : BOUNDS_VIOLATION);
    });
  }

  /** What was read of the entry and not erased is unread again. */
  revertEntry(csb: unknown, csd: unknown, index: unknown): ResultCode {
    const entry = entryOf(csb, csd, index);
    if (entry === null) return INVALID_PARAMETER;
    return this.#within((session) => {
      const stream = session.find(entry.target);
      if (stream === null) return SUCCESS;
      session.source(entry.target.source).rewindStream(stream, 0);
      this.#count(stream, entry.data);
      return SUCCESS;
    });
  }

  /** One call for each entry below `entries`. @returns the first code that is not SUCCESS. */
  forEntries(csb: unknown, entries: unknown, call: (index: number) => ResultCode): ResultCode {
    const length = checked(() => (csb as ArrayLike<unknown>).length);
    if (!isCount(entries) || !isCount(length) || entries > length) return INVALID_PARAMETER;
    let first: ResultCode = SUCCESS;
    for (let index = 0; index < entries; index++) {
      const code = call(index);
      if (first === SUCCESS) first = code;
    }
    return first;
  }

  // ---- Between the two

  /** Runs a call on the open store; whatever it throws is a code. */
  #within(call: (session: Session) => ResultCode): ResultCode {
    const session = this.#lifecycle.session;
    if (typeof session === 'number') return session;
    try {
      return call(session);
    } catch (error) {
      return this.#lifecycle.codeOf(error);
    }
  }

  #placeOf(given: unknown): Place | null {
    if (given === undefined || given === null) return { position: null, cursor: null };
    if (typeof given === 'number') return isCount(given) ? { position: given, cursor: null } : null;
    return checked(() => {
      if (!isWritable(given)) return null;
      const cursor = given as { value: number };
      const { value } = cursor;
      if (!isCount(value)) return null;
      return { position: this.#left.get(cursor) === value ? null : value, cursor };
    });
  }

  /** What the entry's no_pending says when somebody has set it since a call left it; null when nobody has. */
  #setBy({ data }: Entry): number | null {
    const said = checked(() => data.no_pending ?? null);
    const left = this.#left.get(data);
    return left === undefined || said === left || !isCount(said) ? null : said;
  }

  /** Counters of an entry after a call. */
  #count(stream: LegacyStream | null, data: Entry['data']): void {
    const pending = stream?.taken ?? 0;
    put(data, { no_samples: stream?.sensor.marks.retained ?? 0 });
    this.#leave(data, 'no_pending', pending);
  }

  #leave(object: object | null, field: string, value: number): boolean {
    if (object === null) return true;
    this.#left.set(object, value);
    return put(object, { [field]: value });
  }

  /** The counters are as the store has them whatever came of it: one gone astray is refused once, not for ever. */
  #putRight(entry: Entry, stream: LegacyStream | null, code: ResultCode): ResultCode {
    this.#count(stream, entry.data);
    return this.#noted(entry, code);
  }

  #noted({ data }: Entry, code: ResultCode): ResultCode {
    if (code !== SUCCESS) put(data, { errors: (checked(() => (isCount(data.errors) ? data.errors : 0)) ?? 0) + 1 });
    return code;
  }
}

/** Fills in an object of the caller. @returns false when it does not let itself be filled in. */
function put(object: object, fields: object): boolean {
  try {
    Object.assign(object, fields);
    return true;
  } catch {
    // A setter that throws: the caller's object, and the caller is told by the answer.
    return false;
  }
}
