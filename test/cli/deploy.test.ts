/** The commands `imatrix-mm preflight` and `imatrix-mm deploy`, on this machine. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/index.ts';
import { imatrixMm, scratchDirectory } from './scratch.ts';

const directory = scratchDirectory();

describe('imatrix-mm preflight', () => {
  // Goal: it looks at this machine, runs its round, and leaves nothing. Method: a directory that is not there yet.
  it('shows every check and runs the round', { timeout: 30_000 }, async () => {
    const { stdout, code } = await imatrixMm(['preflight', join(directory, 'new/store'), '--json']);
    const { checks, verdict } = JSON.parse(stdout) as {
      checks: { id: string; state: string; seen: string }[];
      verdict: string;
    };
    expect(checks.map(({ id }) => id)).toEqual([
      ...['node', 'configuration', 'directory', 'owner', 'mode', 'space', 'inodes', 'file system', 'mount', 'clock'],
      ...['lock', 'round'],
    ]);
    expect(checks.at(-1)).toMatchObject({ state: 'ok', seen: '2000 records saved, killed, recovered and compared' });
    // What this machine has may fail, such as a directory in RAM; then the exit code says so.
    expect(code).toBe(verdict === 'fail' ? 1 : 0);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('fails with a remedy where the directory is a file and the configuration is wrong', async () => {
    const file = join(directory, 'file');
    const config = join(directory, 'c.ini');
    writeFileSync(file, '');
    writeFileSync(config, '[memory_manager_v2]\nenabled = maybe\n');
    const { stdout, code } = await imatrixMm(['preflight', file, '--config', config]);
    expect(stdout).toContain('FAIL directory: move it away, or name another directory');
    expect(stdout).toContain('FAIL configuration: mend the file; imatrix-mm config check explains each value');
    expect(code).toBe(1);
  });
});

describe('imatrix-mm deploy', () => {
  it('backs up, verifies, rolls back', { timeout: 30_000 }, async () => {
    const storage = join(directory, 'store');
    const target = join(directory, 'backup');
    const report = join(directory, 'report.json');
    {
      await using store = await openStore({ directory: storage });
      store.stream('host', 1, { kind: 'evt' }).append(1);
    }
    const made = await imatrixMm(['deploy', 'backup', target, '--storage', storage]);
    expect(made.stdout).toContain(`to bring it back: imatrix-mm deploy rollback ${target} --storage ${storage}`);
    const verified = await imatrixMm(['deploy', 'verify', '--storage', storage, '--stopped', '--report', report]);
    expect(verified.stdout).toContain('4 checks passed, 0 warnings, 0 failed');
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({ verdict: 'ok' });
    const running = await imatrixMm(['deploy', 'verify', '--storage', storage, '--expect', '9.9.9']);
    expect(running.stdout).toContain('FAIL process: start the program, and look at its log');
    expect(running.stdout).toContain('FAIL version: install 9.9.9, and look at PATH');
    expect(running.code).toBe(1);
    const back = await imatrixMm(['deploy', 'rollback', target, '--storage', storage]);
    expect(back.stdout).toContain(`what was there is in ${storage}.replaced-1`);
    expect(existsSync(`${storage}.replaced-1`)).toBe(true);
  });

  it('says in one line why it cannot', async () => {
    const nowhere = await imatrixMm(['deploy', 'rollback', join(directory, 'none'), '--storage', join(directory, 's')]);
    expect([nowhere.code, nowhere.stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(nowhere.stderr).toContain('is no backup: it has no manifest.json');
    const store = await imatrixMm(['deploy', 'verify', '--storage', join(directory, 'none')]);
    expect(store.stdout).toContain('no such file or directory');
    expect(store.code).toBe(1);
  });
});
