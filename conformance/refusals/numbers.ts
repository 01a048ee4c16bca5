/**
 * Numbers as the files hold them, names of files, and the sentences in which a setting is refused: the engine's own forms
 * held against those of conformance/format, at the ends of what they take and beyond.
 */
import { ByteReader, ByteWriter, sameBytes, toHex, unzigzag, zigzag } from '../../src/core/bytes.ts';
import { parsePartName, partName } from '../../src/core/checkpoint-format.ts';
import type { SettingsInput } from '../../src/core/config.ts';
import { resolveBudget, resolveSettings } from '../../src/core/config.ts';
import { parseSegmentName, segmentName } from '../../src/core/disk-index.ts';
import { Bytes } from '../format/bytes-out.ts';
import { logFileName } from '../format/write-log.ts';
import { segmentFileName } from '../format/write-segment.ts';
import type { Case } from './case.ts';
import { differs } from './case.ts';

const TOP = Number.MAX_SAFE_INTEGER;

/** The numbers at which a varint becomes a byte longer, and their neighbours. */
const VARINTS: readonly number[] = [
  0,
  1,
  ...[7, 14, 21, 28, 35, 42, 49].flatMap((bits) => [2 ** bits - 1, 2 ** bits]),
  TOP,
];

const written = (write: (writer: ByteWriter) => void, capacity = 1): number[] => {
  const writer = new ByteWriter(capacity);
  write(writer);
  return [...writer.view()];
};

interface Read {
  readonly value: number;
  readonly valid: boolean;
  readonly at: number;
}

function read(bytes: readonly number[], how: (reader: ByteReader) => number, limit = bytes.length): Read {
  const reader = new ByteReader(Uint8Array.from(bytes), 0, limit);
  const value = how(reader);
  return { value, valid: reader.valid, at: reader.at };
}

const FIXED: readonly (readonly [
  name: string,
  bytes: number,
  write: (writer: ByteWriter, value: number) => void,
  read: (reader: ByteReader) => number,
  top: number,
])[] = [
  ['u8', 1, (writer, value) => writer.u8(value), (reader) => reader.u8(), 2 ** 8 - 1],
  ['u16', 2, (writer, value) => writer.u16(value), (reader) => reader.u16(), 2 ** 16 - 1],
  ['u32', 4, (writer, value) => writer.u32(value), (reader) => reader.u32(), 2 ** 32 - 1],
  ['u64', 8, (writer, value) => writer.u64(value), (reader) => reader.u64(), TOP],
];

