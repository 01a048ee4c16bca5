/**
 * Judges a store from outside: asks it for one operation after the other, lets the model take the same, and compares
 * every answer with what the model allows. It knows only what answers show: records, refusals, and marks where the
 * store has them to show.
 *
 * The model is the one that the engine is held against; its events and invariants are checked at each step. Its bounds
 * are set so wide that no pool, threshold or quota is ever met: those are the store's own business. What a flush wrote
 * is one segment a source, because a store from outside shows no files.
 */
import { pendingOf, recordsBetween, retainedOf, unsyncedOf } from '../../model/queries.ts';
import { expectedAcknowledge, expectedAppend, expectedDiscard, expectedRead } from '../../model/step.ts';
import type { Bounds, ModelRecord, Segment, StreamState } from '../../model/vocabulary.ts';
import { syncedMark } from '../../model/vocabulary.ts';
import { expect } from '../divergence.ts';
import type { Coverage } from '../model-run.ts';
import { ModelRun } from '../model-run.ts';
import type { StoreAction } from './actions.ts';
import { describeStep } from './actions.ts';
import { checkMarks, checkRecords } from './answers.ts';
import { ask, showAnswer, showRecords } from './ask.ts';
import type {
  MaybePromise,
  OptionalOperation,
  Refused,
  StoreMarks,
  StoreRecord,
  StoreTraits,
  StoreUnderTest,
  StreamMarks,
  StreamSpec,
} from './store-under-test.ts';
import { isRefused } from './store-under-test.ts';
import type { Survival } from './survivors.ts';
import { showRecord, survivalOf } from './survivors.ts';

/** One step as it is told afterwards. */
export interface Told {
  readonly action: string;
  readonly answer: string;
}

const PLENTY = 1_000_000;
const ALL = 1_000_000;
/** Any number a file system would give out for a segment; nothing is compared with it. */
const SEGMENT_BYTES = 4_096;

const boundsOf = (streams: readonly StreamSpec[], { durable }: StoreTraits): Bounds => ({
  disk: durable,
  streams: streams.map(({ source, kind, periodMs }) => ({ source, kind, periodMs })),
  sectors: PLENTY,
  recordsPerSector: { tsd: PLENTY, evt: PLENTY },
  flushAtSectors: PLENTY,
  quotaBytes: Number.MAX_SAFE_INTEGER,
  segmentBytesMax: SEGMENT_BYTES,
});

const asFound = ({ valueBits, timeMs, sequence, epoch }: ModelRecord): StoreRecord => ({
  bits: valueBits,
  timeMs,
  sequence,
  epoch,
});

/** What the judge remembers of a stream beside the model: all it ever took, by the latest use of a sequence number. */
interface Memory {
  ever: ModelRecord[];
  /** Added to the store's sequence numbers to get the model's: apart only after a crash that left nothing to tell by. */
  shift: number;
  /** The store's next sequence number is not known better than from here to the model's. */
  appendedMin: number | null;
  /** The last call that changed marks, for a finding's name. */
  last: StoreAction['do'];
  /** Of the batch that is pending, or was before the revert, a part was acknowledged. */
  partly: boolean;
}

export class Judge {
  readonly model: ModelRun;
  readonly told: Told[] = [];
  /** Shrinks when the store answers that it has no such operation. */
  readonly supports: Set<OptionalOperation>;
  readonly #store: StoreUnderTest;
  readonly #traits: StoreTraits;
  readonly #streams: readonly StreamSpec[];
  readonly #timeoutMs: number;
  readonly #memory: Memory[];
  readonly #identities = new Map<string, string>();
  #answer = '';

  constructor(
    store: StoreUnderTest,
    traits: StoreTraits,
    streams: readonly StreamSpec[],
    coverage: Coverage,
    timeoutMs: number,
  ) {
    this.#store = store;
    this.#traits = traits;
    this.#streams = streams;
    this.#timeoutMs = timeoutMs;
    this.supports = new Set(traits.supports);
    this.model = new ModelRun(boundsOf(streams, traits), coverage);
    this.#memory = streams.map(() => ({ ever: [], shift: 0, appendedMin: null, last: 'open', partly: false }));
    this.model.observe({ type: 'OPEN' });
    this.#recovered(streams.map(() => ({ head: 0, appended: 0, appendedMin: 0 })));
  }

