import { after } from 'node:test';
import {
  type Bed,
  type CertificateSigningRequest,
  resources,
  startBed,
  wipeCluster,
  wipeKlusterlet,
} from '../../../testbed/index.ts';

type PlaneSpec = Parameters<typeof startBed>[0]['planes'][number];

let bed: Bed | undefined;
let isKept = false;

/**
 * A bed that has these planes. The runner runs some files in one process, one after the other (scripts/together.ts): there it is the same
 * bed, whose planes may be more, and are as if nothing had been registered.
 */
export async function enterBed(planes: readonly PlaneSpec[]): Promise<Bed> {
  bed ??= await startBed({ planes: [] });
  const entered = bed;
  const missing = planes.filter(({ name }) => !entered.planes.some((plane) => plane.name === name));
  if (missing.length > 0) await entered.addPlanes(missing);
  await Promise.all(entered.planes.map((plane) => plane.markAudit()));
  return entered;
}

/** Ends the bed, or cleans it for the next file of this process. */
export async function leaveBed(): Promise<void> {
  if (!isKept) return endBed();
  await bed?.mend();
  const label = 'open-cluster-management.io/cluster-name';
  for (const plane of bed?.planes ?? []) {
    const list = <T>(found: Promise<{ items: T[] }>) => found.then(({ items }) => items).catch(() => []);
    const { admin } = plane;
    const clusters = (await list(admin.list(resources.managedClusters))).map(({ metadata }) => metadata.name);
    const requests = await list(admin.list<CertificateSigningRequest>(resources.certificateSigningRequests));
    const ofRequests = requests.flatMap(({ metadata }) => metadata.labels?.[label] ?? []);
    const isHub = (await admin.find(resources.namespaces, 'open-cluster-management-hub')) !== undefined;
    await Promise.all([...new Set([...clusters, ...ofRequests])].map((name) => wipeCluster(plane, name)));
    if (!isHub) await wipeKlusterlet(plane);
  }
}

async function endBed(): Promise<void> {
  await bed?.stop();
  bed = undefined;
}

/** For scripts/together.ts: the bed ends with the last of several files. */
export function keepBed(): void {
  isKept = true;
  after(endBed);
}
