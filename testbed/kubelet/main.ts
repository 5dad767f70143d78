/**
 * The kubelets of one bed of real programs: `main.ts <folder of the bed> <folder of the programs>`, with an IPC channel to its owner. It
 * exits when the channel closes, however the owner ended, and removes the bed's folder, because a killed owner cannot.
 */
import { join } from 'node:path';
import type { PlaneInfo } from '../plane/plane.ts';
import { Faults } from '../pod-runner/faults.ts';
import { liveWithOwner, log } from '../pod-runner/life.ts';
import { NestedPlanes } from '../pod-runner/nested-planes.ts';
import type { Done, Message } from '../pod-runner/protocol.ts';
import { openBlackHole } from './black-hole.ts';
import { programFolder, tableOf, trustedFile } from './folder.ts';
import { startInternet } from './internet.ts';
import { Kubelet, type Surroundings } from './kubelet.ts';
import { Network } from './network.ts';

const [, , dir = '', programs = ''] = process.argv;
const running = new AbortController();
const internet = await startInternet(dir, join(programs, 'helm'));
const faults = new Faults();
const network = new Network(faults, internet, await openBlackHole());
/** By plane: ends its kubelet. */
const ends = new Map<string, () => Promise<void>>();

const surroundings: Surroundings = {
  dir,
  network,
  faults,
  nestedPlanes: new NestedPlanes(
    dir,
    join(programs, 'control-plane'),
    (plane, signal) => {
      const kubelet = add(plane, true, signal);
      signal.addEventListener('abort', () => void kubelet.then((each) => each.stop()));
    },
    (id) => tableOf(dir, id),
  ),
  machine: { root: dir, bin: programFolder(dir), certificates: trustedFile(dir) },
  log,
};

process.on('message', async (message: Message) => {
  if (message.type === 'set-faults') {
    faults.set(message.faults);
    network.changed();
  }
  if (message.type === 'add-planes') for (const plane of message.planes) await addPlane(plane);
  if (message.type === 'remove-plane') await ends.get(message.name)?.();
  process.send?.({ number: message.number } satisfies Done);
});

async function addPlane(plane: PlaneInfo): Promise<void> {
  const life = new AbortController();
  const kubelet = await add(plane, false, life.signal);
  ends.set(plane.name, async () => {
    life.abort();
    await kubelet.stop();
    ends.delete(plane.name);
  });
}

function add(plane: PlaneInfo, isNested: boolean, signal: AbortSignal): Promise<Kubelet> {
  return Kubelet.start(plane, isNested, surroundings, AbortSignal.any([signal, running.signal]));
}

liveWithOwner(dir, async () => {
  running.abort();
  // Containers end with this process.
  await surroundings.nestedPlanes.release();
});
