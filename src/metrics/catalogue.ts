/**
 * Every metric of a store: name, type, what it says, and how it follows from the figures. Nothing else knows a name:
 * the registry, docs/metrics.md and the dashboard are held to this table by tests.
 *
 * Names and units are those of Prometheus (base units, counters end in _total), but for the five of the first memory
 * manager, which keep the names that dashboards and gates know (docs/decisions/0056).
 */
import type { Activity, StoreFigures } from '../meter.ts';

/** What stands before every name. */
export const PREFIX = 'imatrix_mm_';

/** One store at the moment of a scrape. */
export interface Observed {
  /** A program has it open and shows it. */
  readonly isUp: boolean;
  /** A program has it open, whether it shows it or not. */
  readonly isOpen: boolean;
  /** Null when nothing can be said of it: there is no store, or it cannot be read. */
  readonly figures: StoreFigures | null;
}

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Metric {
  /** Without the prefix. */
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** Beside `store`, which every metric has. */
  readonly labels: readonly string[];
  /** Empty where nothing can be said. */
  readonly samples: (observed: Observed) => readonly Sample[];
}

type Value = number | null;

function metric(
  type: Metric['type'],
  name: string,
  help: string,
  value: (figures: StoreFigures, activity: Activity | null) => Value,
): Metric {
  return {
    ...{ name, type, help, labels: [] },
    samples: ({ figures }) => {
      const given = figures === null ? null : value(figures, figures.activity);
      return given === null ? [] : [{ value: given }];
    },
  };
}

const gauge = (name: string, help: string, value: Parameters<typeof metric>[3]): Metric =>
  metric('gauge', name, help, value);

/** A count since the store was opened: of a store that nobody has open there is none. */
const counter = (name: string, help: string, value: (figures: StoreFigures, activity: Activity) => number): Metric =>
  metric('counter', name, help, (figures, activity) => (activity === null ? null : value(figures, activity)));

const MIB = 1_048_576;
const inSeconds = (ms: number): number => ms / 1000;

/** Those of the first memory manager, by their names. */
const FIVE: readonly Metric[] = [
  gauge('ram_usage_percent', 'Share of the RAM pool in use, 0 to 100; a flush begins at 80.', ({ stats }, activity) =>
    activity === null ? null : stats.ramUsagePercent,
  ),
  gauge(
    'flush_count_per_hour',
    'Flushes in the last 60 minutes, or since the store was opened if that is less.',
    (_, activity) => activity?.flushesLastHour ?? null,
  ),
  gauge('disk_storage_mb', 'All files of the store, in MiB of 1,048,576 bytes.', ({ stats }) => stats.diskBytes / MIB),
  gauge(
    'recovery_events',
    'Recoveries from a crash by this opening of the store: 1 after a crash, else 0.',
    ({ stats }, activity) => (activity === null ? null : stats.recoveries),
  ),
  gauge(
    'error_rate',
    'Share of the last 60 minutes that went wrong, 0 to 1: appends refused for full RAM, failed flushes and refused acknowledges, of those and all appends and flushes.',
    (_, activity) => activity?.errorRate ?? null,
  ),
];

const STATE: readonly Metric[] = [
  {
    ...{ name: 'up', type: 'gauge', labels: [] },
    help: '1 while a program has the store open and shows it; 0: the figures are those of the files, or there are none.',
    samples: ({ isUp }) => [{ value: isUp ? 1 : 0 }],
  },
  {
    ...{ name: 'open', type: 'gauge', labels: [] },
    help: '1 while a program has the store open, whether it shows it or not.',
    samples: ({ isOpen }) => [{ value: isOpen ? 1 : 0 }],
  },
  {
    ...{ name: 'readable', type: 'gauge', labels: [] },
    help: '1 when there is a store of which figures can be given.',
    samples: ({ figures }) => [{ value: figures === null ? 0 : 1 }],
  },
  {
    ...{ name: 'info', type: 'gauge', labels: ['store_id', 'found'] },
    help: 'Always 1; the store id, and what opening found: new, clean or crash.',
    samples: ({ figures }) =>
      figures === null ? [] : [{ labels: { store_id: figures.storeId, found: figures.recovery.found }, value: 1 }],
  },
  gauge('epoch', 'How many times the store was opened since it was made.', ({ epoch }) => epoch),
  gauge('streams', 'Sensors that the store knows.', ({ stats }) => stats.streams),
];

