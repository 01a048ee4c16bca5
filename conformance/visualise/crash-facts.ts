/**
 * What a crash found on the simulated disk and what it left: per file what was durable, and what was kept, lost and torn
 * of the rest. Counted in the same units in which the disk decides it (disk-state.ts), before the disk is cut off.
 */

import type { Operation } from '../disk-operations.ts';
import type { VolatileUnit } from '../disk-state.ts';
import type { CrashChoice } from '../power-cut.ts';
import { keptUnits } from '../power-cut.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { CrashedFile, CrashFacts } from './page-data.ts';

export const describeOperation = ({ kind, directory, name, offset, bytes }: Operation): string => {
  const where = name === '' ? directory || 'the root' : `${directory === '' ? '' : `${directory}/`}${name}`;
  return kind === 'write' ? `write ${bytes} bytes at ${offset} of ${where}` : `${kind} ${where}`;
};

/** Name of each inode, as a reader finds it, and those that only a change under way will give it. */
function namesByInode(disk: SimulatedDisk, units: readonly VolatileUnit[]): Map<number, string> {
  const names = new Map<number, string>();
  const put = (directory: string, name: string, inode: number): void => {
    names.set(inode, directory === '' ? name : `${directory}/${name}`);
  };
  for (const { directory, durable } of disk.snapshot().directories)
    for (const [name, inode] of durable) put(directory, name, inode);
  for (const unit of units) {
    if (unit.kind !== 'name' || unit.change.kind === 'remove') continue;
    put(unit.directory, unit.change.kind === 'rename' ? unit.change.to : unit.change.name, unit.change.inode);
  }
  return names;
}

const bytesOf = (unit: VolatileUnit): number => (unit.kind === 'content' ? unit.bytes.length : 0);

/**
 * What `choice` will leave of the disk as it is now. Changes nothing.
 * After a killed process what was written is still there: only the operations under way are in question.
 */
export function crashFacts(disk: SimulatedDisk, choice: CrashChoice): CrashFacts {
  const underWay = disk.pending().filter(({ kind }) => kind !== 'read' && kind !== 'list');
  const named = underWay.map(describeOperation);
  if (choice.kind === 'kill') {
    const done = choice.underWay === 'done';
    const files = underWay
      .filter(({ kind }) => kind === 'write')
      .map(({ directory, name, bytes }): CrashedFile => {
        const path = directory === '' ? name : `${directory}/${name}`;
        const counts = { kept: done ? bytes : 0, lost: done ? 0 : bytes };
        return { name: path, durable: durableBytes(disk).get(path) ?? 0, ...counts, torn: false, nameLost: false };
      });
    return { kind: 'kill', files, names: { kept: 0, lost: 0 }, underWay: named };
  }
  const units = disk.volatileUnits();
  const kept = new Set(keptUnits(units, choice.keep));
  const names = namesByInode(disk, units);
  const durable = durableBytes(disk);
  const files = [...names].map(([inode, name]): CrashedFile => {
    const own = units.map((unit, i) => ({ unit, left: kept.has(i) })).filter(({ unit }) => inodeOf(unit) === inode);
    const content = own.filter(({ unit }) => unit.kind === 'content');
    const sum = (left: boolean): number =>
      content.reduce((bytes, each) => bytes + (each.left === left ? bytesOf(each.unit) : 0), 0);
    const born = own.find(({ unit }) => unit.kind === 'name' && unit.change.kind === 'create');
    const lengthOnly = own.some(({ unit, left }) => unit.kind === 'length' && left) && sum(false) > 0;
    return {
      name,
      durable: durable.get(name) ?? 0,
      kept: sum(true),
      lost: sum(false),
      torn: (sum(true) > 0 && sum(false) > 0) || lengthOnly,
      nameLost: born !== undefined && !born.left,
    };
  });
  const nameUnits = units.flatMap((unit, i) => (unit.kind === 'name' ? [kept.has(i)] : []));
  return {
    kind: 'power',
    files: files.sort((a, b) => a.name.localeCompare(b.name)),
    names: { kept: nameUnits.filter((left) => left).length, lost: nameUnits.filter((left) => !left).length },
    underWay: named,
  };
}

function inodeOf(unit: VolatileUnit): number | null {
  if (unit.kind !== 'name') return unit.inode;
  return unit.change.kind === 'remove' ? null : unit.change.inode;
}

/** Durable bytes of every file that can be named, by path. */
function durableBytes(disk: SimulatedDisk): Map<string, number> {
  const { files, directories } = disk.snapshot();
  const bytes = new Map(files.map(({ inode, durable }) => [inode, Buffer.from(durable, 'base64').length]));
  const found = new Map<string, number>();
  for (const { directory, durable, unsynced } of directories) {
    const names = [
      ...durable,
      ...unsynced.flatMap((change) => (change.kind === 'create' ? [[change.name, change.inode] as const] : [])),
    ];
    for (const [name, inode] of names)
      found.set(directory === '' ? name : `${directory}/${name}`, bytes.get(inode) ?? 0);
  }
  return found;
}
