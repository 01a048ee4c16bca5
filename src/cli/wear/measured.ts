/** The work of a store that is in use: what it wrote since it was made, from its own figures. */
import { stat } from 'node:fs/promises';
import { mustLook, withPlace } from '../../operator/read-only-store.ts';
import { CliError } from '../cli-error.ts';
import { lookAtStats } from '../operator/stats-report.ts';
import type { Work } from './model.ts';

const SECONDS_PER_DAY = 86_400;
/** Less than this says nothing of a day. */
const DAYS_MIN = 1 / 24;

/** Days since the directory was made; null where the file system does not say. */
async function ageDays(directory: string): Promise<number | null> {
  const { birthtimeMs } = await stat(directory);
  return birthtimeMs > 0 ? (Date.now() - birthtimeMs) / (SECONDS_PER_DAY * 1000) : null;
}

/**
 * @param givenDays how long the store has been in use; its directory's age when left out.
 * @throws CliError when there is no store, its log is lost, or it is too young.
 */
export function measuredWork(directory: string, givenDays: number | undefined): Promise<Work> {
  return withPlace(directory, async (place) => {
    const days = givenDays ?? (await ageDays(place.directory));
    if (days === null) throw new CliError(`${directory}: the file system does not tell its age; give --days`);
    if (days < DAYS_MIN) {
      throw new CliError(`${directory}: the store is less than an hour old, which says nothing of a day; give --days`);
    }
    const { report, look } = await lookAtStats(place, undefined);
    const totals = report.live ?? (await mustLook(place, look)).found.log.image.store;
    if (totals === null) throw new CliError(`${directory}: what was written is not known, the log is lost`);
    const { retained, acknowledged, discarded, evicted, damaged } = report.totals;
    const syncs = totals.syncsTotal;
    return {
      seconds: days * SECONDS_PER_DAY,
      records: retained + acknowledged + discarded + evicted + damaged,
      flushes: report.live?.flushes ?? 0,
      pageBytes: totals.bytesWrittenTotal,
      // Its figures do not tell files from directories: about one sync in three is of a directory.
      fileSyncs: Math.round((syncs * 2) / 3),
      directorySyncs: Math.round(syncs / 3),
    };
  });
}
