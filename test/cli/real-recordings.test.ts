/**
 * Recordings of real devices, which lie beside the project where somebody has put them and are no part of it. Where they
 * are not, these tests say so and do not run.
 *
 * Goal: every record of them is accounted for through twenty power cuts.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CanSensors } from '../../src/cli/recordings/can-sensor.ts';
import { lookAt, Spool } from '../../src/cli/recordings/input.ts';
import { readRecording } from '../../src/cli/recordings/recording.ts';
import { imatrixMm, ROOT, scratchDirectory } from './scratch.ts';

const DATA = join(ROOT, '../shared/data');
const NAMES = ['nmea2000-boat.candump.log', 'ublox-m9n.nmea.log', 'machine-temperature.csv'];
const there = NAMES.every((name) => existsSync(join(DATA, name)));
if (!there) {
  const missing = NAMES.filter((name) => !existsSync(join(DATA, name))).join(', ');
  console.warn(`NOT RUN: the tests on real recordings, because ${missing} are not in ../shared/data`);
}

describe.skipIf(!there)(`real recordings${there ? '' : ' (not in ../shared/data)'}`, () => {
  const directory = scratchDirectory();
  const files = there ? NAMES.map((name) => join(DATA, name)) : [];

  it('are read to the last line', async () => {
    const counts: Record<string, number> = {};
    for (const name of there ? readdirSync(DATA) : []) {
      const input = await lookAt(join(DATA, name), 1, {}, new Spool());
      let samples = 0;
      for await (const batch of readRecording(input, new CanSensors())) samples += batch.samples.length;
      counts[name] = samples;
    }
    expect(counts).toMatchObject({
      // 10,495 frames of two words each.
      'nmea2000-boat.candump.log': 20_990,
      // 61 fixes of four quantities, and one record a row.
      'ublox-m9n.nmea.log': 244,
      'machine-temperature.csv': 22_695,
    });
  });

  it('come back through a pool of 64 KiB and twenty power cuts, or were in RAM at one of them', async () => {
    const args = [
      'replay',
      ...files,
      '--storage',
      join(directory, 'store'),
      '--pool',
      '64KiB',
      '--power-cut',
      '20',
      '--json',
    ];
    const { code, stdout } = await imatrixMm(args);
    const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, number> & {
      powerCuts: { synced: number; survived: number; appended: number; inRam: number }[];
    };
    expect(result).toMatchObject({
      input: 43_929,
      lostSynced: 0,
      altered: 0,
      duplicatesBeyondContract: 0,
      verdict: 'ok',
    });
    expect(result.powerCuts.length).toBe(20);
    for (const { synced, survived, appended } of result.powerCuts) {
      expect(synced <= survived && survived <= appended).toBe(true);
    }
    const inRam = result.powerCuts.reduce((sum, cut) => sum + cut.inRam, 0);
    expect((result.drained ?? 0) + inRam).toBe(43_929);
    expect(code).toBe(0);
  });
});
