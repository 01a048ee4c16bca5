/**
 * Where crashes came and what they left: the edge of the machine that was taken last, the I/O step that was the oldest
 * under way, and the class of what was left. Counted over all runs, with the shortest run that went there.
 */
import type { Coverage } from '../model-run.ts';
import type { CellCount } from './record.ts';

const SEPARATOR = ' | ';

export const cellName = (edge: string, io: string, residue: string): string => [edge, io, residue].join(SEPARATOR);

/** The cells as evidence has them, by name. */
export const cellsOf = ({ cells, examples }: Coverage): CellCount[] =>
  [...cells]
    .sort((a, b) => a[0].localeCompare(b[0]))
    .map(([name, count]) => {
      const [edge = '', io = '', residue = ''] = name.split(SEPARATOR);
      const example = examples.get(name);
      return { edge, io, residue, count, ...(example === undefined ? {} : { example }) };
    });
