/**
 * The second half of a replay: every record comes out again and is compared with the input, bit for bit.
 *
 * The input is read once more, in its order; each sample must be the next record of its stream, unless the account says
 * that it was in RAM at a cut, or the ledger that it was evicted. Compared are epoch, sequence number, time and the
 * raw 32 bits. Memory does not grow with the input: one batch a stream. A batch is acknowledged when the last
 * record of it has been compared.
 */
import type { RecordBatch, SensorStream, Store } from '../../index.ts';
import type { Sample } from '../recordings/sample.ts';
import { fromBits, toBits } from '../recordings/value-type.ts';
import type { Plug } from './cuts.ts';
import { gaugeSender } from './feed.ts';
import type { DrainTally, InputTally, MarkOf, Send, Span } from './messages.ts';
import type { Plan, StreamPlan } from './plan.ts';
import { StreamIndex, streamOptions, totalRecords, walk } from './plan.ts';

/** Records of all open batches together; a stream's share is between the two limits. */
const OPEN_RECORDS = 262_144;
const BATCH_RECORDS_MIN = 16;
const BATCH_RECORDS_MAX = 512;
const PROGRESS_SAMPLES = 1024;

export interface Draining {
  readonly store: Store;
  readonly plan: Plan;
  /** Every life that appended, the present one included, in order. */
  readonly spans: readonly Span[];
  /** Per stream: below it are records that were evicted before draining began. */
  readonly evictedBelow: readonly number[];
  readonly keep: boolean;
  readonly checkpointEvery: number;
  readonly plug: Plug;
  readonly send: Send;
  readonly signal: AbortSignal;
}

/** The records of one stream as they come out. */
class Outlet {
  readonly stream: SensorStream;
  /** Head when this life began to drain: below it nothing comes out any more. */
  readonly head: number;
  readonly #keep: boolean;
  readonly #max: number;
  batch: RecordBatch | null = null;
  at = 0;
  #peeked = 0;
  /** Samples of the present span that were met. */
  ordinal = 0;
  span = -1;

  constructor(stream: SensorStream, max: number, keep: boolean) {
    this.stream = stream;
    this.head = stream.marks.head;
    this.#max = max;
    this.#keep = keep;
  }

  /** Makes `batch` hold the next record at `at`. @returns false when there is none left. */
  async fill(): Promise<boolean> {
    if (this.batch !== null && this.at < this.batch.length) return true;
    this.batch = this.#keep ? await this.stream.peek(this.#peeked, this.#max) : await this.stream.read(this.#max);
    this.#peeked += this.batch.length;
    this.at = 0;
    return this.batch.length > 0;
  }

  /** Records behind the last one compared. */
  async rest(): Promise<number> {
    let records = 0;
    while (await this.fill()) {
      const { length } = this.batch as RecordBatch;
      records += length - this.at;
      this.at = length;
    }
    return records;
  }
}

/** Compares and acknowledges everything. */
export class Drain {
  readonly #work: Draining;
  readonly #outlets: (Outlet | undefined)[] = [];
  readonly #inputs: InputTally[];
  readonly #inRam: number[];
  #sinceCheckpoint = 0;
  #surplus = 0;

  constructor(work: Draining) {
    this.#work = work;
    this.#inputs = work.plan.inputs.map(() => ({ drained: 0, inRamAtCuts: 0, evicted: 0, refused: 0, differing: 0 }));
    this.#inRam = work.spans.map(() => 0);
  }

