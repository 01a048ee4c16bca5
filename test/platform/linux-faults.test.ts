// Goal: whatever goes wrong on a real disk is a value with the right code and words a user can act on, and a failed
// sync is never believed again. Method: real causes where one can be had (wrong layouts, a full and a read-only file
// system, another user); else single functions of node:fs are replaced, which the adapter looks up at each call.
import { execFileSync } from 'node:child_process';
import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { DiskPort, LockResult } from '../../src/core/port.ts';
import { createLinuxPlatform } from '../../src/platform/linux.ts';
import { contentOf, unwrap } from './disk-words.ts';
import { mount, mountedDirectory, mountsRefused, PATIENCE, skipLoudly, temporaryDirectory } from './temporary.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const LINUX = new URL('../../src/platform/linux.ts', import.meta.url).href;

const diskAt = (directory: string): DiskPort => createLinuxPlatform({ directory }).disk as DiskPort;

async function lockedDisk(directory = temporaryDirectory()): Promise<DiskPort> {
  const disk = diskAt(directory);
  expect(await disk.lock()).toEqual({ ok: true });
  onTestFinished(() => disk.unlock());
  return disk;
}

/** Descriptors of this process that lead below `directory`, removed files included. */
function openBelow(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = fs.readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(directory) ? [target] : [];
    } catch {
      return []; // The descriptor of this very listing.
    }
  });
}

/** Fails a function of node:fs the next `times` times it is called. */
function failing(name: 'fdatasync' | 'fsync' | 'close' | 'read' | 'write', code: string, times = 1): { calls: number } {
  const real = fs[name] as (...args: unknown[]) => void;
  const seen = { calls: 0 };
  vi.spyOn(fs, name).mockImplementation(((...args: unknown[]) => {
    if (seen.calls++ >= times) return real(...args);
    const done = args.at(-1) as (error: Error) => void;
    setImmediate(() => done(Object.assign(new Error(`${code}: made up`), { code })));
  }) as never);
  return seen;
}

describe('a layout that does not fit', () => {
  const refusal = (result: LockResult): string => {
    if (result.ok || !('error' in result)) throw new Error('an error was expected');
    return `${result.error.code} ${result.error.detail}`;
  };

  test('says so when a file stands in place of the directory', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, 'mine');
    expect(refusal(await diskAt(file).lock())).toMatch(/^IO E(EXIST|NOTDIR): create .*file: .*move it away/);
    expect(refusal(await diskAt(join(file, 'below')).lock())).toMatch(/^IO ENOTDIR: create .*choose another directory/);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  test('says so when a file stands in place of a source directory or of the lock', async () => {
    const root = temporaryDirectory();
    writeFileSync(join(root, 'mgc'), '');
    expect(refusal(await diskAt(root).lock())).toMatch(/^IO EEXIST: create .*mgc: .*move it away/);
    rmSync(join(root, 'mgc'));
    writeFileSync(join(root, 'lock'), '');
    expect(refusal(await diskAt(root).lock())).toMatch(/^IO ENOTDIR: lock .*lock: .*move it away/);
    expect(readdirSync(root).sort()).toEqual(['can_controller', 'host', 'lock', 'lock.spare', 'mgc']);
  });

  test('says so where a parent takes no children, and comes to an end', async () => {
    expect(refusal(await diskAt('/proc/imatrix-mm/store').lock())).toMatch(
      /^NOT_FOUND ENOENT: create \/proc\/imatrix-mm/,
    );
  });

  test('says so when the path holds a NUL', async () => {
    expect(refusal(await diskAt(join(temporaryDirectory(), 'a\0b')).lock())).toMatch(/^IO .*null bytes/);
  });

  test('makes root and source directories with mode 755', async () => {
    const root = join(temporaryDirectory(), 'deep', 'root');
    const umask = process.umask();
    expect(umask & 0o022).toBe(0o022);
    await lockedDisk(root);
    for (const name of ['', 'host', 'mgc', 'can_controller']) {
      expect(statSync(join(root, name)).mode & 0o7777).toBe(0o755);
    }
  });

  const asRoot = process.getuid?.() === 0 ? null : 'changing the user needs root';
  test.skipIf(skipLoudly(asRoot, 'directory of another user, tried as that user'))(
    'is DENIED at once in a directory that this user may not write, wherever below the root it is',
    () => {
      const foreign = temporaryDirectory();
      chmodSync(foreign, 0o755);
      const tryAs = (directory: string): string =>
        execFileSync(process.execPath, [join(import.meta.dirname, 'children', 'lock-as-user.ts'), '65534', directory], {
          encoding: 'utf8',
        });
      expect(tryAs(join(foreign, 'new'))).toMatch(
        /^DENIED EACCES: create .*new: not permitted to user 65534; change owner/,
      );
      expect(tryAs(foreign)).toMatch(/^DENIED EACCES/);
      for (const name of ['host', 'mgc', 'can_controller']) mkdirSync(join(foreign, name), 0o755);
      fs.chownSync(foreign, 65534, 65534);
      expect(tryAs(foreign)).toMatch(/^DENIED EACCES: use .*host: not permitted to user 65534/);
      for (const name of ['host', 'mgc', 'can_controller']) fs.chownSync(join(foreign, name), 65534, 65534);
      expect(tryAs(foreign)).toBe('locked');
    },
  );

  test.skipIf(skipLoudly(mountsRefused, 'read-only file system'))(
    'is READ_ONLY on a read-only file system',
    async () => {
      const root = mountedDirectory('256k');
      await lockedDisk(root).then((disk) => disk.unlock());
      mount(['-o', 'remount,ro', root]);
      expect(refusal(await diskAt(root).lock())).toMatch(/^READ_ONLY EROFS: .*mount it for writing/);
    },
  );
});

