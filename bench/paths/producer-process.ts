/**
 * Process in which one producer hands over its records: what the compiler and the collector have to do for another one is none
 * of its pauses. It runs once for half of the time, which is not counted and compiles the code, and once for all of it.
 */
import { answerProcess } from '../ask-process.ts';
import { type Load, referenceLoad } from '../load.ts';
import { BUCKET_MS, histogramOf, worstByBucket } from './paced.ts';
import type { Paused, ProducerRequest } from './pauses.ts';
import { inDirectory, type Produced, produceOwn, produceSqlite } from './producers.ts';

async function pausesOf(request: ProducerRequest): Promise<Paused> {
  const { seed, recordsPerSecond, seconds, sensors } = request;
  const load = referenceLoad(seed, Math.round(recordsPerSecond * seconds), sensors);
  await produce(request, load, seconds / 2);
  const { run, flushes } = await produce(request, load, seconds);
  return {
    pauses: {
      records: run.records,
      seconds: run.seconds,
      appendMs: histogramOf(run.tookMs),
      lateMs: histogramOf(run.lateMs),
      flushes: flushes.length,
      longestFlushMs: Math.max(0, ...flushes.map(([from, to]) => to - from)),
    },
    series: {
      bucketMs: BUCKET_MS,
      worstAppendMs: worstByBucket(run),
      flushesMs: flushes.map(([from, to]) => [Math.round(from), Math.round(to)]),
    },
  };
}

function produce(request: ProducerRequest, load: Load, seconds: number): Promise<Produced> {
  const { producer, recordsPerSecond, batchRecords, syncDelayMs } = request;
  return inDirectory(request.directory, producer, (directory) => {
    const producing = { directory, load, pace: { recordsPerSecond, seconds }, batchRecords };
    return producer === 'sqlite'
      ? produceSqlite(producing)
      : produceOwn(producing, producer === 'own' ? 0 : syncDelayMs);
  });
}

answerProcess(pausesOf);
