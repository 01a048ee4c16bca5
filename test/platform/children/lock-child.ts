/**
 * A process that takes a store's lock as its standard input says, one word a line, and answers one line each:
 *
 *     take   -> `held`, or `refused HOLDER`, or `error DETAIL`
 *     give   -> `given`
 *     race N -> N rounds of take and give; prints the rounds that were inside, or a line with VIOLATION
 *
 * In a race the one inside makes a file that must not exist and removes it again. Every other time it leaves like a
 * process that died: its lock stays, under the name of a process that is no more.
 */
import { closeSync, openSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DiskPort } from '../../../src/core/port.ts';
import { createLinuxPlatform } from '../../../src/platform/linux.ts';

const directory = process.argv[2] as string;
const newDisk = (): DiskPort => createLinuxPlatform({ directory }).disk as DiskPort;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const disk = newDisk();
for await (const line of createInterface({ input: process.stdin })) {
  const [word, count] = line.split(' ');
  if (word === 'take') {
    const answer = await disk.lock();
    if (answer.ok) say('held');
    else say('holder' in answer ? `refused ${answer.holder}` : `error ${answer.error.detail}`);
  } else if (word === 'give') {
    await disk.unlock();
    say('given');
  } else if (word === 'race') say(await race(Number(count)));
}

async function race(rounds: number): Promise<string> {
  const marker = join(directory, 'inside');
  let inside = 0;
  for (let round = 0; round < rounds; round++) {
    const mine = newDisk();
    const answer = await mine.lock();
    if (!answer.ok) {
      if ('error' in answer) return `VIOLATION error ${answer.error.detail}`;
      continue;
    }
    try {
      closeSync(openSync(marker, 'wx'));
    } catch {
      return `VIOLATION two inside in round ${round}`;
    }
    inside++;
    await new Promise((resolve) => setImmediate(resolve));
    unlinkSync(marker);
    if (inside % 2 === 0) dieInPlace();
    await mine.unlock();
  }
  return `${inside}`;
}

/** Gives the lock's file the name that it would have if the process of this pid had begun at the boot. */
function dieInPlace(): void {
  const lock = join(directory, 'lock');
  const [name] = readdirSync(lock).filter((entry) => entry.startsWith(`pid${process.pid}-`));
  if (name === undefined) throw new Error('the lock that this process holds is not there');
  renameSync(join(lock, name), join(lock, name.replace(/-start\d+-/, '-start0-')));
}
