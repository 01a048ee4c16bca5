/**
 * What is done with the files of the checkpoint log when a store is opened, operation by operation: which are synced again
 * before others go, which go at once, under which name the new one is begun when the disk refuses one.
 */

import type { Fault, FaultRule, OperationKind } from '../disk-operations.ts';
import { frames, logFileName } from '../format/write-log.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { FoundStore } from './found-store.ts';
import { given, Machine } from './machine.ts';

const { store: totals, stream, marks, added } = frames;

const all = (epoch: number) => [
  totals({ epoch, nextSegment: 3, nextFlush: 3 }),
  stream(0, 1),
  marks(0, [0, 6, 0, 0, 0]),
  added(['host', 1], ['host', 2]),
];

/** The store of recoveries.ts with whole generations of these numbers, and a file of another that is blank. */
async function withGenerations(numbers: readonly number[], blank?: number): Promise<FoundStore> {
  const store = await FoundStore.with(4, 2);
  store.logs(...numbers.map((generation) => ({ generation, batches: [all(1)] })));
  if (blank !== undefined) store.disk.place('', logFileName(blank), new Uint8Array(8_192));
  return store;
}

/** What was done to files of the log, in order: `write 5`, `sync directory`; in parentheses what failed. */
function watchLog({ disk }: FoundStore): string[] {
  const deeds: string[] = [];
  disk.observer = {
    asked: () => {},
    ended: ({ kind, directory, name }, code) => {
      if (directory !== '' || !['write', 'sync', 'remove', 'syncDirectory'].includes(kind)) return;
      const deed = kind === 'syncDirectory' ? 'sync directory' : `${kind} ${Number.parseInt(name.slice(11, 19), 16)}`;
      deeds.push(code === null ? deed : `(${deed})`);
    },
  };
  return deeds;
}

const opens =
  (numbers: readonly number[], blank: number | undefined, wanted: readonly string[], ...faults: readonly FaultRule[]) =>
  async (): Promise<string | null> => {
    const store = await withGenerations(numbers, blank);
    store.disk.faults.push(...faults.map((rule) => ({ ...rule })));
    const deeds = watchLog(store);
    const { engine } = await store.open();
    const { bytesWritten, syncs, diskBytes } = engine.stats();
    const newest = store.disk.files().find(({ name }) => name === store.machine.files('.log').sort().at(-1));
    return (
      differs('what was done', deeds, wanted) ??
      differs('bytes written', bytesWritten, newest?.content.length) ??
      differs('syncs', syncs, deeds.filter((deed) => deed.startsWith('sync')).length) ??
      differs(
        'bytes on disk',
        diskBytes,
        store.disk.files().reduce((sum, { content }) => sum + Math.ceil(content.length / 4_096) * 4_096, 0),
      )
    );
  };

const on = (kind: OperationKind, times: number, fault: Fault, skip = 0): FaultRule => ({
  kind,
  directory: '',
  namePrefix: 'checkpoint',
  times,
  skip,
  fault,
});

/** The log cannot be begun: the open fails, and the files are those that were there. */
const fails =
  (...faults: readonly FaultRule[]) =>
  async (): Promise<string | null> => {
    const store = await withGenerations([4]);
    store.disk.faults.push(...faults.map((rule) => ({ ...rule })));
    return (
      differs('the open', await store.codeOfOpen(), 'IO_FAILED') ??
      differs('the logs', store.machine.files('.log'), [logFileName(4)])
    );
  };

const LOG_FILE_BYTES = 8_192;

/** Opens again and again on a disk that takes files, and neither syncs nor removes them. @returns codes, and files left. */
async function opensInVain(
  quotaBytes: number,
  opens: number,
  machine = new Machine(),
): Promise<{ codes: string[]; files: number; says: string }> {
  machine.settings = { quotaBytes };
  const disk = machine.disk as SimulatedDisk;
  disk.faults.push(
    { kind: 'sync', times: 999, fault: { code: 'IO' } },
    { kind: 'remove', times: 999, fault: { code: 'IO' } },
  );
  const codes: string[] = [];
  let says = '';
  for (let i = 0; i < opens; i++) {
    const opened = await machine.tryOpen();
    codes.push(opened.ok ? 'ok' : opened.failure.code);
    says = opened.ok ? '' : opened.failure.message;
  }
  const files = machine.files('.log').length;
  disk.faults.length = 0;
  given(await (await machine.open()).close());
  return { codes, files, says: machine.files('.log').length === 1 ? says : 'older files are left' };
}

const IN_VAIN: readonly Case[] = [
  ...[9, 10].map(
    (generations): Case => ({
      name: `log: a disk that keeps what is to go has ${generations} generations in a quota for as many, and no more`,
      check: async () => {
        const quotaBytes = generations * LOG_FILE_BYTES;
        const { codes, files, says } = await opensInVain(quotaBytes, generations + 3);
        const wanted = `with them it would take ${quotaBytes + LOG_FILE_BYTES} bytes of the ${quotaBytes} that the quota leaves it`;
        return (
          differs('the codes', new Set(codes).size === 1 && codes[0], 'IO_FAILED') ??
          differs('generations on disk', files, generations) ??
          differs('whether it says why', says.includes('EIO: ') && says.includes(wanted) ? true : says, true)
        );
      },
    }),
  ),
  {
    name: 'log: a quota that does not hold a whole number of generations is kept as well',
    check: async () => {
      const { files } = await opensInVain(9 * LOG_FILE_BYTES + 4_096, 12);
      return differs('generations on disk', files, 9);
    },
  },
  {
    name: 'log: what its segments take of the quota is not for a disk that keeps what is to go',
    check: async () => {
      const { machine } = await withGenerations([4]);
      const segments = machine.files('.seg').length;
      const { files } = await opensInVain(9 * LOG_FILE_BYTES + segments * 4_096, 12, machine);
      return differs('generations on disk, beside segments', [files, segments], [9, 2]);
    },
  },
];

