/** Every peer by its name, the measured store among them: child processes are told a name. */
import { appendLog } from './append-log.ts';
import { ownStore } from './own-store.ts';
import type { Peer } from './peer.ts';

const PEERS: readonly Peer[] = [ownStore, appendLog];

/** @throws Error for a name that no peer has. */
export function peerNamed(name: string): Peer {
  const found = PEERS.find((peer) => peer.name === name);
  if (found === undefined)
    throw new Error(`there is no peer ${name}; there are ${PEERS.map((peer) => peer.name).join(', ')}`);
  return found;
}
