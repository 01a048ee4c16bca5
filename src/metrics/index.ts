/**
 * imatrix-memory-manager/metrics: figures of stores for Prometheus. Needs the package @prometheus-io/client, which the
 * program installs; `imatrix-mm serve --metrics` has it inside. docs/metrics.md.
 */
export type { Activity, StoreFigures } from '../meter.ts';
export { StoreMeter } from '../meter.ts';
export type { Metric, Observed } from './catalogue.ts';
export { METRICS, PREFIX } from './catalogue.ts';
export { observeDirectory } from './directory.ts';
export type { Observe } from './store-metrics.ts';
export { StoreMetrics } from './store-metrics.ts';
