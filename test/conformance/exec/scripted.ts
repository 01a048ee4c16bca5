/**
 * An implementation of the protocol for the tests: the small store in memory, which goes wrong in the way that its
 * argument names when it is asked for its first read. `kill` instead keeps its records in a file and wants to be killed.
 */
import { closeSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Line } from '../others/small-store.ts';
import { SmallStore } from '../others/small-store.ts';

const how = process.argv[2] ?? '';
let store: SmallStore | null = null;
let file = '';

const say = (line: string): void => void process.stdout.write(line);

/** For a process that has closed a pipe and goes on. */
const goOn = (): void => void setTimeout(() => {}, 60_000);

/** What goes wrong. @returns whether it is answered all the same. */
const MISDEEDS: Readonly<Record<string, (id: number) => boolean>> = {
  dies: () => process.exit(3),
  'dies loudly': () => {
    process.stderr.write('working\nout of memory\n', () => process.exit(1));
    return false;
  },
  'dies in the middle of a line': (id) => process.stdout.write(`{"id":${id},"ok":tr`, () => process.exit(0)) && false,
  hangs: () => false,
  'prints garbage': () => process.stdout.write('reading...\n') && false,
  'prints a number': () => process.stdout.write('42\n') && false,
  'prints an endless line': () => process.stdout.write('x'.repeat(1_100_000)) && false,
  'answers another': (id) => process.stdout.write(`{"id":${id - 1},"ok":true,"records":[]}\n`) && false,
  'answers without records': (id) => process.stdout.write(`{"id":${id},"ok":true}\n`) && false,
  'says more than it was asked': () => process.stdout.write('{"id":99,"ok":true}\n'),
  'closes its input': () => {
    closeSync(0);
    goOn();
    return true;
  },
  'closes its output': () => {
    closeSync(1);
    goOn();
    return false;
  },
  talks: () => {
    process.stderr.write('talking '.repeat(20_000));
    return true;
  },
};

const load = (): Line[] => JSON.parse(readFileSync(file, 'utf8')) as Line[];

function init(request: { storage: string; streams: never[] }): object {
  store = new SmallStore(request.streams);
  file = join(request.storage, 'records');
  if (how === 'kill' && existsSync(file)) {
    store.durable = load();
    store.recover();
  }
  const introduction = { protocol: 1, name: 'scripted', durable: true };
  return how === 'kill'
    ? { ...introduction, supports: ['revert', 'flush'], crash: 'kill' }
    : { ...introduction, supports: ['revert', 'discard', 'flush', 'crash'] };
}

interface Fields {
  readonly op: string;
  readonly stream: number;
  readonly bits: number;
  readonly timeMs: number;
  readonly max: number;
  readonly n: number;
  readonly storage: string;
  readonly streams: never[];
}

function answer(request: Fields): object {
  const { op, stream, bits, timeMs, max, n } = request;
  if (op === 'init') return init(request);
  const of = store as SmallStore;
  if (op === 'append') return { sequence: of.append(stream, bits, timeMs) };
  if (op === 'read') return { records: of.read(stream, max) };
  if (op === 'acknowledge' || op === 'discard')
    return of[op](stream, n) === undefined ? {} : { ok: false, code: 'BOUNDS_VIOLATION' };
  if (op === 'revert') of.revert(stream);
  else if (op === 'flush') of.flush();
  else if (op === 'crash') of.crash();
  else of.recover();
  if (op === 'flush' && how === 'kill') writeFileSync(file, JSON.stringify(of.durable));
  return {};
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Fields & { readonly id: number };
  const goesOn = request.op === 'read' ? (MISDEEDS[how]?.(request.id) ?? true) : true;
  if (goesOn) say(`${JSON.stringify({ id: request.id, ok: true, ...answer(request) })}\n`);
}
