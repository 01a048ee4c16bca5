/**
 * Where a run stands, three times side by side: what the model says, what the engine shows, what is on the disk.
 *
 * A row that differs between model and engine, or a segment of theirs that the disk does not have as they do, is marked.
 * The disk's column is read from its bytes. `+` behind something there: a power cut now may take it.
 */
import type { Context, Segment } from '../../model/vocabulary.ts';
import { sectorsUsed, syncedMark } from '../../model/vocabulary.ts';
import { parseSegmentName } from '../../src/core/disk-index.ts';
import type { StoreInspection } from '../../src/core/types.ts';
import type { Scenario } from '../actions.ts';
import type { StoreRun } from '../driver.ts';
import { inOrder, readSegments } from '../refinement.ts';
import type { DiskView, FileView } from './disk-view.ts';
import { viewDisk } from './disk-view.ts';

interface Row {
  readonly field: string;
  readonly model: string;
  readonly engine: string;
  readonly disk: string;
  readonly differs: boolean;
}

/** Makes a part of the text stand out; as it is where there is no colour. */
export type Highlight = (text: string) => string;

const ranges = (blocks: readonly { readonly from: number; readonly to: number }[]): string =>
  blocks.map(({ from, to }) => `[${from},${to})`).join(' ') || '-';

/** A row of what model and engine both have; `engine` null while there is none to ask. */
const both = (
  field: string,
  model: string | number | boolean,
  engine: string | number | boolean | null,
  disk = '',
): Row => ({
  field,
  model: String(model),
  engine: engine === null ? '' : String(engine),
  disk,
  differs: engine !== null && String(model) !== String(engine),
});

const onlyDisk = (field: string, disk: string): Row => ({ field, model: '', engine: '', disk, differs: false });

function storeRows(run: StoreRun, engine: StoreInspection | null): Row[] {
  const { context, lifecycle } = run.model;
  return [
    both('lifecycle', lifecycle, engine?.lifecycle ?? null),
    both('epoch', context.epoch, engine?.epoch ?? null),
    both('flush requested', context.flushRequested, engine?.flushRequested ?? null),
    both('flush running', context.flush !== null, engine?.flushRunning ?? null),
    both('retry waiting', context.retryWaiting, engine?.retryWaiting ?? null),
    both('sectors used', sectorsUsed(context), engine?.pool.used ?? null),
    both('sectors free', context.free, engine?.pool.free.length ?? null),
  ];
}

function streamRows(
  scenario: Scenario,
  context: Context,
  engine: StoreInspection | null,
  disk: DiskView | null,
): Row[] {
  const found = engine === null ? [] : inOrder(scenario, engine);
  return scenario.streams.flatMap(({ source, sensor }, i): Row[] => {
    const model = context.streams[i];
    if (model === undefined) return [];
    const seen = found[i];
    const row = (field: string, mine: string | number, theirs: string | number | undefined, onDisk = ''): Row =>
      both(`  ${field}`, mine, theirs ?? null, onDisk);
    const title = `stream ${i} ${source}/${sensor}`;
    return [
      {
        ...onlyDisk(title, blocksOnDisk(disk, source, sensor)),
        engine: engine !== null && seen === undefined ? 'unknown' : '',
      },
      row('head', model.head, seen?.head),
      row('read', model.read, seen?.read),
      row('synced', syncedMark(model), seen?.synced),
      row('appended', model.appended, seen?.appended),
      row('durable head', model.durableHead, context.bounds.disk ? seen?.durableHead : undefined),
      row('acknowledged', model.acknowledged, seen?.acknowledged),
      row('discarded', model.discarded, seen?.discarded),
      row('evicted, damaged', `${model.evicted}, ${model.damaged}`, seen && `${seen.evicted}, ${seen.damaged}`),
      row('sectors', showSectors(model.sectors), seen && showSectors(seen.sectors)),
    ];
  });
}

const showSectors = (sectors: readonly { readonly first: number; readonly count: number }[]): string =>
  sectors.map(({ first, count }) => `[${first},${first + count})`).join(' ') || '-';

/** What of a stream can be read from the disk, live or not. */
function blocksOnDisk(disk: DiskView | null, source: string, sensor: number): string {
  const blocks = (disk?.files ?? []).flatMap(({ directory, holds }) =>
    directory === source && holds.kind === 'segment' ? holds.blocks.filter((block) => block.sensor === sensor) : [],
  );
  return blocks.length === 0 ? '' : ranges(blocks);
}