describe('a full file system', () => {
  test.skipIf(skipLoudly(mountsRefused, 'full file system'))(
    'is NO_SPACE for what does not fit, keeps what was there, and works again after a removal',
    async () => {
      const disk = await lockedDisk(mountedDirectory('512k'));
      const block = new Uint8Array(65_536).fill(7);
      let files = 0;
      for (; files < 20; files++) {
        const written = await disk.write('host', `${files}`, 0, block);
        if (!written.ok) {
          expect(written.error).toMatchObject({ code: 'NO_SPACE', detail: expect.stringContaining('free some space') });
          break;
        }
        unwrap(await disk.sync('host', `${files}`));
      }
      expect(files).toBeGreaterThan(3);
      expect(files).toBeLessThan(8);
      expect(unwrap(await disk.freeBytes())).toBeLessThan(65_536);
      for (let index = 0; index < files; index++) expect(await contentOf(disk, 'host', `${index}`)).toEqual(block);
      unwrap(await disk.remove('host', `${files}`));
      unwrap(await disk.remove('host', '0'));
      // A process that another test is just starting holds every descriptor for a moment, and with it the space.
      await vi.waitFor(async () => expect(unwrap(await disk.freeBytes())).toBeGreaterThanOrEqual(65_536), 5_000);
      unwrap(await disk.write('host', 'again', 0, block));
      unwrap(await disk.sync('host', 'again'));
      expect(await contentOf(disk, 'host', 'again')).toEqual(block);
    },
  );

  test.skipIf(skipLoudly(mountsRefused, 'space of a removed file that was read'))(
    'gets the space back of a removed file that was read before',
    async () => {
      const disk = await lockedDisk(mountedDirectory('512k'));
      unwrap(await disk.write('host', 'a', 0, new Uint8Array(262_144)));
      unwrap(await disk.sync('host', 'a'));
      await disk.read('host', 'a', 0, new Uint8Array(10));
      const before = unwrap(await disk.freeBytes());
      unwrap(await disk.remove('host', 'a'));
      expect(unwrap(await disk.freeBytes()) - before).toBeGreaterThanOrEqual(262_144);
    },
  );
});

