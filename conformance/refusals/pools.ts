/**
 * Pools of shapes that the small worlds of the other modes do not have: so many sectors, or such large ones, that the
 * pool counts in wider columns. Each is filled to its last record, flushed, and read again.
 */

import { RAM_FULL } from '../../src/core/codes.ts';
import type { SettingsInput } from '../../src/core/config.ts';
import { readSegmentFile } from '../damage-matrix/layout.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';
import { given, Machine, NOW_MS, streamOf } from './machine.ts';

const PERIOD_MS = 10;

interface Geometry {
  readonly name: string;
  readonly poolBytes: number;
  readonly sectorBytes: number;
}

const GEOMETRIES: readonly Geometry[] = [
  { name: 'more than 65,535 sectors', poolBytes: 66_000 * 32, sectorBytes: 32 },
  { name: 'more than 65,535 words', poolBytes: 320 * 1_024, sectorBytes: 64 },
  { name: 'sectors of more than 255 records', poolBytes: 8 * 1_040, sectorBytes: 1_040 },
];

const filled = ({ name, poolBytes, sectorBytes }: Geometry): Case => ({
  name: `pool: ${name}: it takes what it has room for, and gives it back from RAM and from disk`,
  check: async () => {
    const machine = new Machine();
    machine.settings = { poolBytes, sectorBytes, quotaBytes: 32 * 1_024 * 1_024 } satisfies SettingsInput;
    const engine = await machine.open();
    const handle = streamOf(engine, 1, { kind: 'tsd', periodMs: PERIOD_MS });
    const room = (poolBytes / sectorBytes) * ((sectorBytes - 8) / 4);
    let records = 0;
    while (handle.append(records, NOW_MS + records * PERIOD_MS) >= 0) records++;
    const look = async (): Promise<string | null> => {
      for (let from = 0; from < room; from += 50_000) {
        const { timesMs, sequences, bits } = given(await handle.peek(from, 50_000));
        const wrong = sequences.findIndex(
          (sequence, i) =>
            sequence !== from + i || bits[i] !== sequence || timesMs[i] !== NOW_MS + sequence * PERIOD_MS,
        );
        if (wrong >= 0) return `record ${from + wrong} is ${sequences[wrong]}, ${bits[wrong]} at ${timesMs[wrong]}`;
      }
      return null;
    };
    const full = handle.append(records, NOW_MS + records * PERIOD_MS);
    const inRam = differs('what went in', [records, full], [room, RAM_FULL]) ?? (await look());
    if (inRam !== null) return inRam;
    given(await engine.flush());
    return differs('sectors that are free', engine.inspect().pool.free.length, poolBytes / sectorBytes) ?? look();
  },
});

/** Records of each block on disk, in order. */
function blocksOf({ disk }: Machine): number[] {
  return (disk?.files() ?? [])
    .filter(({ name }) => name.endsWith('.seg'))
    .flatMap(({ directory, name, content }) => readSegmentFile(directory, name, content).blocks)
    .map(({ records }) => records.length);
}

const RUNS: readonly Case[] = [
  {
    name: 'flush: a stream on its grid is one block, however many sectors it lay in',
    check: async () => {
      const machine = new Machine();
      const engine = await machine.open();
      const handle = streamOf(engine, 1, { kind: 'tsd', periodMs: PERIOD_MS });
      for (let i = 0; i < 40; i++) handle.append(i, NOW_MS + i * PERIOD_MS);
      given(await engine.flush());
      return differs('records of the blocks', blocksOf(machine), [40]);
    },
  },
  {
    name: 'flush: where the grid of a stream breaks another block begins, and nowhere else',
    check: async () => {
      const machine = new Machine();
      const engine = await machine.open();
      const handle = streamOf(engine, 1, { kind: 'tsd', periodMs: PERIOD_MS });
      for (const start of [0, 15, 22]) {
        const end = start === 0 ? 15 : start === 15 ? 22 : 40;
        for (let i = start; i < end; i++) handle.append(i, NOW_MS + i * PERIOD_MS + start * 7);
      }
      given(await engine.flush());
      const batch = given(await handle.peek(0, 99));
      return (
        differs('records of the blocks', blocksOf(machine), [15, 7, 18]) ??
        differs(
          'the times',
          [...batch.timesMs].map((timeMs) => timeMs - NOW_MS),
          Array.from({ length: 40 }, (_, i) => i * PERIOD_MS + (i < 15 ? 0 : i < 22 ? 15 * 7 : 22 * 7)),
        )
      );
    },
  },
];

export const POOLS: readonly Case[] = [...GEOMETRIES.map(filled), ...RUNS];
