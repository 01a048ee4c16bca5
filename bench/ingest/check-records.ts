/** Whether a store holds exactly the records of a load: every value, every time, each sensor's in order, none twice. */
import { bySensor, type Load, type LoadSensor } from '../load.ts';
import type { PeerStore, Visit } from '../peers/peer.ts';

/** @returns how many were compared. @throws Error that names the first one that differs, or how many are missing. */
export async function checkRecords(load: Load, store: PeerStore): Promise<number> {
  const { order, starts } = bySensor(load, 0, load.records);
  const next = starts.slice();
  let seen = 0;
  const compare: Visit = (sensor, timeMs, bits) => {
    const at = next[sensor] as number;
    if (at >= (starts[sensor + 1] ?? 0)) throw new Error(`${nameOf(load, sensor)} has more records than were written`);
    const i = order[at] as number;
    if (load.bits[i] !== bits || load.timeMs[i] !== timeMs) {
      const wanted = `bits ${load.bits[i]} at ${load.timeMs[i]}`;
      throw new Error(
        `record ${at - (starts[sensor] as number)} of ${nameOf(load, sensor)} is bits ${bits} at ${timeMs}, not ${wanted}`,
      );
    }
    next[sensor] = at + 1;
    seen++;
  };
  if (store.lookAtAll === undefined) await store.readAll(compare);
  else store.lookAtAll(compare);
  if (seen !== load.records) throw new Error(`${load.records - seen} of ${load.records} records are missing`);
  return seen;
}

function nameOf({ sensors }: Load, index: number): string {
  const { source, sensor } = sensors[index] as LoadSensor;
  return `${source}/${sensor}`;
}
