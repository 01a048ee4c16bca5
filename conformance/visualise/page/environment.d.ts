/** What bundle.ts puts into the page when it is made. */
declare const CHART_LAYOUT: import('../chart-layout.ts').ChartLayout;
/** Changes with every change of the model's sources. */
declare const MODEL_VERSION: string;
