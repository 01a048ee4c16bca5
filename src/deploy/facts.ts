/** What the checks look at, gathered from this machine. */
import { accessSync, constants, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { checkConfiguration } from '../config/index.ts';
import { ProcessLock } from '../platform/process-lock.ts';
import type { Facts } from './checks.ts';

const DEFAULT_QUOTA_BYTES = 256 * 2 ** 20;

export interface FactsOptions {
  readonly directory: string;
  /** INI file of the store; null for none. */
  readonly config: string | null;
}

/** @throws what the system says where not even a parent of the directory can be looked at. */
export async function gatherFacts({ directory, config }: FactsOptions): Promise<Facts> {
  const path = resolve(directory);
  const found = statOf(path);
  const there = found === null ? nearestParent(path) : path;
  const space = statfsSync(there);
  const checked = config === null ? null : checkConfiguration({ file: config });
  const limitMb = checked?.values.disk_limit_mb;
  const [wallStart, steadyStart] = [Date.now(), performance.now()];
  await new Promise((done) => setTimeout(done, 20));
  return {
    nodeVersion: process.versions.node,
    uid: process.getuid?.() ?? 0,
    directory: path,
    found,
    writable: isWritable(there),
    space: {
      freeBytes: space.bavail * space.bsize,
      freeInodes: space.files === 0 ? null : space.ffree,
      type: space.type,
    },
    mountOptions: mountOptionsOf(there, readMounts()),
    nowMs: Date.now(),
    steadyMs: performance.now() - steadyStart,
    wallMs: Date.now() - wallStart,
    quotaBytes: limitMb === undefined ? DEFAULT_QUOTA_BYTES : limitMb * 2 ** 20,
    configurationProblems: checked?.problems.map(({ message }) => message) ?? null,
    holder: await holderOf(path),
  };
}

async function holderOf(path: string): Promise<string | null> {
  if (statOf(path)?.isDirectory !== true) return null;
  const holder = await new ProcessLock(path).holder();
  return holder.ok ? holder.value : `a process that cannot be made out (${holder.error.detail})`;
}

function statOf(path: string): Facts['found'] {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : { isDirectory: found.isDirectory(), uid: found.uid, mode: found.mode };
}

const nearestParent = (path: string): string =>
  statSync(path, { throwIfNoEntry: false }) === undefined ? nearestParent(dirname(path)) : path;

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function readMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

/** @param mountinfo as Linux gives it. @returns the options of the mount on which the path lies; null when none is known. */
export function mountOptionsOf(path: string, mountinfo: string): readonly string[] | null {
  let best: { readonly point: string; readonly options: readonly string[] } | null = null;
  for (const line of mountinfo.split('\n')) {
    const [front, back] = line.split(' - ');
    const fields = front?.split(' ') ?? [];
    const point = fields[4]?.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
    if (point === undefined || back === undefined) continue;
    const isOver = point === '/' || path === point || path.startsWith(`${point}/`);
    // Of two mounts on one point the later one is seen.
    if (!isOver || (best !== null && point.length < best.point.length)) continue;
    const options = [...(fields[5] ?? '').split(','), ...(back.split(' ')[2] ?? '').split(',')];
    best = { point, options: [...new Set(options)] };
  }
  return best?.options ?? null;
}
