/**
 * The conformance kit as others may use it (`imatrix-memory-manager/conformance`): model and engine in step, a saved
 * trace run again and told as a timeline, and the disk that loses power with the clock that goes with it.
 *
 * Needs xstate, ts-pattern and fast-check; the engine needs none of them.
 */
export type { Action, Profile, Scenario, Trace } from './actions.ts';
export { describeAction, readTrace } from './actions.ts';
export type { DiskCounts, Fault, FaultRule, Operation } from './disk-operations.ts';
export type { DiskImage } from './disk-state.ts';
export { Divergence } from './divergence.ts';
export type { Outcome } from './execute.ts';
export { runActions } from './execute.ts';
export type { ItfReading, ItfStep, ItfTrace } from './itf.ts';
export { fromItf, saveItf, toItf } from './itf.ts';
export type { PlatformReport } from './others/check-platform.ts';
export { checkPlatform } from './others/check-platform.ts';
export type { CheckOptions, CheckReport, StoreManifest } from './others/check-store.ts';
export { ConformanceError, checkStore } from './others/check-store.ts';
export type { InjectedFault } from './others/laws/law.ts';
export type { MakePlatform, PlatformManifest } from './others/platform-manifest.ts';
export type {
  OptionalOperation,
  RefusalCode,
  Refused,
  StoreMarks,
  StoreRecord,
  StoreUnderTest,
  StreamMarks,
  StreamSpec,
} from './others/store-under-test.ts';
export type { CrashChoice } from './power-cut.ts';
export { Random } from './random.ts';
export { exportTest } from './replay/export-test.ts';
export type { CampaignOptions, CampaignResult, Failure, Progress } from './run.ts';
export { runCampaign, saveTrace } from './run.ts';
export { SimulatedDisk } from './simulated-disk.ts';
export { timeline } from './timeline.ts';
export { StoreIds, simulatedPlatform, VirtualClock } from './virtual-clock.ts';