  /** @returns null when the user stopped it. */
  async run(): Promise<DrainTally | null> {
    const { store, plan, plug, send, signal } = this.#work;
    const gauge = gaugeSender(store, send);
    const cutAt = plug.atSample('drain');
    const stopListening = this.#tellDurableHeads();
    let next = 0;
    for await (const step of walk(plan)) {
      const tally = this.#inputs[step.input] as InputTally;
      for (const [i, sample] of step.samples.entries()) {
        await this.#one(next, step.streams[i] as number, sample, tally, plan.inputs[step.input]?.name ?? '');
        next++;
        if (next === cutAt) this.#atCut();
        if (next % PROGRESS_SAMPLES === 0) {
          send({ type: 'compared', to: next });
          gauge();
        }
      }
      if (signal.aborted) return null;
    }
    if (!this.#work.keep) await this.#lookForSurplus();
    send({ type: 'compared', to: totalRecords(plan) });
    gauge(true);
    stopListening();
    return { inputs: this.#inputs, inRam: this.#inRam, surplus: this.#surplus };
  }

  /** Which span appended sample number `index`; -1: none, the store took no more. */
  #spanOf(index: number): number {
    const { spans } = this.#work;
    // Spans are few and in order, and a sample mostly is of the span of the one before.
    return spans.findIndex((span) => index >= span.from && index < span.to);
  }

  async #one(index: number, streamIndex: number, sample: Sample, tally: InputTally, file: string): Promise<void> {
    const spanIndex = this.#spanOf(index);
    const span = this.#work.spans[spanIndex];
    if (span === undefined) {
      tally.refused++;
      return;
    }
    const planned = this.#work.plan.streams[streamIndex] as StreamPlan;
    const outlet = this.#outlet(streamIndex, planned);
    if (outlet.span !== spanIndex) {
      outlet.span = spanIndex;
      outlet.ordinal = 0;
    }
    const sequence = (span.base[streamIndex] ?? 0) + outlet.ordinal++;
    if (span.survived !== null && sequence >= (span.survived[streamIndex] ?? 0)) {
      this.#inRam[spanIndex] = (this.#inRam[spanIndex] ?? 0) + 1;
      tally.inRamAtCuts++;
      return;
    }
    if (sequence < (this.#work.evictedBelow[streamIndex] ?? 0)) {
      tally.evicted++;
      return;
    }
    // An earlier life compared it, told so, and acknowledged it.
    if (sequence < outlet.head) {
      tally.drained++;
      return;
    }
    await this.#compare(outlet, streamIndex, planned, { epoch: span.epoch, sequence }, sample, tally, file);
  }

  async #compare(
    outlet: Outlet,
    streamIndex: number,
    planned: StreamPlan,
    identity: { readonly epoch: number; readonly sequence: number },
    sample: Sample,
    tally: InputTally,
    file: string,
  ): Promise<void> {
    const { epoch, sequence } = identity;
    const { send, keep } = this.#work;
    const bits = toBits(sample.value, planned.type);
    const expected = show(sequence, epoch, fromBits(bits, planned.type), sample.timeMs);
    const where = { file, line: sample.line, stream: planned.name };
    // Records of an earlier run, which are kept, come first.
    while ((await outlet.fill()) && (outlet.batch?.sequences[outlet.at] ?? 0) < sequence && keep) outlet.at++;
    const { batch, at } = outlet;
    const found = batch?.sequences[at];
    if (batch === null || found === undefined || found > sequence) {
      // A flush that was still running made room: nobody acknowledged it, and yet the head has passed it.
      if (outlet.stream.marks.head > sequence) {
        tally.evicted++;
        return;
      }
      tally.differing++;
      send({ type: 'differs', what: 'missing', difference: { ...where, expected, found: 'no such record' } });
      return;
    }
    outlet.at++;
    if (
      found === sequence &&
      batch.epochs[at] === epoch &&
      batch.bits[at] === bits &&
      batch.timesMs[at] === sample.timeMs
    ) {
      tally.drained++;
    } else {
      tally.differing++;
      const shown = show(found, batch.epochs[at] ?? 0, batch.value(at), batch.timesMs[at] ?? 0);
      send({ type: 'differs', what: 'altered', difference: { ...where, expected, found: shown } });
    }
    if (outlet.at === batch.length) this.#acknowledge(outlet, streamIndex, batch);
  }

  #outlet(index: number, { source, sensor, ...planned }: StreamPlan): Outlet {
    const known = this.#outlets[index];
    if (known !== undefined) return known;
    const { store, plan, keep } = this.#work;
    const share = Math.floor(OPEN_RECORDS / plan.streams.length);
    const max = Math.max(BATCH_RECORDS_MIN, Math.min(BATCH_RECORDS_MAX, share));
    const outlet = new Outlet(store.stream(source, sensor, streamOptions({ source, sensor, ...planned })), max, keep);
    this.#outlets[index] = outlet;
    return outlet;
  }

  #acknowledge(outlet: Outlet, streamIndex: number, batch: RecordBatch): void {
    const { store, keep, send, checkpointEvery } = this.#work;
    if (keep) return;
    outlet.stream.acknowledge(batch);
    send({ type: 'acknowledged', head: [streamIndex, outlet.stream.marks.head] });
    this.#sinceCheckpoint += batch.length;
    if (checkpointEvery === 0 || this.#sinceCheckpoint < checkpointEvery) return;
    this.#sinceCheckpoint = 0;
    store.checkpoint().catch((error: unknown) => send({ type: 'flushFailed', message: String(error) }));
  }

  #atCut(): void {
    const { store, plug, send } = this.#work;
    plug.reached();
    // The cut falls into a checkpoint: into this one, or one that runs.
    store.checkpoint().catch((error: unknown) => send({ type: 'flushFailed', message: String(error) }));
  }

  #tellDurableHeads(): () => void {
    const { store, plan, send } = this.#work;
    const index = new StreamIndex(plan.streams);
    return store.on('checkpointed', ({ heads }) => {
      const marks: MarkOf[] = [];
      for (const { source, sensor, head } of heads) {
        const stream = index.of(source, sensor);
        if (stream !== undefined) marks.push([stream, head]);
      }
      send({ type: 'durable', heads: marks });
    });
  }

  /** Everything must be out now: what is left was never appended, or is there twice. */
  async #lookForSurplus(): Promise<void> {
    for (const outlet of this.#outlets) if (outlet !== undefined) this.#surplus += await outlet.rest();
    for (const stream of this.#work.store.streams()) this.#surplus += stream.marks.unread;
  }
}

const show = (sequence: number, epoch: number, value: number, timeMs: number): string =>
  `record ${sequence} of epoch ${epoch}: ${value} at ${new Date(timeMs).toISOString()}`;
