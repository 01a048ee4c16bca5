/** Process that opens a store whose writer was killed, and compares every record in it with what was written. */
import { answerProcess } from '../ask-process.ts';
import { makeLoad } from '../load-spec.ts';
import { peerNamed } from '../peers/all.ts';
import { checkRecords } from './check-records.ts';
import type { VerifyRequest } from './requests.ts';

/** Records that were compared. */
async function verify({ peer: name, load: spec, directory }: VerifyRequest): Promise<number> {
  const peer = peerNamed(name);
  const load = await makeLoad(spec);
  const store = await peer.open(directory, load.sensors);
  return checkRecords(load, store);
}

answerProcess(verify);
