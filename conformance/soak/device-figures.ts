/** What happened to the store of a soak, beside what its account has; both forms count it. */

export interface DeviceFigures {
  crashes: number;
  /** Crashes after which the store opened, as the same store. */
  recovered: number;
  recoveriesCutOff: number;
  restarts: number;
  /** Flushes that the store asked for by itself. */
  flushesOnline: number;
  flushesOffline: number;
  /** Flushes that the run asked for, closings and power-fail warnings among them. */
  flushesAsked: number;
  flushFailures: number;
  salvaged: number;
  setAside: number;
  evictedSegments: number;
  peakDiskBytes: number;
  peakFileBytes: number;
}

export const noFigures = (): DeviceFigures => ({
  crashes: 0,
  recovered: 0,
  recoveriesCutOff: 0,
  restarts: 0,
  flushesOnline: 0,
  flushesOffline: 0,
  flushesAsked: 0,
  flushFailures: 0,
  salvaged: 0,
  setAside: 0,
  evictedSegments: 0,
  peakDiskBytes: 0,
  peakFileBytes: 0,
});
