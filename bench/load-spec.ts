/** Which load a process shall make for itself: a few words over the channel instead of a hundred megabytes. */
import { type Load, referenceLoad } from './load.ts';

export type LoadSpec = { readonly kind: 'reference'; readonly seed: number; readonly records: number };

export function makeLoad(spec: LoadSpec): Promise<Load> {
  return Promise.resolve(referenceLoad(spec.seed, spec.records));
}
