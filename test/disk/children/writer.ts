/**
 * A process that works on a store until it is killed, and says on standard output what it has been told, one JSON line
 * each, written at once:
 *
 *     {"opening":true}         the store is being opened
 *     {"opened":[marks]}       head and appended of each stream as found
 *     {"may":[appended]}       each stream may reach this mark from here on; said before the records are appended
 *     {"synced":[synced]}      a flush has ended, so no kill can take these
 *     {"mayAcknowledge":[head]} each head may reach this mark from here on
 *     {"durable":[head]}       a checkpoint has ended with these heads
 *
 * Arguments: directory, seed. The content of its records is known-load.ts's.
 */
import { writeSync } from 'node:fs';
import { Random } from '../../../conformance/random.ts';
import { openStore, RAM_FULL } from '../../../src/index.ts';
import { appendNext, KILL_SETTINGS, openStreams } from '../known-load.ts';

const [directory, seed] = process.argv.slice(2) as [string, string];
const random = new Random(Number(seed));
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

say({ opening: true });
const store = await openStore({ directory, ...KILL_SETTINGS });
const streams = openStreams(store, KILL_SETTINGS.streamsMax);
const marksOf = (mark: 'head' | 'read' | 'synced' | 'appended'): number[] => streams.map(({ marks }) => marks[mark]);
say({ opened: streams.map(({ marks: { head, appended } }) => ({ head, appended })) });
store.on('flushed', () => say({ synced: marksOf('synced') }));

for (;;) {
  const burst = 1 + random.below(200);
  say({ may: marksOf('appended').map((appended) => appended + burst) });
  for (let i = 0; i < burst; i++) {
    for (const stream of streams) if (appendNext(stream) === RAM_FULL) await store.ready();
  }
  if (random.chance(0.3)) await store.flush();
  if (random.chance(0.3)) {
    for (const stream of streams) await stream.read(random.below(300));
    say({ mayAcknowledge: marksOf('read') });
    for (const stream of streams) stream.acknowledge(random.below(stream.marks.pending + 1));
    for (const stream of streams) stream.revert();
  }
  if (random.chance(0.2)) {
    const heads = marksOf('head');
    await store.checkpoint();
    say({ durable: heads });
  }
  await new Promise((next) => setImmediate(next));
}
