/**
 * A disk for the engine that the harness runs step by step and can cut off at any of them (contract section 7).
 *
 * Every write, sync, rename, remove and directory sync is an operation under way until the harness completes it, or
 * fails it; they may end in any order. Reads, lists, the lock and free space answer at once unless held. `autoSteps`
 * operations complete by themselves first (Infinity: all of them, 0: none). A slow one ends when faults end, not before.
 *
 * A crash gives a new disk; the old one answers nothing any more, as a process that died. What a power cut leaves is
 * data (`CrashChoice`), so that a failing run can be replayed and made smaller. After a killed process what was
 * written is still there and still not durable: a power cut later may take it.
 *
 * What it does not do: time. How long a slow operation takes is what the harness lets happen meanwhile.
 */
import type { Directory, DiskPort, FileEntry, IoErrorCode, IoResult, LockResult } from '../src/core/port.ts';
import type { DiskImage, VolatileUnit } from './disk-state.ts';
import { DIRECTORIES, DiskState } from './disk-state.ts';
import { Random } from './random.ts';
import type { VirtualClock } from './virtual-clock.ts';

export type ChangeKind = 'write' | 'sync' | 'syncDirectory' | 'rename' | 'remove';
export type OperationKind = ChangeKind | 'read' | 'list' | 'lock' | 'freeBytes';

