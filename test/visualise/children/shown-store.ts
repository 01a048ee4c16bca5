/**
 * A process that opens the store of argument 1, shows it, and does what it is told on standard input, a line each:
 * `append N`, `read N`, `flush`, `close`. It says `ready` when it is, and answers each line with `done`.
 */
import { createInterface } from 'node:readline';
import { openStore } from '../../../src/index.ts';
import { serveLive } from '../../../src/live.ts';

const directory = process.argv[2] as string;
const store = await openStore({ directory, poolBytes: '64KiB' });
const stream = store.stream('host', 7, { kind: 'evt' });
const feed = await serveLive(store, { directory });
process.stdout.write(`ready ${feed.url}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const [what, n = '1'] = line.split(' ');
  if (what === 'append') for (let i = 0; i < Number(n); i++) stream.append(i);
  if (what === 'read') await stream.read(Number(n));
  if (what === 'flush') await store.flush();
  if (what === 'close') await store.close();
  process.stdout.write('done\n');
}
