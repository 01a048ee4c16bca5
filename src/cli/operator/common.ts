/** What the commands for operators share: where the store is, which streams are asked for, who has it open. */
import { InvalidArgumentError } from 'commander';
import type { Source } from '../../index.ts';
import { SOURCES } from '../../index.ts';
import { DEFAULT_DISK_PATH } from '../../legacy/codes.ts';

/** Where a gateway has its store, unless it was configured otherwise. */
export const DEFAULT_DIRECTORY = DEFAULT_DISK_PATH;

export const DIRECTORY_HELP = "the store's directory";

export interface StreamName {
  readonly source: Source;
  readonly sensor: number;
}

/** Reads `can_controller/0x1001`, once for each time that the option is given. */
export function streamName(text: string, before: readonly StreamName[] = []): StreamName[] {
  const [, name, id] = /^([a-z_]+)\/(0x[0-9a-f]+|\d+)$/i.exec(text) ?? [];
  const source = SOURCES.find((each) => each === name);
  const sensor = Number(id);
  if (source === undefined || !(sensor <= 0xffff_ffff)) {
    throw new InvalidArgumentError('give a source and a sensor id, such as host/17 or can_controller/0x1001');
  }
  return [...before, { source, sensor }];
}

/** Said under figures from the disk while somebody has the store open. */
export const besideText = (holder: string, why?: string): string =>
  `open by ${holder}${why === undefined ? '' : `; ${why}`}: these are the figures on disk, and RAM is not visible from here`;
