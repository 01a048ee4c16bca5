/**
 * Process in which one producer hands over its records: what the compiler and the collector have to do for another one is none
 * of its pauses.
 */
import { answerProcess } from '../ask-process.ts';
import { referenceLoad } from '../load.ts';
import { BUCKET_MS, histogramOf, settledRecords, worstByBucket } from './paced.ts';
import type { Paused, ProducerRequest } from './pauses.ts';
import { inDirectory, type Produced, produceNothing, produceOwn, produceSqlite } from './producers.ts';

async function pausesOf(request: ProducerRequest): Promise<Paused> {
  const { run, flushes } = await produce(request);
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

function produce(request: ProducerRequest): Promise<Produced> {
  const { producer, seed, recordsPerSecond, seconds, sensors, batchRecords, syncDelayMs } = request;
  const pace = { recordsPerSecond, seconds };
  const load = referenceLoad(seed, settledRecords(pace), sensors);
  return inDirectory(request.directory, producer, (directory) => {
    const producing = { directory, load, pace, batchRecords };
    if (producer === 'sqlite') return produceSqlite(producing);
    if (producer === 'nothing') return produceNothing(producing);
    return produceOwn(producing, producer === 'own' ? 0 : syncDelayMs);
  });
}

answerProcess(pausesOf);
