/** Every peer by its name, the measured store among them: child processes are told a name. */
import { appendLog } from './append-log.ts';
import { levelPacked, levelRows } from './level.ts';
import { lmdbPacked, lmdbRows } from './lmdb.ts';
import { ownStore } from './own-store.ts';
import type { Peer } from './peer.ts';
import { sqliteBlob, sqliteRows, sqliteRowsTuned } from './sqlite.ts';

export const PEERS: readonly Peer[] = [
  ownStore,
  sqliteRows,
  sqliteRowsTuned,
  levelRows,
  lmdbRows,
  levelPacked,
  lmdbPacked,
  appendLog,
  sqliteBlob,
];

/** @throws Error for a name that no peer has. */
export function peerNamed(name: string): Peer {
  const found = PEERS.find((peer) => peer.name === name);
  if (found === undefined)
    throw new Error(`there is no peer ${name}; there are ${PEERS.map((peer) => peer.name).join(', ')}`);
  return found;
}
