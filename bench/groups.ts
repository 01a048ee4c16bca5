/**
 * Every group of rows, in the order of the table. A new one is one import and one line here.
 */
import { deviceBytes } from './device/groups.ts';
import { ingest16k, ingest208k } from './ingest/groups.ts';
import { PATH_GROUPS } from './paths/groups.ts';
import type { RowDemand, RowGroup } from './row.ts';
import { GROWTH_GROUPS } from './series/groups.ts';

export const GROUPS: readonly RowGroup[] = [ingest16k, ingest208k, deviceBytes, ...PATH_GROUPS, ...GROWTH_GROUPS];

/** What `--only` chooses: groups, and of each the rows that are shown. */
export interface Choice {
  readonly group: RowGroup;
  readonly rows: readonly RowDemand[];
}

/** Names in `only` that are neither a row's id nor a group's name. */
export function unknownNames(only: readonly string[], groups: readonly RowGroup[] = GROUPS): string[] {
  const known = new Set(groups.flatMap(({ name, rows }) => [name, ...rows.map(({ id }) => id)]));
  return only.filter((name) => !known.has(name));
}

/** @param only ids and group names; none at all means everything. */
export function chosen(only: readonly string[], groups: readonly RowGroup[] = GROUPS): Choice[] {
  return groups.flatMap((group) => {
    const whole = only.length === 0 || only.includes(group.name);
    const rows = group.rows.filter(({ id }) => whole || only.includes(id));
    return rows.length === 0 ? [] : [{ group, rows }];
  });
}
