/**
 * Records whose content follows from who they are, so that any process can say what any record must be: value and
 * time are functions of stream and sequence number. What a crash took is appended again with the same content.
 */
import type { RecordBatch, SensorStream, SettingsInput, Source, Store } from '../../src/index.ts';

const BEGIN_MS = 1_700_000_000_000;
const PERIOD_MS = 250;
const SOURCE_ORDER: readonly Source[] = ['host', 'mgc', 'can_controller'];

/** A store that flushes all the time and whose log and segments turn over quickly. */
export const KILL_SETTINGS = {
  poolBytes: '16KiB',
  sectorBytes: 64,
  streamsMax: 7,
  ledgerMax: 64,
  quotaBytes: '8MiB',
  freeFloorBytes: 0,
} as const satisfies SettingsInput;

/** The same sensor ids in every source, every other stream `evt`. */
export function openStreams(store: Store, count: number): SensorStream[] {
  return Array.from({ length: count }, (_, index) =>
    store.stream(
      SOURCE_ORDER[index % 3] as Source,
      Math.floor(index / 3),
      index % 2 === 0 ? { kind: 'tsd', periodMs: PERIOD_MS } : { kind: 'evt' },
    ),
  );
}

/** Raw value of a record: looks random, so that neither shifted nor swapped records go unnoticed. */
export function knownValue(stream: SensorStream, sequence: number): number {
  let mixed = Math.imul(sequence + 1, 0x9e37_79b1) ^ Math.imul(stream.sensor + 1, 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ SOURCE_ORDER.indexOf(stream.source), 0x2c1b_3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

export function knownTime(stream: SensorStream, sequence: number): number {
  if (stream.kind === 'tsd') return BEGIN_MS + sequence * PERIOD_MS;
  return BEGIN_MS + sequence * 40 + (knownValue(stream, sequence) % 40);
}

/** Appends the stream's next record. @returns what append answered. */
export function appendNext(stream: SensorStream): number {
  const sequence = stream.marks.appended;
  return stream.append(knownValue(stream, sequence), knownTime(stream, sequence));
}

/** Looks at a batch record by record. @returns the first difference, or null: an expect for each would take minutes. */
export function differenceIn(stream: SensorStream, batch: RecordBatch): string | null {
  for (let i = 0; i < batch.length; i++) {
    const sequence = batch.sequences[i] as number;
    if (i > 0 && sequence <= (batch.sequences[i - 1] as number)) return `sequence ${sequence} out of order`;
    if (batch.bits[i] !== knownValue(stream, sequence))
      return `value of ${stream.source}/${stream.sensor} #${sequence}`;
    if (batch.timesMs[i] !== knownTime(stream, sequence))
      return `time of ${stream.source}/${stream.sensor} #${sequence}`;
  }
  return null;
}