describe('a sync that fails', () => {
  // The kernel marks pages clean when their write-back failed, so the second fsync of a file says that all is well.
  test('is an error, closes the descriptor, and stays an error until the file is removed', async () => {
    const root = temporaryDirectory();
    const disk = await lockedDisk(root);
    unwrap(await disk.write('host', 'a', 0, Uint8Array.of(1, 2, 3)));
    failing('fdatasync', 'EIO');
    const failed = await disk.sync('host', 'a');
    expect(failed).toMatchObject({
      ok: false,
      error: { code: 'IO', detail: expect.stringContaining('check the medium') },
    });
    expect(openBelow(join(root, 'host'))).toEqual([]);
    for (const again of [await disk.sync('host', 'a'), await disk.write('host', 'a', 3, Uint8Array.of(4))]) {
      expect(again).toMatchObject({
        ok: false,
        error: { code: 'IO', detail: expect.stringContaining('an earlier sync') },
      });
    }
    unwrap(await disk.rename('host', 'a', 'b'));
    expect((await disk.sync('host', 'b')).ok).toBe(false);
    unwrap(await disk.remove('host', 'b'));
    unwrap(await disk.write('host', 'b', 0, Uint8Array.of(9)));
    unwrap(await disk.sync('host', 'b'));
    expect([...(await contentOf(disk, 'host', 'b'))]).toEqual([9]);
  });

  test('syncs through the descriptor that wrote, and syncs data for files, everything for directories', async () => {
    const disk = await lockedDisk();
    const opened = vi.spyOn(fs, 'open');
    const [data, all] = [vi.spyOn(fs, 'fdatasync'), vi.spyOn(fs, 'fsync')];
    unwrap(await disk.write('host', 'a', 0, Uint8Array.of(1)));
    unwrap(await disk.write('host', 'a', 1, Uint8Array.of(2)));
    unwrap(await disk.sync('host', 'a'));
    expect([opened.mock.calls.length, data.mock.calls.length, all.mock.calls.length]).toEqual([1, 1, 0]);
    unwrap(await disk.syncDirectory('host'));
    expect([data.mock.calls.length, all.mock.calls.length]).toEqual([1, 1]);
    // What an earlier process wrote can be synced too.
    unwrap(await disk.sync('host', 'a'));
    expect(data.mock.calls.length).toBe(2);
  });

  test('reports a directory whose sync fails, and leaves no descriptor of it', async () => {
    const root = temporaryDirectory();
    const disk = await lockedDisk(root);
    failing('fsync', 'EIO');
    expect(await disk.syncDirectory('host')).toMatchObject({ ok: false, error: { code: 'IO' } });
    expect(openBelow(root).filter((path) => !path.includes('lock'))).toEqual([]);
  });

  test('makes the names of new directories durable up to the first one that existed', async () => {
    const parent = temporaryDirectory();
    const synced: string[] = [];
    const real = fs.fsync;
    vi.spyOn(fs, 'fsync').mockImplementation(((fd: number, done: fs.NoParamCallback) => {
      synced.push(fs.readlinkSync(`/proc/self/fd/${fd}`));
      real(fd, done);
    }) as never);
    const root = join(parent, 'a', 'b');
    await lockedDisk(root);
    expect(synced).toEqual([root, join(parent, 'a'), parent]);
  });
});

