/**
 * The protocol of `--exec`: one JSON object a line, over the standard input and output of an implementation in any
 * language. docs/conformance-protocol.md describes every message; a test holds its examples against the checks here.
 *
 * One request at a time: the next one is sent when the answer to the last is there, with the same id.
 */
import { KINDS, SOURCES, VALUE_TYPES } from '../../src/core/types.ts';
import { marksFault, recordFault } from '../others/answers.ts';
import type { OptionalOperation, StreamSpec } from '../others/store-under-test.ts';
import { OPTIONAL_OPERATIONS, REFUSALS } from '../others/store-under-test.ts';

export const PROTOCOL = 1;

/** Longest line, without its end, that either side sends. */
export const LINE_BYTES_MAX = 1_048_576;

/** What each operation carries beside `id` and `op`. */
export const OPERATIONS = {
  init: ['protocol', 'storage', 'streams'],
  append: ['stream', 'bits', 'timeMs'],
  read: ['stream', 'max'],
  acknowledge: ['stream', 'n'],
  revert: ['stream'],
  discard: ['stream', 'n'],
  flush: [],
  crash: [],
  recover: [],
  inspect: [],
} as const;

export type OperationName = keyof typeof OPERATIONS;

export interface Request {
  readonly id: number;
  readonly op: OperationName;
  readonly [field: string]: unknown;
}

export interface Answer {
  readonly id: number;
  readonly ok: boolean;
  readonly [field: string]: unknown;
}

/** What an implementation says of itself in its answer to `init`. */
export interface Introduction {
  readonly name?: string;
  readonly durable: boolean;
  readonly supports: readonly OptionalOperation[];
  /** `ask` (default): the operation `crash`. `kill`: the process is killed and started again. */
  readonly crash?: 'ask' | 'kill';
  readonly kinds?: readonly ('tsd' | 'evt')[];
  readonly streamsMax?: number;
  readonly capacityRecords?: number;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? 'nothing';

function streamFault(stream: unknown): string | null {
  if (!isObject(stream)) return `${show(stream)} is no stream`;
  const { source, sensor, kind, periodMs, type } = stream as Partial<StreamSpec>;
  if (!SOURCES.includes(source as never)) return `source is ${show(source)}`;
  if (!isCount(sensor) || (sensor as number) > 0xffff_ffff) return `sensor is ${show(sensor)}`;
  if (!KINDS.includes(kind as never)) return `kind is ${show(kind)}`;
  if (!isCount(periodMs) || (kind === 'evt') !== (periodMs === 0))
    return `periodMs is ${show(periodMs)} in a stream of ${kind}`;
  return VALUE_TYPES.includes(type as never) ? null : `type is ${show(type)}`;
}

function fieldFault(field: string, value: unknown): string | null {
  if (field === 'protocol') return value === PROTOCOL ? null : `protocol is ${show(value)}, this is ${PROTOCOL}`;
  if (field === 'storage') return typeof value === 'string' && value !== '' ? null : `storage is ${show(value)}`;
  if (field !== 'streams') return isCount(value) ? null : `${field} is ${show(value)}: a whole number was expected`;
  if (!Array.isArray(value) || value.length === 0) return `streams is ${show(value)}: a list was expected`;
  return value.map(streamFault).find((fault) => fault !== null) ?? null;
}

/** @returns what is wrong with a request, or null: the same question an implementation may ask. */
export function requestFault(request: unknown): string | null {
  if (!isObject(request)) return `${show(request)} is no object`;
  const { id, op, ...fields } = request;
  if (!isCount(id) || id === 0) return `id is ${show(id)}: a whole number from 1 was expected`;
  if (typeof op !== 'string' || !(op in OPERATIONS))
    return `op is ${show(op)}: it is none of ${Object.keys(OPERATIONS).join(', ')}`;
  const wanted: readonly string[] = OPERATIONS[op as OperationName];
  const strange = Object.keys(fields).find((field) => !wanted.includes(field));
  if (strange !== undefined) return `${op} has no field ${strange}`;
  return wanted.map((field) => fieldFault(field, fields[field])).find((fault) => fault !== null) ?? null;
}

function listFault(name: string, value: unknown, of: readonly string[]): string | null {
  if (!Array.isArray(value)) return `${name} is ${show(value)}: a list was expected`;
  const strange = value.find((each) => !of.includes(each));
  return strange === undefined ? null : `${name} has ${show(strange)}: it is none of ${of.join(', ')}`;
}

/** @returns what is wrong with what an implementation says of itself, or null. */
function introductionFault(answer: Record<string, unknown>): string | null {
  const { protocol, name, durable, supports, crash, kinds, streamsMax, capacityRecords } = answer;
  if (protocol !== PROTOCOL) return `protocol is ${show(protocol)}: this side speaks protocol ${PROTOCOL}`;
  if (name !== undefined && typeof name !== 'string') return `name is ${show(name)}: a text was expected`;
  if (typeof durable !== 'boolean') return `durable is ${show(durable)}: say true or false`;
  if (crash !== undefined && crash !== 'ask' && crash !== 'kill') return `crash is ${show(crash)}: say "ask" or "kill"`;
  for (const [field, value] of [
    ['streamsMax', streamsMax],
    ['capacityRecords', capacityRecords],
  ] as const) {
    if (value !== undefined && (!isCount(value) || value === 0))
      return `${field} is ${show(value)}: a whole number from 1 was expected`;
  }
  const inKinds = kinds === undefined ? null : listFault('kinds', kinds, KINDS);
  if (inKinds !== null || (Array.isArray(kinds) && kinds.length === 0))
    return inKinds ?? 'kinds is empty: name evt, tsd or both';
  return listFault('supports', supports, OPTIONAL_OPERATIONS);
}

/** @returns what is wrong with an answer to that request, its id apart, or null. @param streams how many the store has. */
export function answerFault(op: OperationName, answer: unknown, streams: number): string | null {
  if (!isObject(answer)) return `${show(answer)} is no object`;
  if (typeof answer.ok !== 'boolean') return `ok is ${show(answer.ok)}: true or false was expected`;
  if (!answer.ok) {
    const { code, message } = answer;
    if (!REFUSALS.includes(code as never)) return `code is ${show(code)}: it is none of ${REFUSALS.join(', ')}`;
    return message === undefined || typeof message === 'string'
      ? null
      : `message is ${show(message)}: a text was expected`;
  }
  if (op === 'init') return introductionFault(answer);
  if (op === 'append')
    return answer.sequence === undefined || isCount(answer.sequence)
      ? null
      : `sequence is ${show(answer.sequence)}: a whole number was expected`;
  if (op === 'inspect') return marksFault(answer, streams);
  if (op !== 'read') return null;
  if (!Array.isArray(answer.records)) return `records is ${show(answer.records)}: a list was expected`;
  for (const [i, record] of answer.records.entries()) {
    const fault = recordFault(record);
    if (fault !== null) return `record ${i}: ${fault}`;
  }
  return null;
}
