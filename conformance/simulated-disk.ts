/**
 * A disk for the engine that the harness runs step by step and can cut off at any of them (contract section 7).
 *
 * Every write, sync, rename, remove and directory sync is an operation under way until the harness completes it, or
 * fails it; they may end in any order. Reads, lists, the lock and free space answer at once unless held. `autoSteps`
 * operations complete by themselves first (Infinity: all of them, 0: none). A slow one ends when faults end, not before.
 * What each of them does: disk-operations.ts.
 *
 * A crash gives a new disk; the old one answers nothing any more, as a process that died. What a power cut leaves is
 * data (power-cut.ts). After a killed process what was
 * written is still there and still not durable: a power cut later may take it.
 *
 * What it does not do: time. How long a slow operation takes is what the harness lets happen meanwhile.
 */
import type { Directory, DiskPort, FileEntry, IoResult, LockResult } from '../src/core/port.ts';
import type {
  AskedOperation,
  DiskCounts,
  DiskObserver,
  Fault,
  FaultRule,
  Operation,
  OperationKind,
} from './disk-operations.ts';
import { faultFor, isChange, perform, performFaulty, refused, withChanges } from './disk-operations.ts';
import type { DiskImage, VolatileUnit } from './disk-state.ts';
import { DIRECTORIES, DiskState } from './disk-state.ts';
import type { CrashChoice, Residue } from './power-cut.ts';
import { drawSurvivors, keptUnits, residueOf } from './power-cut.ts';
import { Random } from './random.ts';
import type { VirtualClock } from './virtual-clock.ts';

const NEVER = new Promise<never>(() => {});

/** What a system would answer to a place before the file's beginning is its own affair: nobody may ask. */
function mustBePlace(offset: number): void {
  if (!(Number.isInteger(offset) && offset >= 0))
    throw new RangeError(`the port was asked for byte ${offset} of a file`);
}

export class SimulatedDisk implements DiskPort {
  /** Operations that still complete by themselves; the rest waits for the harness. */
  autoSteps = Number.POSITIVE_INFINITY;
  holdReads = false;
  /** Set by the crash that ended this disk. */
  residue: Residue | null = null;
  /** Bytes of the file system; what other files take is not simulated, lower it instead. */
  capacityBytes = Number.POSITIVE_INFINITY;
  readonly faults: FaultRule[] = [];
  observer: DiskObserver | null = null;
  readonly counts: DiskCounts = {
    steps: 0,
    writes: 0,
    bytesWritten: 0,
    syncs: 0,
    reads: 0,
    faults: 0,
    peakBytes: 0,
    peakFileBytes: 0,
  };
  readonly clock: VirtualClock;
  #state: DiskState;
  #underWay: AskedOperation[] = [];
  /** Held back by a slow disk. */
  #stalled: AskedOperation[] = [];
  #nextId = 1;
  #locked = false;
  #dead = false;

  constructor(clock: VirtualClock, state = new DiskState()) {
    this.clock = clock;
    this.#state = state;
    this.#notePeak();
  }

  // ---- The harness's side

  /** Operations under way, in the order in which they were asked for; without those that a slow disk holds back. */
  pending(): readonly Operation[] {
    return this.#underWay;
  }

  /** Operations that a slow disk holds back. */
  stalled(): readonly Operation[] {
    return this.#stalled;
  }

  /** The disk is sound and quick again: no rule is left, and what was held back is under way like anything else. */
  endFaults(): void {
    this.faults.length = 0;
    this.#underWay.push(...this.#stalled);
    this.#stalled = [];
  }

  /** Ends an operation well (unless a fault rule says otherwise). Default: the oldest. @returns whether there was one. */
  complete(id?: number): boolean {
    return this.#end(id, null);
  }

  /** Ends an operation with an error. Default: the oldest. @returns whether there was one. */
  fail(fault: Fault, id?: number): boolean {
    return this.#end(id, fault);
  }