describe('reads and writes', () => {
  test('goes on after short writes, and reports one that makes no progress', async () => {
    const disk = await lockedDisk();
    const content = Uint8Array.from({ length: 1_000 }, (_, index) => index & 0xff);
    const real = fs.write as (...args: unknown[]) => void;
    vi.spyOn(fs, 'write').mockImplementation(((
      fd: number,
      from: Uint8Array,
      at: number,
      length: number,
      ...rest: unknown[]
    ) => real(fd, from, at, Math.min(length, 300), ...rest)) as never);
    unwrap(await disk.write('host', 'a', 0, content));
    expect(await contentOf(disk, 'host', 'a')).toEqual(content);
    vi.spyOn(fs, 'write').mockImplementation(((...args: unknown[]) =>
      setImmediate(() => (args.at(-1) as (error: null, written: number) => void)(null, 0))) as never);
    expect(await disk.write('host', 'b', 0, content)).toMatchObject({
      ok: false,
      error: { code: 'IO', detail: expect.stringContaining('short write, 0 of 1000 bytes') },
    });
  });

  test('fills the buffer after short reads', async () => {
    const disk = await lockedDisk();
    const content = Uint8Array.from({ length: 1_000 }, (_, index) => index & 0xff);
    unwrap(await disk.write('host', 'a', 0, content));
    const real = fs.read as (...args: unknown[]) => void;
    vi.spyOn(fs, 'read').mockImplementation(((
      fd: number,
      into: Uint8Array,
      at: number,
      length: number,
      ...rest: unknown[]
    ) => real(fd, into, at, Math.min(length, 300), ...rest)) as never);
    expect(await contentOf(disk, 'host', 'a', 1_000)).toEqual(content);
  });

  test.each([
    ['EIO', 'IO', 'check the medium'],
    ['ENOSPC', 'NO_SPACE', 'free some space'],
    ['EDQUOT', 'NO_SPACE', 'quota'],
    ['EROFS', 'READ_ONLY', 'mount it for writing'],
    ['EACCES', 'DENIED', 'change owner or mode'],
    ['EPERM', 'DENIED', 'change owner or mode'],
    ['ENOENT', 'NOT_FOUND', 'no such file'],
    ['EMFILE', 'IO', 'ulimit -n'],
    ['EWEIRD', 'IO', 'made up'],
  ])('answers %s with %s and a remedy', async (errno, code, remedy) => {
    const disk = await lockedDisk();
    failing('write', errno);
    const written = await disk.write('host', 'a', 0, Uint8Array.of(1));
    expect(written).toMatchObject({
      ok: false,
      error: { code, detail: expect.stringMatching(`^${errno}: write .*host/a: `) },
    });
    expect(written).toMatchObject({ error: { detail: expect.stringContaining(remedy) } });
  });

  test('keeps some descriptors open and no more, and none after the lock is given back', async () => {
    const root = temporaryDirectory();
    const disk = await lockedDisk(root);
    for (let index = 0; index < 90; index++) unwrap(await disk.write('host', `${index}`, 0, Uint8Array.of(index)));
    await Promise.all(Array.from({ length: 90 }, (_, index) => disk.sync('host', `${index}`)));
    await vi.waitFor(() => expect(openBelow(join(root, 'host'))).toHaveLength(24));
    await Promise.all(Array.from({ length: 90 }, (_, index) => contentOf(disk, 'host', `${index}`)));
    expect(openBelow(join(root, 'host'))).toHaveLength(64 + 24);
    unwrap(await disk.write('host', 'unsynced', 0, Uint8Array.of(1)));
    await disk.unlock();
    expect(openBelow(root)).toEqual([]);
  });

  // Goal: a file that is written again is not opened for it. Method: look at what is open below the root, and count opens.
  test('keeps the descriptors of files that were synced well, until they are removed', async () => {
    const root = temporaryDirectory();
    const disk = await lockedDisk(root);
    const openNames = (): string[] => openBelow(root).map((path) => basename(path));
    const put = async (directory: '' | 'host', name: string): Promise<void> => {
      unwrap(await disk.write(directory, name, 0, Uint8Array.of(1)));
      unwrap(await disk.sync(directory, name));
    };
    await put('', 'log-1');
    await put('host', 'segment');
    const opened = vi.spyOn(fs, 'open');
    await put('', 'log-1');
    expect(opened).not.toHaveBeenCalled();
    await put('host', 'segment');
    expect(opened).not.toHaveBeenCalled();
    expect(openNames().sort()).toEqual(['log-1', 'segment']);
    unwrap(await disk.remove('host', 'segment'));
    expect(openNames()).toEqual(['log-1']);
    unwrap(await disk.rename('', 'log-1', 'log-3'));
    expect(openNames()).toEqual(['log-3']);
    unwrap(await disk.remove('', 'log-3'));
    await put('', 'log-4');
    expect(openNames()).toEqual(['log-4']);
    failing('fdatasync', 'EIO');
    expect((await disk.sync('', 'log-4')).ok).toBe(false);
    expect(openNames()).toEqual([]);
  });

  test('lists neither directories nor links nor pipes, and follows no link', async () => {
    const root = temporaryDirectory();
    const disk = await lockedDisk(root);
    const outside = join(temporaryDirectory(), 'outside');
    writeFileSync(outside, 'theirs');
    symlinkSync(outside, join(root, 'host', 'link'));
    mkdirSync(join(root, 'host', 'directory'));
    execFileSync('mkfifo', [join(root, 'host', 'pipe')]);
    unwrap(await disk.write('host', 'file', 0, Uint8Array.of(1)));
    expect(unwrap(await disk.list('host'))).toEqual([{ name: 'file', bytes: 1 }]);
    expect(await disk.write('host', 'link', 0, Uint8Array.of(1))).toMatchObject({ ok: false, error: { code: 'IO' } });
    expect(await disk.read('host', 'link', 0, new Uint8Array(1))).toMatchObject({ ok: false, error: { code: 'IO' } });
    expect(readFileSync(outside, 'utf8')).toBe('theirs');
    unwrap(await disk.remove('host', 'link'));
    expect(existsSync(outside)).toBe(true);
  });

  test('takes no name that leads out of its directory', async () => {
    const disk = await lockedDisk();
    for (const name of ['', '.', '..', 'a/b', '../a', '/etc/passwd', 'a\\b', 'a\0b', 'x'.repeat(256)]) {
      const refused = { ok: false, error: { code: 'IO', detail: expect.stringContaining('no name of a file') } };
      expect(await disk.read('host', name, 0, new Uint8Array(1))).toMatchObject(refused);
      expect(await disk.write('host', name, 0, Uint8Array.of(1))).toMatchObject(refused);
      expect(await disk.sync('host', name)).toMatchObject(refused);
      expect(await disk.remove('host', name)).toMatchObject(refused);
      expect(await disk.rename('host', name, 'b')).toMatchObject(refused);
      expect(await disk.rename('host', 'b', name)).toMatchObject(refused);
    }
  });

  test('stays in its directory when the working directory changes', () => {
    const base = temporaryDirectory();
    const elsewhere = temporaryDirectory();
    // In a process of its own: a thread of this one has no working directory to change.
    const script = `import { createLinuxPlatform } from ${JSON.stringify(LINUX)};
      const { disk } = createLinuxPlatform({ directory: 'store' });
      process.chdir(${JSON.stringify(elsewhere)});
      if (!(await disk.lock()).ok) process.exit(1);
      await disk.unlock();`;
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: base, timeout: 10_000 });
    expect(readdirSync(base)).toEqual(['store']);
    expect(readdirSync(elsewhere)).toEqual([]);
  });
});

