/**
 * The metrics of one or more stores in a registry of the Prometheus client, reckoned anew at each scrape.
 *
 * Every sample has a label `store`, so that a program with several stores tells them apart, and what cannot be said of
 * one is not there rather than zero.
 */
import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import { StoreMeter } from '../meter.ts';
import type { Store } from '../store.ts';
import type { Metric, Observed } from './catalogue.ts';
import { METRICS, PREFIX } from './catalogue.ts';

/** Looks at a store, once a scrape. */
export type Observe = () => Observed | Promise<Observed>;

/** All metrics of one scrape show the same moment. */
interface Scrape {
  readonly asked: Set<Metric>;
  readonly stores: Promise<readonly (readonly [name: string, observed: Observed])[]>;
}

export class StoreMetrics {
  readonly #stores = new Map<string, Observe>();
  #scrape: Scrape | null = null;

  /** @throws the client's error when the registry has metrics of these names already: keep one StoreMetrics for it. */
  constructor(registry: Registry) {
    for (const metric of METRICS) this.#register(metric, registry);
  }

  #register(metric: Metric, registry: Registry): void {
    const { type, name, help, labels } = metric;
    const shape = { name: `${PREFIX}${name}`, help, labelNames: ['store', ...labels], registers: [registry] };
    if (type === 'gauge') {
      const made: Gauge<string> = new Gauge({
        ...shape,
        collect: () => this.#collect(metric, made, (given, value) => made.set(given, value)),
      });
    } else {
      // The store counts; the client's own count begins anew each time.
      const made: Counter<string> = new Counter({
        ...shape,
        collect: () => this.#collect(metric, made, (given, value) => made.inc(given, value)),
      });
    }
  }

  async #collect(
    metric: Metric,
    made: { reset(): void },
    put: (labels: Record<string, string>, value: number) => void,
  ): Promise<void> {
    const stores = await this.#observed(metric);
    made.reset();
    for (const [store, observed] of stores) {
      for (const { labels, value } of metric.samples(observed)) put({ store, ...labels }, value);
    }
  }

  #observed(metric: Metric): Scrape['stores'] {
    if (this.#scrape?.asked.has(metric) !== false) {
      const stores = Promise.all([...this.#stores].map(async ([name, observe]) => [name, await observe()] as const));
      const scrape = { asked: new Set<Metric>(), stores };
      this.#scrape = scrape;
      // The client asks every metric before it waits for any; one that is asked for by itself later is a new look.
      setImmediate(() => {
        if (this.#scrape === scrape) this.#scrape = null;
      });
    }
    this.#scrape?.asked.add(metric);
    return (this.#scrape as Scrape).stores;
  }

  /**
   * Shows a store of this program, from now on and until `remove`; `up` falls to 0 when it is closed.
   * @param name the label `store`, such as its directory; one that is known already is replaced.
   */
  add(name: string, store: Store): void {
    const meter = new StoreMeter(store);
    let isOpen = true;
    store.on('closed', () => {
      isOpen = false;
    });
    this.observe(name, () => ({ isUp: isOpen, isOpen, figures: meter.figures() }));
  }

  /** Shows a store that is looked at in another way. */
  observe(name: string, observe: Observe): void {
    this.#stores.set(name, observe);
  }

  /** Shows it no more. @returns false: it was not shown. */
  remove(name: string): boolean {
    return this.#stores.delete(name);
  }
}
