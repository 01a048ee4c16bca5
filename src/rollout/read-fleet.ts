/**
 * A fleet and its reports, from files that people and devices write. Everything in them is looked at before anything is
 * decided: what cannot be meant is named with its file and place, and how to put it right.
 *
 *   fleet.json            { "devices": [ { "id": "gw-0001", "group": "production", "pilot": true } ] }
 *   reports/gw-0001.json  one report (DeviceReport in gates.ts), or a list of them
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceReport } from './gates.ts';
import type { Device, Group } from './stages.ts';
import { GROUPS } from './stages.ts';

/** Input that nobody can decide by. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
}

const fail = (place: string, reason: string, remedy: string): never => {
  throw new FleetError(`${place}: ${reason}; ${remedy}`);
};

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseJson(path: string): unknown {
  const text = readFileSync(path, 'utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(path, `is no JSON: ${(error as Error).message}`, 'write it again');
  }
}

/** The devices of a fleet, each id once. @throws FleetError. */
export function readFleet(path: string): readonly Device[] {
  const whole = parseJson(path);
  const listed = isFields(whole) ? whole.devices : whole;
  if (!Array.isArray(listed)) return fail(path, 'has no list of devices', 'give { "devices": [ ... ] }');
  const seen = new Set<string>();
  return listed.map((each: unknown, at): Device => {
    const place = `${path}, device ${at + 1}`;
    if (!isFields(each)) return fail(place, 'is no object', 'give { "id", "group" }');
    const { id, group, pilot, ...others } = each;
    if (typeof id !== 'string' || id === '') return fail(place, 'has no id', 'give a name of its own as "id"');
    if (seen.has(id)) return fail(place, `${id} is there twice`, 'leave one of the two');
    seen.add(id);
    if (!GROUPS.includes(group as Group))
      return fail(`${place} (${id})`, `group is ${String(group)}`, `give one of ${GROUPS.join(', ')}`);
    if (pilot !== undefined && typeof pilot !== 'boolean')
      return fail(`${place} (${id})`, `pilot is ${String(pilot)}`, 'give true or false, or leave it out');
    const [stray] = Object.keys(others);
    if (stray !== undefined) return fail(`${place} (${id})`, `${stray} is no field`, 'id, group and pilot are');
    return { id, group: group as Group, ...(pilot === undefined ? {} : { pilot }) };
  });
}

const FIGURES = [
  'atMs',
  'observedMs',
  'corruption',
  'flushesPerHour',
  'bytesWrittenPerDay',
  'baselineBytesPerDay',
  'crashes',
  'recoveries',
  'operationsPerSecond',
  'throughputRatio',
  'errorRate',
] as const satisfies readonly (keyof DeviceReport)[];

/**
 * One report. A figure that is null or missing is one that the device cannot give; text in its place is a mistake that is
 * not taken for that. @throws FleetError.
 */
function readReport(place: string, value: unknown): DeviceReport {
  if (!isFields(value)) return fail(place, 'is no object', 'give a report as docs/rollout.md has it');
  const { device } = value;
  if (typeof device !== 'string' || device === '') return fail(place, 'has no device', 'give its id as "device"');
  const report: Record<string, unknown> = { device };
  for (const name of FIGURES) {
    const figure = value[name];
    if (figure === undefined || figure === null) continue;
    if (typeof figure !== 'number')
      return fail(`${place} (${device})`, `${name} is ${JSON.stringify(figure)}`, 'give a number, or leave it out');
    report[name] = figure;
  }
  const stray = Object.keys(value).find(
    (name) => name !== 'device' && !FIGURES.includes(name as (typeof FIGURES)[number]),
  );
  if (stray !== undefined)
    return fail(`${place} (${device})`, `${stray} is no figure of a report`, `the figures are ${FIGURES.join(', ')}`);
  return report as unknown as DeviceReport;
}

/** All reports of a file, or of all .json files in a folder. @throws FleetError, or what the system says of the path. */
export function readReports(path: string): readonly DeviceReport[] {
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => name.endsWith('.json'))
        .sort()
        .map((name) => join(path, name))
    : [path];
  return files.flatMap((file) => {
    const whole = parseJson(file);
    const listed = Array.isArray(whole) ? whole : [whole];
    return listed.map((each, at) => readReport(listed.length === 1 ? file : `${file}, report ${at + 1}`, each));
  });
}