const showSegment = ({ source, bytes, blocks }: Segment): string =>
  `${source} ${bytes} bytes ${blocks.map(({ stream, from, to }) => `${stream}:[${from},${to})`).join(' ')}`;

const isDurable = ({ bytes, durableBytes, durableName }: FileView): boolean => durableName && durableBytes === bytes;

function showFile(file: FileView): string {
  const { directory, name, bytes, holds } = file;
  const mark = isDurable(file) ? '' : '+';
  if (holds.kind === 'segment') {
    const blocks = holds.blocks.map(({ sensor, from, to }) => `${sensor}:[${from},${to})`).join(' ');
    return `${directory} ${bytes} bytes ${blocks || 'no block that reads'}${mark}`;
  }
  if (holds.kind === 'log') return `${bytes} bytes, ${holds.batches} batches${mark}`;
  return `${directory === '' ? '' : `${directory}/`}${name} ${bytes} bytes, unreadable${mark}`;
}

function segmentRows(run: StoreRun, engine: StoreInspection | null, disk: DiskView | null): Row[] {
  const model = new Map(run.model.context.segments.map((segment) => [segment.number, segment]));
  const seen = new Map(
    (engine === null ? [] : readSegments(run.scenario, engine)).map((segment) => [segment.number, segment]),
  );
  const files = new Map<number, FileView>();
  for (const file of disk?.files ?? []) {
    const number = file.directory === '' ? null : parseSegmentName(file.name);
    if (number !== null) files.set(file.holds.kind === 'segment' ? file.holds.number : number, file);
  }
  const numbers = [...new Set([...model.keys(), ...seen.keys(), ...files.keys()])].sort((a, b) => a - b);
  return numbers.map((number): Row => {
    const [mine, theirs, file] = [model.get(number), seen.get(number), files.get(number)];
    const row = both(
      `segment ${number}`,
      mine === undefined ? '-' : showSegment(mine),
      engine === null ? null : theirs === undefined ? '-' : showSegment(theirs),
      file === undefined
        ? 'no file'
        : `${showFile(file)}${mine === undefined && theirs === undefined ? ' (not live)' : ''}`,
    );
    const missing = file === undefined || !isDurable(file) || file.holds.kind !== 'segment';
    return { ...row, differs: row.differs || (mine !== undefined && missing) };
  });
}

function diskRows(disk: DiskView): Row[] {
  const others = disk.files.filter(({ directory, name }) => directory === '' || parseSegmentName(name) === null);
  return [
    ...others.map((file) =>
      onlyDisk(
        file.holds.kind === 'log' ? `log generation ${file.holds.generation}, part ${file.holds.part}` : 'other file',
        showFile(file),
      ),
    ),
    ...disk.goneNotDurably.map((name) => onlyDisk('gone, not durably', name)),
    ...disk.underWay.map(({ kind, directory, name, offset, bytes }, i) =>
      onlyDisk(
        i === 0 ? 'under way' : '',
        `${kind} ${directory}${directory === '' || name === '' ? '' : '/'}${name}${kind === 'write' ? ` at ${offset}, ${bytes} bytes` : ''}`.trimEnd(),
      ),
    ),
  ];
}

/** The lines of the view. Reads the run, changes nothing. */
export function threeWay(run: StoreRun, highlight: Highlight = (text) => text): string[] {
  const engine = run.inspect();
  const disk = run.disk === null ? null : viewDisk(run.disk);
  const rows: Row[] = [
    ...storeRows(run, engine),
    ...streamRows(run.scenario, run.model.context, engine, disk),
    ...segmentRows(run, engine, disk),
    ...(disk === null ? [] : diskRows(disk)),
  ];
  const heads = {
    field: '',
    model: 'model',
    engine: engine === null ? 'engine (none is open)' : 'engine',
    disk: disk === null ? '' : 'disk',
  };
  const width = (column: 'field' | 'model' | 'engine'): number =>
    Math.max(heads[column].length, ...rows.map((row) => row[column].length));
  const [field, model, other] = [width('field'), width('model'), width('engine')];
  return [{ ...heads, differs: false }, ...rows].map((row) => {
    const line =
      `${row.field.padEnd(field)}  ${row.model.padEnd(model)}  ${row.engine.padEnd(other)}  ${row.disk}`.trimEnd();
    return row.differs ? highlight(`${line.padEnd(field + model + other + 4)}  <<`) : line;
  });
}
