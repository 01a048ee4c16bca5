/**
 * What a run itself has damaged on the disk, and so what the engine may find damaged (INV-19).
 *
 * A flipped bit costs the block it lies in. In the header or in its copy at the end it costs nothing, in both of them
 * the whole segment, and so does a file that cannot be read.
 */
import { coverSpan } from '../model/spans.ts';
import type { Range, Segment } from '../model/vocabulary.ts';
import { SEGMENT_HEADER_BYTES } from '../src/core/segment.ts';
import { expect } from './divergence.ts';

interface DamagedSegment {
  readonly segment: Segment;
  header: boolean;
  trailer: boolean;
  blockFlips: number;
  /** Blocks found damaged since. */
  readonly hit: Set<number>;
}

export class DamageMade {
  readonly #segments = new Map<number, DamagedSegment>();
  /** Of flushes that the model never heard of; another segment may have their number since. */
  readonly #unheardOf: DamagedSegment[] = [];

  #of(segment: Segment): DamagedSegment {
    const known = this.#segments.get(segment.number);
    if (known !== undefined) return known;
    const made = { segment, header: false, trailer: false, blockFlips: 0, hit: new Set<number>() };
    this.#segments.set(segment.number, made);
    return made;
  }

  /** @param bit its place in the file of `fileBytes`. */
  noteFlip(segment: Segment, fileBytes: number, bit: number): void {
    const damaged = this.#of(segment);
    if (bit < SEGMENT_HEADER_BYTES * 8) damaged.header = true;
    else if (bit >= (fileBytes - SEGMENT_HEADER_BYTES) * 8) damaged.trailer = true;
    else damaged.blockFlips++;
  }

  /** What cannot be read is as good as damaged: recovery goes on without it, and so does a reader after some tries. */
  noteUnreadable(segment: Segment): void {
    const damaged = this.#of(segment);
    damaged.header = true;
    damaged.trailer = true;
  }

  /** As `noteUnreadable`, of a file that no segment of the model has: what may have been in it. */
  noteUnheardOf(segment: Segment): void {
    this.#unheardOf.push({ segment, header: true, trailer: true, blockFlips: 0, hit: new Set() });
  }

  /** @throws Divergence when the engine calls damaged what this run did not damage, or more than it did. */
  allow({ stream, from, to }: Range): void {
    const damaged: Range[] = [];
    for (const { segment, hit, blockFlips, header, trailer } of [...this.#segments.values(), ...this.#unheardOf]) {
      for (const [index, block] of segment.blocks.entries()) {
        if (block.stream !== stream || block.to <= from || block.from >= to) continue;
        damaged.push(block);
        hit.add(index);
      }
      expect(
        hit.size <= blockFlips || (header && trailer),
        'INV-19',
        () => `${blockFlips} bits flipped in blocks of segment ${segment.number} cost ${hit.size} blocks`,
      );
    }
    expect(
      coverSpan(damaged, from, to),
      'INV-19',
      () => `stream ${stream} [${from}, ${to}) is called damaged, and nothing damaged it`,
    );
  }
}
