/**
 * What an application may say of a stream, and one clear sentence for what is not accepted. Pure validation.
 */
import type { Result } from './codes.ts';
import { failure, success } from './codes.ts';
import type { Kind, StreamKey, StreamOptions, ValueType } from './types.ts';
import { KINDS, SOURCES, VALUE_TYPES } from './types.ts';

/** The words in which a mismatch is reported; equal exactly when two streams are alike. */
export const describeShape = (evt: boolean, type: number, periodMs: number): string =>
  `${evt ? 'evt' : `tsd every ${periodMs} ms`} of ${VALUE_TYPES[type as 0 | 1 | 2]}`;

/** In the numbers that the stream table packs. */
export interface CheckedStream {
  readonly source: number;
  readonly evt: boolean;
  readonly type: number;
  readonly periodMs: number;
  readonly priority: number;
}

/** @returns PARAMETER_INVALID naming what, its value and the remedy. */
export function checkStream(key: StreamKey, options: StreamOptions): Result<CheckedStream> {
  const invalid = (what: string): Result<CheckedStream> => failure('PARAMETER_INVALID', what);
  const source = SOURCES.indexOf(key.source);
  if (source < 0) return invalid(`source is ${String(key.source)}: it must be one of ${SOURCES.join(', ')}`);
  if (key.sensor >>> 0 !== key.sensor) {
    return invalid(`sensor id is ${String(key.sensor)}: it must be a whole number from 0 to 4294967295`);
  }
  if (typeof options !== 'object' || options === null) return invalid('options are missing: give at least { kind }');
  const kind: Kind = options.kind;
  if (!KINDS.includes(kind)) return invalid(`kind is ${String(kind)}: it must be 'tsd' or 'evt'`);
  const named: ValueType = options.type ?? 'uint32';
  const type = VALUE_TYPES.indexOf(named);
  if (type < 0) return invalid(`type is ${String(named)}: it must be one of ${VALUE_TYPES.join(', ')}`);
  const periodMs = options.periodMs ?? 0;
  if (kind === 'evt' && periodMs !== 0) return invalid(`periodMs is ${periodMs}: an evt stream has none, leave it out`);
  if (kind === 'tsd' && !(Number.isInteger(periodMs) && periodMs >= 1 && periodMs <= 0x7fff_ffff)) {
    return invalid(
      `periodMs is ${String(options.periodMs)}: a tsd stream needs whole milliseconds from 1 to 2147483647`,
    );
  }
  const priority = options.priority ?? 0;
  if (!(Number.isInteger(priority) && priority >= 0 && priority <= 255)) {
    return invalid(`priority is ${String(priority)}: it must be a whole number from 0 to 255`);
  }
  return success({ source, evt: kind === 'evt', type, periodMs, priority });
}
