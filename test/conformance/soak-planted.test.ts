// Goal: the soak is not blind. Method: known bugs of durability, eviction, ledger, revert and threshold, each planted in a
// copy of the sources; the command there must end with exit code 1 and name the gate that the bug breaks.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const soak = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'soak', ...args], { maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

test.concurrent.each([
  ['K1', 'segments are written and not synced', '0.1', 'corruption'],
  ['K20', 'the newest segment is evicted first', '0.1', 'eviction-order'],
  ['K22', 'what is evicted is not in the ledger', '0.1', 'loss-outside-ledger'],
  ['V3', 'a new sector is not linked to its chain', '0.1', 'corruption'],
  ['V24', 'nack clears pending and leaves the cursor', '0.1', 'loss-outside-ledger'],
  ['K34', 'the flush is asked for one percent late', '0.25', 'threshold'],
])('a store with %s planted fails: %s', async (id, bug, days, gate) => {
  const { code, stdout, stderr } = await soak('--days', days, '--seed', '4', '--plant', id, '--json');
  expect(stderr).toContain(`planted ${id}: ${bug}`);
  expect(code).toBe(1);
  const { gates } = JSON.parse(stdout) as { gates: readonly { readonly id: string; readonly met: boolean }[] };
  expect(gates.flatMap((each) => (each.met ? [] : [each.id]))).toContain(gate);
});
