/**
 * How values are written in an ITF trace (Informal Trace Format, https://apalache-mc.org/docs/adr/015adr-trace.html), and
 * where in one the kit keeps its own trace.
 *
 *     number, a whole one   {"#bigint": "7"}
 *     null                  {"tag": "None", "value": {"#tup": []}}, and what may be null {"tag": "Some", "value": ...}
 *     list, record          as in JSON
 *
 * Which fields may be null must be known when they are written, for the other values of such a field say so too.
 * It knows nothing of the model: itf.ts does.
 */
import type { Trace } from './actions.ts';

export type ItfValue =
  | string
  | boolean
  | { readonly '#bigint': string }
  | { readonly '#tup': readonly ItfValue[] }
  | readonly ItfValue[]
  | { readonly [field: string]: ItfValue };

export interface ItfState {
  readonly '#meta': { readonly index: number } & Readonly<Record<string, unknown>>;
  readonly [variable: string]: ItfValue | ItfState['#meta'];
}

export interface ItfTrace {
  readonly '#meta': { readonly trace: Trace } & Readonly<Record<string, unknown>>;
  readonly vars: readonly string[];
  readonly states: readonly ItfState[];
}

const NONE: ItfValue = { tag: 'None', value: { '#tup': [] } };

/**
 * @param optional names of fields that may be null, at whatever depth.
 * @throws for a number that is not whole: the format has none.
 */
export function encodeValue(value: unknown, optional: ReadonlySet<string>): ItfValue {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new Error(`${value} cannot be written in an ITF trace: it is not whole`);
    return { '#bigint': `${value}` };
  }
  if (Array.isArray(value)) return value.map((each) => encodeValue(each, optional));
  if (value === null || typeof value !== 'object') throw new Error(`${String(value)} has no form in an ITF trace`);
  const fields = Object.entries(value).map(([name, field]): [string, ItfValue] => {
    if (!optional.has(name)) return [name, encodeValue(field, optional)];
    return [name, field === null ? NONE : { tag: 'Some', value: encodeValue(field, optional) }];
  });
  return Object.fromEntries(fields);
}

/** The value that `encodeValue` wrote; plain numbers, as older writers have them, are taken too. */
export function decodeValue(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(decodeValue);
  if ('#bigint' in value) return Number(value['#bigint']);
  if ('tag' in value && 'value' in value) return value.tag === 'None' ? null : decodeValue(value.value);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, decodeValue(field)]));
}

/** Whether parsed JSON is an ITF trace, the kit's or another's. */
export const isItf = (parsed: unknown): parsed is ItfTrace =>
  parsed !== null &&
  typeof parsed === 'object' &&
  Array.isArray((parsed as Partial<ItfTrace>).vars) &&
  Array.isArray((parsed as Partial<ItfTrace>).states);

/** The kit's own trace in an ITF trace; undefined in one of another tool, which names no steps that could be run. */
export const traceInItf = (itf: ItfTrace): unknown => (itf['#meta'] as ItfTrace['#meta'] | undefined)?.trace;
