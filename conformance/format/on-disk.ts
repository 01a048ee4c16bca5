/**
 * What is on the disk, held against the model: every file read as docs/format.md describes it, by code that shares nothing
 * with the engine's. A store that reads well what it wrote badly is found here, and so is a mark that is not where the
 * next power cut needs it.
 *
 * It looks at a store at rest on a disk that met no fault; only then is nothing on its way.
 */
import { crc32 } from 'node:zlib';
import { addSpan, coverSpan } from '../../model/spans.ts';
import type { Context, Span, StreamState } from '../../model/vocabulary.ts';
import { SOURCES } from '../../model/vocabulary.ts';
import { allocatedBytes } from '../../src/core/disk-index.ts';
import type { Scenario } from '../actions.ts';
import type { FileLayout } from '../damage-matrix/layout.ts';
import { readSegmentFile } from '../damage-matrix/layout.ts';
import { expect } from '../divergence.ts';
import type { StoreRun } from '../driver.ts';
import type { LoggedMarks, LoggedStore, LoggedStream } from './read-log.ts';
import { readLog } from './read-log.ts';
import { segmentFileName } from './write-segment.ts';

const ZERO: LoggedMarks = { head: 0, synced: 0, discarded: 0, evicted: 0, damaged: 0, holes: [] };

/** Remembers which disk it has seen: a state of a disk is looked at once, and so is a file that nobody wrote to. */
export class OnDisk {
  #steps = -1;
  readonly #layouts = new Map<string, FileLayout>();

  /** @throws Divergence. */
  look(run: StoreRun): void {
    const { disk, engine } = run;
    if (disk === null || engine === null || run.model.lifecycle !== 'ram') return;
    const atRest = disk.pending().length === 0 && disk.stalled().length === 0;
    if (!atRest || disk.counts.faults > 0 || run.spoiledFiles.size > 0 || disk.counts.steps === this.#steps) return;
    this.#steps = disk.counts.steps;
    const files = disk.files();
    const log = readLog(files.filter(({ directory }) => directory === ''));
    this.#compareLog(run, log);
    for (const [number, source] of log.segments) {
      const name = segmentFileName(log.files.get(number) ?? number);
      const file = files.find((each) => each.directory === source && each.name === name);
      if (file === undefined && run.gaveUp(number)) continue;
      expect(file !== undefined, 'INV-15', () => `the log names ${source}/${name}, which is not there`);
      this.#compareSegment(run, log, number, this.#layoutOf(source, name, file.content, log));
    }
  }

  #layoutOf(source: (typeof SOURCES)[number], name: string, content: Uint8Array, log: LoggedStore): FileLayout {
    const key = `${source}/${name} ${crc32(content)}`;
    const known = this.#layouts.get(key);
    if (known !== undefined) return known;
    const layout = readSegmentFile(source, name, content);
    const header = Buffer.from(content.subarray(0, 64));
    const identity = [header.readUInt16LE(8), header[10], header[11], header.subarray(16, 32).toString('hex')];
    const wanted = [3, SOURCES.indexOf(source), 0, Buffer.from(log.storeId).toString('hex')];
    expect(identity.join() === wanted.join(), 'format', () => `${key}: ${identity.join(', ')} in its header`);
    this.#layouts.set(key, layout);
    return layout;
  }