export const LOG_UPKEEP: readonly Case[] = [
  {
    name: 'log: the one there is goes when the new one is durable',
    check: opens([4], undefined, ['write 5', 'sync 5', 'sync directory', 'remove 4']),
  },
  {
    name: 'log: of two whole ones both stay until then',
    check: opens([4, 7], undefined, ['write 8', 'sync 8', 'sync directory', 'remove 4', 'remove 7']),
  },
  {
    name: 'log: a blank one goes at once',
    check: opens([4], 9, ['remove 9', 'write 10', 'sync 10', 'sync directory', 'remove 4']),
  },
  {
    name: 'log: of more than two whole ones the older go, behind two that were synced again',
    check: opens([4, 5, 6, 7], undefined, [
      ...['sync 6', 'sync 7', 'sync directory', 'remove 4', 'remove 5'],
      ...['write 8', 'sync 8', 'sync directory', 'remove 6', 'remove 7'],
    ]),
  },
  {
    name: 'log: where they cannot be synced, none goes before the new one is durable',
    check: opens(
      [4, 5, 6],
      undefined,
      ['(sync 5)', 'write 7', 'sync 7', 'sync directory', 'remove 4', 'remove 5', 'remove 6'],
      on('sync', 1, { code: 'IO' }),
    ),
  },
  {
    name: 'log: one that cannot be removed counts, and goes with the next',
    check: async () => {
      const store = await withGenerations([4]);
      store.disk.faults.push(on('remove', 1, { code: 'IO' }));
      const { engine } = await store.open();
      const counted = engine.stats().diskBytes;
      const there = store.machine.files('.log');
      const deeds = watchLog(store);
      await engine.close();
      const again = await store.open();
      return (
        differs('the logs', there, [logFileName(4), logFileName(5)]) ??
        differs('bytes on disk', counted, 2 * 8_192 + 2 * 4_096) ??
        differs('logs afterwards', store.machine.files('.log'), [logFileName(6)]) ??
        differs('the older one went', deeds.includes('remove 4'), true) ??
        differs('bytes on disk afterwards', again.stats().diskBytes, again.bytesOnDisk)
      );
    },
  },
  {
    name: 'log: names that cannot be written are passed by',
    check: opens(
      [4],
      undefined,
      [
        ...['(write 5)', '(write 6)', '(write 7)', 'write 8', 'sync 8', 'sync directory'],
        ...['remove 4', 'remove 5', 'remove 6', 'remove 7'],
      ],
      on('write', 3, { code: 'IO' }),
    ),
  },
  { name: 'log: a disk that takes none of four names is not opened', check: fails(on('write', 4, { code: 'IO' })) },
  { name: 'log: one that cannot be synced is not gone on with', check: fails(on('sync', 1, { code: 'IO' })) },
  {
    name: 'log: one that is cut short is not gone on with',
    check: opens(
      [4],
      undefined,
      ['(write 5)', 'write 6', 'sync 6', 'sync directory', 'remove 4', 'remove 5'],
      on('write', 1, { code: 'IO', shortBytes: 100 }),
    ),
  },
  { name: 'log: a disk that may not be written is asked once', check: fails(on('write', 1, { code: 'READ_ONLY' })) },
  {
    name: 'log: its directory must be known',
    check: fails({ kind: 'list', directory: '', skip: 1, times: 1, fault: { code: 'DENIED' } }),
  },
  {
    name: 'log: a new one whose name cannot be synced is not gone on with',
    check: fails({ kind: 'syncDirectory', directory: '', times: 1, fault: { code: 'IO' } }),
  },
  {
    name: 'log: a newer one that the medium does not give makes the epoch jump, and the older one is believed',
    check: async () => {
      const store = await withGenerations([4, 5]);
      store.disk.faults.push({ ...on('read', 99, { code: 'IO' }), namePrefix: logFileName(5) });
      const opened = await store.open();
      return (
        differs('found', opened.report(), ['crash', 2, 6, 0, 0]) ??
        differs('the epoch', opened.engine.epoch, 65_538) ??
        differs('set aside', opened.setAside, [`${logFileName(4)}.damaged`, `${logFileName(5)}.damaged`])
      );
    },
  },
  {
    name: 'log: an older one that the medium does not give is none that matters',
    check: async () => {
      const store = await withGenerations([4, 5]);
      store.disk.faults.push({ ...on('read', 99, { code: 'IO' }), namePrefix: logFileName(4) });
      const opened = await store.open();
      return (
        differs('found', opened.report(), ['crash', 2, 6, 0, 0]) ??
        differs('the epoch', opened.engine.epoch, 2) ??
        differs('set aside', opened.setAside, [])
      );
    },
  },
  ...IN_VAIN,
];
