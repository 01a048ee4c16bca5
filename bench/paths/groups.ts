/** The rows about single paths through the store, in the order of the table. */
import type { RowGroup } from '../row.ts';
import { append } from './append.ts';
import { density } from './density.ts';
import { drain } from './drain.ts';
import { memory } from './memory.ts';
import { pauses } from './pauses.ts';
import { recovery } from './recovery.ts';

export const PATH_GROUPS: readonly RowGroup[] = [append, pauses, drain, recovery, memory, density];
