/** The figures of `imatrix-mm stats`, from the running process or from the disk, as its `--json` prints them. */
import type { Stats } from '../../index.ts';
import { SOURCES } from '../../index.ts';
import type { LiveSnapshot } from '../../live.ts';
import type { StreamFigures, Totals } from '../../operator/figures.ts';
import { figuresOf, totalsOf } from '../../operator/figures.ts';
import { askLive } from '../../operator/live-client.ts';
import type { Look, Place } from '../../operator/read-only-store.ts';
import { diskBytesOf, mustLook } from '../../operator/read-only-store.ts';

export interface StatsReport {
  readonly directory: string;
  /** UTC milliseconds. */
  readonly takenMs: number;
  /** `live`: from the process that has the store open. `disk`: as opening it now would give it. */
  readonly from: 'live' | 'disk';
  /** Whether `ram` counts what is in RAM: false beside a process that was not asked or did not answer. */
  readonly ramVisible: boolean;
  /** Who has the store open; null for nobody. */
  readonly holder: string | null;
  /** Why the running process did not answer; null where it did, or there is none. */
  readonly whyNotLive: string | null;
  readonly storeId: string;
  readonly streams: readonly StreamFigures[];
  readonly sources: readonly ({ readonly source: (typeof SOURCES)[number]; readonly streams: number } & Totals)[];
  readonly totals: Totals;
  /** Lost records whose entries the ledger no longer keeps apart; they are in the totals. */
  readonly foldedRecords: number | null;
  /** Bytes of all files as the file system gives space out. */
  readonly diskBytes: number;
  /** The running store's own figures since it was opened; null from the disk. */
  readonly live: Stats | null;
}

function reportOf(streams: readonly StreamFigures[]): Pick<StatsReport, 'streams' | 'sources' | 'totals'> {
  const sorted = [...streams].sort(
    (a, b) => SOURCES.indexOf(a.source) - SOURCES.indexOf(b.source) || a.sensor - b.sensor,
  );
  const sources = SOURCES.map((source) => {
    const own = sorted.filter((stream) => stream.source === source);
    return { source, streams: own.length, ...totalsOf(own) };
  });
  return { streams: sorted, sources, totals: totalsOf(sorted) };
}

function liveReport({ directory }: Place, holder: string | null, snapshot: LiveSnapshot): StatsReport {
  return {
    ...{ directory, takenMs: snapshot.takenMs, from: 'live', ramVisible: true, holder, whyNotLive: null },
    storeId: snapshot.inspection.storeId,
    ...reportOf(snapshot.inspection.streams.map(figuresOf)),
    foldedRecords: null,
    diskBytes: snapshot.stats.diskBytes,
    live: snapshot.stats,
  };
}

function diskReport({ directory }: Place, holder: string | null, why: string | null, look: Look): StatsReport {
  return {
    ...{ directory, takenMs: Date.now(), from: 'disk', ramVisible: holder === null, holder, whyNotLive: why },
    storeId: look.state.storeIdHex,
    ...reportOf(look.streams.map(figuresOf)),
    foldedRecords: look.ledger.foldedRecords,
    diskBytes: diskBytesOf(look),
    live: null,
  };
}

/** @param known the last look at the disk, which stands while nothing has changed there. */
export async function lookAtStats(
  place: Place,
  known: Look | undefined,
): Promise<{ readonly report: StatsReport; readonly look: Look | undefined }> {
  const holder = await place.holder();
  // A process that died leaves its address behind: nobody is asked when nobody has the store open.
  const answer = holder === null ? null : await askLive(place.directory);
  if (answer?.state === 'live') return { report: liveReport(place, holder, answer.answer), look: undefined };
  const look = await mustLook(place, known);
  return { report: diskReport(place, holder, answer?.why ?? null, look), look };
}
