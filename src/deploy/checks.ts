/**
 * What must be so of a machine before and after the store is installed: each check looks at facts that were gathered before
 * (facts.ts), says what it saw, and what to do where it is not well. Pure.
 */
export type CheckState = 'ok' | 'warn' | 'fail';

export interface Checked {
  readonly id: string;
  readonly state: CheckState;
  readonly seen: string;
  /** What to do; empty when it is well. */
  readonly remedy: string;
}

/** What of the machine the checks look at. */
export interface Facts {
  readonly nodeVersion: string;
  /** Of this process. */
  readonly uid: number;
  readonly directory: string;
  /** Null: it is not there; the facts below are then those of the nearest parent. */
  readonly found: { readonly isDirectory: boolean; readonly uid: number; readonly mode: number } | null;
  readonly writable: boolean;
  readonly space: {
    readonly freeBytes: number;
    /** Null on file systems that make inodes as they need them. */
    readonly freeInodes: number | null;
    /** As statfs gives it. */
    readonly type: number;
  };
  /** Options of the mount that the directory lies on; null when it cannot be told. */
  readonly mountOptions: readonly string[] | null;
  readonly nowMs: number;
  /** How far the steady clock went while the wall clock was looked at twice, and how far that one went. */
  readonly steadyMs: number;
  readonly wallMs: number;
  /** Bytes that the store may take. */
  readonly quotaBytes: number;
  /** What is wrong with the configuration; null: none was given. */
  readonly configurationProblems: readonly string[] | null;
  /** Who has the store open; null for nobody. */
  readonly holder: string | null;
}

export type Check = (facts: Facts) => Checked;

const NODE_MIN = [22, 12] as const;
const MODE = 0o755;
const WRITABLE_BY_OTHERS = 0o022;
/** Segments of the smallest kind, and what the log and files that were set aside take beside them. */
const INODES_WELL = 65_536;
const INODES_MIN = 1_024;
/** Before it nobody had this program. */
const CLOCK_SET_MS = Date.UTC(2025, 0, 1);
const CLOCK_FAR_MS = Date.UTC(2100, 0, 1);
const CLOCK_DRIFT_MS = 500;

const ok = (id: string, seen: string): Checked => ({ id, state: 'ok', seen, remedy: '' });
const warn = (id: string, seen: string, remedy: string): Checked => ({ id, state: 'warn', seen, remedy });
const fail = (id: string, seen: string, remedy: string): Checked => ({ id, state: 'fail', seen, remedy });
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function node({ nodeVersion }: Facts): Checked {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const [least, leastMinor] = NODE_MIN;
  const isNew = major > least || (major === least && minor >= leastMinor);
  return isNew
    ? ok('node', `Node ${nodeVersion}`)
    : fail('node', `Node ${nodeVersion}`, `install Node ${NODE_MIN.join('.')} or later`);
}

function configuration({ configurationProblems: problems }: Facts): Checked {
  if (problems === null) return ok('configuration', 'defaults: no file was given');
  return problems.length === 0
    ? ok('configuration', 'every value is accepted')
    : fail('configuration', problems.join('; '), 'mend the file; imatrix-mm config check explains each value');
}

function directory({ directory: path, found, writable }: Facts): Checked {
  const id = 'directory';
  if (found !== null && !found.isDirectory)
    return fail(id, `${path} is no directory`, 'move it away, or name another directory');
  if (!writable)
    return fail(
      id,
      found === null ? `${path} cannot be made` : `${path} cannot be written`,
      'give it to the user who runs the store',
    );
  return ok(id, found === null ? `${path} will be made` : path);
}

function owner({ found, uid }: Facts): Checked {
  if (found === null) return ok('owner', 'will be this user');
  return found.uid === uid
    ? ok('owner', `user ${uid}`)
    : fail(
        'owner',
        `user ${found.uid}, this is ${uid}`,
        `chown it to the user who runs the store, or run this as user ${found.uid}`,
      );
}

function mode({ found }: Facts): Checked {
  if (found === null) return ok('mode', 'will be 755');
  const bits = found.mode & 0o777;
  const seen = bits.toString(8);
  if ((bits & WRITABLE_BY_OTHERS) !== 0) return fail('mode', seen, 'chmod 755: others could change what is stored');
  return bits === MODE
    ? ok('mode', seen)
    : warn('mode', seen, 'chmod 755, as the tools of the first memory manager expect it');
}

function space({ space: { freeBytes }, quotaBytes }: Facts): Checked {
  const seen = `${mib(freeBytes)} free, the store may take ${mib(quotaBytes)}`;
  return freeBytes >= quotaBytes ? ok('space', seen) : fail('space', seen, 'free some, or lower disk_limit_mb');
}

