/**
 * Goal: a program that never heard of shutdown loses nothing when it simply ends. Method: programs of their own, one that
 * ends, one that is stopped and shuts down, one that is killed; then another that reads.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../platform/temporary.ts';
import { ROOT } from '../tools/project-files.ts';

const LEGACY = JSON.stringify(join(ROOT, 'src/legacy/index.ts'));

const program = (directory: string, rest: string): string[] => [
  '--input-type=module',
  '--eval',
  `import * as mm from ${LEGACY};
   const code = await mm.memory_manager_v2_init({ config: null, disk_path: ${JSON.stringify(directory)}, free_floor_mb: 0 });
   if (code !== mm.SUCCESS) throw new Error('not opened: ' + code);
   ${rest}`,
];

const WRITE = `for (let i = 0; i < 3; i++) mm.write_tsd_evt_unified(0, { sensor_id: 1, value: i });`;
/** It ends by itself in the end, should nobody be left to stop it. */
const WAIT = `console.log('written'); setTimeout(() => {}, 30_000);`;

/** What a later program finds. */
async function found(directory: string): Promise<string> {
  const rest = `
    const values = [];
    for (let record = {}; mm.read_tsd_evt_ptr_unified(0, record) === mm.SUCCESS; record = {}) values.push(record.value);
    console.log(values.join());`;
  return (await promisify(execFile)(process.execPath, program(directory, rest))).stdout.trim();
}

async function stopped(directory: string, rest: string, signal: NodeJS.Signals): Promise<void> {
  const child = spawn(process.execPath, program(directory, rest), { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill(signal);
  await once(child, 'exit');
}

it('saves when the program has nothing more to do', async () => {
  const directory = temporaryDirectory();
  await promisify(execFile)(process.execPath, program(directory, WRITE));
  expect(await found(directory)).toBe('0,1,2');
});

it('saves when the program shuts down on a signal, as the page shows', async () => {
  const directory = temporaryDirectory();
  const onStop = `process.on('SIGTERM', async () => { await mm.memory_manager_v2_shutdown(); process.exit(0); });`;
  await stopped(directory, `${onStop} ${WRITE} ${WAIT}`, 'SIGTERM');
  expect(await found(directory)).toBe('0,1,2');
});

it('keeps what was flushed when the program is killed', async () => {
  const directory = temporaryDirectory();
  await stopped(directory, `${WRITE} await mm.flush_all_to_disk(); ${WRITE} ${WAIT}`, 'SIGKILL');
  expect(await found(directory)).toBe('0,1,2');
});