  #compareLog({ scenario, model, engine }: StoreRun, log: LoggedStore): void {
    const { context } = model;
    const same = (what: string, found: unknown, wanted: unknown): void =>
      expect(
        JSON.stringify(found) === JSON.stringify(wanted),
        'INV-15',
        () => `the log on disk: ${what} is ${JSON.stringify(found)}, the model has ${JSON.stringify(wanted)}`,
      );
    same('the epoch', log.totals.epoch, context.epoch);
    same('closed', log.totals.closed, false);
    same('the store id', Buffer.from(log.storeId).toString('hex'), engine?.storeId);
    for (const [slot, stream] of log.streams) {
      const index = indexOf(scenario.streams, stream);
      const { source, sensor, kind, type, periodMs } = stream;
      const of = scenario.streams[index];
      same(
        `stream ${slot}`,
        { source, sensor, kind, type, periodMs },
        of && {
          source: of.source,
          sensor: of.sensor,
          kind: of.kind,
          type: of.type,
          periodMs: of.kind === 'evt' ? 0 : of.periodMs,
        },
      );
      const state = context.streams[index] as StreamState;
      const marks = log.marks.get(slot) ?? ZERO;
      same(`the head of stream ${index}`, marks.head, state.durableHead);
      same(
        `the synced mark of stream ${index}`,
        Math.max(marks.head, marks.synced),
        Math.max(state.durableHead, state.synced),
      );
      if (state.head !== state.durableHead) continue;
      const { discarded, evicted, damaged } = marks;
      if (context.retryWaiting && ownerWasQuicker(marks, state)) continue;
      same(`what left stream ${index}`, [discarded, evicted, damaged], [state.discarded, state.evicted, state.damaged]);
      const holes = state.holes.filter(({ from }) => from < Math.max(state.head, state.synced));
      same(
        `the holes of stream ${index}`,
        marks.holes,
        holes.map(({ from, to }) => [from, to - from]),
      );
    }
    this.#compareLedger(scenario, context, log, same);
    const unnamed = context.segments.find(({ number, source }) => log.segments.get(number) !== source);
    expect(unnamed === undefined, 'INV-15', () => `the log on disk does not name the live segment ${unnamed?.number}`);
  }

  /** Every record that was lost is in the ledger on disk; each loss that the model knows is one there. */
  #compareLedger(
    scenario: Scenario,
    { streams, ledger, retryWaiting }: Context,
    log: LoggedStore,
    same: (what: string, found: unknown, wanted: unknown) => void,
  ): void {
    if (streams.some(({ head, durableHead }) => head !== durableHead)) return;
    const logs = [...log.streams].map(([slot, stream]) => ({
      state: streams[indexOf(scenario.streams, stream)] as StreamState,
      marks: log.marks.get(slot) ?? ZERO,
    }));
    if (retryWaiting && logs.some(({ marks, state }) => ownerWasQuicker(marks, state))) return;
    const logged = log.ledger.reduce((sum, { records }) => sum + records, log.totals.foldedRecords);
    same(
      'the number of records lost',
      logged,
      streams.reduce((sum, { evicted, damaged }) => sum + evicted + damaged, 0),
    );
    if (log.totals.foldedRecords > 0) return;
    // The ledger joins what touches; so a loss is looked for inside those of its stream and reason.
    for (const { stream, from, to, reason } of ledger) {
      const spans = log.ledger
        .filter((loss) => loss.reason === reason && indexOf(scenario.streams, log.streams.get(loss.slot)) === stream)
        .reduce<readonly Span[]>((joined, loss) => addSpan(joined, { from: loss.from, to: loss.to }), []);
      expect(
        coverSpan(spans, from, to),
        'INV-15',
        () => `the ledger on disk does not have [${from}, ${to}) of stream ${stream} as ${reason}`,
      );
    }
  }

  #compareSegment({ scenario, model }: StoreRun, log: LoggedStore, number: number, layout: FileLayout): void {
    const live = model.context.segments.find((segment) => segment.number === number);
    if (live === undefined) return;
    expect(
      layout.number === number &&
        allocatedBytes(layout.bytes) === live.bytes &&
        layout.blocks.length === live.blocks.length,
      'INV-05',
      () =>
        `the file of segment ${number} has segment ${layout.number}, ${layout.blocks.length} blocks in ${layout.bytes} bytes`,
    );
    for (const [i, block] of layout.blocks.entries()) {
      const range = live.blocks[i] as (typeof live.blocks)[number];
      const { source, sensor } = scenario.streams[range.stream] as (typeof scenario.streams)[number];
      const { records } = model.context.streams[range.stream] as StreamState;
      const first = records[0]?.sequence ?? Number.POSITIVE_INFINITY;
      expect(
        block.sensor === sensor && source === layout.directory && block.records[0]?.sequence === range.from,
        'INV-05',
        () => `block ${i} of segment ${number} is of sensor ${block.sensor} from ${block.records[0]?.sequence}`,
      );
      for (const record of block.records) {
        if (record.sequence < first) continue;
        const wanted = records.find(({ sequence }) => sequence === record.sequence);
        expect(
          wanted?.valueBits === record.valueBits && wanted.timeMs === record.timeMs && wanted.epoch === record.epoch,
          'INV-03',
          () =>
            `segment ${number} of ${log.generation} has ${JSON.stringify(record)}, appended was ${JSON.stringify(wanted)}`,
        );
      }
    }
  }
}

const indexOf = (
  streams: readonly { readonly source: string; readonly sensor: number }[],
  stream: LoggedStream | undefined,
): number => streams.findIndex(({ source, sensor }) => source === stream?.source && sensor === stream.sensor);

/**
 * Whether the owner took records that an eviction was being logged for: the log says evicted of all of them until its next
 * batch, which waits for the retry of the flush. A power cut in between would make it true, for what the owner did is not
 * durable yet either.
 */
function ownerWasQuicker(marks: LoggedMarks, state: StreamState): boolean {
  const more = marks.evicted - state.evicted;
  const discarded = state.discarded - marks.discarded;
  return more > 0 && discarded >= 0 && more - discarded <= state.acknowledged && marks.damaged === state.damaged;
}
