/**
 * Bugs that nobody has reported yet, by what they break: what makes a flush safe against power loss, space and eviction,
 * accounting, calls that overlap, values and times at their limits, and the bytes on disk. Where a bug could be seen by a counter alone,
 * the counter is kept right, so that it is caught for what it does.
 */
import type { Exhibit } from './exhibit.ts';
import { OLDEST_READS } from './oldest-reads.ts';

const FLUSH = 'src/core/flush.ts';
const SPACE = 'src/core/disk-space.ts';
const LOG = 'src/core/checkpoint-log.ts';
const POOL = 'src/core/sector-pool.ts';
const RECOVERY = 'src/core/recovery.ts';
const EVIDENCE = 'src/core/recovery-evidence.ts';
const STATE = 'src/core/store-state.ts';

/** Order and durability: what a power cut shows. */
const CRASH_SAFETY: readonly Exhibit[] = [
  {
    id: 'K1',
    bug: 'segments are written and not synced',
    file: FLUSH,
    search: '    this.#begin(port.sync(directory, name));\n',
    replace: '    this.#begin(Promise.resolve(OK));\n    this.#state.counters.syncs--;\n',
  },
  {
    id: 'K2',
    bug: 'the names of new segments are not synced',
    file: FLUSH,
    search: '    for (const source of this.#named) this.#begin(this.#disk.port.syncDirectory(directoryOf(source)));\n',
    replace: '',
  },
  {
    id: 'K3',
    bug: 'a batch of the log is not synced',
    file: LOG,
    search:
      '      const synced = await this.#disk.sync(ROOT, name);\n      if (!synced.ok) return synced;\n      this.#meter.synced();\n    }\n    if (created) {',
    replace:
      '      if (batch > 0) continue;\n      const synced = await this.#disk.sync(ROOT, name);\n      if (!synced.ok) return synced;\n      this.#meter.synced();\n    }\n    if (created) {',
  },
  {
    id: 'K4',
    bug: 'the name of a new log is not synced',
    file: LOG,
    search: '    if (created) {',
    replace: '    if (created && batch > 0) {',
  },
  {
    id: 'K5',
    bug: 'the log commits before the names of its segments are durable',
    file: FLUSH,
    search: 'this.#begin(this.#disk.port.syncDirectory(directoryOf(source)));',
    replace:
      'this.#disk.port.syncDirectory(directoryOf(source)).then(({ ok }) => void (this.#state.counters.syncs += Number(ok)));',
  },
  {
    id: 'K6',
    bug: 'a sync is started beside its write instead of after it',
    file: LOG,
    search:
      '      const written = await this.#disk.write(ROOT, name, offset, bytes);\n      if (!written.ok) return written;\n      this.#begun = true;\n      this.#meter.wrote(bytes.length);\n      const synced = await this.#disk.sync(ROOT, name);\n',
    replace:
      '      const writing = this.#disk.write(ROOT, name, offset, bytes);\n      const synced = await this.#disk.sync(ROOT, name);\n      const written = await writing;\n      if (!written.ok) return written;\n      this.#meter.wrote(bytes.length);\n',
  },
  {
    id: 'K7',
    bug: 'sectors are freed before the commit is durable',
    file: FLUSH,
    search: '    const logged = await writeCheckpoint(this.#state, { added, synced: this.#gathered });\n',
    replace:
      '    for (let slot = 0; slot < this.#gathered.length; slot++) this.#release(slot, this.#gathered[slot] as number);\n    const logged = await writeCheckpoint(this.#state, { added, synced: this.#gathered });\n',
  },
  {
    id: 'K8',
    bug: 'the epoch is raised for a new store only',
    file: EVIDENCE,
    search: 'this.epoch = Math.max(this.knownEpoch, highestEpoch) + (isLast || knownId === null ? 0 : EPOCH_JUMP) + 1;',
    replace: 'this.epoch = Math.max(this.knownEpoch, highestEpoch, 1);',
  },
  {
    id: 'K9',
    bug: 'frames of the log are believed without their checksum',
    file: 'src/core/checkpoint-format.ts',
    search:
      '      end + CRC_BYTES > bytes.length ||\n      crc32(bytes, offset, end, (seed ^ offset) >>> 0, native) !== readU32(bytes, end)\n',
    replace: '      end + CRC_BYTES > bytes.length\n',
  },
  {
    id: 'K10',
    bug: 'the old log goes before the new one is durable',
    file: LOG,
    search: '    this.generation++;\n',
    replace: '    this.generation++;\n    await this.#remove(older);\n',
  },
  {
    id: 'K11',
    bug: 'files of a flush that was cut off are adopted as they are',
    file: RECOVERY,
    search: 'const isNamed = named(segment);',
    replace: 'const isNamed = named(segment) || (isOurs && number >= evidence.nextLogged);',
  },
  {
    id: 'K12',
    bug: 'an evicted segment is removed before the log says so',
    file: SPACE,
    search: '    const logged = await writeCheckpoint(state, { evicted });\n    if (logged.ok ||',
    replace:
      '    for (const segment of evicted) {\n      await disk.port.remove(SOURCE_DIRECTORIES[segment.source as 0 | 1 | 2], segmentName(segment.file));\n    }\n    const logged = await writeCheckpoint(state, { evicted });\n    if (logged.ok ||',
  },
  {
    id: 'K63',
    bug: 'a commit does not wait for the syncs of its segments',
    file: FLUSH,
    search: 'const durable = await this.#makeDurable();',
    replace: 'const durable: IoResult<void> = OK;\n    void this.#makeDurable();',
  },
  {
    id: 'K13',
    bug: 'a sync that failed is tried again and believed',
    file: FLUSH,
    search: 'this.#begin(port.sync(directory, name));',
    replace:
      'const again = (first: IoResult<void>) => (first.ok ? first : this.#disk.port.sync(directory, name));\n    this.#begin(this.#disk.port.sync(directory, name).then(again));',
  },
  {
    id: 'K14',
    bug: 'after an error the log goes on behind what may be torn',
    file: LOG,
    search: '    this.suspect = true;\n',
    replace: '    this.suspect = batch === 0;\n',
  },
  {
    id: 'K15',
    bug: 'acknowledgements are not in the log of a flush',
    file: 'src/core/checkpoint.ts',
    search: '    if (disk.marksDirty[slot] === 1 || evictions.has(slot)) dirty.push(slot);\n',
    replace:
      '    if ((disk.marksDirty[slot] === 1 && change.added === undefined) || evictions.has(slot)) dirty.push(slot);\n',
  },
  {
    id: 'K16',
    bug: 'behind a damaged block the rest of the segment is given up',
    file: 'src/core/segment.ts',
    search: '      damagedBytes++;\n      offset++;\n      continue;\n',
    replace: '      break;\n',
  },
  {
    id: 'K18',
    bug: 'records that no block answers for, between two blocks, are not noticed',
    file: RECOVERY,
    search: '    if (first > end) this.#gaps[slot]?.push([end, first]);\n',
    replace: '',
  },
  {
    id: 'K17',
    bug: 'numbers of a flush that was cut off are used again',
    file: EVIDENCE,
    search: 'this.nextSegment = this.#nextNumber(store?.nextSegment ?? 1, found);',
    replace: 'this.nextSegment = store?.nextSegment ?? 1;',
  },
];