const RECORDS: readonly Metric[] = [
  gauge('records_at_risk', 'Records that a power cut now would take: in RAM, not on disk.', ({ stats }, activity) =>
    activity === null ? null : stats.atRisk,
  ),
  gauge('records_retained', 'Records in the store.', ({ stats }) => stats.retained),
  gauge('records_unread', 'Records that nobody has read yet.', ({ stats }) => stats.unread),
  gauge('records_pending', 'Records read and not yet acknowledged.', ({ stats }) => stats.pending),
  counter('records_appended_total', 'Records appended.', ({ stats }) => stats.appended),
  counter('records_refused_total', 'Records refused because RAM was full.', ({ stats }) => stats.refusedRamFull),
  counter('records_read_total', 'Records read, again after a revert too.', ({ stats }) => stats.read),
  counter('records_acknowledged_total', 'Records that the cloud has.', ({ stats }) => stats.acknowledged),
  counter('records_reverted_total', 'Records given back by a revert.', ({ stats }) => stats.reverted),
  counter('records_discarded_total', 'Records that their owner discarded.', ({ stats }) => stats.discarded),
  {
    ...{ name: 'records_evicted_total', type: 'counter', labels: ['reason'] },
    help: 'Records lost because a bound was reached: disk_full (quota or free space), ram_full (without a disk).',
    samples: ({ figures }) =>
      figures?.activity
        ? [
            { labels: { reason: 'disk_full' }, value: figures.disk ? figures.stats.evicted : 0 },
            { labels: { reason: 'ram_full' }, value: figures.disk ? 0 : figures.stats.evicted },
          ]
        : [],
  },
  counter(
    'records_damaged_total',
    'Records found damaged and lost, by opening and since.',
    ({ stats }) => stats.damaged,
  ),
  counter(
    'acknowledges_refused_total',
    'Acknowledges refused: more than was pending, or a batch that is not.',
    (_, activity) => activity.acknowledgesRefused,
  ),
  gauge(
    'append_longest_seconds',
    'Longest append since the first scrape.',
    (_, activity) => activity && inSeconds(activity.longestAppendMs),
  ),
];

const FLUSHES: readonly Metric[] = [
  gauge('ram_sectors', 'Sectors of the RAM pool.', ({ stats }, activity) =>
    activity === null ? null : stats.poolSectors,
  ),
  gauge('ram_sectors_used', 'Sectors of the RAM pool in use.', ({ stats }, activity) =>
    activity === null ? null : stats.poolUsedSectors,
  ),
  counter('flushes_total', 'Flushes that ended well.', ({ stats }) => stats.flushes),
  counter('flush_failures_total', 'Flushes that failed; nothing is lost by one.', ({ stats }) => stats.flushFailures),
  gauge(
    'flush_longest_seconds',
    'Longest flush since the store was opened.',
    (_, activity) => activity && inSeconds(activity.longestFlushMs),
  ),
  counter('checkpoints_total', 'Checkpoints written.', ({ stats }) => stats.checkpoints),
];

const DISK: readonly Metric[] = [
  gauge('disk_bytes', 'All files of the store.', ({ stats }) => stats.diskBytes),
  gauge('disk_quota_bytes', 'What the files of the store may take at most.', ({ stats }, activity) =>
    activity === null ? null : stats.quotaBytes,
  ),
  counter('disk_written_bytes_total', 'Bytes written to the disk.', ({ stats }) => stats.bytesWritten),
  counter('disk_syncs_total', 'Syncs asked of the disk.', ({ stats }) => stats.syncs),
  gauge(
    'disk_lifetime_written_bytes',
    'Bytes written to the disk since the store was made: flash wear.',
    ({ stats }) => stats.bytesWrittenTotal,
  ),
  gauge('disk_lifetime_syncs', 'Syncs asked of the disk since the store was made.', ({ stats }) => stats.syncsTotal),
  counter('segments_written_total', 'Segments written.', ({ stats }) => stats.segmentsWritten),
  counter(
    'segments_removed_total',
    'Segments removed because all their records were acknowledged.',
    ({ stats }) => stats.segmentsRemoved,
  ),
  counter(
    'segments_evicted_total',
    'Segments dropped because a bound was reached.',
    (_, activity) => activity.segmentsEvicted,
  ),
];

const DAMAGE: readonly Metric[] = [
  counter(
    'damaged_ranges_total',
    'Ranges of records found damaged while the store ran.',
    (_, activity) => activity.damagedRanges,
  ),
  gauge('recovery_records', 'Records that opening found.', ({ recovery }) => recovery.records),
  gauge(
    'recovery_salvaged_records',
    'Records of a flush that a crash cut off, found whole by opening.',
    ({ recovery }) => recovery.salvagedRecords,
  ),
  gauge('recovery_damaged_records', 'Records that opening found damaged.', ({ recovery }) => recovery.damagedRecords),
  gauge('recovery_set_aside_files', 'Files that opening set aside.', ({ recovery }) => recovery.setAside),
];

export const METRICS: readonly Metric[] = [...FIVE, ...STATE, ...RECORDS, ...FLUSHES, ...DISK, ...DAMAGE];
