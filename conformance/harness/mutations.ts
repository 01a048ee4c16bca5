/**
 * For each numbered test one line of the engine, or of the layer that the test is about, changed for the worse. With that
 * line the test must be red: a test that stays green proves nothing (mutants.ts runs them).
 */
import type { Exhibit } from '../museum/exhibit.ts';

export interface HarnessMutation extends Exhibit {
  /** The test that must be red. */
  readonly test: number;
}

const POOL = 'src/core/sector-pool.ts';
const STATE = 'src/core/store-state.ts';
const HANDLE = 'src/core/stream-handle.ts';
const FLUSH = 'src/core/flush.ts';
const ENGINE = 'src/core/engine.ts';
const SEGMENT = 'src/core/segment.ts';
const CONFIG = 'src/core/config.ts';
const LINUX = 'src/platform/linux-disk.ts';
const OLD_SOURCE = 'src/legacy/source.ts';

const mutation = (test: number, bug: string, file: string, search: string, replace: string): HarnessMutation => ({
  id: `H${test}`,
  test,
  bug,
  file,
  search,
  replace,
});

export const MUTATIONS: readonly HarnessMutation[] = [
  mutation(
    1,
    'a sector of 33 bytes is accepted',
    CONFIG,
    'if (sizes.sectorBytes % 8 !== 0) {',
    'if (sizes.sectorBytes % 8 === 9) {',
  ),
  mutation(
    2,
    'a fresh stream has one record read',
    'src/core/inspect.ts',
    'read: pool.read[slot] as number,',
    'read: (pool.read[slot] as number) + 1,',
  ),
  mutation(
    3,
    'the highest bit of an event is lost',
    POOL,
    '    return this.#put(slot, bits);\n  }\n\n  /** An evt',
    '    return this.#put(slot, bits & 0x7fff_ffff);\n  }\n\n  /** An evt',
  ),
  mutation(
    4,
    'an acknowledge may name one record more than was read',
    STATE,
    'if (rest > this.pending(slot)) return false;',
    'if (rest > this.pending(slot) + 1) return false;',
  ),
  mutation(
    5,
    'a discard counts as acknowledged',
    STATE,
    '    this.pool.discarded[slot] = at(this.pool.discarded, slot) + records;\n',
    '',
  ),
  mutation(6, 'the use counter of the pool is not raised', POOL, '    this.used++;\n', ''),
  mutation(7, 'a time before 1970 is accepted', HANDLE, 'boolean => ms >= 0 &&', 'boolean => ms >= -1 &&'),
  mutation(
    8,
    'a store without a disk refuses when it is full',
    POOL,
    'if (this.hasDisk) return false;',
    'if (this.sectors > 0) return false;',
  ),
  mutation(9, 'a new sector is not linked to its chain', POOL, '    else this.next[last] = sector;\n', ''),
  mutation(
    10,
    'read also advances head',
    HANDLE,
    'pool.read[this.#slot] = end;',
    'pool.read[this.#slot] = this.#state.pool.head[this.#slot] = end;',
  ),
  mutation(
    11,
    'before init a call says that a mode is changing',
    'src/legacy/lifecycle.ts',
    'return this.#session ?? INITIALIZATION_FAILED;',
    'return this.#session ?? MODE_TRANSITION_FAILED;',
  ),
  mutation(
    12,
    'a discard of unread records leaves the read mark behind the head',
    STATE,
    '    if (at(pool.read, slot) < to) pool.read[slot] = to;\n',
    '',
  ),
  mutation(
    13,
    'reads of a file begin at its beginning',
    LINUX,
    'fs.read(fd, into, at, into.length - at, offset + at, done)',
    'fs.read(fd, into, at, into.length - at, at, done)',
  ),
  mutation(
    14,
    'a clock that is not set gives 1',
    'src/legacy/lifecycle.ts',
    'timeMs < TIME_MS_END ? timeMs : 0;',
    'timeMs < TIME_MS_END ? timeMs : 1;',
  ),
  mutation(15, 'failed flushes are not counted', ENGINE, '    state.counters.flushFailures++;\n', ''),
  mutation(
    16,
    'an acknowledge of too much is taken for one of everything',
    STATE,
    'if (rest > this.pending(slot)) return false;',
    'if (rest > this.retained(slot)) return false;',
  ),
  mutation(
    17,
    'a read of nothing answers success',
    'src/legacy/manager.ts',
    'if (found === null) return BOUNDS_VIOLATION;',
    'if (found === null) return SUCCESS;',
  ),
  mutation(
    18,
    'an erase may take one record more than was read',
    OLD_SOURCE,
    'if (count > this.#handedOut.length) return false;',
    'if (count > this.#handedOut.length + 1) return false;',
  ),
  mutation(19, 'a nack gives nothing back', OLD_SOURCE, '      stream.sensor.revert();\n', ''),
  mutation(
    20,
    'the first place of a sector is written again and again',
    POOL,
    '    this.#valueAt[slot] = at + 1;\n',
    '',
  ),
  mutation(
    21,
    'beyond the first sector, reads come from the last',
    POOL,
    '): number {\n    let sector = first;\n    for (let done = 0; ; sector = this.next[sector] as number) {',
    '): number {\n    let sector = first;\n    for (let done = 0; ; sector = this.last[this.owner[first] as number] as number) {',
  ),
  mutation(
    22,
    'a read counts one record too few',
    HANDLE,
    'counters.read += batch.length;',
    'counters.read += batch.length - 1;',
  ),
  mutation(23, 'a freed sector still counts as used', POOL, '      this.used--;\n', ''),
  mutation(
    24,
    'directories are for their owner only',
    LINUX,
    'const DIRECTORY_MODE = 0o755;',
    'const DIRECTORY_MODE = 0o700;',
  ),
  mutation(25, 'the flush is asked for one percent late', CONFIG, 'FLUSH_AT_PERCENT = 80', 'FLUSH_AT_PERCENT = 81'),
  mutation(
    26,
    'checksums of blocks do not say of which segment they are',
    SEGMENT,
    '  return crc32(writer.bytes, 0, 24, 0);\n',
    '  return 0;\n',
  ),
  mutation(27, 'what was flushed is not freed', FLUSH, '    pool.releaseDead(slot);\n', ''),
  mutation(
    28,
    'opening does not raise the epoch',
    'src/core/recovery-evidence.ts',
    '(isLast || knownId === null ? 0 : EPOCH_JUMP) + 1;',
    '(isLast || knownId === null ? 0 : EPOCH_JUMP);',
  ),
  mutation(
    29,
    'the values of a block come back backwards',
    SEGMENT,
    'bits[to + i] = scratchBits[skip + i] as number;',
    'bits[to + i] = scratchBits[skip + length - 1 - i] as number;',
  ),
  mutation(
    30,
    'the newest segment is found first',
    'src/core/found-segments.ts',
    '=> a.number - b.number || a.file - b.file;',
    '=> b.number - a.number || b.file - a.file;',
  ),
  mutation(
    31,
    'what is evicted is not in the ledger',
    POOL,
    '    if (records > 0) this.ledger.add(slot, this.head[slot] as number, to, records, EVICTED);\n',
    '',
  ),
  mutation(
    32,
    'of the segments without records one stays',
    'src/core/checkpoint.ts',
    'const empty = [...disk.index.empty];',
    'const empty = [...disk.index.empty].slice(1);',
  ),
  mutation(
    33,
    'segments are written and not synced',
    FLUSH,
    'this.#begin(port.sync(directory, name));',
    'this.#begin(Promise.resolve(OK));',
  ),
  mutation(
    34,
    'what is appended while a flush runs is taken for synced by it',
    FLUSH,
    '    pool.synced[slot] = end;\n',
    '    pool.synced[slot] = Math.max(end, pool.appended[slot] as number);\n',
  ),
  mutation(
    35,
    'sequence numbers wrap at 2^12',
    POOL,
    '    this.appended[slot] = sequence + 1;\n',
    '    this.appended[slot] = (sequence + 1) % 2 ** 12;\n',
  ),
  mutation(
    36,
    'a missing file is called a failing disk',
    'src/platform/io-error.ts',
    "ENOENT: 'NOT_FOUND',",
    "ENOENT: 'IO',",
  ),
  mutation(
    37,
    'the newest segment is evicted first',
    'src/core/disk-space.ts',
    'for (const segment of disk.index.segments.values()) if (segment.liveBlocks > 0) yield segment;',
    'for (const segment of [...disk.index.segments.values()].reverse()) if (segment.liveBlocks > 0) yield segment;',
  ),
  mutation(
    38,
    'a flush that failed is counted as one that went well',
    ENGINE,
    '    state.counters.flushFailures++;\n',
    '    state.counters.flushes++;\n',
  ),
  mutation(39, 'a file name may have slashes', LINUX, '!/[/\\\\\\0]/.test(name)', '!/[\\\\\\0]/.test(name)'),
  mutation(
    40,
    'blocks are believed without their checksum',
    SEGMENT,
    '  if (crc32(bytes, offset, end, (seed ^ offset) >>> 0, native) !== readU32(bytes, end)) return null;\n',
    '',
  ),
  mutation(
    41,
    'a flush gathers each block from the beginning of the chain',
    FLUSH,
    'pool.copyRun(sector, position, length, scratchTimesMs, scratchBits);',
    'pool.copyRun(pool.first[slot] as number, pool.ramFrom(slot), length, scratchTimesMs, scratchBits);',
  ),
  mutation(42, 'a nack is forgotten', HANDLE, '    this.#state.revert(this.#slot);\n', ''),
  mutation(99, 'the delay after a failed flush does not grow', ENGINE, '    this.#failuresInARow++;\n', ''),
];
