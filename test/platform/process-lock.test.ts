// Goal: a store has one process at a time, the other one learns who has it, a dead process keeps nobody out, and a
// living one never loses its lock, also when many try at once. Method: real processes that are killed or stopped, locks planted under
// other identities, races with a marker file inside the lock, and each row of the judging table by itself.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { DiskPort, LockResult } from '../../src/core/port.ts';
import { createLinuxPlatform } from '../../src/platform/linux.ts';
import type { ProcessIdentity, Surroundings, Verdict } from '../../src/platform/process-identity.ts';
import { identifySelf, identityIn, isRunning, judge, nameOf, parseStat } from '../../src/platform/process-identity.ts';
import { mountsRefused, PATIENCE, skipLoudly, temporaryDirectory } from './temporary.ts';

const CHILD = join(import.meta.dirname, 'children', 'lock-child.ts');

const diskAt = (directory: string): DiskPort => createLinuxPlatform({ directory }).disk as DiskPort;

interface LockChild {
  readonly process: ChildProcess;
  /** Sends a line and waits for the answer. */
  tell(line: string): Promise<string>;
  /** SIGKILL, and the process is reaped when it resolves. */
  kill(): Promise<void>;
}

function startChild(directory: string, wrapper: readonly string[] = []): LockChild {
  const [program = process.execPath, ...args] = [...wrapper, process.execPath, CHILD, directory];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    process: child,
    async tell(line) {
      child.stdin.write(`${line}\n`);
      const { value, done } = await answers.next();
      return done === true ? 'ended' : value;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const holderOf = (answer: LockResult): string => {
  if (answer.ok || !('holder' in answer)) throw new Error(`a holder was expected: ${JSON.stringify(answer)}`);
  return answer.holder;
};

/** Leaves a lock as another process, or another machine, would. */
function plantLock(
  root: string,
  identity: ProcessIdentity,
  content = '{"program":"app.js","host":"elsewhere","since":"then"}',
): string {
  const entry = `${nameOf(identity)}-0123456789ab`;
  mkdirSync(join(root, 'lock'), { recursive: true });
  writeFileSync(join(root, 'lock', entry), content);
  return entry;
}

/** Nobody holds the store and nothing is left over; the two empty directories wait for the next holder. */
function expectFree(root: string): void {
  expect(readdirSync(root).sort()).toEqual(['can_controller', 'host', 'lock', 'lock.spare', 'mgc']);
  expect([...readdirSync(join(root, 'lock')), ...readdirSync(join(root, 'lock.spare'))]).toEqual([]);
}

describe('one process at a time', () => {
  test('names pid, program, host and time to a second process, and lets it in after the first', async () => {
    const root = temporaryDirectory();
    const child = startChild(root);
    expect(await child.tell('take')).toBe('held');
    const disk = diskAt(root);
    const holder = holderOf(await disk.lock());
    expect(holder).toMatch(
      new RegExp(`^pid ${child.process.pid} \\(lock-child\\.ts\\) on ${hostname()} since \\d{4}-\\d\\d-\\d\\dT.*Z$`),
    );
    expect(await child.tell('give')).toBe('given');
    expect(await disk.lock()).toEqual({ ok: true });
    expect(await child.tell('take')).toMatch(`refused pid ${process.pid} `);
    await disk.unlock();
  });

  test('keeps the same process out as well, and an unlock without a lock takes nothing from the holder', async () => {
    const root = temporaryDirectory();
    const [first, second] = [diskAt(root), diskAt(root)];
    expect(await first.lock()).toEqual({ ok: true });
    expect(holderOf(await second.lock())).toMatch(/, this very process$/);
    await second.unlock();
    expect(holderOf(await second.lock())).toMatch(/this very process/);
    await first.unlock();
    await first.unlock();
    expect(await second.lock()).toEqual({ ok: true });
    await first.unlock();
    expect(holderOf(await first.lock())).toMatch(/this very process/);
    await second.unlock();
    expectFree(root);
  });

  test('counts a stopped process as a living one', async () => {
    const root = temporaryDirectory();
    const child = startChild(root);
    expect(await child.tell('take')).toBe('held');
    child.process.kill('SIGSTOP');
    expect(holderOf(await diskAt(root).lock())).toMatch(`pid ${child.process.pid} `);
    await child.kill();
  });

  test('is open to the next process as soon as a holder was killed', async () => {
    const root = temporaryDirectory();
    for (let round = 0; round < 3; round++) {
      const child = startChild(root);
      expect(await child.tell('take')).toBe('held');
      await child.kill();
    }
    const disk = diskAt(root);
    expect(await disk.lock()).toEqual({ ok: true });
    await disk.unlock();
    expectFree(root);
  });

  test('does not wait for a killed holder that nobody has reaped', async () => {
    const root = temporaryDirectory();
    // The shell starts the holder, prints its pid and becomes a program that never asks how its children ended.
    const script = `'${process.execPath}' '${CHILD}' '${root}' <"$0" & echo $!; exec sleep 60`;
    const fifo = join(temporaryDirectory(), 'input');
    execFileSync('mkfifo', [fifo]);
    const parent = spawn('sh', ['-c', script, fifo], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
    const pid = Number((await lines.next()).value);
    writeFileSync(fifo, 'take\n');
    expect((await lines.next()).value).toBe('held');
    process.kill(pid, 'SIGKILL');
    // Its first thread is a zombie at once; the others end a moment later, and until then one may be inside a write.
    const states = (): (string | undefined)[] =>
      readdirSync(`/proc/${pid}/task`).map((thread) => {
        return parseStat(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'))?.state;
      });
    await vi.waitFor(() => expect(states()).toEqual(['Z']), PATIENCE);
    const disk = diskAt(root);
    expect(await disk.lock()).toEqual({ ok: true });
    await disk.unlock();
  });
});

describe('many at once', () => {
  test('lets exactly one of many processes take over from a killed one', async () => {
    const root = temporaryDirectory();
    const takers = Array.from({ length: 5 }, () => startChild(root));
    for (let round = 0; round < 6; round++) {
      const holder = startChild(root);
      expect(await holder.tell('take')).toBe('held');
      await holder.kill();
      const answers = await Promise.all(takers.map((taker) => taker.tell('take')));
      const winner = answers.indexOf('held');
      expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
      for (const [index, answer] of answers.entries()) {
        if (index !== winner) expect(answer).toMatch(`refused pid ${takers[winner]?.process.pid} `);
      }
      expect(await takers[winner]?.tell('give')).toBe('given');
    }
    expectFree(root);
  });

  test('never lets two inside, whether the one before gave the lock back or died with it', async () => {
    const root = temporaryDirectory();
    const rounds = 150;
    const racers = Array.from({ length: 4 }, () => startChild(root));
    const insides = await Promise.all(racers.map((racer) => racer.tell(`race ${rounds}`)));
    expect(insides.filter((line) => !/^\d+$/.test(line))).toEqual([]);
    // The race was one: some were kept out, and takeovers happened.
    const inside = insides.reduce((sum, line) => sum + Number(line), 0);
    expect(inside).toBeGreaterThan(100);
    expect(inside).toBeLessThan(rounds * racers.length);
  });
});

describe('locks of the dead, the unknown and the damaged', () => {
  test('takes over from a pid that another process has now', async () => {
    const root = temporaryDirectory();
    const self = await identifySelf();
    plantLock(root, { ...self, startTicks: `${Number(self.startTicks) - 1}` });
    const disk = diskAt(root);
    expect(await disk.lock()).toEqual({ ok: true });
    await disk.unlock();
  });

  test('takes over after a restart of this machine, with whatever content the power cut left', async () => {
    const self = await identifySelf();
    for (const content of ['', '\0\0\0\0', '{"program":', '{"program":"x","host":"h","since":"s"}\n']) {
      const root = temporaryDirectory();
      plantLock(root, { ...self, bootId: 'f'.repeat(32) }, content);
      const disk = diskAt(root);
      expect(await disk.lock()).toEqual({ ok: true });
      await disk.unlock();
    }
  });

  test('goes by the name of a lock whose content is damaged: a living holder keeps it', async () => {
    const root = temporaryDirectory();
    plantLock(root, await identifySelf(), '');
    expect(holderOf(await diskAt(root).lock())).toBe(`pid ${process.pid}, this very process`);
  });

  test('leaves what it cannot judge and says how to remove it by hand', async () => {
    const root = temporaryDirectory();
    const self = await identifySelf();
    const entry = plantLock(root, { ...self, pid: 7, pidNamespace: '12345' });
    const answer = holderOf(await diskAt(root).lock());
    expect(answer).toBe(
      `pid 7 (app.js) on elsewhere since then, on another host or in another container; if it runs no more, remove the directory ${join(root, 'lock')}`,
    );
    expect(readdirSync(join(root, 'lock'))).toEqual([entry]);
    rmSync(join(root, 'lock'), { recursive: true });
    writeFileSync(join(temporaryDirectory(), 'unrelated'), '');
    mkdirSync(join(root, 'lock'));
    writeFileSync(join(root, 'lock', 'note'), 'mine');
    expect(holderOf(await diskAt(root).lock())).toMatch(
      /^whoever made .*note; if it runs no more, remove the directory/,
    );
    expect(readFileSync(join(root, 'lock', 'note'), 'utf8')).toBe('mine');
    rmSync(join(root, 'lock'), { recursive: true });
    const disk = diskAt(root);
    expect(await disk.lock()).toEqual({ ok: true });
    await disk.unlock();
  });

  test('takes an empty lock and the socket that a killed takeover left, and sweeps prepared locks of the dead only', async () => {
    const root = temporaryDirectory();
    const self = await identifySelf();
    mkdirSync(join(root, 'lock'));
    writeFileSync(join(root, 'lock', '00112233aabb.socket'), '');
    const dead = `lock.${nameOf({ ...self, startTicks: '1' })}-00112233aabb`;
    const living = `lock.${nameOf(self)}-00112233aabb`;
    const foreign = `lock.${nameOf({ ...self, pidNamespace: '1' })}-00112233aabb`;
    for (const name of [dead, living, foreign, 'lock.bak']) mkdirSync(join(root, name));
    writeFileSync(join(root, dead, dead.slice('lock.'.length)), '');
    const disk = diskAt(root);
    expect(await disk.lock()).toEqual({ ok: true });
    await disk.unlock();
    expect(
      readdirSync(root)
        .filter((name) => name.startsWith('lock'))
        .sort(),
    ).toEqual(['lock', 'lock.bak', 'lock.spare', living, foreign].sort());
  });

  const containers = mountsRefused ?? (canUnshare() ? null : 'unshare is missing or not permitted');
  test.skipIf(skipLoudly(containers, 'lock across pid namespaces'))(
    'sees over the wall of a container: a living holder keeps the lock, a killed one does not',
    async () => {
      const root = temporaryDirectory();
      // As pid 1 of a pid namespace and a network of its own, as in a container.
      const child = startChild(root, ['unshare', '--pid', '--net', '--fork', '--kill-child', '--mount-proc']);
      expect(await child.tell('take')).toBe('held');
      const disk = diskAt(root);
      expect(holderOf(await disk.lock())).toMatch(/^pid 1 \(lock-child\.ts\) on /);
      await child.kill();
      // What was killed is the wall; the process inside follows a moment later.
      await vi.waitFor(async () => expect(await disk.lock()).toEqual({ ok: true }), PATIENCE);
      // And in the other direction.
      const other = startChild(root, ['unshare', '--pid', '--net', '--fork', '--kill-child', '--mount-proc']);
      expect(await other.tell('take')).toMatch(`refused pid ${process.pid} `);
      await disk.unlock();
      expect(await other.tell('take')).toBe('held');
      await other.kill();
    },
  );
});

describe('the judging table', () => {
  const self: ProcessIdentity = { pid: 10, startTicks: '99', bootId: 'ab', pidNamespace: '5', host: '00000001' };
  const around = (running: boolean, local: boolean, answer: Verdict): Surroundings => ({
    isRunning: async () => running,
    isLocalFileSystem: async () => local,
    ask: async () => answer,
  });

  // Every combination of what can be known; undefined where it plays no part.
  test.each<[string, Partial<ProcessIdentity>, boolean | undefined, boolean | undefined, Verdict | undefined, Verdict]>(
    [
      ['same boot, same namespace, running', {}, true, undefined, undefined, 'alive'],
      ['same boot, same namespace, gone', {}, false, undefined, undefined, 'dead'],
      ['same boot, other namespace, answers', { pidNamespace: '6' }, undefined, undefined, 'alive', 'alive'],
      [
        'same boot, other namespace, refuses, local file system',
        { pidNamespace: '6' },
        undefined,
        true,
        'dead',
        'dead',
      ],
      [
        'same boot, other namespace, refuses, shared file system',
        { pidNamespace: '6' },
        undefined,
        false,
        'dead',
        'unseen',
      ],
      ['same boot, other namespace, no answer', { pidNamespace: '6' }, undefined, undefined, 'unseen', 'unseen'],
      ['other boot, same host', { bootId: 'cd' }, undefined, undefined, undefined, 'dead'],
      [
        'other boot, other host, local file system',
        { bootId: 'cd', host: '00000002' },
        undefined,
        true,
        undefined,
        'dead',
      ],
      [
        'other boot, other host, shared file system',
        { bootId: 'cd', host: '00000002' },
        undefined,
        false,
        undefined,
        'unseen',
      ],
      ['boot of the holder unknown', { bootId: '' }, undefined, undefined, undefined, 'unseen'],
    ],
  )('%s', async (_, change, running, local, answer, expected) => {
    for (const isRunning of running === undefined ? [true, false] : [running]) {
      for (const isLocal of local === undefined ? [true, false] : [local]) {
        for (const said of answer === undefined ? (['alive', 'dead', 'unseen'] as const) : [answer]) {
          expect(await judge({ ...self, ...change }, self, around(isRunning, isLocal, said))).toBe(expected);
        }
      }
    }
  });

  test('writes an identity as one file name and reads it back', async () => {
    const mine = await identifySelf();
    expect(identityIn(nameOf(mine))).toEqual(mine);
    expect(`${nameOf(mine)}-0123456789ab.socket`.length).toBeLessThan(200);
    for (const name of ['', 'pid0-start1-boot-ns-host00000000', 'note', `${nameOf(mine)}x`, '../x'])
      expect(identityIn(name)).toBeNull();
  });

  test('finds itself running, and no process with its pid and another start', async () => {
    const mine = await identifySelf();
    expect(await isRunning(mine)).toBe(true);
    expect(await isRunning({ ...mine, startTicks: '1' })).toBe(false);
    expect(await isRunning({ ...mine, pid: 2 ** 22 + 1 })).toBe(false);
  });

  test('reads state and start time behind a program name with spaces and brackets', () => {
    const line = `12 (a) b (c) S ${Array.from({ length: 18 }, (_, index) => index).join(' ')} 4711 0`;
    expect(parseStat(line)).toEqual({ state: 'S', startTicks: '4711' });
    expect(parseStat(null)).toBeNull();
    expect(parseStat('12 (short) S 1')).toBeNull();
  });
});

function canUnshare(): boolean {
  try {
    execFileSync('unshare', ['--pid', '--net', '--fork', '--mount-proc', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
