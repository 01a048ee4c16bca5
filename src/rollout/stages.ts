/**
 * Which devices a stage of the rollout has. The pilot is a tenth of those in production, chosen by a hash of the device's
 * id: the same devices every time, on every machine, whatever other devices there are. A fleet that grows or shrinks
 * moves no device into the pilot or out of it.
 */
import { createHash } from 'node:crypto';

export const STAGES = ['dev', 'staging', 'pilot', 'full'] as const;
export type Stage = (typeof STAGES)[number];

/** Where a device stands: on a desk, in the test fleet, or with a customer. */
export const GROUPS = ['dev', 'staging', 'production'] as const;
export type Group = (typeof GROUPS)[number];

export interface Device {
  readonly id: string;
  readonly group: Group;
  /** Said by the operator: in the pilot, or not. Without it the hash says so. */
  readonly pilot?: boolean;
}

/** Share of the devices in production that the pilot has. */
export const PILOT_SHARE = 0.1;

const WORDS = 2 ** 32;

/** Whether the hash of the id puts a device into the pilot. `salt` names the release: another release, other devices. */
export function isChosen(id: string, salt: string, share = PILOT_SHARE): boolean {
  const hash = createHash('sha256').update(`${salt}\n${id}`).digest();
  return hash.readUInt32BE(0) < share * WORDS;
}

const inPilot = ({ id, pilot }: Device, salt: string): boolean => pilot ?? isChosen(id, salt);

const MEMBER: Readonly<Record<Stage, (device: Device, salt: string) => boolean>> = {
  dev: ({ group }) => group === 'dev',
  staging: ({ group }) => group === 'staging',
  pilot: (device, salt) => device.group === 'production' && inPilot(device, salt),
  full: ({ group }) => group === 'production',
};

/** The devices that a stage adds to those before it, in the order given. */
export const devicesOf = (stage: Stage, devices: readonly Device[], salt: string): readonly Device[] =>
  devices.filter((device) => MEMBER[stage](device, salt));

/** All that have the new version in this stage: its own, and those of the stages before it. */
export function devicesUpTo(stage: Stage, devices: readonly Device[], salt: string): readonly Device[] {
  const stages = STAGES.slice(0, STAGES.indexOf(stage) + 1);
  return devices.filter((device) => stages.some((each) => MEMBER[each](device, salt)));
}
