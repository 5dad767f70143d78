/**
 * The pod runner of one bed: `main.ts <folder of the bed>`, with a channel to its owner. It ends when the channel does,
 * however the owner ended, and then removes the bed's folder, which the owner may not have had the time to.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Faults } from './faults.ts';
import { Kubelet } from './kubelet.ts';
import { Network } from './network.ts';
import type { AddPlanes, FaultsSet, SetFaults } from './protocol.ts';

const dir = process.argv[2] ?? '';
const faults = new Faults();
const network = new Network(faults);
const running = new AbortController();

process.on('message', (message: AddPlanes | SetFaults) => {
  if (message.type === 'set-faults') {
    faults.set(message.faults);
    // Programs that are to stop have been told so by then.
    setImmediate(() => process.send?.({ number: message.number } satisfies FaultsSet));
    return;
  }
  const { planes } = message;
  for (const { name, port } of planes) network.addPlane(name, port);
  for (const plane of planes) new Kubelet(plane, network, faults, join(dir, 'pods'), running.signal, log);
});

process.on('disconnect', () => {
  rmSync(dir, { recursive: true, force: true });
  process.exit(0);
});

// A mistake in one stand-in must not take the others with it.
process.on('uncaughtException', (error) => log(error.stack ?? error.message));

function log(line: string): void {
  console.log(`${new Date().toISOString()} ${line}`);
}
