/** What the writing and the reading process are asked, and answer. Apart from them, for to load one of them is to be it. */
import { join } from 'node:path';
import type { LoadSpec } from '../load-spec.ts';

export interface WriteRequest {
  readonly peer: string;
  readonly load: LoadSpec;
  readonly batchRecords: number;
  /** The store is in `store` in it; both are made when missing. */
  readonly directory: string;
  /** Batches into a store that is thrown away, before the clock starts: the code is compiled, the caches are filled. */
  readonly warmUpBatches: number;
  /** Do what is put off, too, once the clock has stopped. */
  readonly settle: boolean;
}

export interface Written {
  readonly load: string;
  readonly records: number;
  readonly batches: number;
  readonly seconds: number;
  readonly longestBatchMs: number;
  /** What the kernel says this process had written to the device since the clock started, settling included. */
  readonly processBytes: number;
}

export const storeIn = (directory: string): string => join(directory, 'store');

export interface VerifyRequest {
  readonly peer: string;
  readonly load: LoadSpec;
  /** Of the store itself. */
  readonly directory: string;
}
