/**
 * The least share of src/core and src/platform that `npm test` must run, in percent. A change may raise these figures;
 * lowering one needs its reason here.
 *
 * Measured by c8: lines are physical lines of the sources, comments included.
 */
export interface Threshold {
  readonly lines: number;
  readonly branches: number;
}

/** By folder, without a trailing slash. */
export const THRESHOLDS: Readonly<Record<string, Threshold>> = {
  'src/core': { lines: 92, branches: 85 },
  'src/platform': { lines: 97, branches: 90 },
};
