/**
 * Where the device is, as the records that a call with `add_gps` writes beside its own: latitude, longitude, altitude and
 * speed, each to the sensor that has this meaning since the first system.
 */
import type { Sample } from './session.ts';
import type { Entry, Position } from './shapes.ts';
import { checked, entryOf, POSITION_FIELDS } from './shapes.ts';

/** Sensor ids of the position. An entry with such an id is used as it is described; else it is an evt sensor of float32. */
export const POSITION_SENSORS = { latitude: 2, longitude: 3, altitude: 4, speed: 142 } as const;

export type PositionSample = Sample & { readonly data?: Entry['data'] };

/** @param entry the one that is written; where the position has no entry of its own, it goes to the same source. */
export function positionSamples(csb: unknown, csd: unknown, entry: Entry, position: Position): PositionSample[] {
  return POSITION_FIELDS.map((field) => {
    const value = position[field];
    const sensor = POSITION_SENSORS[field];
    const own = entryWithId(csb, csd, sensor);
    if (own !== null) return { target: { ...own.target, type: own.target.type ?? 'float32' }, data: own.data, value };
    return { target: { source: entry.target.source, sensor, periodMs: 0, type: 'float32' }, value };
  });
}

function entryWithId(csb: unknown, csd: unknown, id: number): Entry | null {
  const index = checked(() => (csb as ArrayLike<{ id?: unknown }>).length ?? null) === null ? -1 : indexOf(csb, id);
  return index < 0 ? null : entryOf(csb, csd, index);
}

const indexOf = (csb: unknown, id: number): number =>
  checked(() => Array.from(csb as ArrayLike<{ id?: unknown } | undefined>).findIndex((block) => block?.id === id)) ??
  -1;
