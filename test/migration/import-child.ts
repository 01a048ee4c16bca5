/** An import that ends itself with SIGKILL when its journal has KILL_AT_BYTES bytes, between any two lines of it. */
import { statSync } from 'node:fs';
import { openStore } from '../../src/index.ts';
import { importOld } from '../../src/migration/index.ts';

const [, , directory = '', root = '', map = ''] = process.argv;
const journal = `${directory}.journal`;
const limit = Number(process.env.KILL_AT_BYTES);

// A small pool, so that flushes fall between the chunks.
const store = await openStore({ directory, poolBytes: '64KiB' });
await importOld(store, {
  directory: root,
  map,
  journal,
  onProgress: () => {
    if (statSync(journal).size >= limit) process.kill(process.pid, 'SIGKILL');
  },
});
process.kill(process.pid, 'SIGKILL');
