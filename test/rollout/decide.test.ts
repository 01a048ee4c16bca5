/** Go, hold or roll back: a table of cases, and what must hold for every fleet. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decision, RolloutInput } from '../../src/rollout/decide.ts';
import { decide } from '../../src/rollout/decide.ts';
import type { DeviceReport } from '../../src/rollout/gates.ts';
import { GATES } from '../../src/rollout/gates.ts';
import type { Device } from '../../src/rollout/stages.ts';
import { devicesOf, devicesUpTo, isChosen, STAGES } from '../../src/rollout/stages.ts';

const SEED = 20_260_131;
const NOW_MS = 1_800_000_000_000;
const DAY_MS = 86_400_000;

const good = (device: string, change: Partial<Record<keyof DeviceReport, number | undefined>> = {}): DeviceReport => {
  const report: Record<string, unknown> = {
    device,
    atMs: NOW_MS - 3_600_000,
    observedMs: 8 * DAY_MS,
    corruption: 0,
    flushesPerHour: 0.4,
    bytesWrittenPerDay: 10_000_000,
    baselineBytesPerDay: 100_000_000,
    crashes: 2,
    recoveries: 2,
    operationsPerSecond: 1_200_000,
    errorRate: 0.0001,
    ...change,
  };
  for (const name of Object.keys(report)) if (report[name] === undefined) delete report[name];
  return report as unknown as DeviceReport;
};

const DEVICES: readonly Device[] = [
  { id: 'desk', group: 'dev' },
  { id: 'lab-1', group: 'staging' },
  { id: 'lab-2', group: 'staging' },
  { id: 'gw-1', group: 'production', pilot: true },
  { id: 'gw-2', group: 'production', pilot: false },
];

const fleet = (change: Readonly<Record<string, Parameters<typeof good>[1] | null>> = {}): DeviceReport[] =>
  DEVICES.flatMap(({ id }) => (change[id] === null ? [] : [good(id, change[id] ?? {})]));

interface Case {
  readonly name: string;
  readonly stage: RolloutInput['stage'];
  readonly reports: readonly DeviceReport[];
  readonly devices?: readonly Device[];
  readonly nowMs?: number;
  readonly decision: Decision;
  /** Device, gate and figure that decided. */
  readonly because?: readonly [string, string, string];
}

const go = (name: string, stage: Case['stage'], reports: readonly DeviceReport[], more: Partial<Case> = {}): Case => ({
  name,
  stage,
  reports,
  decision: 'go',
  ...more,
});
const not = (
  name: string,
  stage: Case['stage'],
  reports: readonly DeviceReport[],
  decision: 'hold' | 'roll back',
  because: readonly [string, string, string],
  more: Partial<Case> = {},
): Case => ({ name, stage, reports, decision, because, ...more });

const many = (count: number): readonly Device[] =>
  Array.from({ length: count }, (_, i) => ({ id: `gw-${i}`, group: 'production' }));