/** Space: the quota, who goes first, and what is said of it. */
const EVICTION: readonly Exhibit[] = [
  {
    id: 'K20',
    bug: 'the newest segment is evicted first',
    file: SPACE,
    search: '  for (const segment of disk.index.segments.values()) if (segment.liveBlocks > 0) yield segment;\n',
    replace:
      '  for (const segment of [...disk.index.segments.values()].reverse()) if (segment.liveBlocks > 0) yield segment;\n',
  },
  {
    id: 'K21',
    bug: 'live segments are evicted while empty ones would do',
    file: SPACE,
    search: '  for (const segment of disk.index.empty) gone += takenBy(disk, segment);\n',
    replace: '',
  },
  {
    id: 'K22',
    bug: 'what is evicted is not in the ledger',
    file: POOL,
    search: '    if (records > 0) this.ledger.add(slot, this.head[slot] as number, to, records, EVICTED);\n',
    replace: '',
  },
  {
    id: 'K23',
    bug: 'the quota may be passed by one block of the file system',
    file: SPACE,
    search: 'held() - gone + bytes <= limit && before',
    replace: 'held() - gone + bytes <= limit + 4096 && before',
  },
  {
    id: 'K24',
    bug: 'files of the log do not count under the quota',
    file: STATE,
    search: '    for (const size of this.disk.log.fileSizes) bytes += allocatedBytes(size);\n',
    replace: '',
  },
  {
    id: 'K25',
    bug: 'files set aside do not count under the quota',
    file: RECOVERY,
    search: '    this.#disk.setAsideBytes += allocatedBytes(bytes);\n',
    replace: '',
  },
  {
    id: 'K26',
    bug: 'records that were evicted while they were pending cannot be acknowledged',
    file: POOL,
    search: '    this.forgiven[slot] = (this.forgiven[slot] as number) + pending;\n',
    replace: '',
  },
  {
    id: 'K27',
    bug: 'one more segment than needed is evicted',
    file: SPACE,
    search: '    if (fits(gone)) break;\n    victims.push(oldest);\n    gone += takenBy(disk, oldest);\n',
    replace: '    victims.push(oldest);\n    if (fits(gone)) break;\n    gone += takenBy(disk, oldest);\n',
  },
  {
    id: 'K28',
    bug: 'the ledger joins losses that do not touch',
    file: 'src/core/ledger.ts',
    search: 'this.to[entry] === from) {',
    replace: '(this.to[entry] as number) <= from) {',
  },
  {
    id: 'K29',
    bug: 'a store without a disk gives up a sector of who appends, not the oldest',
    file: POOL,
    search: '      this.#evictOldestSector();\n    }\n    const sector',
    replace:
      '      if (this.first[slot] !== this.none) this.#oldest = this.first[slot] as number;\n      this.#evictOldestSector();\n    }\n    const sector',
  },
];