const BYTES: readonly Case[] = [
  ...FIXED.map(
    ([name, bytes, write, take, top]): Case => ({
      name: `numbers: ${name} takes ${bytes} bytes, the lowest first, and none of them may be missing`,
      check: () => {
        for (const value of [0, 1, Math.floor(top / 3), top]) {
          const wanted = [...new Bytes().little(value, bytes).whole()];
          const whole = { value, valid: true, at: bytes };
          const cut = { value: 0, valid: false };
          const short = read(wanted, take, bytes - 1);
          const found =
            differs(
              `${value} as written`,
              written((writer) => write(writer, value)),
              wanted,
            ) ??
            differs(`${value} as read`, read(wanted, take), whole) ??
            differs(
              `${value} cut short`,
              name === 'u64' ? short.valid : { value: short.value, valid: short.valid },
              name === 'u64' ? false : cut,
            );
          if (found !== null) return found;
        }
        return null;
      },
    }),
  ),
  {
    name: 'numbers: a varint takes a byte for each seven bits, and none of them may be missing',
    check: () => {
      for (const value of VARINTS) {
        const wanted = [...new Bytes().varint(value).whole()];
        const found =
          differs(
            `${value} as written`,
            written((writer) => writer.varint(value)),
            wanted,
          ) ??
          differs(
            `${value} as read`,
            read(wanted, (reader) => reader.varint()),
            {
              value,
              valid: true,
              at: wanted.length,
            },
          ) ??
          differs(`${value} cut short`, read(wanted, (reader) => reader.varint(), wanted.length - 1).valid, false);
        if (found !== null) return found;
      }
      return null;
    },
  },
  {
    name: 'numbers: what is larger than any count reads as invalid',
    check: () => {
      const varint = (bytes: readonly number[]): boolean => read(bytes, (reader) => reader.varint()).valid;
      const eight = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
      return differs(
        'what is valid',
        [
          varint([...eight, 0x0f]),
          varint([...eight, 0x10]),
          varint([...eight, 0x80, 0x00]),
          varint([...eight, 0xff, 0x01]),
          read([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0], (reader) => reader.u64()).valid,
          read([0, 0, 0, 0, 0, 0, 0x20, 0], (reader) => reader.u64()).valid,
        ],
        [true, false, false, false, true, false],
      );
    },
  },
  {
    name: 'numbers: a reader that has run out stays invalid, also when less would fit',
    check: () => {
      const reader = new ByteReader(Uint8Array.of(7, 8, 9), 1, 3);
      const values = [reader.u32(), reader.u8(), reader.u8(), reader.u8()];
      return differs('what it gives', [values, reader.valid, reader.done], [[0, 8, 9, 0], false, true]);
    },
  },
  {
    name: 'numbers: signed ones alternate, the small ones first',
    check: () => {
      const values = [0, -1, 1, -2, 2, -(2 ** 51), 2 ** 51];
      return (
        differs('as written', values.map(zigzag), [0, 1, 2, 3, 4, 2 ** 52 - 1, 2 ** 52]) ??
        differs('as read', values.map(zigzag).map(unzigzag), values)
      );
    },
  },
  {
    name: 'numbers: a writer takes more than it was made for, whatever is written',
    check: () => {
      const writer = new ByteWriter(3);
      const wanted = new Bytes();
      for (let i = 0; i < 40; i++) {
        writer.u8(i);
        writer.u16(i * 300);
        writer.u32(i * 70_000_000);
        writer.varint(2 ** 48 + i);
        writer.copy(Uint8Array.of(i, 1, 2, 3, 4));
        writer.zeros(i % 5);
        wanted
          .little(i, 1)
          .little(i * 300, 2)
          .little(i * 70_000_000, 4)
          .varint(2 ** 48 + i);
        wanted.copy([i, 1, 2, 3, 4]).copy(new Uint8Array(i % 5));
      }
      return differs('the bytes', [...writer.view()], [...wanted.whole()]);
    },
  },
  {
    name: 'numbers: each way of writing takes what it needs by itself',
    check: () => {
      const ways: readonly (readonly [(writer: ByteWriter) => void, readonly number[]])[] = [
        [(writer) => writer.u8(5), [5]],
        [(writer) => writer.u16(5), [5, 0]],
        [(writer) => writer.u32(5), [5, 0, 0, 0]],
        [(writer) => writer.varint(300), [172, 2]],
        [(writer) => writer.copy(Uint8Array.of(1, 2, 3)), [1, 2, 3]],
        [(writer) => writer.zeros(3), [0, 0, 0]],
      ];
      return differs(
        'the bytes',
        ways.map(([way]) => written(way, 0)),
        ways.map(([, wanted]) => wanted),
      );
    },
  },
  {
    name: 'numbers: zeros cover what a place held before, and nothing else',
    check: () => {
      const writer = new ByteWriter(16);
      for (let i = 0; i < 8; i++) writer.u8(0xee);
      writer.length = 4;
      writer.zeros(2);
      return differs('the bytes', [...writer.bytes.subarray(0, 8)], [0xee, 0xee, 0xee, 0xee, 0, 0, 0xee, 0xee]);
    },
  },
  {
    name: 'numbers: bytes are the same when all of them are, and as many',
    check: () => {
      const same = (a: readonly number[], b: readonly number[]): boolean =>
        sameBytes(Uint8Array.from(a), Uint8Array.from(b));
      return (
        differs(
          'which are',
          [same([], []), same([1, 2], [1, 2]), same([1, 2], [1, 3]), same([1, 2], [1, 2, 3]), same([1, 2, 3], [1, 2])],
          [true, true, false, false, false],
        ) ?? differs('as text', toHex(Uint8Array.of(0, 1, 15, 16, 255)), '00010f10ff')
      );
    },
  },
];

