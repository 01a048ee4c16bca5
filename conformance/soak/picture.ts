/** A week to look at: for each day the pool, the disk and the flushes by half hour, with outages and what happened. */
import type { Mark } from './incidents.ts';
import type { Slot, Timeline } from './timeline.ts';
import { SLOTS_A_DAY } from './timeline.ts';

const LEVELS = ' ▁▂▃▄▅▆▇█';
/** Where several things happened in one half hour, the one that stands first is shown. */
const SIGNS: readonly (readonly [mark: Mark, sign: string])[] = [
  ['crash', 'x'],
  ['restart', 'o'],
  ['trouble', '!'],
  ['clock', '~'],
  ['nack', '-'],
];
const OFFLINE_FROM = 0.5;
const DAY_CELLS = 8;
const ROW_CELLS = 7;
const FLUSHES_SHOWN_MAX = 9;

/** Marks that have their own colour where there is colour; the signs say the same. */
export type Tint = (mark: Mark | 'offline', text: string) => string;

const level = (share: number): string =>
  LEVELS[share <= 0 ? 0 : Math.min(LEVELS.length - 1, 1 + Math.floor(share * (LEVELS.length - 1)))] as string;

const label = (day: string, row: string): string => `  ${day.padEnd(DAY_CELLS)}${row.padEnd(ROW_CELLS)}`;

const signOf = (slot: Slot, tint: Tint): string => {
  const found = SIGNS.find(([mark]) => slot.marks.has(mark));
  return found === undefined ? '·' : tint(found[0], found[1]);
};

function dayLines(day: number, slots: readonly Slot[], diskMax: number, tint: Tint): string[] {
  const row = (name: string, show: (slot: Slot) => string): string =>
    `${label(name === 'link' ? `day ${day}` : '', name)}${slots.map(show).join('')}`;
  const flushes = ({ flushes: count }: Slot): string =>
    count === 0 ? '·' : count > FLUSHES_SHOWN_MAX ? '+' : `${count}`;
  return [
    row('link', ({ offline }) => (offline > OFFLINE_FROM ? tint('offline', '░') : '·')),
    row('pool', ({ poolPercent }) => level(poolPercent / 100)),
    row('disk', ({ diskBytes }) => level(diskBytes / diskMax)),
    row('flush', flushes),
    row('event', (slot) => signOf(slot, tint)),
  ];
}

/** @param bytes how a size is written. */
export function pictureOf(timeline: Timeline, tint: Tint, bytes: (count: number) => string): string {
  const { slots } = timeline;
  const diskMax = Math.max(1, ...slots.map(({ diskBytes }) => diskBytes));
  const shown = Math.min(SLOTS_A_DAY, slots.length);
  const hours = Array.from({ length: 8 }, (_, i) => `${i * 3}`.padEnd(SLOTS_A_DAY / 8))
    .join('')
    .slice(0, shown);
  const lines = [`${label('', 'hour')}${hours.trimEnd()}`];
  for (let from = 0; from < slots.length; from += SLOTS_A_DAY) {
    lines.push(...dayLines(from / SLOTS_A_DAY + 1, slots.slice(from, from + SLOTS_A_DAY), diskMax, tint));
  }
  return [
    ...lines,
    `  A column is half an hour. link: ░ none. pool: the most in use, a full block is 100 %. disk: a full block is`,
    `  ${bytes(diskMax)}. flush: how many the store asked for. event: x crash, o restart, ! disk trouble, ~ clock set, - nack.`,
  ].join('\n');
}
