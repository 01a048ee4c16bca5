/**
 * Says who a process is in a way that outlives it, and whether it is still there.
 *
 * A pid alone says nothing: it is used again, it means another process after a restart of the machine, and in a
 * container it is counted from 1. So an identity is the pid, the process's start time in clock ticks, the boot id, the
 * pid namespace and a digest of the host, written as one file name. All of it comes from /proc; where there is none
 * (a developer's machine that is not Linux) those parts are empty and the pid decides alone.
 *
 * What can be judged, in `VERDICTS`:
 *
 * | boot  | pid namespace | decided by                                                                        |
 * |-------|---------------|-----------------------------------------------------------------------------------|
 * | same  | same          | is there a process with this pid and start time                                   |
 * | same  | other         | a container beside this one; its processes cannot be seen, so its socket is asked |
 * | other | -             | dead if only this host can reach the file system, or if the host is the same      |
 *
 * What is left is `unseen`: perhaps alive, and never treated as dead.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, readlink, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the boot and the start of the process, '0' where unknown. */
  readonly startTicks: string;
  /** 32 hex digits, or '' where unknown. */
  readonly bootId: string;
  /** Number of the pid namespace, or '' where unknown. */
  readonly pidNamespace: string;
  /** 8 hex digits over machine id and host name. */
  readonly host: string;
}

export type Verdict = 'alive' | 'dead' | 'unseen';

const NAME = /^pid([1-9]\d{0,9})-start(\d+)-boot([0-9a-f]*)-ns(\d*)-host([0-9a-f]{8})$/;

export function nameOf(identity: ProcessIdentity): string {
  const { pid, startTicks, bootId, pidNamespace, host } = identity;
  return `pid${pid}-start${startTicks}-boot${bootId}-ns${pidNamespace}-host${host}`;
}

/** The identity in a name that `nameOf` made, or null. */
export function identityIn(name: string): ProcessIdentity | null {
  const match = NAME.exec(name);
  if (match === null) return null;
  const [, pid, startTicks, bootId, pidNamespace, host] = match as unknown as readonly string[];
  return { pid: Number(pid), startTicks, bootId, pidNamespace, host } as ProcessIdentity;
}

export async function identifySelf(): Promise<ProcessIdentity> {
  const [stat, bootId, namespace, machineId] = await Promise.all([
    readOrNull('/proc/self/stat'),
    readOrNull('/proc/sys/kernel/random/boot_id'),
    readlink('/proc/self/ns/pid').catch(() => ''),
    readOrNull('/etc/machine-id'),
  ]);
  return {
    pid: process.pid,
    startTicks: parseStat(stat)?.startTicks ?? '0',
    bootId: (bootId ?? '').replace(/[^0-9a-f]/g, ''),
    pidNamespace: /\[(\d+)\]/.exec(namespace)?.[1] ?? '',
    host: createHash('sha256').update(`${machineId}\n${hostname()}`).digest('hex').slice(0, 8),
  };
}

/** What `judge` has to find out about the world. A test gives its own. */
export interface Surroundings {
  isRunning(process: ProcessIdentity): Promise<boolean>;
  /** Whether no other host can have the store's file system mounted. */
  isLocalFileSystem(): Promise<boolean>;
  /** Asks the process itself: a socket that it listens on as long as it lives. */
  ask(): Promise<Verdict>;
}

/** Whether `holder` may still be running, seen from `self`; the table is in the file's head. */
export async function judge(holder: ProcessIdentity, self: ProcessIdentity, around: Surroundings): Promise<Verdict> {
  if (holder.bootId === self.bootId) {
    if (holder.pidNamespace === self.pidNamespace) return (await around.isRunning(holder)) ? 'alive' : 'dead';
    const answer = await around.ask();
    // On a shared file system one socket can have two inodes, and one of them refuses although the process lives.
    return answer === 'dead' && !(await around.isLocalFileSystem()) ? 'unseen' : answer;
  }
  // One of the two could not read its boot id: they cannot be compared.
  if (holder.bootId === '' || self.bootId === '') return 'unseen';
  return holder.host === self.host || (await around.isLocalFileSystem()) ? 'dead' : 'unseen';
}

/** A process of this pid namespace. In doubt it is running. */
export async function isRunning({ pid, startTicks }: ProcessIdentity): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: there is one, of another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const stat = parseStat(await readOrNull(`/proc/${pid}/stat`));
  // No /proc, or one that hides the processes of others.
  if (stat === null) return true;
  if (stat.startTicks !== startTicks) return false;
  if (!hasEnded(stat.state)) return true;
  // The first thread has ended and nobody has reaped it; another one may still be inside a write.
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const states = await Promise.all(threads.map((thread) => readOrNull(`/proc/${pid}/task/${thread}/stat`)));
  return states.some((text) => text !== null && !hasEnded(parseStat(text)?.state ?? 'Z'));
}

/** Zombie or dead. */
const hasEnded = (state: string): boolean => state === 'Z' || state === 'X' || state === 'x';

/** State (field 3) and start time (field 22) of a /proc/PID/stat line. */
export function parseStat(text: string | null): { readonly state: string; readonly startTicks: string } | null {
  if (text === null) return null;
  // Field 2 is the program's name in brackets, which may hold spaces and brackets itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  return state !== undefined && startTicks !== undefined ? { state, startTicks } : null;
}

/** statfs types that one host alone can have mounted for writing. Every other one counts as shared. */
const LOCAL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0xf2f52010, // f2fs
  0x24051905, // ubifs
  0x72b6, // jffs2
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlayfs
  0x4d44, // vfat
  0x2011bab0, // exfat
  0x2fc12fc1, // zfs
]);

export async function isLocalFileSystem(path: string): Promise<boolean> {
  const type = await statfs(path).then(
    (found) => found.type >>> 0,
    () => -1,
  );
  return LOCAL_FILE_SYSTEMS.has(type);
}

function readOrNull(path: string): Promise<string | null> {
  // Absent is an answer here: what cannot be read is not known, and `judge` decides on the careful side.
  return readFile(path, 'utf8').catch(() => null);
}
