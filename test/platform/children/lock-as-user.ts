/** Takes a store's lock as another user (argument 1, a uid) in a directory (argument 2) and prints what came of it. */
import { createLinuxPlatform } from '../../../src/platform/linux.ts';

const [uid, directory] = process.argv.slice(2) as [string, string];
// After the imports: that user need not be able to read this project.
process.setgroups?.([]);
process.setgid?.(Number(uid));
process.setuid?.(Number(uid));
const disk = createLinuxPlatform({ directory }).disk;
const answer = await disk?.lock();
await disk?.unlock();
if (answer === undefined || !('error' in answer)) process.stdout.write(answer?.ok === true ? 'locked' : 'held');
else process.stdout.write(`${answer.error.code} ${answer.error.detail}`);
