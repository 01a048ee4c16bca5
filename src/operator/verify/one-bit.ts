/**
 * Whether a wrong checksum is one bit's doing. CRC-32 is linear: what one turned bit changes in it depends on the bit's
 * distance from the end alone, so all of them are tried in one pass, without reading the bytes again.
 */
const POLYNOMIAL = 0xedb8_8320;

/** The checksum's register after one more byte of zeros. */
function shifted(register: number): number {
  let value = register;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) * POLYNOMIAL);
  return value >>> 0;
}

/**
 * @param difference between the checksum that the bytes have and the one that stands behind them, bit by bit.
 * @param length bytes that the checksum is of.
 * @returns true when one bit of them, or of the checksum itself, explains it.
 */
export function isOneBit(difference: number, length: number): boolean {
  const wanted = difference >>> 0;
  if (wanted === 0) return false;
  if ((wanted & (wanted - 1)) === 0) return true;
  const registers = Array.from({ length: 8 }, (_, bit) => shifted(1 << bit));
  for (let fromEnd = 0; fromEnd < length; fromEnd++) {
    if (registers.includes(wanted)) return true;
    for (let bit = 0; bit < 8; bit++) registers[bit] = shifted(registers[bit] as number);
  }
  return false;
}