/** Figures and marks. */
const ACCOUNTING: readonly Exhibit[] = [
  {
    id: 'K30',
    bug: 'a discard counts as acknowledged',
    file: STATE,
    search: '    this.pool.discarded[slot] = at(this.pool.discarded, slot) + records;\n',
    replace: '',
  },
  {
    id: 'K31',
    bug: 'a refused record is not counted',
    file: 'src/core/stream-handle.ts',
    search: '    this.#state.counters.refusedRamFull++;\n',
    replace: '',
  },
  {
    id: 'K32',
    bug: 'a discard of unread records leaves the read mark behind the head',
    file: STATE,
    search: '    pool.head[slot] = to;\n    if (at(pool.read, slot) < to) pool.read[slot] = to;\n',
    replace: '    pool.head[slot] = to;\n',
  },
  {
    id: 'K33',
    bug: 'an acknowledge may name one record more than was read',
    file: STATE,
    search: '    if (rest > this.pending(slot)) return false;\n',
    replace: '    if (rest > this.pending(slot) + 1) return false;\n',
  },
  {
    id: 'K34',
    bug: 'the flush is asked for one percent late',
    file: 'src/core/config.ts',
    search: 'FLUSH_AT_PERCENT = 80',
    replace: 'FLUSH_AT_PERCENT = 81',
  },
  {
    id: 'K35',
    bug: 'the flush is asked for one percent early',
    file: 'src/core/config.ts',
    search: 'FLUSH_AT_PERCENT = 80',
    replace: 'FLUSH_AT_PERCENT = 79',
  },
  {
    id: 'K36',
    bug: 'holes in what is on disk count as records that are retained',
    file: 'src/core/disk-index.ts',
    search:
      '    for (const hole of this.holes(slot)) records -= Math.max(0, Math.min(to, hole[1]) - Math.max(from, hole[0]));\n',
    replace: '',
  },
  {
    id: 'K37',
    bug: 'the delay after a failed flush does not grow',
    file: 'src/core/engine.ts',
    search: '    this.#failuresInARow++;\n',
    replace: '',
  },
  {
    id: 'K38',
    bug: 'durableAcknowledge is not heeded',
    file: 'src/core/engine.ts',
    search: '    if (this.#state.settings.durableAcknowledge) this.#queueCheckpoint();\n',
    replace: '',
  },
];

