/**
 * When a soak's link is down, and what happens to the device: drawn from the seed, all before the run begins.
 *
 * Six hours of each day are offline, in one piece or in up to three. Twenty things a day happen: crashes of every kind,
 * trouble with the disk, jumps of the clock, nacks. They are drawn from a bag that holds each kind, so that no kind is left
 * out of a run that is long enough for all of them; a shorter run than a day has as many as there are kinds.
 *
 * Nothing happens in the longest outage of the first day: it shows how often the store flushes when it is left alone.
 */
import { Random } from '../random.ts';
import { SECONDS_A_TICK, TICKS_A_DAY } from './load.ts';

/** What happens to a simulated device, each kind as often as it is in the bag. */
export const BAG = [
  'power cut at rest',
  'power cut in a flush',
  'power cut in a flush',
  'power cut in a checkpoint',
  'power cut while uploading',
  'power cut while recovering',
  'process killed in a flush',
  'power-fail warning',
  'restart in good order',
  'writes fail',
  'syncs fail',
  'slow disk',
  'disk filled by others',
  'reads fail',
  'decayed segment',
  'clock set',
  'batches refused',
] as const;
export type IncidentKind = (typeof BAG)[number];

export interface Incident<Kind = IncidentKind> {
  readonly tick: number;
  /** Within the tick. */
  readonly second: number;
  readonly kind: Kind;
  /** Start of all further chance of it. */
  readonly seed: number;
}

export interface Schedule<Kind = IncidentKind> {
  readonly ticks: number;
  /** In the order in which they happen. */
  readonly incidents: readonly Incident<Kind>[];
  /** By tick: whether there is no link. */
  readonly offline: Uint8Array;
  /** The outage in which nothing happens. */
  readonly quiet: Span;
}

const INCIDENTS_A_DAY = 20;
const OFFLINE_SHARE = 1 / 4;
/** How the offline hours of a day are cut, in sixths; one piece is the contract's own figure, so it is the likeliest. */
const CUTS: readonly (readonly number[])[] = [[6], [6], [6], [4, 2], [3, 2, 1]];
/** Nothing happens in the first minutes: there would be nothing to lose. In a short run it is less. */
const QUIET_TICKS_MAX = 30;
const QUIET_SHARE = 1 / 20;

/** @param kinds what may happen, each as often as it is in there. @param days of virtual time; a fraction is a day cut short, with a quarter of it offline all the same. */
export function drawSchedule<Kind>(days: number, seed: number, kinds: readonly Kind[]): Schedule<Kind> {
  const random = new Random(seed);
  const ticks = Math.round(days * TICKS_A_DAY);
  const offline = new Uint8Array(ticks);
  for (let from = 0; from < ticks; from += TICKS_A_DAY)
    drawOutages(offline, from, Math.min(ticks, from + TICKS_A_DAY), random);
  const quiet = longestOutage(offline.subarray(0, TICKS_A_DAY));
  return { ticks, offline, quiet, incidents: drawIncidents(ticks, days, quiet, kinds, random) };
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

function longestOutage(offline: Uint8Array): Span {
  let longest = { from: 0, to: 0 };
  for (let from = offline.indexOf(1); from >= 0; ) {
    const end = offline.indexOf(0, from);
    const to = end < 0 ? offline.length : end;
    if (to - from > longest.to - longest.from) longest = { from, to };
    from = offline.indexOf(1, to);
  }
  return longest;
}

/** The pieces come in a drawn order, and what is online is spread over the gaps between them. */
function drawOutages(offline: Uint8Array, from: number, to: number, random: Random): void {
  const offlineTicks = Math.floor((to - from) * OFFLINE_SHARE);
  const pieces = random.shuffle([...random.pick(CUTS)]);
  const gap = Math.floor((to - from - offlineTicks) / (pieces.length + 1));
  let at = from;
  for (const sixths of pieces) {
    const length = Math.floor((offlineTicks * sixths) / 6);
    at += Math.floor(gap / 2) + random.below(Math.floor(gap / 2) + 1);
    offline.fill(1, at, at + length);
    at += length;
  }
}

function drawIncidents<Kind>(
  ticks: number,
  days: number,
  quiet: Span,
  kinds: readonly Kind[],
  random: Random,
): Incident<Kind>[] {
  const quietTicks = Math.min(QUIET_TICKS_MAX, Math.floor(ticks * QUIET_SHARE));
  const count = Math.max(kinds.length, Math.round(days * INCIDENTS_A_DAY));
  // Drawn on a time line without the quiet outage and some minutes before it, so that no trouble lasts into it.
  const gap = { from: quiet.from - quietTicks, ticks: quiet.to - quiet.from + quietTicks };
  const span = Math.max(1, ticks - gap.ticks - 2 * quietTicks) / count;
  let bag: Kind[] = [];
  return Array.from({ length: count }, (_, i) => {
    if (bag.length === 0) bag = random.shuffle([...kinds]);
    const drawn = quietTicks + Math.floor((i + random.next() / 2 ** 32) * span);
    const tick = Math.min(ticks - 1, drawn < gap.from ? drawn : drawn + gap.ticks);
    return { tick, second: random.below(SECONDS_A_TICK), kind: bag.pop() as Kind, seed: random.next() };
  });
}
