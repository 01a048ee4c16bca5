/**
 * Where crashes came and what they left: the edge of the machine that was taken last, the I/O step that was the oldest
 * under way, and the class of what was left. Counted over all runs, with the shortest run that went there.
 */

import type { Operation } from '../disk-operations.ts';
import type { Coverage } from '../model-run.ts';
import type { CellCount } from './record.ts';

const SEPARATOR = ' | ';

export const cellName = (edge: string, io: string, residue: string): string => [edge, io, residue].join(SEPARATOR);

/** An I/O step by what is done and to which kind of file; `none` when nothing is under way. */
export function ioStepOf(operation: Operation | undefined): string {
  if (operation === undefined) return 'none';
  const { kind, name } = operation;
  if (kind === 'syncDirectory') return 'sync directory';
  if (name === '') return kind;
  return `${kind} ${name.endsWith('.seg') ? 'segment' : 'log'}`;
}

/** The cells as evidence has them, by name. */
export const cellsOf = ({ cells, examples }: Coverage): CellCount[] =>
  [...cells]
    .sort((a, b) => a[0].localeCompare(b[0]))
    .map(([name, count]) => {
      const [edge = '', io = '', residue = ''] = name.split(SEPARATOR);
      const example = examples.get(name);
      return { edge, io, residue, count, ...(example === undefined ? {} : { example }) };
    });
