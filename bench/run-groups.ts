/**
 * Runs groups one after the other, each in its own process and its own empty directory. A group that fails says why and
 * does not keep the next one from running.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { atEnd } from './cleanup.ts';
import type { GroupMessage, GroupRequest } from './group-process.ts';
import type { Choice } from './groups.ts';
import type { GroupFailure } from './report.ts';
import type { MeasuredRow } from './row.ts';

export interface GroupsToRun {
  readonly choices: readonly Choice[];
  readonly quick: boolean;
  readonly repetitions: number;
  readonly seed: number;
  /** Empty, on the disk that is measured. */
  readonly directory: string;
  /** Whoever waits is told now and then. */
  readonly tell: (group: string, doing: string) => void;
}

export interface GroupsRun {
  readonly rows: readonly MeasuredRow[];
  readonly failures: readonly GroupFailure[];
}

/** Time a group gets to put things right when the run is stopped: a loop device may have to settle first. */
const STOP_MS = 20_000;
const ENTRY = join(import.meta.dirname, 'group-process.ts');

export async function runGroups({ choices, directory, tell, ...given }: GroupsToRun): Promise<GroupsRun> {
  const rows: MeasuredRow[] = [];
  const failures: GroupFailure[] = [];
  for (const { group, rows: wanted } of choices) {
    const own = join(directory, group.name);
    await mkdir(own);
    try {
      const request = { ...given, group: group.name, directory: own };
      const measured = await runGroup(request, (doing) => tell(group.name, doing));
      const ids = new Set(wanted.map(({ id }) => id));
      rows.push(...measured.filter(({ id }) => ids.has(id)));
    } catch (error) {
      failures.push({ group: group.name, message: error instanceof Error ? error.message : String(error) });
    } finally {
      await rm(own, { recursive: true, force: true });
    }
  }
  return { rows, failures };
}

/** @throws Error with the line that says why the group gave no rows. */
async function runGroup(request: GroupRequest, tell: (doing: string) => void): Promise<readonly MeasuredRow[]> {
  // Heaps are collected between measurements, where a group asks for it.
  const child = fork(ENTRY, { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const forget = atEnd(`stop ${request.group}`, () => stopped(child));
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-4_000);
  });
  child.send(request);
  try {
    return await new Promise((resolve, reject) => {
      let answer: GroupMessage | null = null;
      child.on('message', (message: GroupMessage) => {
        if (message.type === 'progress') tell(message.doing);
        else answer = message;
      });
      child.on('error', reject);
      child.on('close', (code, signal) => {
        if (answer?.type === 'measured') resolve(answer.rows);
        else if (answer?.type === 'failed') reject(new Error(answer.message));
        else reject(new Error(`its process ended with ${signal ?? `exit code ${code}`}: ${lastLine(said)}`));
      });
    });
  } finally {
    await forget();
  }
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** Asks it to end, and ends it when it does not. */
function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
