/** Opens a store as another user, as the service of it does. */
const [, , uid = '', directory = ''] = process.argv;
// Loaded before: the other user need not be able to read this folder.
const { openStore } = await import('../../src/index.ts');
process.setgroups?.([]);
process.setgid?.(Number(uid));
process.setuid?.(Number(uid));
const store = await openStore({ directory });
store.stream('host', 1, { kind: 'evt' }).append(1, 1);
await store.flush();
process.stdout.write(`${store.streams()[0]?.marks.retained}\n`);
await store.close();
