/** Which load a process shall make for itself: a few words over the channel instead of a hundred megabytes. */
import { type Load, referenceLoad } from './load.ts';
import { recordedLoad } from './recorded-load.ts';

export type LoadSpec =
  | { readonly kind: 'reference'; readonly seed: number; readonly records: number }
  | { readonly kind: 'recordings'; readonly records: number };

/** @throws CliError when a recording cannot be read. */
export function makeLoad(spec: LoadSpec): Promise<Load> {
  if (spec.kind === 'recordings') return recordedLoad(spec.records);
  return Promise.resolve(referenceLoad(spec.seed, spec.records));
}