/** An operation that the engine asked for and that has not ended. */
export interface Operation {
  readonly id: number;
  readonly kind: OperationKind;
  readonly directory: Directory;
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

/** How an operation fails. */
export interface Fault {
  readonly code: IoErrorCode;
  /** Of a write: bytes that reach the file before the error. Default 0. */
  readonly shortBytes?: number;
  /** Of a sync: whether the pages that are lost can still be read. Default true, as on most systems. */
  readonly keepReadable?: boolean;
}

/**
 * Fails operations as they complete, whoever completes them, or holds them back when they are asked for (`slow`). Absent
 * fields match everything.
 */
export interface FaultRule {
  readonly kind?: OperationKind | readonly OperationKind[];
  readonly directory?: Directory;
  readonly namePrefix?: string;
  /** How many matching operations pass first. */
  skip?: number;
  /** How many fail then; Infinity for a fault that stays. */
  times: number;
  readonly fault: Fault | 'slow';
}

/** Hears of each operation that the engine asks for, and how it ended: null for well. */
export interface DiskObserver {
  asked(operation: Operation): void;
  ended(operation: Operation, code: IoErrorCode | null): void;
}

/**
 * What a crash leaves.
 * `power`: of everything not durable, nothing, everything, the units with these indexes of `volatileUnits()` in this
 * order, or a drawn choice. `kill`: only the process died; of the operations under way, all or none took effect.
 */
export interface PowerChoice {
  readonly kind: 'power';
  readonly keep: 'nothing' | 'everything' | readonly number[] | { readonly seed: number };
}
export type CrashChoice = PowerChoice | { readonly kind: 'kill'; readonly underWay: 'done' | 'undone' };

export interface DiskCounts {
  /** Operations completed or failed, reads and lists not counted. */
  steps: number;
  writes: number;
  bytesWritten: number;
  /** File and directory syncs. */
  syncs: number;
  reads: number;
  faults: number;
  /** Most bytes that all files together ever had, and most bytes of one file. */
  peakBytes: number;
  peakFileBytes: number;
}

interface UnderWay extends Operation {
  readonly to: string;
  readonly data: Uint8Array | null;
  /** The state's mark when it was asked for: a sync covers no later write. */
  readonly mark: number;
  readonly settle: (result: IoResult<never>) => void;
}

const ERRNO: Readonly<Record<IoErrorCode, string>> = {
  NOT_FOUND: 'ENOENT',
  NO_SPACE: 'ENOSPC',
  READ_ONLY: 'EROFS',
  DENIED: 'EACCES',
  IO: 'EIO',
};

const NEVER = new Promise<never>(() => {});

function refused(code: IoErrorCode, operation: { kind: string; directory: Directory; name: string }): IoResult<never> {
  return {
    ok: false,
    error: { code, detail: `${ERRNO[code]}: ${operation.kind} ${operation.directory}/${operation.name}` },
  };
}

/** What a system would answer to a place before the file's beginning is its own affair: nobody may ask. */
function mustBePlace(offset: number): void {
  if (!(Number.isInteger(offset) && offset >= 0))
    throw new RangeError(`the port was asked for byte ${offset} of a file`);
}

const isChange = (kind: OperationKind): boolean =>
  kind !== 'read' && kind !== 'list' && kind !== 'lock' && kind !== 'freeBytes';

const isOf = (kind: OperationKind, wanted: FaultRule['kind']): boolean =>
  wanted === undefined || wanted === kind || (typeof wanted === 'object' && wanted.includes(kind));

/** Draws which units a power cut leaves: nothing, all, a prefix, all but one, or each by its own chance; out of order too. */
export function drawSurvivors(units: readonly VolatileUnit[], random: Random): number[] {
  const all = units.map((_, index) => index);
  switch (random.below(6)) {
    case 0:
      return [];
    case 1:
      return all.filter((index) => units[index]?.kind !== 'length');
    case 2:
      return all.slice(0, random.below(all.length + 1));
    case 3:
      all.splice(random.below(all.length), 1);
      return all;
    default: {
      const probability = random.pick([0.1, 0.5, 0.9]);
      const drawn = all.filter(() => random.chance(probability));
      return random.chance(0.25) ? random.shuffle(drawn) : drawn;
    }
  }
}

/** Indexes of the units that a power cut leaves, in the order in which they reached the medium. */
export function keptUnits(units: readonly VolatileUnit[], keep: PowerChoice['keep']): readonly number[] {
  if (keep === 'nothing') return [];
  if (keep === 'everything') {
    const isKept = (unit: VolatileUnit): boolean => unit.kind === 'name' || (unit.kind === 'content' && !unit.lost);
    return units.flatMap((unit, index) => (isKept(unit) ? [index] : []));
  }
  return 'seed' in keep ? drawSurvivors(units, new Random(keep.seed)) : keep;
}

/** What a crash left of all that was not durable, in a few classes. */
export type Residue =
  | 'all was durable'
  | 'nothing left'
  | 'everything left'
  | 'some left'
  | 'a file torn'
  | 'killed, under way done'
  | 'killed, under way undone';

/** @param kept indexes of the units that are left. */
export function residueOf(units: readonly VolatileUnit[], kept: ReadonlySet<number>): Residue {
  if (units.length === 0) return 'all was durable';
  if (kept.size === 0) return 'nothing left';
  const leftOf = new Map<number, boolean>();
  for (const [index, unit] of units.entries()) {
    if (unit.kind !== 'content') continue;
    const left = kept.has(index);
    if ((leftOf.get(unit.inode) ?? left) !== left) return 'a file torn';
    leftOf.set(unit.inode, left);
  }
  return units.every((unit, index) => unit.kind === 'length' || kept.has(index)) ? 'everything left' : 'some left';
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
  #underWay: UnderWay[] = [];
  /** Held back by a slow disk. */
  #stalled: UnderWay[] = [];
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
    return this.#ask('write', directory, name, offset, bytes.length, bytes.slice(), '');
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
      if (this.#faultFor(operation, true) !== null) {
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
    const fault = given ?? (this.#faultFor(operation, false) as Fault | null);
    if (isChange(operation.kind)) this.counts.steps++;
    if (fault !== null) this.counts.faults++;
    const result = fault === null ? this.#perform(this.#state, operation) : this.#performFaulty(operation, fault);
    if (isChange(operation.kind)) this.#notePeak();
    this.observer?.ended(operation, result.ok ? null : result.error.code);
    operation.settle(result as IoResult<never>);
    return true;
  }

  #faultFor(operation: Operation, slow: boolean): FaultRule['fault'] | null {
    for (const rule of this.faults) {
      if ((rule.fault === 'slow') !== slow || !isOf(operation.kind, rule.kind)) continue;
      if (rule.directory !== undefined && rule.directory !== operation.directory) continue;
      if (rule.namePrefix !== undefined && !operation.name.startsWith(rule.namePrefix)) continue;
      if ((rule.skip ?? 0) > 0) {
        rule.skip = (rule.skip ?? 0) - 1;
        continue;
      }
      if (rule.times <= 0) continue;
      rule.times--;
      return rule.fault;
    }
    return null;
  }

  #performFaulty(operation: UnderWay, fault: Fault): IoResult<never> {
    const { kind, directory, name } = operation;
    if (kind === 'write' && (fault.shortBytes ?? 0) > 0) {
      this.#state.write(directory, name, operation.offset, (operation.data as Uint8Array).slice(0, fault.shortBytes));
    }
    if (kind === 'sync') this.#state.loseUnsynced(directory, name, operation.mark, fault.keepReadable ?? true);
    return refused(fault.code, operation);
  }