const NAMES: readonly Case[] = [
  {
    name: 'names: of segments, from the first number to the last',
    check: () => {
      const numbers = [0, 1, 999_999_999_999 % 2 ** 36, 2 ** 36 - 1];
      const texts = [
        'x000000000001.seg',
        '000000000001.segx',
        '00000000001.seg',
        '0000000000001.seg',
        '000000000001.SEG',
      ];
      return (
        differs('the names', numbers.map(segmentName), numbers.map(segmentFileName)) ??
        differs('the numbers', numbers.map(segmentName).map(parseSegmentName), numbers) ??
        differs(
          'a number beyond',
          [parseSegmentName(segmentName(2 ** 36)), parseSegmentName('999999999999.seg')],
          [null, null],
        ) ??
        differs(
          'what is none',
          texts.map(parseSegmentName),
          texts.map(() => null),
        )
      );
    },
  },
  {
    name: 'names: of the log, from the first generation to the last',
    check: () => {
      const places = [
        [0, 0],
        [1, 255],
        [0xefff_ffff, 0xffff],
      ] as const;
      const texts = [
        'xcheckpoint-00000001-00.log',
        'checkpoint-00000001-00.logx',
        'checkpoint-00000001-0.log',
        'checkpoint-00000001-00000.log',
        'checkpoint-f0000000-00.log',
        'checkpoint-0000000G-00.log',
      ];
      return (
        differs(
          'the names',
          places.map(([generation, part]) => partName(generation, part)),
          places.map(([generation, part]) => logFileName(generation, part)),
        ) ??
        differs(
          'what they say',
          places.map(([generation, part]) => parsePartName(logFileName(generation, part))),
          places.map(([generation, part]) => ({ generation, part })),
        ) ??
        differs(
          'what is none',
          texts.map(parsePartName),
          texts.map(() => null),
        )
      );
    },
  },
];

/** The message names what was given, in the form in which it was given. */
const says = (given: unknown, ...parts: readonly string[]): Case => ({
  name: `settings: the refusal of ${JSON.stringify(given)} says ${parts.join(' and ')}`,
  check: () => {
    const result = resolveSettings(given as SettingsInput);
    if (result.ok) return 'accepted';
    const { code, message } = result.failure;
    const missing = parts.find((part) => !message.includes(part));
    return differs('the code', code, 'CONFIG_INVALID') ?? (missing === undefined ? null : `it says: ${message}`);
  },
});

const SENTENCES: readonly Case[] = [
  says({ poolBytes: null }, 'poolBytes is null:'),
  says({ poolBytes: true }, 'poolBytes is boolean:'),
  says({ poolBytes: '64KB' }, "poolBytes is '64KB':", 'B, KiB, MiB or GiB'),
  says({ poolBytes: '' }, "poolBytes is '':"),
  says({ poolBytes: 'KiB' }, "poolBytes is 'KiB':"),
  says({ poolBytes: 1 }, 'poolBytes is 1 bytes:', 'between 128 and 1073741824 bytes'),
  says({ streamsMax: 0 }, 'streamsMax is 0: it must lie between 1 and 4096'),
  says({ whenDiskFull: 'never' }, "whenDiskFull is 'never':"),
  says({ whenDiskFull: 7 }, 'whenDiskFull is 7:'),
  says({ durableAcknowledge: {} }, 'durableAcknowledge is object:'),
  says({ quotaBytes: 65_536 }, 'quotaBytes is 65536', 'a pool of 4194304 bytes', '6144704 bytes; raise quotaBytes'),
  {
    name: 'settings: the refusal of a budget that is no number says so',
    check: () => {
      const result = resolveBudget('9' as unknown as number, 1, 32, 1, () => 0);
      return result.ok ? 'accepted' : differs('it', result.failure.message.startsWith("budgetBytes is '9':"), true);
    },
  },
  {
    name: 'settings: a budget of which the tables take all but four sectors, and one of them too',
    check: () => {
      const sectors = (tables: number): number | string => {
        const result = resolveBudget(1_024, 1, 32, 1, (count) => tables + count * 32);
        return result.ok ? result.value.poolBytes / 32 : result.failure.code;
      };
      return differs('the sectors', [0, 32, 896, 897, 1_025].map(sectors), [
        32,
        31,
        4,
        'CONFIG_INVALID',
        'CONFIG_INVALID',
      ]);
    },
  },
  {
    name: 'settings: a budget has 2,048 sectors at most',
    check: () => {
      const result = resolveBudget(65_536, 1, 32, 1, (count) => count);
      return result.ok ? differs('the sectors', result.value.poolBytes / 32, 2_048) : result.failure.message;
    },
  },
];

export const NUMBERS: readonly Case[] = [...BYTES, ...NAMES, ...SENTENCES];
