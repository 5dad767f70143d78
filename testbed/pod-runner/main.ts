/**
 * The pod runner of one bed: `main.ts <folder of the bed> <control-plane binary>`, with an IPC channel to its owner. It
 * exits when the channel closes, however the owner ended, and removes the bed's folder, because a killed owner cannot.
 */
import { join } from 'node:path';
import type { PlaneInfo } from '../plane/plane.ts';
import { Faults } from './faults.ts';
import { Kubelet, type Surroundings } from './kubelet.ts';
import { liveWithOwner, log } from './life.ts';
import { NestedPlanes } from './nested-planes.ts';
import { Network } from './network.ts';
import type { Done, Message } from './protocol.ts';

const [, , dir = '', binary = ''] = process.argv;
const faults = new Faults();
const running = new AbortController();
const nestedPlanes = new NestedPlanes(dir, binary, (plane, signal) => {
  new Kubelet(plane, true, surroundings, AbortSignal.any([signal, running.signal]));
});
const surroundings: Surroundings = {
  network: new Network(faults),
  faults,
  nestedPlanes,
  podLogs: join(dir, 'pods'),
  log,
};

/** By plane: stops its kubelet. */
const planes = new Map<string, AbortController>();

process.on('message', (message: Message) => {
  if (message.type === 'set-faults') faults.set(message.faults);
  if (message.type === 'add-planes') for (const plane of message.planes) add(plane);
  if (message.type === 'remove-plane') planes.get(message.name)?.abort();
  // By then, the programs that must stop have their signal.
  setImmediate(() => process.send?.({ number: message.number } satisfies Done));
});

function add(plane: PlaneInfo): void {
  const life = new AbortController();
  planes.set(plane.name, life);
  new Kubelet(plane, false, surroundings, AbortSignal.any([life.signal, running.signal]));
}

liveWithOwner(dir, () => nestedPlanes.release());
