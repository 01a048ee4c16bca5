/** Reads a whole recording from text, as the command does: by the file, with its form told by content. */
import { CanSensors } from '../../../src/cli/recordings/can-sensor.ts';
import type { Input, InputOptions } from '../../../src/cli/recordings/input.ts';
import { lookAt, Spool } from '../../../src/cli/recordings/input.ts';
import { readRecording } from '../../../src/cli/recordings/recording.ts';
import type { Sample, Skip } from '../../../src/cli/recordings/sample.ts';
import { writeScratch } from '../scratch.ts';

export interface Everything {
  readonly input: Input;
  readonly samples: readonly Sample[];
  readonly skips: readonly Skip[];
}

export async function readAll(
  directory: string,
  content: string | Uint8Array,
  options: InputOptions = {},
): Promise<Everything> {
  return readFrom(writeScratch(directory, content), options);
}

export async function readFrom(path: string, options: InputOptions = {}): Promise<Everything> {
  const input = await lookAt(path, 1, options, new Spool());
  const samples: Sample[] = [];
  const skips: Skip[] = [];
  for await (const batch of readRecording(input, new CanSensors())) {
    samples.push(...batch.samples);
    skips.push(...batch.skips);
  }
  return { input, samples, skips };
}
