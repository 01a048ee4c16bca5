/** A process that opens the store of argument 1, says `open` and keeps it, or says with which code it was refused. */
import { openStore, StoreError } from '../../../src/index.ts';

try {
  const store = await openStore({ directory: process.argv[2] as string });
  const stream = store.stream('host', 1, { kind: 'evt' });
  for (let value = 0; value < 100; value++) stream.append(value);
  await store.flush();
  process.stdout.write('open\n');
  setInterval(() => store.stats(), 60_000);
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  process.stdout.write(`${error.code}: ${error.message}\n`);
}
