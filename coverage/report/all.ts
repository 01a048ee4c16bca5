/**
 * `npm run conformance:all`: every mode of the kit in the size that CI can wait for, the same seed twice, what of the
 * engine the kit alone reaches, and then the report. A mode that fails does not keep the others from running.
 *
 * Exit code 0 when the report says so and no mode failed; 1 otherwise.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { LINES } from '../kit/lines.ts';
import { start } from '../kit/start.ts';
import { runTwice } from './repeat.ts';

const ROOT = join(import.meta.dirname, '../..');
const OUT = 'coverage/out/found';

const script = (name: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn('npm', ['run', '-s', name], { cwd: ROOT, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });

const failed: string[] = [];
const heading = (text: string): void => console.log(`\n==== ${text}`);

for (const each of LINES) {
  heading(`${each.mode}: ${each.line.join(' ')}`);
  const more = each.script.endsWith('museum-cli.ts') ? [] : ['--out', OUT];
  if ((await start(each, more)) !== 0) failed.push(each.mode);
}
heading('the same seed twice');
const differing = await runTwice(join(ROOT, 'coverage/out/evidence/repeat.json'));
for (const line of differing) failed.push(`the same seed twice: ${line}`);
heading('what the kit alone reaches of src/core');
if ((await script('conformance:coverage')) !== 0) failed.push('coverage');
heading('report');
if ((await script('conformance:report')) !== 0) failed.push('report');
console.log(failed.length === 0 ? 'every mode passed' : `failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
