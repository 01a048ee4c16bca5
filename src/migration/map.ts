/**
 * The map of an import: what the old files do not say. One entry for a sensor and a range of sectors:
 *
 *   { "sensors": [
 *     { "source": "host", "sectors": "0-3", "sensor": 1001, "kind": "tsd", "type": "float32",
 *       "periodMs": 1000, "firstTimeMs": 1700000000000 },
 *     { "source": "mgc", "sectors": "4", "sensor": 7, "kind": "evt", "consumed": 120 } ] }
 *
 * Sectors of an entry are read in the order of their numbers. `consumed` records from its beginning are left out: the
 * cloud has them.
 */
import type { Kind, Source, ValueType } from '../core/types.ts';
import { KINDS, SOURCES, VALUE_TYPES } from '../core/types.ts';

export interface MapEntry {
  readonly source: Source;
  /** Numbers of data files, the first and the last. */
  readonly from: number;
  readonly to: number;
  readonly sensor: number;
  readonly kind: Kind;
  readonly type: ValueType;
  /** Of tsd; 0 for evt. */
  readonly periodMs: number;
  /** Of tsd: time of the first record of the first sector. */
  readonly firstTimeMs: number;
  /** Records from the beginning that are left out; null where the old state is to say it. */
  readonly consumed: number | null;
}

/** A map by which nobody can import. */
export class MapError extends Error {
  override readonly name = 'MapError';
}

const FIELDS = ['source', 'sectors', 'sensor', 'kind', 'type', 'periodMs', 'firstTimeMs', 'consumed'];
const SENSOR_MAX = 0xffff_ffff;
const PERIOD_MS_MAX = 0x7fff_ffff;
/** What an append takes as a time. */
const TIME_MS_END = 2 ** 48;

type Fields = Readonly<Record<string, unknown>>;

/** @param text of the file. @param path of it, for what is said. @throws MapError. */
export function parseMap(text: string, path: string): readonly MapEntry[] {
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch (error) {
    throw new MapError(`${path} is no JSON: ${(error as Error).message}; write it again`);
  }
  const listed = (whole as Fields | null)?.sensors;
  if (!Array.isArray(listed)) throw new MapError(`${path} has no list; give { "sensors": [ ... ] }`);
  const entries = listed.map((each: unknown, at) => entryOf(each, `${path}, sensor ${at + 1}`));
  entries.forEach((entry, at) => {
    const other = entries.findIndex(
      (each, i) => i < at && each.source === entry.source && each.from <= entry.to && entry.from <= each.to,
    );
    if (other >= 0)
      throw new MapError(
        `${path}, sensor ${at + 1}: its sectors are those of sensor ${other + 1} too; give each sector to one`,
      );
  });
  return entries;
}

function entryOf(value: unknown, place: string): MapEntry {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new MapError(`${place} is no object; give { "source", "sectors", "sensor", "kind" }`);
  const fields = value as Fields;
  const stray = Object.keys(fields).find((name) => !FIELDS.includes(name));
  if (stray !== undefined) throw new MapError(`${place}: ${stray} is no field; the fields are ${FIELDS.join(', ')}`);
  const source = oneOf(fields.source, SOURCES, `${place}: source`);
  const kind = oneOf(fields.kind, KINDS, `${place}: kind`);
  const isTsd = kind === 'tsd';
  for (const name of ['periodMs', 'firstTimeMs'] as const)
    if (!isTsd && fields[name] !== undefined)
      throw new MapError(`${place}: ${name} is of tsd alone; leave it out, an evt record has its own time`);
  return {
    source,
    ...sectorsOf(fields.sectors, place),
    sensor: whole(fields.sensor, 0, SENSOR_MAX, `${place}: sensor`),
    kind,
    type: fields.type === undefined ? 'uint32' : oneOf(fields.type, VALUE_TYPES, `${place}: type`),
    periodMs: isTsd ? whole(fields.periodMs, 1, PERIOD_MS_MAX, `${place}: periodMs`) : 0,
    firstTimeMs: isTsd ? whole(fields.firstTimeMs, 0, TIME_MS_END - 1, `${place}: firstTimeMs`) : 0,
    consumed: fields.consumed === undefined ? null : whole(fields.consumed, 0, SENSOR_MAX, `${place}: consumed`),
  };
}

function oneOf<T extends string>(value: unknown, known: readonly T[], what: string): T {
  if (!known.includes(value as T)) throw new MapError(`${what} is ${shown(value)}; give one of ${known.join(', ')}`);
  return value as T;
}

function whole(value: unknown, min: number, max: number, what: string): number {
  if (!(typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max))
    throw new MapError(`${what} is ${shown(value)}; give a whole number from ${min} to ${max}`);
  return value;
}

const shown = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value));

function sectorsOf(value: unknown, place: string): { readonly from: number; readonly to: number } {
  const [, first, last] = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(typeof value === 'string' ? value : '') ?? [];
  const [from, to] = [Number(first), Number(last ?? first)];
  if (first === undefined || from > to || to > SENSOR_MAX)
    throw new MapError(`${place}: sectors is ${shown(value)}; give a number or a range, such as "4" or "0-3"`);
  return { from, to };
}
