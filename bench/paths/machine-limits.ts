/**
 * What this machine can do at best, path by path: the figures that no store on it can pass. Each is one call over and over,
 * with nothing around it.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** A rate: so many units in so many seconds, in so many operations. */
export interface Effort {
  readonly units: number;
  readonly operations: number;
  readonly seconds: number;
}

const SEGMENT_BYTES = 64 * 1_024;
const APPEND_BYTES = 256 * 1_024;
/** Of a pool with the default size. */
const COPY_BYTES = 4 * 1_024 * 1_024;

export interface LimitSizes {
  /** Bytes that go through memory and checksum. */
  readonly memoryBytes: number;
  /** Syncs of each kind. */
  readonly syncs: number;
  /** Files of SEGMENT_BYTES that are read. */
  readonly files: number;
}

function timed(operations: number, unitsEach: number, work: (i: number) => void): Effort {
  const beganMs = performance.now();
  for (let i = 0; i < operations; i++) work(i);
  return { units: operations * unitsEach, operations, seconds: (performance.now() - beganMs) / 1_000 };
}

/** Bytes without a pattern that a disk or a file system could shorten. */
function content(bytes: number): Uint8Array {
  const words = new Uint32Array(bytes / 4);
  for (let i = 0, state = 1; i < words.length; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + i;
    words[i] = state;
  }
  return new Uint8Array(words.buffer);
}

export function checksumLimit({ memoryBytes }: LimitSizes): Effort {
  const bytes = content(SEGMENT_BYTES);
  let sum = 0;
  return timed(Math.ceil(memoryBytes / SEGMENT_BYTES), SEGMENT_BYTES, () => {
    sum = crc32(bytes, sum);
  });
}

export function copyLimit({ memoryBytes }: LimitSizes): Effort {
  const from = content(COPY_BYTES);
  const to = new Uint8Array(COPY_BYTES);
  return timed(Math.ceil(memoryBytes / COPY_BYTES), COPY_BYTES, () => to.set(from));
}

/** A file that is there with all its blocks is written again and synced: the least that durable can cost. */
export function overwriteLimit(directory: string, { syncs }: LimitSizes): Effort {
  return withFile(join(directory, 'overwritten'), (file) => {
    const bytes = content(SEGMENT_BYTES);
    writeSync(file, bytes, 0, bytes.length, 0);
    fsyncSync(file);
    return timed(syncs, SEGMENT_BYTES, () => {
      writeSync(file, bytes, 0, bytes.length, 0);
      fdatasyncSync(file);
    });
  });
}

/** A new file, its content and its name made durable, one after the other. */
export function createLimit(directory: string, { syncs }: LimitSizes): Effort {
  const bytes = content(SEGMENT_BYTES);
  const folder = openSync(directory, 'r');
  const names = Array.from({ length: syncs }, (_, i) => join(directory, `created-${i}`));
  try {
    return timed(syncs, SEGMENT_BYTES, (i) => {
      const file = openSync(names[i] as string, 'w');
      writeSync(file, bytes, 0, bytes.length, 0);
      fdatasyncSync(file);
      closeSync(file);
      fsyncSync(folder);
    });
  } finally {
    closeSync(folder);
    for (const name of names) rmSync(name, { force: true });
  }
}

/** A log that grows: as much as a batch of 16,000 records of 16 bytes, written at its end and synced. */
export function appendLimit(directory: string, { syncs }: LimitSizes): Effort {
  return withFile(join(directory, 'appended'), (file) => {
    const bytes = content(APPEND_BYTES);
    return timed(syncs, APPEND_BYTES, (i) => {
      writeSync(file, bytes, 0, bytes.length, i * APPEND_BYTES);
      fdatasyncSync(file);
    });
  });
}

/** Files that were just written, read one after the other into the same buffer. */
export function readLimit(directory: string, { files }: LimitSizes): Effort {
  const bytes = content(SEGMENT_BYTES);
  const names = Array.from({ length: files }, (_, i) => join(directory, `read-${i}`));
  try {
    for (const name of names) withFile(name, (file) => writeSync(file, bytes, 0, bytes.length, 0), 'keep');
    return timed(files, SEGMENT_BYTES, (i) => {
      const file = openSync(names[i] as string, 'r');
      readSync(file, bytes, 0, bytes.length, 0);
      closeSync(file);
    });
  } finally {
    for (const name of names) rmSync(name, { force: true });
  }
}

function withFile<T>(path: string, work: (file: number) => T, then: 'keep' | 'remove' = 'remove'): T {
  const file = openSync(path, 'w+');
  try {
    return work(file);
  } finally {
    closeSync(file);
    if (then === 'remove') rmSync(path, { force: true });
  }
}