function inodes({ space: { freeInodes } }: Facts): Checked {
  if (freeInodes === null) return ok('inodes', 'made as they are needed');
  const seen = `${freeInodes.toLocaleString('en-US')} free`;
  if (freeInodes < INODES_MIN) return fail('inodes', seen, 'remove files that nobody needs');
  return freeInodes < INODES_WELL
    ? warn('inodes', seen, `a store of many small segments can need ${INODES_WELL.toLocaleString('en-US')}`)
    : ok('inodes', seen);
}

/** File systems by the number that statfs gives: what is known of each. */
const FILE_SYSTEMS: ReadonlyMap<number, readonly [name: string, state: CheckState, remedy: string]> = new Map([
  [0xef53, ['ext4', 'ok', '']],
  [0x58465342, ['xfs', 'ok', '']],
  [0x9123683e, ['btrfs', 'ok', '']],
  [0xf2f52010, ['f2fs', 'ok', '']],
  [0x24051905, ['ubifs', 'ok', '']],
  [0x6969, ['nfs', 'fail', 'a network keeps no promise about a sync: choose a local directory']],
  [0xff534d42, ['cifs', 'fail', 'a network keeps no promise about a sync: choose a local directory']],
  [0xfe534d42, ['smb', 'fail', 'a network keeps no promise about a sync: choose a local directory']],
  [0x01021994, ['tmpfs', 'fail', 'it is gone with the power: choose a directory on flash']],
  [0x858458f6, ['ramfs', 'fail', 'it is gone with the power: choose a directory on flash']],
  [0x4d44, ['vfat', 'fail', 'it has no owners and forgets names at a power cut: choose another file system']],
  [0x794c7630, ['overlayfs', 'warn', 'a container’s own layer goes with the container: mount a volume there']],
  [0x65735546, ['fuse', 'warn', 'find out whether it keeps what was synced']],
]);

function fileSystem({ space: { type } }: Facts): Checked {
  const known = FILE_SYSTEMS.get(type);
  if (known === undefined)
    return warn('file system', `type 0x${type.toString(16)}`, 'find out whether it keeps what was synced');
  const [name, state, remedy] = known;
  return { id: 'file system', state, seen: name, remedy };
}

function mount({ mountOptions }: Facts): Checked {
  const id = 'mount';
  if (mountOptions === null) return warn(id, 'cannot be told', 'look at the options of the mount yourself');
  const has = (...names: readonly string[]): string | undefined => mountOptions.find((each) => names.includes(each));
  const seen = mountOptions.join(',');
  const bad = has('ro', 'nobarrier', 'barrier=0', 'data=writeback');
  if (bad === 'ro') return fail(id, 'ro', 'mount it for writing');
  if (bad === 'data=writeback')
    return warn(id, bad, 'a power cut can leave old bytes in new files: mount it with data=ordered');
  if (bad !== undefined) return fail(id, bad, 'a sync is not passed to the device: mount it without this option');
  if (has('sync') !== undefined)
    return warn(id, 'sync', 'every write is synced: it wears the flash out; mount it without');
  return has('noatime', 'relatime') === undefined
    ? warn(id, seen, 'mount it with noatime: each read writes a time')
    : ok(id, has('noatime', 'relatime') ?? seen);
}

function clock({ nowMs, steadyMs, wallMs }: Facts): Checked {
  const seen = Number.isFinite(nowMs) ? new Date(nowMs).toISOString() : String(nowMs);
  if (!(steadyMs >= 0))
    return fail('clock', 'the steady clock went back', 'report it to who made the system: deadlines go by that clock');
  if (!(nowMs >= CLOCK_SET_MS && nowMs < CLOCK_FAR_MS))
    return warn(
      'clock',
      seen,
      'set it: records without a time of their own get this one (their order does not go by it)',
    );
  return Math.abs(wallMs - steadyMs) > CLOCK_DRIFT_MS
    ? warn('clock', `it jumped by ${Math.round(wallMs - steadyMs)} ms while it was looked at`, 'wait until it is set')
    : ok('clock', seen);
}

function lock({ holder }: Facts): Checked {
  return holder === null
    ? ok('lock', 'nobody has the store open')
    : warn('lock', holder, 'close it before you install');
}

/** Before an installation, in the order in which they are shown. The round of facts.ts comes behind them. */
export const PREFLIGHT: readonly Check[] = [
  ...[node, configuration, directory, owner, mode, space, inodes],
  ...[fileSystem, mount, clock, lock],
];

export const worst = (checked: readonly Checked[]): CheckState =>
  checked.some(({ state }) => state === 'fail')
    ? 'fail'
    : checked.some(({ state }) => state === 'warn')
      ? 'warn'
      : 'ok';