  #perform(state: DiskState, operation: UnderWay): IoResult<unknown> {
    const { kind, directory, name } = operation;
    const done = { ok: true, value: undefined } as const;
    switch (kind) {
      case 'lock':
        return done;
      case 'freeBytes':
        return { ok: true, value: Math.max(0, this.capacityBytes - this.totalBytes) };
      case 'list':
        return {
          ok: true,
          // A directory gives its names in no order that anybody could rely on: here the newest first.
          value: state
            .names(directory)
            .reverse()
            .map((each) => ({ name: each, bytes: state.file(directory, each)?.cache.length })),
        };
      case 'read': {
        this.counts.reads++;
        const file = state.file(directory, name);
        if (file === undefined) return refused('NOT_FOUND', operation);
        const found = file.cache.subarray(operation.offset, operation.offset + operation.bytes);
        (operation.data as Uint8Array).set(found);
        return { ok: true, value: found.length };
      }
      case 'write': {
        const data = operation.data as Uint8Array;
        const grown = Math.max(0, operation.offset + data.length - (state.file(directory, name)?.cache.length ?? 0));
        const room = this.capacityBytes - state.totalBytes();
        const fits = grown <= room;
        const written = fits ? data : data.slice(0, Math.max(0, data.length - (grown - Math.max(0, room))));
        state.write(directory, name, operation.offset, written);
        this.counts.writes++;
        this.counts.bytesWritten += written.length;
        return fits ? done : refused('NO_SPACE', operation);
      }
      case 'sync':
        if (state.file(directory, name) === undefined) return refused('NOT_FOUND', operation);
        state.sync(directory, name, operation.mark);
        this.counts.syncs++;
        return done;
      case 'syncDirectory':
        state.syncDirectory(directory, operation.mark);
        this.counts.syncs++;
        return done;
      case 'remove':
        state.remove(directory, name);
        return done;
      case 'rename':
        if (state.file(directory, name) === undefined) return refused('NOT_FOUND', operation);
        if (state.file(directory, operation.to) !== undefined) return refused('IO', operation);
        state.rename(directory, name, operation.to);
        return done;
    }
  }

  /** The state in which every change under way has been made and none of them is durable. */
  #withUnderWay(): DiskState {
    const changes = [...this.#underWay, ...this.#stalled].filter(
      ({ kind }) => kind === 'write' || kind === 'rename' || kind === 'remove',
    );
    changes.sort((a, b) => a.id - b.id);
    if (changes.length === 0) return this.#state;
    const state = this.#state.copy();
    for (const { kind, directory, name, offset, data, to } of changes) {
      if (kind === 'write') state.write(directory, name, offset, data as Uint8Array);
      else if (kind === 'remove') state.remove(directory, name);
      else if (state.file(directory, name) !== undefined && state.file(directory, to) === undefined)
        state.rename(directory, name, to);
    }
    return state;
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
