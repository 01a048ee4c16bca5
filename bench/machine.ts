/**
 * The machine a run was measured on, as the table's foot and the JSON say it. Nothing that names a person or a path.
 */
import { readFileSync, realpathSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { bytesText } from '../src/cli/screen.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly kernel: string;
  readonly node: string;
  /** Of the directory that was written to. */
  readonly fileSystem: string;
  /** Free there when the run began. */
  readonly freeBytes: number;
  /** Processes that wanted a core in the minute before the run began: above `cores`, times are no claim. */
  readonly loadBefore: number;
  /** Where bytes that reach the device are counted. */
  readonly deviceBytes: string;
}

/** A mount point in /proc/mounts has blanks and the like as octal. */
const plain = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Type of the file system that holds `directory`, from /proc/mounts text. */
export function fileSystemOf(directory: string, mounts: string): string {
  let best = { point: '', type: 'unknown' };
  for (const line of mounts.split('\n')) {
    const [, point = '', type = ''] = line.split(' ');
    const at = plain(point);
    const holds = at === '/' || directory === at || directory.startsWith(`${at}/`);
    // Of two mounts on one point the later one is what is seen.
    if (at !== '' && holds && at.length >= best.point.length) best = { point: at, type };
  }
  return best.type;
}

function firstLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // Not a Linux, or /proc is hidden: the figure is left unknown, and says so.
    return '';
  }
}

export function describeMachine(directory: string, deviceBytes: string): Machine {
  const { bavail, bsize } = statfsSync(directory);
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    kernel: release(),
    node: process.versions.node,
    fileSystem: fileSystemOf(realpathSync(directory), firstLine('/proc/mounts')),
    freeBytes: bavail * bsize,
    loadBefore: Number(firstLine('/proc/loadavg').split(' ')[0] || Number.NaN),
    deviceBytes,
  };
}

export function machineLines(machine: Machine): string[] {
  const { cpu, cores, memoryBytes, kernel, platform, node, fileSystem, loadBefore, deviceBytes } = machine;
  return [
    `${cpu}, ${cores} cores, ${bytesText(memoryBytes)} RAM; ${platform}, kernel ${kernel}, Node ${node}, ${fileSystem}`,
    `device bytes: ${deviceBytes}`,
    ...(/^(tmpfs|ramfs|overlay)$/.test(fileSystem)
      ? [`${fileSystem} is no disk, or hides one: choose a --directory on the disk that is meant`]
      : []),
    ...(loadBefore > cores / 2
      ? [`the machine was busy before the run (load ${loadBefore}): its times are no claim`]
      : []),
  ];
}
