/** Bugs of reads over all streams: their order, their marks, and the holes that they pass. */
import type { Exhibit } from './exhibit.ts';

const OLDEST_READER = 'src/core/oldest-reader.ts';

export const OLDEST_READS: readonly Exhibit[] = [
  {
    id: 'K75',
    bug: 'a read over all streams takes the newest segment first',
    file: OLDEST_READER,
    search: 'of disk.index.segments.values()) {',
    replace: 'of [...disk.index.segments.values()].reverse()) {',
  },
  {
    id: 'K76',
    bug: 'a read over all streams moves its marks before the batch is whole',
    file: OLDEST_READER,
    search: '      this.#marks[slot] = mark;\n',
    replace: '      this.#marks[slot] = mark;\n      this.#state.pool.read[slot] = mark;\n',
  },
  {
    id: 'K77',
    bug: 'a read over all streams gives records on disk the epoch of now',
    file: OLDEST_READER,
    search: 'segment === IN_RAM ? epoch : segment.epoch;',
    replace: 'epoch;',
  },
  {
    id: 'K78',
    bug: 'a read over all streams marks nothing as read',
    file: OLDEST_READER,
    search: '    for (const slot of this.#plan.slots) pool.read[slot] = this.#mark(slot);\n',
    replace: '    void pool;\n',
  },
];
