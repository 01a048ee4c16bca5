/**
 * A process that has the store of argument 1 open, and does what it is told on standard input, a line each: `append N`,
 * `read N`, `acknowledge N`, `flush`, `work` (append, flush and acknowledge without pause until the next line), `stats`,
 * `close`. With a second argument `shown` it calls serveLive. It says `ready`, and answers each line with `done` or the figures.
 */
import { createInterface } from 'node:readline';
import { openStore } from '../../../src/index.ts';
import { serveLive } from '../../../src/live.ts';

const [directory, shown] = process.argv.slice(2) as [string, string | undefined];
const store = await openStore({ directory, poolBytes: '64KiB' });
const stream = store.stream('host', 7, { kind: 'evt' });
if (shown === 'shown') await serveLive(store, { directory });
let working = false;

async function work(): Promise<void> {
  while (working) {
    for (let i = 0; i < 40; i++) stream.append(i);
    await store.flush();
    stream.acknowledge(await stream.read(30));
    await store.checkpoint();
    // As often as no gateway flushes, and yet with a moment in between.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let worker = Promise.resolve();
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const [what, n = '1'] = line.split(' ');
  working = false;
  await worker;
  if (what === 'append') for (let i = 0; i < Number(n); i++) stream.append(i, 1_700_000_000_000 + i * 1000);
  if (what === 'read') await stream.read(Number(n));
  if (what === 'acknowledge') stream.acknowledge(Number(n));
  if (what === 'flush') await store.flush();
  if (what === 'close') await store.close();
  if (what === 'work') {
    working = true;
    worker = work();
  }
  process.stdout.write(what === 'stats' ? `${JSON.stringify(store.stats())}\n` : 'done\n');
  if (what === 'close') process.exit();
}
