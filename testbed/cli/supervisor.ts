/**
 * The process that owns a user's bed: `supervisor.ts <number of WECs> [full]`. It reports the progress of the start to its parent, then
 * answers on a socket until it is told to end.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Bed, startBed } from '../bed.ts';
import type { Fault } from '../faults/fault.ts';
import { registrationFaults } from '../faults/registered.ts';
import { bindWorkload, installAddonByPlacement } from '../helpers/workload.ts';
import { isTrue } from '../kube/conditions.ts';
import { controlPlanes } from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import type { ControlPlane } from '../kubestellar/control-planes.ts';
import { installKubeStellar } from '../kubestellar/install.ts';
import type { Plane } from '../plane/plane.ts';
import { clearState, writeState } from './state.ts';

/** Messages of the supervisor while the bed starts. */
export type Progress = { log: string } | { ready: BedStatus } | { failed: string };

/** Its answer to GET /. */
export interface BedStatus {
  kubeconfig: string;
  dir: string;
  podRunner: number | undefined;
  faults: readonly Fault[];
  planes: { name: string; server: string; isReady: boolean; pids: Record<string, number> }[];
}

/** Requests by POST, as JSON. */
export type Request =
  | { do: 'end' }
  | { do: 'fault'; fault: Fault }
  | { do: 'arrange'; id: string; wec: string | undefined }
  | { do: 'mend' }
  | { do: 'bind'; matchLabels: Record<string, string> }
  | { do: 'unbind' }
  | { do: 'addon' };

const wecs = Number(process.argv[2]);
const names = Array.from({ length: wecs }, (_, index) => `cluster${index + 1}`);
const isFull = process.argv[3] === 'full';
const first = isFull ? { name: 'hosting', ingress: true } : { name: 'its1', hub: true };
const planes = [first, ...names.map((name) => ({ name }))];
let bed: Bed | undefined;
let isReady = false;
const transports: { stop(): void }[] = [];
const undos: (() => Promise<void>)[] = [];

// If the parent gives up while it waits for the start, the bed is not wanted.
process.on('disconnect', () => {
  if (!isReady) void end();
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void end());

try {
  bed = await startBed({ planes, log: (log) => tell({ log }) });
  if (isFull) await installSpaces(bed.plane('hosting'));
  const socket = join(bed.dir, 'supervisor.sock');
  await listen(bed, socket);
  await writeState({ pid: process.pid, socket });
  isReady = true;
  tell({ ready: await statusOf(bed) });
} catch (error) {
  tell({ failed: (error as Error).message });
  await end();
}

/** KubeFlex and KubeStellar, with an ITS and a WDS that are ready. */
async function installSpaces(hosting: Plane): Promise<void> {
  tell({ log: 'installing KubeFlex and KubeStellar' });
  await installKubeStellar(hosting, { values: { ITSes: [{ name: 'its1' }], WDSes: [{ name: 'wds1' }] } });
  for (const space of ['its1', 'wds1']) {
    tell({ log: `waiting for ${space}` });
    const isSpaceReady = async () =>
      isTrue((await hosting.admin.find<ControlPlane>(controlPlanes, space))?.status?.conditions, 'Ready');
    await until(isSpaceReady, `${space} is ready`);
  }
}

function tell(progress: Progress): void {
  if (process.connected) process.send?.(progress);
}

function listen(running: Bed, socket: string): Promise<void> {
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') response.end(JSON.stringify(await statusOf(running)));
    else
      answer(running, request).then(
        (text) => response.end(text),
        (error: Error) => response.writeHead(500).end(error.message),
      );
  });
  return new Promise((resolve) => server.listen(socket, resolve));
}

async function answer(running: Bed, request: IncomingMessage): Promise<string> {
  const wanted = JSON.parse(await text(request)) as Request;
  if (wanted.do === 'end') setImmediate(() => void end());
  if (wanted.do === 'fault') await running.fault(wanted.fault);
  if (wanted.do === 'arrange') await arrange(running, wanted.id, wanted.wec);
  if (wanted.do === 'mend') {
    for (const undo of undos.splice(0).reverse()) await undo();
    await running.mend();
  }
  const hub = () => running.plane('its1');
  if (wanted.do === 'bind') transports.push(bindWorkload(hub(), { matchLabels: wanted.matchLabels }));
  if (wanted.do === 'unbind') for (const transport of transports.splice(0)) transport.stop();
  if (wanted.do === 'addon') await installAddonByPlacement(hub());
  return '';
}

async function arrange(running: Bed, id: string, wec: string | undefined): Promise<void> {
  const row = registrationFaults.find((each) => each.id === id);
  if (!row) throw new Error(`no cause ${id}; there are ${registrationFaults.map((each) => each.id).join(', ')}`);
  undos.push(await row.arrange(running, wec));
}

async function statusOf({ kubeconfig, dir, podRunnerPid, planes: running, faults }: Bed): Promise<BedStatus> {
  const status = running.map(async (plane) => ({
    name: plane.name,
    server: plane.server,
    isReady: await plane.isReady(),
    pids: plane.pids,
  }));
  return { kubeconfig, dir, podRunner: podRunnerPid, faults, planes: await Promise.all(status) };
}

async function end(): Promise<void> {
  if (isReady) await clearState();
  await bed?.stop();
  process.exit();
}