  /** Takes one action. @returns false when it has no meaning now. @throws Divergence. */
  async take(action: StoreAction): Promise<boolean> {
    this.#answer = 'ok';
    const line = describeStep(action);
    try {
      if (!(await this.#perform(action))) return false;
      if (action.do !== 'crash') await this.#compareMarks();
    } catch (thrown) {
      this.told.push({ action: line, answer: this.#answer });
      throw thrown;
    }
    this.told.push({ action: line, answer: this.#answer });
    return true;
  }

  async #perform(action: StoreAction): Promise<boolean> {
    const open = this.model.lifecycle === 'ram';
    if ('stream' in action && this.#streams[action.stream] === undefined) return false;
    if (action.do === 'open') return this.model.enabled({ type: 'OPEN' }) && this.#recover();
    if (!open) return false;
    if ('stream' in action && action.do !== 'read' && action.do !== 'append')
      this.#memoryOf(action.stream).last = action.do;
    switch (action.do) {
      case 'append':
        return this.#append(action.stream, action.bits, action.timeMs);
      case 'read':
        return this.#read(action.stream, action.max);
      case 'acknowledge':
      case 'discard':
        return this.#remove(action.do, action.stream, action.n);
      case 'revert':
        return this.#revert(action.stream);
      case 'flush':
        return this.#flush(action);
      case 'crash':
        return this.#crash(action);
    }
  }

  // ---- Operations

  async #append(stream: number, bits: number, timeMs: number): Promise<boolean> {
    const wanted = expectedAppend(this.model.state, stream, timeMs) as number;
    const atRisk = this.model.context.streams.reduce((sum, each) => sum + unsyncedOf(each), 0);
    if (!this.#traits.durable && this.#retained() >= this.#traits.capacityRecords) return false;
    const answer = await this.#ask('append', () => this.#store.append(stream, bits, timeMs));
    if (isRefused(answer)) {
      const { capacityRecords } = this.#traits;
      expect(
        answer.refused === 'RAM_FULL' && atRisk >= capacityRecords,
        'INV-07',
        () =>
          `append was refused with ${answer.refused}: ${atRisk} records are not durable yet, and it must take ${capacityRecords}`,
      );
      return true;
    }
    const known = answer === undefined || answer === null || Number.isSafeInteger(answer);
    expect(
      known,
      'answer',
      () => `append answered ${JSON.stringify(answer)}: a sequence number, or nothing, was expected`,
    );
    if (typeof answer === 'number') this.#judgeSequence(stream, answer, wanted);
    this.#observeAppend(stream, bits, timeMs);
    return true;
  }

  #judgeSequence(stream: number, answer: number, wanted: number): void {
    const memory = this.#memoryOf(stream);
    if (memory.appendedMin !== null) {
      const low = memory.appendedMin - memory.shift;
      const high = wanted - memory.shift;
      expect(
        answer >= low && answer <= high,
        'INV-17',
        () => `append gave sequence ${answer}, the crash left between ${low} and ${high} records`,
      );
      memory.shift = wanted - answer;
      memory.appendedMin = null;
    }
    expect(
      answer + memory.shift === wanted,
      'INV-02',
      () => `append gave sequence ${answer}, the model has ${wanted - memory.shift}`,
    );
  }

  #observeAppend(stream: number, bits: number, timeMs: number): void {
    this.model.observe({ type: 'APPEND', stream, valueBits: bits, timeMs });
    this.#memoryOf(stream).ever.push(this.model.context.streams[stream]?.records.at(-1) as ModelRecord);
  }

  async #read(stream: number, max: number): Promise<boolean> {
    const answer = await this.#ask('read', () => this.#store.read(stream, max));
    expect(!isRefused(answer), 'INV-03', () => `a read was refused with ${(answer as Refused).refused}`);
    const found = checkRecords(answer);
    this.#answer = showRecords(found);
    const wanted = expectedRead(this.model.state, stream, max);
    const breaks = this.#readBreaks(stream);
    const first = wanted.findIndex((record, i) => found[i] === undefined || !this.#same(stream, record, found[i]));
    const at = first >= 0 ? first : wanted.length;
    expect(first < 0 && found.length === wanted.length, breaks, () => {
      const due = wanted[at] === undefined ? 'nothing more' : showRecord(asFound(wanted[at]));
      const got = found[at] === undefined ? 'nothing more' : showRecord(found[at]);
      return `${this.#name(stream)}: place ${at} of the read is ${got}, the model has ${due}${breaks === 'INV-03' ? '' : ' (a read after a revert repeats what was pending)'}`;
    });
    found.forEach((record, i) => {
      this.#judgeIdentity(stream, record, wanted[i] as ModelRecord);
    });
    this.model.observe({ type: 'READ', stream, max });
    if (breaks !== 'INV-03') this.#memoryOf(stream).last = 'read';
    return true;
  }

  /** What a wrong read breaks: from outside, the fault of an acknowledge or a revert shows in the next read. */
  #readBreaks(stream: number): string {
    const { last, partly } = this.#memoryOf(stream);
    if (last !== 'revert') return 'INV-03';
    return partly ? 'INV-12' : 'INV-13';
  }

  /** No identity is given to two records, whatever crashes lie between them. */
  #judgeIdentity(
    stream: number,
    { sequence, epoch }: StoreRecord,
    { valueBits, timeMs, sequence: of, epoch: life }: ModelRecord,
  ): void {
    if (sequence === undefined || epoch === undefined) return;
    const identity = `${stream}/${epoch}/${sequence}`;
    const record = `${life}/${of}/${valueBits}/${timeMs}`;
    const known = this.#identities.get(identity);
    expect(
      known === undefined || known === record,
      'INV-17',
      () => `${this.#name(stream)}: epoch ${epoch} sequence ${sequence} is the identity of two records`,
    );
    this.#identities.set(identity, record);
  }

  async #remove(what: 'acknowledge' | 'discard', stream: number, n: number): Promise<boolean> {
    if (what === 'discard' && !this.supports.has('discard')) return false;
    const wanted = (what === 'acknowledge' ? expectedAcknowledge : expectedDiscard)(this.model.state, stream, n);
    const store = this.#store;
    const answer = await this.#ask(what, () =>
      what === 'acknowledge' ? store.acknowledge(stream, n) : store.discard?.(stream, n),
    );
    if (this.#lacks(what, answer)) return false;
    const got = isRefused(answer) ? answer.refused : null;
    const of = this.model.context.streams[stream] as StreamState;
    const [count, held] = what === 'acknowledge' ? [pendingOf(of), 'pending'] : [retainedOf(of), 'retained'];
    expect(
      got === wanted,
      'INV-12',
      () => `${what} of ${n} answered ${got ?? 'ok'}, the model ${wanted ?? 'ok'}: ${count} records are ${held}`,
    );
    if (wanted !== null) return true;
    this.model.observe({ type: what === 'acknowledge' ? 'ACKNOWLEDGE' : 'DISCARD', stream, n });
    this.#memoryOf(stream).partly = what === 'acknowledge' && count > n;
    return true;
  }

  async #revert(stream: number): Promise<boolean> {
    if (!this.supports.has('revert')) return false;
    const answer = await this.#ask('revert', () => this.#store.revert?.(stream));
    if (this.#lacks('revert', answer)) return false;
    expect(!isRefused(answer), 'INV-13', () => `revert was refused with ${(answer as Refused).refused}`);
    this.model.observe({ type: 'REVERT', stream });
    return true;
  }

  async #flush({ fault }: Extract<StoreAction, { do: 'flush' }>): Promise<boolean> {
    if (!this.supports.has('flush')) return false;
    const answer = await this.#ask('flush', () => this.#store.flush?.(fault));
    if (this.#lacks('flush', answer)) return false;
    if (this.#traits.durable)
      this.model.observe(this.model.enabled({ type: 'RETRY_DUE' }) ? { type: 'RETRY_DUE' } : { type: 'FLUSH' });
    if (isRefused(answer)) {
      expect(
        answer.refused === 'IO_FAILED' && fault !== undefined,
        'INV-09',
        () => `a flush failed without a fault: ${answer.refused} ${answer.message ?? ''}`,
      );
      this.model.observe({ type: 'FLUSH_STARTED', emergency: false });
      this.model.observe({ type: 'FLUSH_FAILED' });
      return true;
    }
    if (!this.#traits.durable) return true;
    this.model.observe({ type: 'FLUSH_STARTED', emergency: false });
    const { streams } = this.model.context;
    const segments = this.#segments(streams.map((stream) => ({ from: syncedMark(stream), to: stream.appended })));
    this.model.observe({ type: 'FLUSH_DONE', segments, heads: streams.map(({ head }) => head) });
    return true;
  }

  async #crash({ inFlush }: Extract<StoreAction, { do: 'crash' }>): Promise<boolean> {
    if (!this.supports.has('crash')) return false;
    const answer = await this.#ask('crash', () => this.#store.crash?.(inFlush));
    if (this.#lacks('crash', answer)) return false;
    expect(!isRefused(answer), 'answer', () => `crash was refused with ${(answer as Refused).refused}`);
    this.model.observe({ type: 'CRASH' });
    // Without a disk the next store is another one, under an identity of its own.
    if (!this.#traits.durable) this.#identities.clear();
    return true;
  }

  /** Opens the store again, and looks at everything it has: what survived is told by that. */
  async #recover(): Promise<boolean> {
    const answer = await this.#ask('recover', () => this.#store.recover?.());
    expect(
      !isRefused(answer),
      'INV-18',
      () => `recover was refused with ${(answer as Refused).refused}: a store must open after every crash`,
    );
    const marks = await this.#marks();
    const survivals: (Survival & { readonly found: readonly StoreRecord[] })[] = [];
    const shown: string[] = [];
    for (const stream of this.#streams.keys()) {
      const read = await this.#ask('read', () => this.#store.read(stream, ALL));
      expect(!isRefused(read), 'INV-18', () => `a read after the crash was refused with ${(read as Refused).refused}`);
      const found = checkRecords(read);
      shown.push(showRecords(found));
      this.#answer = shown.join(' | ');
      survivals.push({ ...this.#survivalOf(stream, found, marks?.streams[stream] ?? null), found });
    }
    this.model.observe({ type: 'OPEN' });
    this.#recovered(survivals);
    for (const [stream, { found }] of survivals.entries()) await this.#takeProbe(stream, found);
    this.#answer = shown.join(' | ');
    return true;
  }

  #survivalOf(stream: number, found: readonly StoreRecord[], marks: StreamMarks | null): Survival {
    const { ever, shift } = this.#memoryOf(stream);
    return survivalOf({
      name: this.#name(stream),
      stream: this.model.context.streams[stream] as StreamState,
      found,
      ever,
      same: (record, other) => this.#same(stream, record, other),
      durable: this.#traits.durable,
      marks: marks === null ? null : { head: marks.head + shift, appended: marks.appended + shift },
    });
  }

  /** The look at everything was a read; it is given back when the store can take it back. */
  async #takeProbe(stream: number, found: readonly StoreRecord[]): Promise<void> {
    const wanted = expectedRead(this.model.state, stream, ALL);
    found.forEach((record, i) => {
      this.#judgeIdentity(stream, record, wanted[i] as ModelRecord);
    });
    this.model.observe({ type: 'READ', stream, max: ALL });
    if (found.length > 0 && (await this.#revert(stream))) this.#memoryOf(stream).last = 'revert';
  }

  // ---- The model's side

  /** One segment a source with what the flush, or the crash, made durable. */
  #segments(ranges: readonly { readonly from: number; readonly to: number }[]): Segment[] {
    let number = this.model.context.lastSegment;
    return ['host', 'mgc', 'can_controller'].flatMap((source) => {
      const blocks = ranges.flatMap(({ from, to }, stream) =>
        this.#streams[stream]?.source === source && from < to ? [{ stream, from, to }] : [],
      );
      return blocks.length === 0
        ? []
        : [{ number: ++number, source: source as Segment['source'], bytes: SEGMENT_BYTES, blocks }];
    });
  }

  #recovered(
    survivals: readonly { readonly head: number; readonly appended: number; readonly appendedMin: number }[],
  ): void {
    const { context } = this.model;
    const { durable } = this.#traits;
    const fresh = context.storeId === 0 || !durable;
    const salvaged = survivals.map(({ head, appended }, i) => ({
      from: Math.max(head, context.streams[i]?.synced ?? 0),
      to: appended,
    }));
    this.model.observe({
      type: 'RECOVERED',
      storeId: fresh ? context.storeId + 1 : context.storeId,
      epoch: fresh ? 1 : context.epoch + 1,
      // How much of the head was discarded and how much acknowledged, nobody outside can tell: as much as can be was acknowledged.
      streams: survivals.map(({ head, appended }, i) => ({
        head,
        appended,
        discarded: Math.max(0, head - (context.streams[i]?.acknowledged ?? 0)),
        evicted: 0,
      })),
      damaged: [],
      segments: durable ? [...context.segments, ...this.#segments(salvaged)] : [],
    });
    survivals.forEach(({ appended, appendedMin }, i) => {
      const memory = this.#memoryOf(i);
      memory.ever = memory.ever.filter(({ sequence }) => sequence < appended);
      memory.appendedMin = appendedMin === appended ? null : Math.min(appendedMin, memory.appendedMin ?? appendedMin);
      memory.last = 'open';
      memory.partly = false;
    });
  }

  // ---- Marks

  async #marks(): Promise<StoreMarks | null> {
    const { inspect } = this.#store;
    if (!this.supports.has('inspect') || inspect === undefined) return null;
    const answer = await this.#ask('inspect', () => inspect.call(this.#store));
    if (this.#lacks('inspect', answer)) return null;
    expect(!isRefused(answer), 'answer', () => `inspect was refused with ${(answer as Refused).refused}`);
    return checkMarks(answer, this.#streams.length);
  }

  async #compareMarks(): Promise<void> {
    const answered = this.#answer;
    const marks = await this.#marks();
    this.#answer = answered;
    if (marks === null) return;
    expect(
      (marks.lost ?? 0) === 0,
      'INV-12',
      () => `inspect says that ${marks.lost} records are lost, and nothing was damaged or full`,
    );
    this.model.context.streams.forEach((state, stream) => {
      const { shift } = this.#memoryOf(stream);
      const { head, read, appended, synced } = marks.streams[stream] as StoreMarks['streams'][number];
      const compare = (name: string, breaks: string, model: number, store: number): void =>
        expect(
          model === store + shift,
          breaks,
          () => `${this.#name(stream)}: ${name} is ${store}, the model has ${model - shift}`,
        );
      compare('head', 'INV-12', state.head, head);
      compare('read', 'INV-13', state.read, read);
      compare('appended', 'INV-02', state.appended, appended);
      if (synced === undefined || !this.#traits.durable) return;
      const between = synced + shift >= syncedMark(state) && synced <= appended;
      expect(
        between,
        'INV-15',
        () => `${this.#name(stream)}: synced is ${synced}, a flush has made ${syncedMark(state) - shift} durable`,
      );
    });
  }

  // ---- Words and waiting

  #same(stream: number, expected: ModelRecord, { bits, timeMs, sequence }: StoreRecord): boolean {
    const { shift, appendedMin } = this.#memoryOf(stream);
    const numbered = sequence === undefined || appendedMin !== null || sequence + shift === expected.sequence;
    return expected !== undefined && bits === expected.valueBits && timeMs === expected.timeMs && numbered;
  }

  #memoryOf(stream: number): Memory {
    return this.#memory[stream] as Memory;
  }

  #name(stream: number): string {
    const { source, sensor } = this.#streams[stream] as StreamSpec;
    return `stream ${stream} (${source}/${sensor})`;
  }

  #retained(): number {
    return this.model.context.streams.reduce(
      (sum, { records, head, appended }) => sum + recordsBetween(records, head, appended).length,
      0,
    );
  }

  #lacks(operation: string, answer: unknown): boolean {
    if (!isRefused(answer) || answer.refused !== 'UNSUPPORTED') return false;
    expect(
      this.supports.delete(operation as OptionalOperation),
      'answer',
      () => `${operation} answered UNSUPPORTED: every store has that operation`,
    );
    return true;
  }

  async #ask<T>(operation: string, call: () => MaybePromise<T>): Promise<T | Refused> {
    this.#answer = 'no answer';
    const answer = await ask(operation, call, this.#timeoutMs);
    this.#answer = showAnswer(answer) ?? 'ok';
    return answer;
  }
}
