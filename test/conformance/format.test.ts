/**
 * The files of a store as docs/format.md describes them, read without the engine (conformance/format), and what a store is
 * held to by that.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { LoggedStream } from '../../conformance/format/read-log.ts';
import { readLog } from '../../conformance/format/read-log.ts';
import { plantingOf } from '../../conformance/museum/exhibit.ts';
import { EXHIBITS } from '../../conformance/museum/run.ts';
import { visit } from '../../conformance/museum/visit.ts';

const ROOT = join(import.meta.dirname, '../..');
const FIXTURE = join(import.meta.dirname, '../fixtures/store-v1/store');
const NAME = 'checkpoint-00000001-00.log';
interface Expected {
  readonly streams: readonly (LoggedStream & Record<'head' | 'appended' | 'discarded' | 'damaged', number>)[];
}
const expected = JSON.parse(readFileSync(join(FIXTURE, '../expected.json'), 'utf8')) as Expected;
const content = new Uint8Array(readFileSync(join(FIXTURE, NAME)));

describe('the log, read as its document says', () => {
  // Goal: the reader reads what stands there. Method: the committed store, whose records are known.
  it('gives streams, marks and live segments of the committed store', () => {
    const { totals, streams, marks, segments } = readLog([{ name: NAME, content }]);
    expect(totals).toEqual({
      epoch: 1,
      closed: true,
      nextSegment: 10,
      nextFlush: 4,
      foldedRecords: 0,
      bytesWritten: 10_063,
      syncs: 23,
    });
    expect([...segments.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(segments.get(5)).toBe('mgc');
    for (const [slot, { sensor, head, appended, discarded, damaged, ...of }] of expected.streams.entries()) {
      const { source, kind, type, periodMs = 0, priority = 0 } = of;
      expect(streams.get(slot)).toEqual({ source, kind, type, sensor, periodMs, priority });
      expect(marks.get(slot)).toMatchObject({ head, synced: appended, discarded, evicted: 0, damaged });
    }
  });

  // Goal: nothing odd is passed over. Method: each byte of the log up to the end of its last frame, changed by itself; the
  // checksum of the header made right again, so that the field itself is judged.
  it('refuses the log with any byte changed', () => {
    for (let at = 0; at < content.length; at++) {
      const changed = content.slice();
      changed[at] = (changed[at] as number) ^ 0x10;
      if (at < 60) new DataView(changed.buffer).setUint32(60, crc32(changed.subarray(0, 60)), true);
      expect(() => readLog([{ name: NAME, content: changed }]), `byte ${at}`).toThrow('docs/format.md');
    }
  });

  it('refuses a log of which a part is missing, or that is not there', () => {
    expect(() => readLog([])).toThrow('no checkpoint log');
    expect(() => readLog([{ name: 'checkpoint-00000001-01.log', content }])).toThrow('part 0');
  });
});

describe('a store that gets along with itself and not with its format', () => {
  // Goal: writing and reading in the same wrong way is found. Method: such bugs, planted, and the random mode.
  it.each(['K60', 'K61', 'K62', 'K73'])('is found: %s', { timeout: 60_000 }, async (id) => {
    const exhibit = EXHIBITS.find((each) => each.id === id);
    if (exhibit === undefined) throw new Error(`there is no ${id}`);
    const caught = await visit(ROOT, plantingOf(ROOT, exhibit), {
      seed: 1,
      runs: 40,
      everyMode: false,
      only: ['random'],
    });
    expect(caught.modes).toEqual(['random']);
  });
});
