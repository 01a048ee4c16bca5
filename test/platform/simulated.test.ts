// Goal: the simulated disk is a disk like every other as long as nothing fails, so that what the conformance run
// finds on it holds on a real one. Method: the suite that the Linux adapter passes.
import { SimulatedDisk } from '../../conformance/simulated-disk.ts';
import { VirtualClock } from '../../conformance/virtual-clock.ts';
import { describeDiskPort } from './disk-port-suite.ts';

describeDiskPort('the simulated disk', async () => {
  const clock = new VirtualClock();
  return {
    disk: new SimulatedDisk(clock),
    elapse: async (ms) => void clock.advance(ms),
    dispose: async () => {},
  };
});
