/**
 * What the engine's answers carry beside the records that every mode compares: values by type, identities, the forms of a
 * batch, codes, listeners that throw.
 */
import type { Code } from '../../src/core/codes.ts';
import { CODE_MEANINGS, ImpossibleState, invariant, refusalCode } from '../../src/core/codes.ts';
import { crc32 } from '../../src/core/crc32.ts';
import { RecordBatch } from '../../src/core/record-batch.ts';
import type { ValueType } from '../../src/core/types.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';

function batchOf(type: ValueType, bits: readonly number[]): RecordBatch {
  const batch = new RecordBatch('host', 7, type, bits.length);
  bits.forEach((each, i) => {
    batch.bits[i] = each;
    batch.sequences[i] = 100 + i;
    batch.epochs[i] = 3;
    batch.timesMs[i] = 1_000 * i;
  });
  return batch;
}

const CODES: readonly Code[] = [
  'CONFIG_INVALID',
  'LOCKED',
  'UNSUPPORTED_FORMAT',
  'IO_FAILED',
  'PARAMETER_INVALID',
  'KIND_MISMATCH',
  'TOO_MANY_STREAMS',
  'RAM_FULL',
  'BOUNDS_VIOLATION',
  'CLOSED',
  'ABORTED',
];

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export const ANSWERS: readonly Case[] = [
  {
    name: 'the value is the bits as the type reads them',
    check: () => {
      const bits = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x3f80_0000, 0xbf80_0000];
      const found = (['uint32', 'int32', 'float32'] as const).map((type) => [...batchOf(type, bits).values]);
      const wanted = [
        bits,
        [0, 1, 2 ** 31 - 1, -(2 ** 31), -1, 1_065_353_216, -1_082_130_432],
        [0, 2 ** -149, Number.NaN, -0, Number.NaN, 1, -1],
      ];
      const sign = Object.is(found[2]?.[3], -0) ? null : 'the sign of -0 is lost';
      return sign ?? differs('the values', found, wanted);
    },
  },
  {
    name: 'a batch gives its records one by one, and none beyond its end',
    check: () => {
      const batch = batchOf('int32', [5, 0xffff_ffff]);
      const wanted = [
        { sequence: 100, epoch: 3, timeMs: 0, value: 5 },
        { sequence: 101, epoch: 3, timeMs: 1_000, value: -1 },
      ];
      try {
        batch.value(2);
        return 'a record beyond the end has a value';
      } catch (error) {
        if (!(error instanceof RangeError)) return `beyond the end it throws ${String(error)}`;
      }
      return differs('the records', [...batch], wanted) ?? differs('its length', batch.length, 2);
    },
  },
  {
    name: 'every code has one line for a user',
    check: () =>
      differs('the codes', Object.keys(CODE_MEANINGS), CODES) ??
      (Object.values(CODE_MEANINGS).every((line) => line.length > 10) ? null : 'a code says nothing'),
  },
  {
    name: 'what append answers is a sequence number or has a code',
    check: () =>
      differs('the codes', [0, 1, 2 ** 40, -1, -2, -3].map(refusalCode), [
        null,
        null,
        null,
        'RAM_FULL',
        'CLOSED',
        'PARAMETER_INVALID',
      ]),
  },
  {
    name: 'an assertion throws what cannot be, with its reason',
    check: () => {
      invariant(true, 'holds');
      try {
        invariant(false, 'the reason');
      } catch (error) {
        const { name, message } = error as Error;
        return differs(
          'the error',
          [error instanceof ImpossibleState, name, message],
          [true, 'ImpossibleState', 'the reason'],
        );
      }
      return 'it does not throw';
    },
  },
  {
    name: 'the checksum is CRC-32 of IEEE 802.3, continued from a seed, native or not',
    check: () => {
      const bytes = bytesOf('123456789');
      const long = Uint8Array.from({ length: 300 }, (_, i) => i);
      const native = (given: Uint8Array, seed: number): number => crc32(given, 0, given.length, seed) | 0;
      let asked = 0;
      const counted = (given: Uint8Array, seed: number): number => {
        asked++;
        return native(given, seed);
      };
      const found = [
        crc32(bytes, 0, 9, 0),
        crc32(bytes, 4, 9, crc32(bytes, 0, 4, 0)),
        crc32(bytes, 0, 0, 0),
        crc32(long, 20, 290, 5, counted),
        crc32(long, 20, 276, 5, counted),
        crc32(long, 20, 275, 5, counted),
        asked,
      ];
      return differs('the checksums', found, [
        0xcbf4_3926,
        0xcbf4_3926,
        0,
        crc32(long, 20, 290, 5),
        crc32(long, 20, 276, 5),
        crc32(long, 20, 275, 5),
        2,
      ]);
    },
  },
];