const CASES: readonly Case[] = [
  go('dev, all well', 'dev', fleet()),
  go('staging, all well', 'staging', fleet()),
  go('pilot, all well', 'pilot', fleet()),
  go('full, all well', 'full', fleet()),
  go('a device of a later stage does not count yet', 'pilot', fleet({ 'gw-2': { corruption: 5 } })),
  go('a device of a later stage need not report yet', 'dev', [good('desk')]),
  go('a report of a device that is not in the fleet says nothing', 'dev', [
    good('desk'),
    good('stray', { corruption: 9 }),
  ]),
  go('just within every limit', 'dev', [
    good('desk', {
      observedMs: 7 * DAY_MS,
      atMs: NOW_MS - DAY_MS,
      flushesPerHour: 0.999,
      bytesWrittenPerDay: 19_999_999,
      operationsPerSecond: 900_001,
      errorRate: 0.001,
      crashes: 0,
      recoveries: 0,
    }),
  ]),
  go('a ratio stands for the throughput', 'dev', [
    good('desk', { operationsPerSecond: undefined, throughputRatio: 1.01 }),
  ]),
  go('a clock a little ahead', 'dev', [good('desk', { atMs: NOW_MS + 299_000 })]),

  not('one damaged record', 'pilot', fleet({ 'gw-1': { corruption: 1 } }), 'roll back', ['gw-1', 'corruption', '1']),
  not('a crash without recovery', 'staging', fleet({ 'lab-2': { recoveries: 1 } }), 'roll back', [
    'lab-2',
    'recovery',
    '1',
  ]),
  not('ten times the errors', 'dev', fleet({ desk: { errorRate: 0.0101 } }), 'roll back', [
    'desk',
    'errors',
    '1.010 %',
  ]),
  not('more wear than before', 'dev', fleet({ desk: { bytesWrittenPerDay: 100_000_001 } }), 'roll back', [
    'desk',
    'wear',
    '-0.0 %',
  ]),
  not('one bad device among good ones', 'full', fleet({ 'gw-2': { corruption: 3 } }), 'roll back', [
    'gw-2',
    'corruption',
    '3',
  ]),
  not('regress behind the pilot', 'full', fleet({ 'gw-1': { recoveries: 0 } }), 'roll back', ['gw-1', 'recovery', '2']),
  not('regress of a device on the desk', 'full', fleet({ desk: { flushesPerHour: 3 } }), 'hold', [
    'desk',
    'flushes',
    '3',
  ]),
  not(
    'danger counts beside a missing report',
    'staging',
    fleet({ 'lab-1': null, 'lab-2': { corruption: 1 } }),
    'roll back',
    ['lab-2', 'corruption', '1'],
  ),
  not(
    'danger counts in a report that is too old',
    'dev',
    fleet({ desk: { corruption: 1, atMs: NOW_MS - 3 * DAY_MS } }),
    'roll back',
    ['desk', 'corruption', '1'],
  ),
  not('danger counts in one of two reports', 'dev', [good('desk'), good('desk', { corruption: 2 })], 'roll back', [
    'desk',
    'corruption',
    '2',
  ]),
  not(
    'danger counts where the stage has no device',
    'pilot',
    [good('desk', { corruption: 1 })],
    'roll back',
    ['desk', 'corruption', '1'],
    { devices: [DEVICES[0] as Device] },
  ),

  not('no report at all', 'dev', [], 'hold', ['desk', 'report', 'no report']),
  not('one report missing', 'staging', fleet({ 'lab-1': null }), 'hold', ['lab-1', 'report', 'no report']),
  not('two reports of one device', 'dev', [good('desk'), good('desk')], 'hold', ['desk', 'report', '2 reports']),
  not('a report that is too old', 'dev', fleet({ desk: { atMs: NOW_MS - DAY_MS - 1 } }), 'hold', [
    'desk',
    'report',
    '24.0 h old',
  ]),
  not('a clock far ahead', 'dev', fleet({ desk: { atMs: NOW_MS + 301_000 } }), 'hold', [
    'desk',
    'report',
    '0.1 h ahead of this clock',
  ]),
  not('a report without a time', 'dev', fleet({ desk: { atMs: undefined } }), 'hold', ['desk', 'report', 'no time']),
  not('a time that is no number', 'dev', fleet({ desk: { atMs: Number.NaN } }), 'hold', ['desk', 'report', 'no time']),
  not('observed for less than 7 days', 'dev', fleet({ desk: { observedMs: 7 * DAY_MS - 1 } }), 'hold', [
    'desk',
    'report',
    '6.9 days observed',
  ]),
  not('observed for no time that it tells', 'dev', fleet({ desk: { observedMs: undefined } }), 'hold', [
    'desk',
    'report',
    'no time observed',
  ]),
  not('observed for less than no time', 'dev', fleet({ desk: { observedMs: -DAY_MS } }), 'hold', [
    'desk',
    'report',
    '-1.0 days observed',
  ]),
  not('corruption is not told', 'dev', fleet({ desk: { corruption: undefined } }), 'hold', [
    'desk',
    'corruption',
    'no figure',
  ]),
  not('corruption is no number', 'dev', fleet({ desk: { corruption: Number.NaN } }), 'hold', [
    'desk',
    'corruption',
    'no figure',
  ]),
  not('corruption is no count', 'dev', fleet({ desk: { corruption: 0.5 } }), 'hold', [
    'desk',
    'corruption',
    'no figure',
  ]),
  not('corruption below nothing', 'dev', fleet({ desk: { corruption: -1 } }), 'hold', [
    'desk',
    'corruption',
    'no figure',
  ]),
  not('crashes are not told', 'dev', fleet({ desk: { crashes: undefined } }), 'hold', [
    'desk',
    'recovery',
    'no figure',
  ]),
  not('more recoveries than crashes', 'dev', fleet({ desk: { recoveries: 3 } }), 'hold', [
    'desk',
    'recovery',
    'no figure',
  ]),
  not('flushes are not told', 'dev', fleet({ desk: { flushesPerHour: undefined } }), 'hold', [
    'desk',
    'flushes',
    'no figure',
  ]),
  not('flushes without end', 'dev', fleet({ desk: { flushesPerHour: Number.POSITIVE_INFINITY } }), 'hold', [
    'desk',
    'flushes',
    'no figure',
  ]),
  not('a flush an hour', 'dev', fleet({ desk: { flushesPerHour: 1 } }), 'hold', ['desk', 'flushes', '1']),
  not('wear down by just 80 %', 'dev', fleet({ desk: { bytesWrittenPerDay: 20_000_000 } }), 'hold', [
    'desk',
    'wear',
    '80.0 %',
  ]),
  not('wear without a baseline', 'dev', fleet({ desk: { baselineBytesPerDay: undefined } }), 'hold', [
    'desk',
    'wear',
    'no figure',
  ]),
  not('wear with a baseline of nothing', 'dev', fleet({ desk: { baselineBytesPerDay: 0 } }), 'hold', [
    'desk',
    'wear',
    'no figure',
  ]),
  not('a throughput of just the limit', 'dev', fleet({ desk: { operationsPerSecond: 900_000 } }), 'hold', [
    'desk',
    'throughput',
    '900,000',
  ]),
  not('a ratio of 1', 'dev', fleet({ desk: { operationsPerSecond: undefined, throughputRatio: 1 } }), 'hold', [
    'desk',
    'throughput',
    '900,000',
  ]),
  not('no throughput at all', 'dev', fleet({ desk: { operationsPerSecond: undefined } }), 'hold', [
    'desk',
    'throughput',
    'no figure',
  ]),
  not('a ratio does not mend a rate', 'dev', fleet({ desk: { operationsPerSecond: 5, throughputRatio: 9 } }), 'hold', [
    'desk',
    'throughput',
    '5',
  ]),
  not('errors just over the limit', 'dev', fleet({ desk: { errorRate: 0.00101 } }), 'hold', [
    'desk',
    'errors',
    '0.101 %',
  ]),
  not('an error rate above 1', 'dev', fleet({ desk: { errorRate: 3 } }), 'hold', ['desk', 'errors', 'no figure']),
  not(
    'a missing figure comes before one that is missed',
    'staging',
    fleet({ 'lab-1': { flushesPerHour: 9 }, 'lab-2': { corruption: undefined } }),
    'hold',
    ['lab-2', 'corruption', 'no figure'],
  ),
  not('a stage without a device', 'staging', [good('desk')], 'hold', ['stage staging', 'report', 'no device'], {
    devices: [DEVICES[0] as Device],
  }),
  not(
    'too few in production for a tenth',
    'pilot',
    many(3).map(({ id }) => good(id)),
    'hold',
    ['stage pilot', 'report', 'no device'],
    { devices: many(3) },
  ),
];

