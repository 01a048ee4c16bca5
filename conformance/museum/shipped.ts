/**
 * Bugs that systems of this kind shipped, each as a small change of the engine. Ids V, L and M name the system in which a
 * bug was seen; what went wrong is told as it was seen there.
 */
import type { Exhibit } from './exhibit.ts';

export const SHIPPED: readonly Exhibit[] = [
  {
    id: 'V1',
    bug: 'read also advances head',
    file: 'src/core/stream-handle.ts',
    search: '    this.#state.pool.read[this.#slot] = end;\n',
    replace: '    this.#state.pool.read[this.#slot] = end;\n    this.#state.pool.head[this.#slot] = end;\n',
  },
  {
    id: 'V2',
    bug: 'beyond the first sector, reads come from the tail sector',
    file: 'src/core/sector-pool.ts',
    search:
      '    while (sector !== this.none && this.endOf(sector) <= sequence) sector = this.next[sector] as number;\n',
    replace: '    if (this.endOf(sector) <= sequence) sector = this.last[this.owner[from] as number] as number;\n',
  },
  {
    id: 'V3',
    bug: 'a new sector is not linked to its chain',
    file: 'src/core/sector-pool.ts',
    search: '    else this.next[last] = sector;\n',
    replace: '',
  },
  {
    id: 'V5',
    bug: 'after a flush the end of the chain is invalid',
    file: 'src/core/sector-pool.ts',
    search: '        this.last[slot] = this.none;\n',
    replace: '',
  },
  {
    id: 'V7',
    bug: 'the use counter of the pool is not incremented',
    file: 'src/core/sector-pool.ts',
    search: '    this.used++;\n',
    replace: '',
  },
  {
    id: 'V10',
    bug: 'one name for all files of a directory',
    file: 'src/core/disk-index.ts',
    search: '`${number.toString()',
    replace: '`${Math.min(number, 1).toString()',
  },
  {
    id: 'V12',
    bug: 'recovery copies blocks under checksums of where they were',
    file: 'src/core/salvage.ts',
    search: 'const builder = new SegmentBuilder(header,',
    replace: 'const builder = new SegmentBuilder({ ...header, number: header.number + 1 },',
  },
  {
    id: 'V13',
    bug: 'the next file number is the count of files',
    file: 'src/core/flush.ts',
    search: 'number: this.#disk.nextSegment++,',
    replace: 'number: this.#disk.index.segments.size + this.#written.length + 1,',
  },
  {
    id: 'V14',
    bug: 'a file is deleted after its first buffer was read',
    file: 'src/core/reader.ts',
    search: '    if (!index.segments.has(segment.number)) return success(undefined);\n',
    replace:
      '    if (!index.segments.has(segment.number)) return success(undefined);\n    void (this.#state.disk as DiskSide).port.remove(directory, name);\n',
  },
  {
    id: 'V18',
    bug: 'flush reports success after a failed write',
    file: 'src/core/flush.ts',
    search: '      if (result.ok) return result;\n',
    replace: '      if (result.ok || result.error.code !== "NO_SPACE") return OK;\n',
  },
  {
    id: 'V19',
    bug: 'the checksum covers only the low part of what it guards',
    file: 'src/core/segment.ts',
    search: '  if (crc32(bytes, offset, end, (seed ^ offset) >>> 0, native) !== readU32(bytes, end)) return null;\n',
    replace:
      '  if (((crc32(bytes, offset, end, (seed ^ offset) >>> 0, native) ^ readU32(bytes, end)) & 0xf) !== 0) return null;\n',
  },
  {
    id: 'V24',
    bug: 'nack clears pending and leaves the cursor',
    file: 'src/core/store-state.ts',
    search: '    pool.read[slot] = at(pool.head, slot);\n    pool.forgiven[slot] = 0;\n',
    replace: '    pool.head[slot] = at(pool.read, slot);\n    pool.forgiven[slot] = 0;\n',
  },
  {
    id: 'V31',
    bug: 'a dropped chain leaves its sectors to nobody',
    file: 'src/core/sector-pool.ts',
    search: '      this.next[sector] = this.#free;\n      this.#free = sector;\n      this.used--;',
    replace: '      this.used--;',
  },
  {
    id: 'V32',
    bug: 'the first sector is never allocated',
    file: 'src/core/sector-pool.ts',
    search: '    if (!onGrid || this.#left[slot] === 0) return',
    replace: '    if (this.last[slot] !== this.none && (!onGrid || this.#left[slot] === 0)) return',
  },
  {
    id: 'L2',
    bug: 'acknowledge erases all that is pending though the packet held less',
    file: 'src/core/store-state.ts',
    search: '      this.raiseHead(slot, this.advance(slot, at(this.pool.head, slot), rest));\n    }\n    return true;',
    replace: '      this.raiseHead(slot, at(this.pool.read, slot));\n    }\n    return true;',
  },
  {
    id: 'M1',
    bug: 'at the end of the chain the read position is lost',
    file: 'src/core/stream-handle.ts',
    search: '    if (batch.length === 0) return;\n',
    replace: '    if (batch.length === 0) { this.#state.pool.read[this.#slot] = end + 1; return; }\n',
  },
  {
    id: 'M3',
    bug: 'erased space is returned as valid zeros',
    file: 'src/core/reader.ts',
    search: 'const length = Math.min(max, this.#state.recordsBetween(slot, from, appended));',
    replace: 'const length = max === 1 ? 1 : Math.min(max, this.#state.recordsBetween(slot, from, appended));',
  },
  {
    id: 'M5',
    bug: 'a value of one kind is put into a sector of the other',
    file: 'src/core/stream-handle.ts',
    search: "      this.kind === 'tsd'\n        ? pool",
    replace: "      this.kind === 'evt'\n        ? pool",
  },
  {
    id: 'M6',
    bug: 'written under one source, read under another',
    file: 'src/core/flush.ts',
    search: '    const source = shapeSource(this.#state.pool.shape[first] as number);\n',
    replace: '    const source = (shapeSource(this.#state.pool.shape[first] as number) + 1) % 3;\n',
  },
  {
    id: 'M8',
    bug: 'a batch that lies only on disk cannot be acknowledged: success, and pending stays',
    file: 'src/core/store-state.ts',
    search: '    if (rest > 0) {\n      this.counters.acknowledged += rest;',
    replace:
      '    if (rest > 0 && at(this.pool.head, slot) >= at(this.pool.synced, slot)) {\n      this.counters.acknowledged += rest;',
  },
  {
    id: 'M10',
    bug: 'with something pending, the next read starts at pending again',
    file: 'src/core/stream-handle.ts',
    search: 'this.#reader.read(this.#slot, max, this.#unreadFrom, this.#markUpTo)',
    replace: 'this.#reader.read(this.#slot, max, () => this.#state.pool.head[this.#slot] as number, this.#markUpTo)',
  },
  {
    id: 'M16',
    bug: 'a sector is freed while its chain still leads to it',
    file: 'src/core/sector-pool.ts',
    search: '      this.#free = sector;\n      this.used--;\n    }',
    replace:
      '      this.#free = sector;\n      this.used--;\n      if (next === this.none) { this.first[slot] = sector; return; }\n    }',
  },
  {
    id: 'M17',
    bug: 'a freed sector keeps its old next',
    file: 'src/core/sector-pool.ts',
    search: '    this.next[sector] = this.none;\n    const last',
    replace: '    const last',
  },
  {
    id: 'M20',
    bug: "one source's streams are left out of the flush",
    file: 'src/core/flush.ts',
    search: '    groups[shapeSource(state.pool.shape[slot] as number)]?.push(slot);\n',
    replace:
      '    if (shapeSource(state.pool.shape[slot] as number) !== 2) groups[shapeSource(state.pool.shape[slot] as number)]?.push(slot);\n',
  },
  {
    id: 'M25',
    bug: 'sectors are counted as last minus first plus one',
    file: 'src/core/inspect.ts',
    search: '    poolUsedSectors: pool.used,\n',
    replace:
      '    poolUsedSectors: pool.streams === 0 || pool.first[0] === pool.none ? pool.used : Math.abs((pool.last[0] as number) - (pool.first[0] as number)) + 1,\n',
  },
  {
    id: 'M28',
    bug: 'seconds are stored as milliseconds',
    file: 'src/core/sector-pool.ts',
    search: '    this.#f64[this.#timeAt(slot)] = timeMs;\n',
    replace: '    this.#f64[this.#timeAt(slot)] = Math.floor(timeMs / 1000);\n',
  },
  {
    id: 'M29',
    bug: 'a stop erases instead of saving',
    file: 'src/core/engine.ts',
    search: 'inRam() ? await this.#attempt(plan) : null',
    replace: 'inRam() && byPriority ? await this.#attempt(plan) : null',
  },
];