describe('threads', () => {
  test('lets at most two syncs run at once, over all stores of the process, and reads pass them', async () => {
    const disks = await Promise.all([lockedDisk(), lockedDisk()]);
    let [running, most] = [0, 0];
    const held: (() => void)[] = [];
    vi.spyOn(fs, 'fdatasync').mockImplementation(((_fd: number, done: fs.NoParamCallback) => {
      most = Math.max(most, ++running);
      held.push(() => {
        running--;
        done(null);
      });
    }) as never);
    const syncs = disks.flatMap((disk) =>
      Array.from({ length: 5 }, async (_, index) => {
        unwrap(await disk.write('host', `${index}`, 0, Uint8Array.of(index)));
        return disk.sync('host', `${index}`);
      }),
    );
    await vi.waitFor(() => expect(held).toHaveLength(2), PATIENCE);
    expect([...(await contentOf(disks[0] as DiskPort, 'host', '4'))]).toEqual([4]);
    const all = Promise.all(syncs);
    let ended = 0;
    while (ended < 10) {
      await vi.waitFor(() => expect(held.length).toBeGreaterThan(0), PATIENCE);
      held.shift()?.();
      ended++;
    }
    for (const result of await all) expect(result).toEqual({ ok: true, value: undefined });
    expect(most).toBe(2);
  });

  test('calls no function of node:fs that blocks, but for the sizes of what it lists', async () => {
    const blocking = Object.entries(fs).flatMap(([name, value]) =>
      name.endsWith('Sync') && typeof value === 'function' ? [name] : [],
    );
    const root = temporaryDirectory();
    const spies = blocking.map((name) => vi.spyOn(fs, name as 'readSync'));
    const disk = diskAt(root);
    await disk.lock();
    unwrap(await disk.write('host', 'a', 0, Uint8Array.of(1)));
    unwrap(await disk.sync('host', 'a'));
    unwrap(await disk.syncDirectory('host'));
    unwrap(await disk.rename('host', 'a', 'b'));
    unwrap(await disk.list('host'));
    await contentOf(disk, 'host', 'b');
    unwrap(await disk.freeBytes());
    unwrap(await disk.remove('host', 'b'));
    await disk.unlock();
    expect(spies.flatMap((spy, index) => (spy.mock.calls.length > 0 ? [blocking[index]] : []))).toEqual(['lstatSync']);
  });

  test('keeps no process alive with a retry that waits', () => {
    const script = `import { createLinuxPlatform } from ${JSON.stringify(LINUX)};
      createLinuxPlatform({ directory: '.' }).disk.after(60_000, () => {});`;
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 10_000 });
  });
});

describe('the rest of the platform', () => {
  test('gives whole milliseconds, fresh identities and the checksum of zlib', () => {
    const platform = createLinuxPlatform({ directory: '.', clock: () => 12.9 });
    expect(platform.nowMs()).toBe(12);
    expect(Math.abs(createLinuxPlatform({ directory: '.' }).nowMs() - Date.now())).toBeLessThan(1_000);
    const ids = Array.from({ length: 100 }, () => Buffer.from(platform.newStoreId()).toString('hex'));
    expect(new Set(ids).size).toBe(100);
    expect(platform.newStoreId()).toHaveLength(16);
    // Check value of CRC-32/ISO-HDLC, whole and continued.
    const digits = new TextEncoder().encode('123456789');
    expect(platform.crc32?.(digits, 0)).toBe(0xcbf43926);
    expect(platform.crc32?.(digits.subarray(4), platform.crc32?.(digits.subarray(0, 4), 0) as number)).toBe(0xcbf43926);
  });
});
