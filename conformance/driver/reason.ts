/** A user reads what the system said, not only that something failed. */
import { expect } from '../divergence.ts';

/** @throws Divergence when the message of an I/O failure names no error of the system. */
export function judgeReason(what: string, code: string, message: string): void {
  const given = code !== 'IO_FAILED' || /\bE[A-Z]+: |the disk is full/.test(message);
  expect(given, 'reason', () => `${what} failed and does not say why: ${message}`);
}
