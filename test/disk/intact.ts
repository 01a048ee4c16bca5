/** Whether a store holds exactly the records of the known load that it says it retains. */
import { expect } from 'vitest';
import type { Store } from '../../src/index.ts';
import { differenceIn } from './known-load.ts';

const READ_RECORDS = 1_000;

/**
 * Reads everything that the store retains, with nothing pending before and after, and expects of each stream exactly
 * the records [head, appended) with the content they must have. @returns how many there were.
 */
export async function expectIntact(store: Store): Promise<number> {
  let total = 0;
  for (const stream of store.streams()) {
    const { head, appended } = stream.marks;
    let next = head;
    for (;;) {
      const batch = await stream.read(READ_RECORDS);
      if (batch.length === 0) break;
      expect(differenceIn(stream, batch)).toBeNull();
      expect([batch.sequences[0], batch.sequences[batch.length - 1]]).toEqual([next, next + batch.length - 1]);
      next += batch.length;
    }
    expect(`${stream.source}/${stream.sensor} to ${next}`).toBe(`${stream.source}/${stream.sensor} to ${appended}`);
    total += next - head;
    stream.revert();
  }
  return total;
}