describe('the decision', () => {
  it('has enough cases', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(30);
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  });

  // Goal: each case is decided right, by the right figure. Method: the table above.
  it.each(CASES)('$stage: $name', ({ stage, reports, devices = DEVICES, nowMs = NOW_MS, decision, because }) => {
    const decided = decide({ stage, devices, reports, nowMs, salt: '2' });
    const { device, gate, measured } = decided.because ?? {};
    expect([decided.decision, device, gate, measured]).toEqual([
      decision,
      ...(because ?? [undefined, undefined, undefined]),
    ]);
  });

  // Goal: every gate and limit is held by a case. Method: each gate taken away, and each made blind to danger, turns some
  // case red.
  it.each(GATES.map(({ id }, at) => [id, at] as const))('cannot do without the gate %s', (_, at) => {
    const wrong = (change: Partial<(typeof GATES)[number]>): number => {
      const gates = GATES as (typeof GATES)[number][];
      const kept = gates[at] as (typeof GATES)[number];
      gates[at] = { ...kept, ...change };
      try {
        return CASES.filter(({ stage, reports, devices = DEVICES, nowMs = NOW_MS, decision }) => {
          const decided = decide({ stage, devices, reports, nowMs, salt: '2' });
          return decided.decision !== decision;
        }).length;
      } finally {
        gates[at] = kept;
      }
    };
    expect(wrong({})).toBe(0);
    expect(wrong({ isMet: () => true })).toBeGreaterThan(0);
    expect(wrong({ measure: () => Number.NaN })).toBeGreaterThan(0);
    const hasDanger = CASES.some(({ decision, because }) => decision === 'roll back' && because?.[1] === GATES[at]?.id);
    expect(wrong({ isDangerous: () => false }) > 0).toBe(hasDanger);
    const hasMiss = CASES.some(
      ({ decision, because }) => decision === 'hold' && because?.[1] === GATES[at]?.id && because?.[2] !== 'no figure',
    );
    expect(wrong({ isDangerous: () => true }) > 0).toBe(hasMiss);
    expect(hasDanger || hasMiss).toBe(true);
  });

  // Goal: nothing unknown ever opens a gate. Method: fleets in which one figure of one device that counts is missing, or is
  // none that can be; every stage. Seeded.
  it('is never go where a figure is missing, stale or impossible', () => {
    const figures = Object.keys(good('x')).filter((name) => name !== 'device' && name !== 'operationsPerSecond');
    const bad = fc.constantFrom(undefined, Number.NaN, Number.NEGATIVE_INFINITY, -1);
    fc.assert(
      fc.property(
        fc.constantFrom(...STAGES),
        fc.constantFrom(...figures),
        bad,
        fc.nat(),
        (stage, name, value, which) => {
          const counted = devicesUpTo(stage, DEVICES, '2');
          const { id } = counted[which % counted.length] as Device;
          const { decision } = decide({
            stage,
            devices: DEVICES,
            reports: fleet({ [id]: { [name]: value } as never }),
            nowMs: NOW_MS,
            salt: '2',
          });
          expect(decision).not.toBe('go');
        },
      ),
      { seed: SEED, numRuns: 400 },
    );
  });
});

