/** The loads that wear is reckoned for: the reference load or one described by figures, and recordings played on and on. */
import type { Source, StreamOptions } from '../../index.ts';
import { SOURCES } from '../../index.ts';
import { lookAt, Spool } from '../recordings/input.ts';
import { scan, streamOptions, walk } from '../replay/plan.ts';

export interface LoadStream {
  readonly source: Source;
  readonly sensor: number;
  readonly options: StreamOptions;
}

export interface LoadSample {
  /** Index of the stream. */
  readonly stream: number;
  readonly value: number;
  /** UTC milliseconds. */
  readonly timeMs: number;
}

export interface Load {
  readonly name: string;
  readonly streams: readonly LoadStream[];
  /** In the order of their times, without an end. */
  samples(): Iterable<LoadSample>;
}

export interface DescribedLoad {
  readonly recordsPerSecond: number;
  readonly sensors: number;
  readonly seed: number;
}

/** Contract section 9. */
export const REFERENCE: DescribedLoad = { recordsPerSecond: 100, sensors: 1000, seed: 1 };

const BEGIN_MS = 1_700_000_000_000;
const MODULUS = 0x7fff_ffff;

/** Half tsd, half evt, over the three sources, each sensor in its turn; values walk as those of sensors do. */
export function describedLoad({ recordsPerSecond, sensors, seed }: DescribedLoad): Load {
  const periodMs = Math.max(1, Math.round((sensors * 1000) / recordsPerSecond));
  return {
    name: `${recordsPerSecond} records a second of ${sensors} sensors`,
    streams: Array.from({ length: sensors }, (_, i) => ({
      source: SOURCES[i % SOURCES.length] as Source,
      sensor: i,
      options: i % 2 === 0 ? { kind: 'tsd', periodMs, type: 'float32' } : { kind: 'evt', type: 'float32' },
    })),
    *samples() {
      const values = new Float64Array(sensors).fill(200);
      let random = (seed % (MODULUS - 1)) + 1;
      for (let n = 0; ; n++) {
        const stream = n % sensors;
        random = (random * 48_271) % MODULUS;
        values[stream] = (values[stream] as number) + (random % 11) - 5;
        // Samples come a little late; events whenever they like.
        const lateMs = random % (stream % 2 === 0 ? Math.min(50, periodMs / 4) : 1000);
        const timeMs = BEGIN_MS + Math.floor((n * 1000) / recordsPerSecond + lateMs);
        yield { stream, value: (values[stream] as number) / 10, timeMs };
      }
    },
  };
}

/** @throws CliError when a file is missing or no recording. */
export async function recordedLoad(files: readonly string[]): Promise<Load> {
  const spool = new Spool();
  try {
    const inputs = await Promise.all(files.map((name, i) => lookAt(name, i, {}, spool)));
    const { plan } = await scan(inputs, { onSkip: () => undefined, onProgress: () => undefined });
    const samples: LoadSample[] = [];
    for await (const step of walk(plan)) {
      step.samples.forEach(({ value, timeMs }, i) => {
        samples.push({ stream: step.streams[i] as number, value, timeMs });
      });
    }
    samples.sort((a, b) => a.timeMs - b.timeMs);
    return {
      name: files.join(', '),
      streams: plan.streams.map((stream) => ({ ...stream, options: streamOptions(stream) })),
      *samples() {
        const [first, last] = [samples[0], samples.at(-1)];
        if (first === undefined || last === undefined) return;
        const lengthMs = last.timeMs - first.timeMs;
        const roundMs = Math.ceil(lengthMs + Math.max(1, lengthMs / samples.length));
        for (let round = 0; ; round++) {
          for (const { stream, value, timeMs } of samples) yield { stream, value, timeMs: timeMs + round * roundMs };
        }
      },
    };
  } finally {
    await spool.remove();
  }
}