/** Calls that overlap. */
const OVERLAP: readonly Exhibit[] = [
  {
    id: 'K40',
    bug: 'a flush that is called during another one is answered by it',
    file: 'src/core/engine.ts',
    search: 'if (this.#running !== null && this.#running.appended === state.counters.appended) {',
    replace: 'if (this.#running !== null) {',
  },
  {
    id: 'K41',
    bug: 'two reads at a time give the same records',
    file: 'src/core/stream-handle.ts',
    search: '    this.#reads = result.catch((error: unknown) => error);\n',
    replace: '',
  },
  {
    id: 'K42',
    bug: 'a peek makes what it shows pending',
    file: 'src/core/stream-handle.ts',
    search: 'this.#unreadBehind(offset), () => undefined)',
    replace: 'this.#unreadBehind(offset), (_, end) => { this.#state.pool.read[this.#slot] = end; })',
  },
  {
    id: 'K43',
    bug: 'what is appended while a flush runs is taken for synced by it',
    file: FLUSH,
    search: '    pool.synced[slot] = end;\n',
    replace: '    pool.synced[slot] = Math.max(end, pool.appended[slot] as number);\n',
  },
  {
    id: 'K44',
    bug: 'a read gives its batch from where it began, though a hole has moved the mark',
    file: 'src/core/reader.ts',
    search: '      if (position() !== from) continue;\n',
    replace: '',
  },
  {
    id: 'K45',
    bug: 'a failed flush frees what it had gathered',
    file: FLUSH,
    search: '    for (const segment of this.#written) this.#doom(segment);\n    this.#written = [];\n',
    replace:
      '    for (const segment of this.#written) this.#doom(segment);\n    for (const [slot, end] of this.#gathered) this.#state.pool.synced[slot] = end;\n    this.#written = [];\n',
  },
];

/** Values and times at their limits. */
const LIMITS: readonly Exhibit[] = [
  {
    id: 'K50',
    bug: 'NaN becomes the one NaN',
    file: 'src/core/segment.ts',
    search: 'putU32(bytes, next, bits[i] as number);\n',
    replace:
      'putU32(bytes, next, ((bits[i] as number) & 0x7fff_ffff) > 0x7f80_0000 ? 0x7fc0_0000 : (bits[i] as number));\n',
  },
  {
    id: 'K51',
    bug: '-0 becomes 0',
    file: POOL,
    search: '    this.#u32[at] = bits;\n',
    replace: '    this.#u32[at] = bits === 0x8000_0000 ? 0 : bits;\n',
  },
  {
    id: 'K52',
    bug: 'times of day wrap at 2^32',
    file: POOL,
    search: '    this.#f64[this.#timeAt(slot)] = timeMs;\n',
    replace: '    this.#f64[this.#timeAt(slot)] = timeMs >>> 0;\n',
  },
  {
    id: 'K53',
    bug: 'a sample just half a period off begins a new block',
    file: POOL,
    search: 'const onGrid = twiceOff <= period && twiceOff >= -period;',
    replace: 'const onGrid = twiceOff < period && twiceOff > -period;',
  },
  {
    id: 'K54',
    bug: 'a sample that is late is moved on the grid whatever it is off',
    file: POOL,
    search: 'const onGrid = twiceOff <= period && twiceOff >= -period;',
    replace: 'const onGrid = twiceOff <= period * 4 && twiceOff >= -period;',
  },
  {
    id: 'K55',
    bug: 'a jump back in time is written as a jump forward',
    file: 'src/core/bytes.ts',
    search: '  return value >= 0 ? value * 2 : -value * 2 - 1;\n',
    replace: '  return value >= 0 ? value * 2 : -value * 2;\n',
  },
  {
    id: 'K56',
    bug: 'numbers above 2^32 are cut off when they are written',
    file: 'src/core/bytes.ts',
    search: '    rest = Math.floor(rest / 0x80);\n',
    replace: '    rest = (rest >>> 7) & 0x1ff_ffff;\n',
  },
  {
    id: 'K57',
    bug: 'sequence numbers wrap at 2^32',
    file: POOL,
    search: '    this.appended[slot] = sequence + 1;\n',
    replace: '    this.appended[slot] = (sequence + 1) % 2 ** 32;\n',
  },
  {
    id: 'K58',
    bug: 'sequence numbers wrap at 2^16',
    file: POOL,
    search: '    this.appended[slot] = sequence + 1;\n',
    replace: '    this.appended[slot] = (sequence + 1) % 2 ** 16;\n',
  },
  {
    id: 'K59',
    bug: 'bytes of another place verify as a block',
    file: 'src/core/segment.ts',
    search: '  return crc32(writer.bytes, 0, 24, 0);\n};\n\n/** Assembles',
    replace: '  return 0;\n};\n\n/** Assembles',
  },
];