  /** Completes what is under way, oldest first, and what comes of it is not waited for. @returns how many. */
  completeAll(): number {
    let ended = 0;
    for (const { id } of [...this.#underWay]) if (this.complete(id)) ended++;
    return ended;
  }

  /** Everything a power cut now may keep or lose; operations under way count as done and not durable. */
  volatileUnits(): VolatileUnit[] {
    return this.#withUnderWay().volatileUnits();
  }

  /** Cuts this disk off for good and gives the one that is found afterwards. */
  crash(choice: CrashChoice): SimulatedDisk {
    const after = new SimulatedDisk(this.clock, this.#afterCrash(choice));
    after.capacityBytes = this.capacityBytes;
    this.#dead = true;
    this.#underWay = [];
    this.#stalled = [];
    this.clock.clear();
    return after;
  }

  /** What a crash at this moment has to do with: the disk without the operations under way, and with them; copies. */
  crashStates(): { readonly undone: DiskState; readonly done: DiskState } {
    const undone = this.#state.copy();
    const done = this.#withUnderWay();
    return { undone, done: done === this.#state ? undone : done };
  }

  /** Indexes for a `CrashChoice` that say what `{ seed }` would draw: the same crash as plain data. */
  survivors(seed: number): number[] {
    return drawSurvivors(this.volatileUnits(), new Random(seed));
  }

  /** All files with their content as read now, by directory and name. */
  files(): { readonly directory: Directory; readonly name: string; readonly content: Uint8Array }[] {
    return DIRECTORIES.flatMap((directory) =>
      this.#state
        .names(directory)
        .sort()
        .map((name) => ({ directory, name, content: this.#state.file(directory, name)?.cache as Uint8Array })),
    );
  }

  get totalBytes(): number {
    return this.#state.totalBytes();
  }

  flipBit(directory: Directory, name: string, bit: number): void {
    this.#state.decay(directory, name, (content) => {
      content[bit >>> 3] = (content[bit >>> 3] as number) ^ (1 << (bit & 7));
      return content;
    });
  }

  truncate(directory: Directory, name: string, bytes: number): void {
    this.#state.decay(directory, name, (content) => content.slice(0, bytes));
  }

  /** Puts a file there, durably, as another program or a repairing user would. */
  place(directory: Directory, name: string, content: Uint8Array): void {
    this.#state.write(directory, name, 0, new Uint8Array(0));
    this.#state.decay(directory, name, () => content.slice());
    this.#state.syncDirectory(directory, this.#state.mark());
    this.#notePeak();
  }

  /** Takes a file away, durably, for the same reasons. */
  displace(directory: Directory, name: string): void {
    this.#state.remove(directory, name);
    this.#state.syncDirectory(directory, this.#state.mark());
  }

  /** What is stored, durable or not, as plain data. Operations under way are not in it. */
  snapshot(): DiskImage {
    return this.#state.snapshot();
  }

  static restore(clock: VirtualClock, image: DiskImage): SimulatedDisk {
    return new SimulatedDisk(clock, DiskState.restore(image));
  }

  // ---- The engine's side

  async lock(): Promise<LockResult> {
    const asked = await this.#ask('lock', '', '', 0, 0, null, '');
    if (!asked.ok) return asked;
    if (this.#locked) return { ok: false, holder: 'the engine that this disk already serves' };
    this.#locked = true;
    return { ok: true };
  }

  async unlock(): Promise<void> {
    if (this.#dead) return NEVER;
    this.#locked = false;
  }

  list(directory: Directory): Promise<IoResult<readonly FileEntry[]>> {
    return this.#ask('list', directory, '', 0, 0, null, '');
  }

  read(directory: Directory, name: string, offset: number, into: Uint8Array): Promise<IoResult<number>> {
    return this.#ask('read', directory, name, offset, into.length, into, '');
  }

  /** Ends before it returns, so nothing holds it back; a fault rule for reads fails it all the same. */
  readNow(directory: Directory, name: string, offset: number, into: Uint8Array): IoResult<number> {
    const id = this.#nextId++;
    const read = { id, kind: 'read', directory, name, offset, bytes: into.length } as const;
    // The process that reads is dead, and its program goes on in a test only.
    if (this.#dead) return refused('IO', read);
    mustBePlace(offset);
    let answer: IoResult<number> | null = null;
    const settle = (result: IoResult<never>): void => {
      answer = result;
    };
    this.observer?.asked(read);
    this.#underWay.push({ ...read, data: into, to: '', mark: this.#state.mark(), settle });
    this.complete(id);
    return answer as unknown as IoResult<number>;
  }

  write(directory: Directory, name: string, offset: number, bytes: Uint8Array): Promise<IoResult<void>> {
    // Looked at when it is carried out: until then the bytes are the disk's, and who changes them has changed what is written.
    return this.#ask('write', directory, name, offset, bytes.length, bytes, '');
  }

  sync(directory: Directory, name: string): Promise<IoResult<void>> {
    return this.#ask('sync', directory, name, 0, 0, null, '');
  }

  syncDirectory(directory: Directory): Promise<IoResult<void>> {
    return this.#ask('syncDirectory', directory, '', 0, 0, null, '');
  }

  remove(directory: Directory, name: string): Promise<IoResult<void>> {
    return this.#ask('remove', directory, name, 0, 0, null, '');
  }

  rename(directory: Directory, from: string, to: string): Promise<IoResult<void>> {
    return this.#ask('rename', directory, from, 0, 0, null, to);
  }

  freeBytes(): Promise<IoResult<number>> {
    return this.#ask('freeBytes', '', '', 0, 0, null, '');
  }

  /** Left out, as the port allows; for tests that want something done between two slices of a flush. */
  pause?: (() => Promise<void>) | undefined;

  after(delayMs: number, callback: () => void): () => void {
    return this.#dead ? () => {} : this.clock.after(delayMs, callback);
  }

  // ---- Between the two

  #ask<T>(
    kind: OperationKind,
    directory: Directory,
    name: string,
    offset: number,
    bytes: number,
    data: Uint8Array | null,
    to: string,
  ): Promise<IoResult<T>> {
    if (this.#dead) return NEVER;
    mustBePlace(offset);
    return new Promise((resolve) => {
      const id = this.#nextId++;
      const settle = resolve as (result: IoResult<never>) => void;
      const operation = { id, kind, directory, name, offset, bytes, data, to, mark: this.#state.mark(), settle };
      this.observer?.asked(operation);
      if (faultFor(this.faults, operation, true) !== null) {
        this.#stalled.push(operation);
        return;
      }
      this.#underWay.push(operation);
      if (!isChange(kind)) {
        if (!this.holdReads || kind === 'lock' || kind === 'freeBytes') this.complete(id);
      } else if (this.autoSteps > 0) {
        this.autoSteps--;
        this.complete(id);
      }
    });
  }

  #end(id: number | undefined, given: Fault | null): boolean {
    const index = id === undefined ? 0 : this.#underWay.findIndex((operation) => operation.id === id);
    const operation = this.#underWay[index];
    if (operation === undefined) return false;
    this.#underWay.splice(index, 1);
    const fault = given ?? (faultFor(this.faults, operation, false) as Fault | null);
    if (isChange(operation.kind)) this.counts.steps++;
    if (fault !== null) this.counts.faults++;
    const result =
      fault === null
        ? perform(this.#state, operation, this.capacityBytes, this.counts)
        : performFaulty(this.#state, operation, fault);
    if (isChange(operation.kind)) this.#notePeak();
    this.observer?.ended(operation, result.ok ? null : result.error.code);
    operation.settle(result as IoResult<never>);
    return true;
  }

  /** The state in which every change under way has been made and none of them is durable. */
  #withUnderWay(): DiskState {
    return withChanges(this.#state, [...this.#underWay, ...this.#stalled]);
  }

  #afterCrash(choice: CrashChoice): DiskState {
    if (choice.kind === 'kill') {
      this.residue = choice.underWay === 'done' ? 'killed, under way done' : 'killed, under way undone';
      return choice.underWay === 'done' ? this.#withUnderWay() : this.#state.copy();
    }
    const state = this.#withUnderWay();
    const units = state.volatileUnits();
    const kept = keptUnits(units, choice.keep);
    this.residue = residueOf(units, new Set(kept));
    return state.survive(kept.flatMap((index) => units[index] ?? []));
  }

  #notePeak(): void {
    this.counts.peakBytes = Math.max(this.counts.peakBytes, this.#state.totalBytes());
    for (const directory of DIRECTORIES) {
      for (const name of this.#state.names(directory)) {
        const bytes = this.#state.file(directory, name)?.cache.length ?? 0;
        this.counts.peakFileBytes = Math.max(this.counts.peakFileBytes, bytes);
      }
    }
  }
}