// Goal: the page names metrics that there are. Method: the names on it against those of the page of metrics.
it('the page asks for metrics that there are', () => {
  const namesIn = (page: string): Set<string> =>
    new Set(readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8').match(/imatrix_mm_\w+/g));
  const asked = namesIn('rollout.md');
  expect(asked.size).toBeGreaterThan(5);
  expect([...asked].filter((name) => !namesIn('metrics.md').has(name))).toEqual([]);
});

describe('the pilot', () => {
  const ids = Array.from({ length: 20_000 }, (_, i) => `gw-${i}`);

  // Goal: about a tenth, the same ones each time, others in another release. Method: many ids.
  it('is a tenth of production, and another one for another release', () => {
    const share = (salt: string): number => ids.filter((id) => isChosen(id, salt)).length / ids.length;
    expect(share('2')).toBeGreaterThan(0.09);
    expect(share('2')).toBeLessThan(0.11);
    const both = ids.filter((id) => isChosen(id, '2') && isChosen(id, '3')).length / ids.length;
    expect(both).toBeLessThan(0.02);
  });

  // Goal: a fleet that grows or shrinks moves nobody. Method: random fleets and parts of them. Seeded.
  it('keeps each device where it is while the fleet changes', () => {
    const device = fc.record({
      id: fc.string({ minLength: 1 }),
      group: fc.constantFrom('dev', 'staging', 'production'),
    });
    fc.assert(
      fc.property(fc.uniqueArray(device, { selector: ({ id }) => id }), fc.array(fc.boolean()), (all, keep) => {
        const part = (all as Device[]).filter((_, i) => keep[i] === true);
        for (const stage of STAGES) {
          const members = devicesOf(stage, all as Device[], '2').map(({ id }) => id);
          const membersOfPart = devicesOf(stage, part, '2').map(({ id }) => id);
          expect(membersOfPart).toEqual(members.filter((id) => part.some((each) => each.id === id)));
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});
