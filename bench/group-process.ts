/**
 * One group in a process of its own: a clean heap, code that nobody else's types have bent, and a death that takes
 * nothing with it. It is told what to do over the channel, and answers there.
 */
import { rm } from 'node:fs/promises';
import { atEnd, putRight, putRightWhenStopped } from './cleanup.ts';
import { GROUPS } from './groups.ts';
import type { BenchContext, MeasuredRow } from './row.ts';

/** To this process, once. */
export interface GroupRequest extends Omit<BenchContext, 'progress'> {
  readonly group: string;
}

/** From it. */
export type GroupMessage =
  | { readonly type: 'progress'; readonly doing: string }
  | { readonly type: 'measured'; readonly rows: readonly MeasuredRow[] }
  | { readonly type: 'failed'; readonly message: string; readonly stack: string };

const send = (message: GroupMessage): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });

async function run({ group: name, ...given }: GroupRequest): Promise<void> {
  const group = GROUPS.find((each) => each.name === name);
  if (group === undefined) throw new Error(`there is no group ${name}`);
  // Who started this process removes it, too, unless that one was killed.
  atEnd(`remove ${given.directory}`, () => rm(given.directory, { recursive: true, force: true }));
  // A progress line that is lost is no loss.
  const progress = (doing: string): void => void send({ type: 'progress', doing }).catch(() => undefined);
  await send({ type: 'measured', rows: await group.measure({ ...given, progress }) });
}

putRightWhenStopped();
process.once('message', (request: GroupRequest) => {
  run(request)
    .catch((error: unknown) => {
      const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
      return send({ type: 'failed', message, stack });
    })
    .finally(async () => {
      await putRight();
      process.exit(0);
    });
});
