/**
 * SQLite (node:sqlite) with a write-ahead log and synchronous=FULL, one transaction a batch, statements prepared once:
 *
 *   sqlite-rows        a row a record, set up as a user would who has read about those two settings
 *   sqlite-rows-tuned  the same with pages of 8 KiB and a log of 64 MiB before it is put into the database: pages that
 *                      many batches touch are then written there once. It is twice as fast, and its log is sixteen times
 *                      the memory that this store asks for.
 *   sqlite-blob        a batch as one blob of 16-byte records: what SQLite costs when it only has to keep bytes
 *
 * The table's key is what makes one sensor's records readable in order, and WITHOUT ROWID makes it the only tree. The value
 * is kept as the raw 32 bits, in an INTEGER column: less than a REAL takes. The page cache holds everything, so that no page
 * is read back.
 */
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Load, LoadSensor } from '../load.ts';
import { KeyMaker } from './keys.ts';
import type { Peer, PeerStore, Visit } from './peer.ts';
import { visitWide, WideRecords } from './wide-records.ts';

interface Pragmas {
  readonly pageBytes: number;
  /** Pages of the log at which a commit puts them into the database. */
  readonly checkpointPages: number;
}

/** As SQLite comes. */
const PLAIN: Pragmas = { pageBytes: 4_096, checkpointPages: 1_000 };
const TUNED: Pragmas = { pageBytes: 8_192, checkpointPages: 8_192 };
/** A batch of 16,000 records is a blob of 250 KB: large pages hold it in a shorter chain. */
const BLOBS: Pragmas = { pageBytes: 32_768, checkpointPages: 512 };

const CACHE_KIB = 256 * 1024;

function open(directory: string, { pageBytes, checkpointPages }: Pragmas, table: string): DatabaseSync {
  const database = new DatabaseSync(join(directory, 'records.db'));
  database.exec(`PRAGMA page_size = ${pageBytes}`);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  database.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  database.exec(table);
  return database;
}

/** Rolls back what a failing write began, so that the next batch finds a database that is at rest. */
function inTransaction(database: DatabaseSync, write: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    write();
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

const settle = (database: DatabaseSync): void => database.exec('PRAGMA wal_checkpoint(TRUNCATE)');

const ROWS = `CREATE TABLE IF NOT EXISTS records (
  source INTEGER NOT NULL, sensor INTEGER NOT NULL, sequence INTEGER NOT NULL, time INTEGER NOT NULL, value INTEGER NOT NULL,
  PRIMARY KEY (source, sensor, sequence)) WITHOUT ROWID`;

type Row = [source: number, sensor: number, timeMs: number, bits: number];

class SqliteRows implements PeerStore {
  readonly #database: DatabaseSync;
  readonly #maker: KeyMaker;
  readonly #insert: StatementSync;

  constructor(database: DatabaseSync, sensors: readonly LoadSensor[]) {
    this.#database = database;
    this.#maker = new KeyMaker(sensors);
    this.#insert = database.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?)');
  }

  writeBatch({ sensor, sequence, timeMs, bits }: Load, from: number, to: number): void {
    const { sources, ids } = this.#maker;
    inTransaction(this.#database, () => {
      for (let i = from; i < to; i++) {
        const s = sensor[i] as number;
        this.#insert.run(
          sources[s] as number,
          ids[s] as number,
          sequence[i] as number,
          timeMs[i] as number,
          bits[i] as number,
        );
      }
    });
  }

  settle(): void {
    settle(this.#database);
  }

  readAll(visit: Visit): void {
    this.#read('ORDER BY source, sensor, sequence', [], visit);
  }

  readSensor(sensor: number, visit: Visit): void {
    const key = [this.#maker.sources[sensor] as number, this.#maker.ids[sensor] as number];
    this.#read('WHERE source = ? AND sensor = ? ORDER BY sequence', key, visit);
  }

  #read(which: string, key: readonly number[], visit: Visit): void {
    const select = this.#database.prepare(`SELECT source, sensor, time, value FROM records ${which}`);
    // An array a row is made faster than an object with names.
    select.setReturnArrays(true);
    for (const row of select.iterate(...key)) {
      const [source, id, timeMs, bits] = row as unknown as Row;
      visit(this.#maker.indexOf(source, id), timeMs, bits);
    }
  }

  close(): void {
    this.#database.close();
  }
}

/** Inserts one by one, for a producer that has no batch in its hands: the same table, statement and settings. */
export interface RowInserts {
  /** In the transaction that is open; durable when `commit` has returned. */
  insert(load: Load, record: number): void;
  /** Commits and begins the next transaction. */
  commit(): void;
  /** Commits and closes. */
  close(): void;
}

export function sqliteRowInserts(directory: string, sensors: readonly LoadSensor[]): RowInserts {
  const database = open(directory, PLAIN, ROWS);
  const { sources, ids } = new KeyMaker(sensors);
  const insert = database.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?)');
  database.exec('BEGIN IMMEDIATE');
  return {
    insert({ sensor, sequence, timeMs, bits }, i) {
      const s = sensor[i] as number;
      insert.run(sources[s] as number, ids[s] as number, sequence[i] as number, timeMs[i] as number, bits[i] as number);
    },
    commit() {
      database.exec('COMMIT');
      database.exec('BEGIN IMMEDIATE');
    },
    close() {
      database.exec('COMMIT');
      database.close();
    },
  };
}

const BATCHES = 'CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY, records BLOB NOT NULL)';

class SqliteBlobs implements PeerStore {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #records = new WideRecords();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare('INSERT INTO batches (records) VALUES (?)');
  }

  writeBatch(load: Load, from: number, to: number): void {
    // A single statement is a transaction of its own.
    this.#insert.run(this.#records.fill(load, from, to));
  }

  settle(): void {
    settle(this.#database);
  }

  readAll(visit: Visit): void {
    for (const { records } of this.#database.prepare('SELECT records FROM batches ORDER BY id').iterate()) {
      visitWide(records as Uint8Array, visit);
    }
  }

  readSensor(sensor: number, visit: Visit): void {
    this.readAll((each, timeMs, bits) => {
      if (each === sensor) visit(each, timeMs, bits);
    });
  }

  close(): void {
    this.#database.close();
  }
}

const rows = (name: string, title: string, pragmas: Pragmas): Peer => ({
  name,
  title,
  recordsMax: 1_000_000,
  open: (directory, sensors) => new SqliteRows(open(directory, pragmas, ROWS), sensors),
});

export const sqliteRows: Peer = rows('sqlite-rows', 'node:sqlite, a row a record', PLAIN);
export const sqliteRowsTuned: Peer = rows('sqlite-rows-tuned', 'node:sqlite, a row a record, 64 MiB of log', TUNED);

export const sqliteBlob: Peer = {
  name: 'sqlite-blob',
  title: 'node:sqlite, a blob a batch',
  open: (directory) => new SqliteBlobs(open(directory, BLOBS, BATCHES)),
};
