/**
 * A store seen from another process: what its own program says of it when that shows it (serveLive), else what opening
 * its files would give, without opening them. Nothing is locked and nothing is written.
 */
import { statsOf } from '../core/inspect.ts';
import type { DiskSide } from '../core/store-state.ts';
import type { StoreFigures } from '../meter.ts';
import { askFigures } from '../operator/live-client.ts';
import type { Look } from '../operator/read-only-store.ts';
import { diskBytesOf, look, withPlace } from '../operator/read-only-store.ts';
import type { Observed } from './catalogue.ts';
import type { Observe } from './store-metrics.ts';

/** What the files say. Counts since the store was opened are nobody's: it is not open, or its program does not say. */
function figuresOf(looked: Look): StoreFigures {
  const { state, report } = looked;
  const disk = state.disk as DiskSide;
  return {
    storeId: state.storeIdHex,
    // Looking counts as an opening that will not be written.
    epoch: state.epoch - 1,
    disk: true,
    stats: {
      ...statsOf(state),
      diskBytes: diskBytesOf(looked),
      bytesWrittenTotal: disk.bytesWrittenBefore,
      syncsTotal: disk.syncsBefore,
    },
    recovery: { ...report, setAside: report.setAside.length },
    activity: null,
  };
}

/** @returns a look at the store of `directory`, for StoreMetrics.observe. It never fails: what cannot be read is not there. */
export function observeDirectory(directory: string): Observe {
  let known: Look | undefined;
  const observe = (): Promise<Observed> =>
    withPlace(directory, async (place) => {
      const isOpen = (await place.holder()) !== null;
      // A process that died leaves its address behind: nobody is asked when nobody has the store open.
      const asked = isOpen ? await askFigures(directory) : null;
      if (asked?.state === 'live') return { isUp: true, isOpen, figures: asked.answer };
      const looked = await look(place, known);
      known = looked.ok ? looked.value : undefined;
      return { isUp: false, isOpen, figures: looked.ok ? figuresOf(looked.value) : null };
    });
  // The directory itself is gone, or may not be read: the metric `readable` says so at every scrape.
  return () => observe().catch((): Observed => ({ isUp: false, isOpen: false, figures: null }));
}
