/**
 * The pod runner of one bed: `main.ts <folder of the bed>`, with a channel to its owner. It ends when the channel does,
 * however the owner ended, and then removes the bed's folder, which the owner may not have had the time to.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Kubelet } from './kubelet.ts';
import { Network } from './network.ts';
import type { AddPlanes } from './protocol.ts';

const dir = process.argv[2] ?? '';
const network = new Network();
const running = new AbortController();

process.on('message', ({ planes }: AddPlanes) => {
  for (const { name, port } of planes) network.addPlane(name, port);
  for (const plane of planes) new Kubelet(plane, network, join(dir, 'pods'), running.signal, log);
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
