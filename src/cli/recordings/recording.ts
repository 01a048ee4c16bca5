/**
 * A recording as a stream of batches, whatever its format. Memory is bounded by a chunk of the file.
 *
 * The same input and CanSensors table give the same samples in the same order in every pass.
 */

import type { CanSensors } from './can-sensor.ts';
import { CanboatDecoder } from './canboat.ts';
import { CandumpDecoder } from './candump.ts';
import { readCsv } from './csv.ts';
import type { CsvLayout } from './csv-layout.ts';
import type { Input } from './input.ts';
import { isComment, readLines } from './lines.ts';
import { NmeaDecoder, QUANTITIES } from './nmea.ts';
import type { Batch, LineDecoder, Sample } from './sample.ts';
import { Sink } from './sample.ts';

/** @throws the file system's errors. */
export function readRecording(input: Input, sensors: CanSensors): AsyncGenerator<Batch> {
  const { layout } = input;
  if (input.format === 'csv') return readCsv({ ...input, layout: layout as CsvLayout });
  const sink = new Sink();
  const decoder: LineDecoder =
    input.format === 'candump'
      ? new CandumpDecoder(sink, sensors)
      : input.format === 'canboat'
        ? new CanboatDecoder(sink, sensors)
        : new NmeaDecoder(sink, input.number, input.dateMs);
  return decodeLines(input, sink, decoder);
}

async function* decodeLines(input: Input, sink: Sink, decoder: LineDecoder): AsyncGenerator<Batch> {
  for await (const lines of readLines(input.path, input.bytes)) {
    for (const { number, text, tooLong, unterminated } of lines) {
      if (tooLong) sink.skip(number, 'line-too-long', text.slice(0, 20));
      else if (!isComment(text)) decoder.line(text, number, unterminated);
    }
    yield sink.take();
  }
  decoder.end();
  yield sink.take();
}

/** What a stream is, for people. @param sample any of the stream's. */
export function nameStream(input: Input, sample: Sample, sensors: CanSensors): string {
  if (sample.source === 'can_controller') return sensors.nameOf(sample.sensor);
  if (sample.source === 'host') return QUANTITIES[sample.sensor % 16] ?? `sensor ${sample.sensor}`;
  return input.layout?.id === null ? (input.layout.columns[sample.sensor % 65_536] ?? '') : `sensor ${sample.sensor}`;
}
