/**
 * What of the world decides about the next step and is not in the model: which I/O is under way, and when the store does
 * not run, what recovery will find. Model state and situation together are a place on the tour.
 *
 * It is a string, and as coarse as it can be: two places that differ in no step that comes should be one. What it leaves
 * out by mistake does no harm but that an edge may lead elsewhere than last time, which the walk sees and takes as it is.
 */
import { heads, isDead } from '../../model/queries.ts';
import type { Context, ModelEvent } from '../../model/vocabulary.ts';
import { parseSegmentName } from '../../src/core/disk-index.ts';
import { Engine } from '../../src/core/engine.ts';
import type { StoreRun } from '../driver.ts';
import { settingsOf } from '../refinement.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { StoreIds, simulatedPlatform, VirtualClock } from '../virtual-clock.ts';

/**
 * What the operations under way are for: a batch of the log, the segment of a source that is being written, the syncs of
 * segments and their names, a removal; empty without any.
 */
export function phaseOf(disk: SimulatedDisk): string {
  const pending = disk.pending();
  const [first] = pending;
  if (first === undefined) return '';
  if (first.kind === 'remove') return 'removal';
  if (first.directory === '') return 'log';
  // A segment is written while those before it are synced.
  const written = pending.find(({ kind }) => kind === 'write');
  return written === undefined ? 'syncs' : `segment ${written.directory}`;
}

const QUEUED = ' queued';
const BEHIND_A_FLUSH = ' queued behind a flush';

/** Segment files that are not live: those that a flush has written so far. What was set aside is none any more. */
function otherSegments(run: StoreRun, disk: SimulatedDisk): number {
  const live = new Set(run.model.context.segments.map(({ number }) => number));
  return disk.files().filter(({ directory, name }) => {
    const number = directory === '' ? null : parseSegmentName(name);
    return number !== null && !live.has(number);
  }).length;
}

/** Then the engine wants a checkpoint of itself, which waits for what is being written. */
export function holdsOnlyEmptySegments(context: Context): boolean {
  const { segments } = context;
  return segments.length > 0 && segments.every((segment) => isDead(context, segment, heads(context)));
}

/** What a recovery that nothing disturbs makes of the disk as it is: tried on a copy. */
async function findings(run: StoreRun, disk: SimulatedDisk): Promise<string> {
  const clock = new VirtualClock();
  const copy = SimulatedDisk.restore(clock, disk.snapshot());
  const opened = await Engine.open(simulatedPlatform(copy, clock, new StoreIds()), settingsOf(run.scenario));
  if (!opened.ok) return opened.failure.code;
  const { streams, segments, epoch } = opened.value.inspect();
  const marks = run.scenario.streams.map(({ source, sensor }) => {
    const found = streams.find((stream) => stream.source === source && stream.sensor === sensor);
    return found === undefined ? '0.0' : `${found.head}.${found.appended}${found.holes.join()}`;
  });
  const held = segments.map(({ source, blocks }) =>
    blocks.map(({ sensor, from, to }) => {
      const head = streams.find((stream) => stream.source === source && stream.sensor === sensor)?.head ?? 0;
      return to <= head ? '' : `${Math.max(from, head)}.${to}`;
    }),
  );
  const { salvagedRecords, damagedRecords } = opened.value.recovery;
  return `+${epoch - run.model.context.epoch} ${marks.join()} ${held.map((blocks) => blocks.join()).join('/')} ${salvagedRecords} ${damagedRecords}`;
}

/**
 * Where a leg is, as far as the model does not say it. Remembers what it has seen on the way: what recovery will find from
 * when the store came to a stop, what a batch of the log carries from when it was begun, whether a failure left the log in doubt.
 */
export class Situation {
  readonly #run: StoreRun;
  #found = '';
  #batch = '';
  #inDoubt = false;
  #closing: '' | 'running' | 'own' = '';
  #phase = '';
  #emptied = false;
  #queued = '';

  constructor(run: StoreRun) {
    this.#run = run;
  }

  /** To be told every event. */
  note({ type }: ModelEvent): void {
    // A store that is closed while a flush runs flushes once more when that one fails; otherwise it tries once.
    if (type === 'CLOSE') this.#closing = 'running';
    else if (type === 'FLUSH_STARTED' && this.#closing === 'running') this.#closing = 'own';
    else if (type === 'OPEN') this.#closing = '';
    if (type === 'ACKNOWLEDGE' || type === 'DISCARD') this.#emptied ||= holdsOnlyEmptySegments(this.#run.model.context);
    if (type === 'FLUSH_DONE' || type === 'FLUSH_FAILED') this.#nextInQueue();
    if (type === 'CHECKPOINT' || type === 'RECOVERED') {
      this.#batch = '';
      this.#inDoubt = false;
      if (this.#run.model.context.flush === null) this.#nextInQueue();
    }
  }

  /** The write under way fails now. After one to the log, the next batch begins a new generation. */
  noteFailure(): void {
    this.#batch = '';
    const { disk, model } = this.#run;
    this.#inDoubt ||= disk !== null && phaseOf(disk) === 'log';
    if (model.context.flush === null) this.#nextInQueue();
  }

  /**
   * Whether a failure of the write under way would leave files of segments on the disk that nobody may remove yet: the log
   * may name them.
   */
  get failureLeavesFiles(): boolean {
    const { disk, model } = this.#run;
    if (disk === null || model.context.flush === null) return false;
    return phaseOf(disk) !== 'log' ? this.#inDoubt : otherSegments(this.#run, disk) > 0;
  }

  /** What was written has ended: what waited behind it begins. */
  #nextInQueue(): void {
    this.#queued = this.#queued === BEHIND_A_FLUSH ? QUEUED : '';
  }

  /** A checkpoint that nothing holds up is under way at once, and waits for nobody. */
  #noteQueue(phase: string): void {
    const { flush, flushRequested } = this.#run.model.context;
    const waits = this.#emptied && (this.#phase !== '' || flush !== null);
    if (phase === '') this.#queued = '';
    else if (waits && this.#queued === '') this.#queued = flushRequested ? BEHIND_A_FLUSH : QUEUED;
    this.#emptied = false;
    this.#phase = phase;
  }

  /** To be asked after every step. */
  async now(): Promise<string> {
    const { disk, model } = this.#run;
    if (disk === null) return '';
    const { lifecycle, context } = model;
    if (lifecycle === 'closed' || lifecycle === 'crashed' || lifecycle === 'failed') {
      this.#found = await findings(this.#run, disk);
      return this.#found;
    }
    const phase = phaseOf(disk);
    const names = disk.pending()[0]?.kind === 'syncDirectory' ? ' names' : '';
    if (lifecycle === 'recovering') return `${phase}${names} ${this.#found}`;
    this.#noteQueue(phase);
    if (phase !== 'log') this.#batch = '';
    else if (this.#batch === '') {
      const heads = context.streams.map(({ head }) => head).join();
      this.#batch = ` ${this.#closing} ${heads} +${otherSegments(this.#run, disk)}`;
    }
    // A segment that was acknowledged before its turn was not written.
    const files = phase === 'syncs' ? ` +${otherSegments(this.#run, disk)}` : '';
    const doubt = this.#inDoubt ? ' in doubt' : '';
    return `${phase}${files}${this.#batch}${doubt}${this.#queued} ${this.#closing}`;
  }
}