/** Packed bodies: what is lost is one value among many that are right. */
const PACKING: readonly Exhibit[] = [
  {
    id: 'K70',
    bug: '-0 becomes 0 where the values beside it have a scale',
    file: 'src/core/codec-values.ts',
    search: '  if (bits === MINUS_ZERO_BITS) return MINUS_ZERO;\n',
    replace: '',
  },
  {
    id: 'K71',
    bug: 'a packed number that is written in full loses its lowest bit',
    file: 'src/core/codec-rice.ts',
    search: '      writer.put(code & 0xffff, 16);\n',
    replace: '      writer.put(code & 0xfffe, 16);\n',
  },
  {
    id: 'K72',
    bug: 'packed bits are read one bit off where a number ends with its byte',
    file: 'src/core/codec-rice.ts',
    search: '    at += used;\n',
    replace: '    at += used + (used % 8 === 0 ? 1 : 0);\n',
  },
];

/** Written and read in the same wrong way: the store gets along with itself, and no other program with the store. */
const FORMAT: readonly Exhibit[] = [
  {
    id: 'K60',
    bug: 'a frame of the log has another type than the format says',
    file: 'src/core/checkpoint-format.ts',
    search: 'export const FRAME_SEGMENTS_REMOVED = 6;\n',
    replace: 'export const FRAME_SEGMENTS_REMOVED = 9;\n',
  },
  {
    id: 'K61',
    bug: 'frames of the log begin at multiples of 4',
    file: 'src/core/checkpoint-format.ts',
    search: '(FRAME_HEAD_BYTES + payloadBytes + CRC_BYTES) / 8) * 8;',
    replace: '(FRAME_HEAD_BYTES + payloadBytes + CRC_BYTES) / 4) * 4;',
  },
  {
    id: 'K62',
    bug: 'the checksums of the log do not say of which store it is',
    file: 'src/core/checkpoint-format.ts',
    search: '  writer.copy(storeId);\n  writer.u32(generation);\n  writer.u32(part);\n  return crc32',
    replace: '  writer.zeros(storeId.length);\n  writer.u32(generation);\n  writer.u32(part);\n  return crc32',
  },
  {
    id: 'K73',
    bug: 'fifteen ones announce a packed number in full, where the format says sixteen',
    file: 'src/core/codec-rice.ts',
    search: 'const ESCAPE_ONES = 16;',
    replace: 'const ESCAPE_ONES = 15;',
  },
  {
    id: 'K74',
    bug: 'differences of negative packed numbers are coded the other way round',
    file: 'src/core/codec-rice.ts',
    search:
      '((value << 1) ^ (value >> 31)) >>> 0;\nexport const unzigzag32 = (code: number): number => (code >>> 1) ^ -(code & 1);',
    replace:
      '((-value << 1) ^ (-value >> 31)) >>> 0;\nexport const unzigzag32 = (code: number): number => -((code >>> 1) ^ -(code & 1));',
  },
];

export const OWN: readonly Exhibit[] = [
  ...CRASH_SAFETY,
  ...EVICTION,
  ...ACCOUNTING,
  ...OVERLAP,
  ...LIMITS,
  ...PACKING,
  ...FORMAT,
  ...OLDEST_READS,
];
