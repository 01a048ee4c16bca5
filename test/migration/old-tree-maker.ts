/**
 * Trees as the first memory manager left them, made from its documented layout with code of its own: what src/migration reads
 * must be what is written here.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface OldSensor {
  readonly source: 'host' | 'mgc' | 'can_controller';
  readonly sensor: number;
  readonly kind: 'tsd' | 'evt';
  readonly periodMs?: number;
  readonly firstTimeMs?: number;
  /** Raw values, file by file; of evt with seconds. */
  readonly files: readonly (readonly (number | readonly [seconds: number, value: number])[])[];
  /** Number of its first sector; the others follow. */
  readonly firstSector: number;
}

/** CRC-32 (IEEE), bit by bit. */
export function crcOf(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

export function dataOf(records: OldSensor['files'][number]): Buffer {
  const words = records.flatMap((each) => (typeof each === 'number' ? [each] : [...each]));
  const bytes = Buffer.alloc(words.length * 4);
  words.forEach((word, i) => bytes.writeUInt32LE(word, 4 * i));
  return bytes;
}

export function metadataOf(sector: number, data: Buffer, csdType: number): Buffer {
  const bytes = Buffer.alloc(40);
  bytes.writeUInt32LE(sector, 0);
  // The old program wrote nonsense here; nobody may believe it.
  bytes.writeUInt32LE(4_711, 4);
  bytes.writeUInt32LE(crcOf(data), 16);
  bytes.writeBigUInt64LE(1_700_000_000n, 24);
  bytes.writeUInt32LE(csdType, 32);
  bytes.writeUInt32LE(data.length, 36);
  return bytes;
}

export function stateOf(sensor: number, total: number, consumed: number, isEvt: boolean): Buffer {
  const bytes = Buffer.alloc(52);
  bytes.writeUInt32LE(0x53544154, 0);
  bytes.writeUInt16LE(2, 4);
  bytes.writeUInt16LE(52, 6);
  bytes.writeUInt32LE(total, 8);
  bytes.writeUInt32LE(consumed, 12);
  bytes.writeUInt32LE(sensor, 32);
  bytes[40] = isEvt ? 1 : 0;
  bytes[41] = 1;
  let sum = 0n;
  for (const byte of bytes.subarray(0, 44)) {
    sum = (sum + BigInt(byte)) & 0xffff_ffffn;
    sum = ((sum << 1n) | (sum >> 31n)) & 0xffff_ffffn;
  }
  bytes.writeUInt32LE(Number(sum), 44);
  return bytes;
}

export const sectorName = (sector: number): string => `sector_${String(sector).padStart(4, '0')}.dat`;

/** Writes the tree, and a map of it. @returns the map's path. */
export function makeOldTree(root: string, sensors: readonly OldSensor[]): string {
  const last = new Map<string, readonly [number, Buffer]>();
  for (const { source, files, firstSector } of sensors) {
    mkdirSync(join(root, source), { recursive: true });
    files.forEach((records, i) => {
      const data = dataOf(records);
      writeFileSync(join(root, source, sectorName(firstSector + i)), data);
      last.set(source, [firstSector + i, data]);
    });
  }
  for (const [source, [sector, data]] of last)
    writeFileSync(
      join(root, source, 'metadata.json'),
      metadataOf(sector, data, ['host', 'mgc', 'can_controller'].indexOf(source)),
    );
  const map = join(root, 'map.json');
  const entries = sensors.map(({ files, firstSector, ...entry }) => ({
    ...entry,
    sectors: `${firstSector}-${firstSector + Math.max(0, files.length - 1)}`,
  }));
  writeFileSync(map, JSON.stringify({ sensors: entries }));
  return map;
}
