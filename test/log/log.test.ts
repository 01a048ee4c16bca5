/**
 * The log: one line an event, in a file that rotates or for the journal, and never in the way of the store.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { openStore, type StoreEvent } from '../../src/index.ts';
import { eventLog, Log, lineOfEvent, openLog } from '../../src/log/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'imatrix-mm-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const fileLog = (file: string, fileBytes = 1_048_576, files = 3): Log =>
  openLog({ target: 'file', level: 'info', file, fileBytes, files });

const linesOf = (file: string): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');

describe('a log in a file', () => {
  // Goal: the form that docs/logging.md promises. Method: one line of each level into a folder that is not there yet.
  test('has a line an event, with time, level, name and fields', async () => {
    const file = join(folder, 'new/folder/mm.log');
    const log = fileLog(file);
    log.write('debug', 'too-small');
    log.write('info', 'flush-end', { flush: 3, message: 'two words\nand a line' });
    log.write('error', 'damaged', { stream: 'host/1', file: '' });
    await log.close();
    expect(linesOf(file)).toEqual([
      expect.stringMatching(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info {2}flush-end flush=3 message="two words\\nand a line"$/,
      ),
      expect.stringMatching(/Z error damaged stream=host\/1 file=""$/),
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  // Goal: bounded size, no line lost or twice on the way. Method: many lines through small files; the end must be whole.
  test('is rotated at its size, and keeps so many', async () => {
    const file = join(folder, 'rotated.log');
    const log = fileLog(file, 2000, 3);
    for (let i = 0; i < 500; i++) log.write('info', 'line', { i });
    await log.close();
    const names = readdirSync(folder).filter((name) => name.startsWith('rotated.log'));
    expect(names.sort()).toEqual(['rotated.log', 'rotated.log.1', 'rotated.log.2', 'rotated.log.3']);
    for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThan(2100);
    const numbers = [...names.slice(1).reverse(), 'rotated.log']
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
      .filter((text) => text !== '')
      .map((text) => Number(/i=(\d+)$/.exec(text)?.[1]));
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => 500 - numbers.length + i));
    expect(numbers.length).toBeGreaterThan(100);
  });

  test('goes on where an earlier one ended', async () => {
    const file = join(folder, 'again.log');
    for (const event of ['first', 'second']) {
      const log = fileLog(file);
      log.write('info', event);
      await log.close();
    }
    expect(linesOf(file)).toHaveLength(2);
  });

  // Goal: a log that cannot be written costs lines, says so once, and comes back. Method: a directory in its place.
  test('that cannot be written is told of once, and what it lost is its next line', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const file = join(folder, 'blocked.log');
    mkdirSync(file);
    const log = fileLog(file);
    log.write('info', 'lost');
    await vi.waitFor(() => expect(log.lost).toBe(1));
    log.write('info', 'lost');
    log.write('info', 'lost');
    expect(log.lost).toBe(3);
    rmdirSync(file);
    vi.advanceTimersByTime(30_001);
    log.write('info', 'kept');
    await log.close();
    expect(linesOf(file).map((text) => text.slice(25))).toEqual(['warn  log-lines-lost lines=3', 'info  kept']);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toContain(`the log ${file} cannot be written`);
  });

  // Goal: a log in a folder that cannot be made is no error of the caller. Method: a file where its folder should be.
  test('whose folder cannot be made loses lines, and throws nothing', async () => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const log = fileLog(join(folder, 'again.log/below.log'));
    log.write('info', 'lost');
    expect(log.lost).toBe(1);
    await log.close();
  });
});

describe('a log for the journal', () => {
  // Goal: what sd-daemon(3) says. Method: what reaches standard error.
  test('has the priority of each line before it, and no time', async () => {
    const written: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    const log = openLog({ target: 'journal', level: 'debug', file: '/nowhere', fileBytes: 1, files: 1 });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log.write(level, 'event', { level });
    await log.close();
    expect(written).toEqual([
      '<7>event level=debug\n',
      '<6>event level=info\n',
      '<4>event level=warn\n',
      '<3>event level=error\n',
    ]);
  });

  test('that is off makes nothing', async () => {
    const file = join(folder, 'off.log');
    const log = openLog({ target: 'off', level: 'debug', file, fileBytes: 1, files: 1 });
    log.write('error', 'event');
    await log.close();
    expect(existsSync(file)).toBe(false);
  });
});

describe('the lines of a store', () => {
  /** Lines of a log that is kept in memory. */
  function inMemory(): { readonly log: Log; readonly lines: string[] } {
    const lines: string[] = [];
    const sink = { write: (text: string) => void lines.push(text.trimEnd()), close: () => Promise.resolve() };
    return { lines, log: new Log(sink, 'debug', 'journal') };
  }

  // Goal: entry and exit of recovery and flush, and why an acknowledge was refused. Method: a store with a log, line by line.
  test('tell what it did, from the beginning of recovery to its close', async () => {
    const { log, lines } = inMemory();
    const directory = join(folder, 'store');
    const store = await openStore({ directory, onEvent: eventLog(log, 'gateway 1') });
    const stream = store.stream('host', 5, { kind: 'evt' });
    stream.append(1);
    expect(() => stream.acknowledge(2)).toThrow();
    await store.flush();
    await store.close();
    expect(lines.map((text) => text.replace(/(bytes|duration_ms)=\d+/g, '$1=N'))).toEqual([
      '<6>recovery-begin store="gateway 1"',
      '<6>recovery-end store="gateway 1" found=new epoch=1 segments=0 records=0 salvaged=0 damaged=0 set_aside=0',
      '<4>acknowledge-refused store="gateway 1" stream=host/5 code=BOUNDS_VIOLATION ' +
        'message="acknowledge of 2 records, 0 are pending: read them first"',
      '<7>flush-requested store="gateway 1"',
      '<6>flush-begin store="gateway 1" flush=1',
      '<7>checkpoint store="gateway 1" streams=0 heads=""',
      '<6>flush-end store="gateway 1" flush=1 records=1 segments=1 bytes=N duration_ms=N',
      '<7>checkpoint store="gateway 1" streams=0 heads=""',
      '<6>closed store="gateway 1" unsaved=0',
    ]);
  });

  // Goal: trouble stands out. Method: each event that is trouble, against the level that an operator filters by.
  test.each<[StoreEvent, string, string]>([
    [{ type: 'recoveryFailed', code: 'LOCKED', message: 'held' }, 'error', 'recovery-failed'],
    [{ type: 'flushFailed', flush: 1, code: 'NO_SPACE', message: 'full', retryInMs: 1000 }, 'error', 'flush-failed'],
    [{ type: 'evictionStarted', segments: 2 }, 'warn', 'eviction-begin'],
    [{ type: 'segmentEvicted', segment: 1, records: 9 }, 'warn', 'eviction-end'],
    [{ type: 'sectorEvicted', key: { source: 'mgc', sensor: 1 }, from: 0, to: 6 }, 'warn', 'sector-evicted'],
    [{ type: 'damaged', key: { source: 'mgc', sensor: 1 }, from: 0, to: 6, file: 'x.seg' }, 'error', 'damaged'],
    [{ type: 'closed', unsaved: 3 }, 'warn', 'closed'],
    [
      {
        type: 'recovered',
        report: {
          found: 'crash',
          epoch: 2,
          segments: 1,
          records: 1,
          salvagedRecords: 0,
          setAside: [],
          damagedRecords: 4,
        },
      },
      'warn',
      'recovery-end',
    ],
  ])('%o is %s', (event, level, name) => {
    expect(lineOfEvent(event)).toMatchObject({ level, event: name });
  });

  // Goal: the page says what the program writes. Method: a line of every type, by name and level, against its table.
  test('are those of docs/logging.md', () => {
    const key = { source: 'host', sensor: 1 } as const;
    const range = { key, from: 0, to: 1 };
    const report = { epoch: 1, segments: 0, records: 0, salvagedRecords: 0, setAside: [], damagedRecords: 0 };
    const refusal = { code: 'IO_FAILED', message: 'no' } as const;
    const events: { readonly [T in StoreEvent['type']]: Extract<StoreEvent, { type: T }> } = {
      recoveryStarted: { type: 'recoveryStarted' },
      recovered: { type: 'recovered', report: { ...report, found: 'new' } },
      recoveryFailed: { type: 'recoveryFailed', ...refusal },
      flushRequested: { type: 'flushRequested' },
      flushStarted: { type: 'flushStarted', flush: 1 },
      flushed: { type: 'flushed', flush: 1, records: 1, segments: 1, bytes: 1, durationMs: 1 },
      flushFailed: { type: 'flushFailed', flush: 1, message: 'no', code: 'IO', retryInMs: 1 },
      checkpointed: { type: 'checkpointed', heads: [] },
      evictionStarted: { type: 'evictionStarted', segments: 1 },
      segmentEvicted: { type: 'segmentEvicted', segment: 1, records: 1 },
      sectorEvicted: { type: 'sectorEvicted', ...range },
      segmentRemoved: { type: 'segmentRemoved', segment: 1 },
      acknowledgeRefused: { type: 'acknowledgeRefused', key, ...refusal },
      damaged: { type: 'damaged', ...range, file: 'x' },
      closed: { type: 'closed', unsaved: 0 },
    };
    const written = Object.values(events)
      .map(lineOfEvent)
      .map(({ event, level }) => `${event} ${level}`);
    const page = readFileSync(join(import.meta.dirname, '../../docs/logging.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (\w+) \|/gm)].map(([, event, level]) => `${event} ${level}`);
    expect(rows.sort()).toEqual([...written, 'not-recovered warn', 'live-failed warn', 'log-lines-lost warn'].sort());
  });
});
