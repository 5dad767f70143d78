import { createHash } from 'node:crypto';
import type { Kube } from '../kube/client/client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { type Resource, resources } from '../kube/resources.ts';
import { withoutFinalizers } from '../kube/writes.ts';

/** work.open-cluster-management.io/v1, as far as stellarctl reads it. */
export interface AppliedManifestWork extends KubeObject {
  spec?: { manifestWorkName?: string; hubHash?: string; agentID?: string };
  status?: { appliedResources?: AppliedResource[] };
}

/** An object that a work has applied on the WEC. */
export interface AppliedResource {
  group: string;
  version: string;
  resource: string;
  name: string;
  namespace?: string;
}

/**
 * By this hash AppliedManifestWorks say which hub they are of: SHA-256 of the server in the agent's kubeconfig, spelled as it is
 * there (ocm pkg/work/helper, HubHash).
 */
export const hubHash = (server: string): string => createHash('sha256').update(server).digest('hex');

const appliedWorkFinalizer = 'cluster.open-cluster-management.io/applied-manifest-work-cleanup';

/** The AppliedManifestWorks of one hub, in the order of their names. */
export async function appliedWorksOf(wec: Kube, hash: string | undefined): Promise<AppliedManifestWork[]> {
  const all = (await wec.list<AppliedManifestWork>(resources.appliedManifestWorks)) ?? [];
  return all.filter(({ spec }) => hash !== undefined && spec?.hubHash === hash);
}

/**
 * Takes objects out of the ownership of AppliedManifestWorks, on the WEC itself, so that nothing removes them when those are deleted.
 * @returns how many objects were released
 */
export async function releaseOwned(wec: Kube, works: readonly AppliedManifestWork[]): Promise<number> {
  let released = 0;
  for (const work of works)
    for (const entry of work.status?.appliedResources ?? []) if (await releaseOne(wec, work, entry)) released += 1;
  return released;
}

/** Takes one object out of the ownership of an AppliedManifestWork. @returns false where it is absent or not owned by it */
export async function releaseOne(wec: Kube, owner: AppliedManifestWork, entry: AppliedResource): Promise<boolean> {
  const { resource, namespace } = resourceAt(entry);
  const object = await wec.get(resource, entry.name, { namespace });
  const owners = object?.metadata.ownerReferences ?? [];
  const ownerReferences = owners.filter(({ uid }) => uid !== owner.metadata.uid);
  if (object === undefined || ownerReferences.length === owners.length) return false;
  const { uid, resourceVersion } = object.metadata;
  await wec.merge(resource, entry.name, { metadata: { uid, resourceVersion, ownerReferences } }, { namespace });
  return true;
}

function resourceAt({ group, version, resource: plural, namespace }: AppliedResource) {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const resource: Resource = { apiVersion, kind: plural, plural, namespaced: Boolean(namespace) };
  return { resource, namespace: namespace || undefined };
}

/**
 * Removes the AppliedManifestWorks of one hub that no agent looks after any more. What they own goes with them, by garbage
 * collection, unless it is to be kept.
 * @returns how many there were
 */
export async function removeApplied(
  wec: Kube,
  hash: string | undefined,
  keepWorkloads: boolean | undefined,
): Promise<number> {
  const works = await appliedWorksOf(wec, hash);
  if (keepWorkloads) await releaseOwned(wec, works);
  for (const work of works) {
    await takeAppliedFinalizer(wec, work);
    await wec.delete(resources.appliedManifestWorks, work.metadata.name, { uid: work.metadata.uid });
  }
  return works.length;
}

/** The agent that would remove it is gone. */
export async function takeAppliedFinalizer(wec: Kube, { metadata }: AppliedManifestWork): Promise<void> {
  await withoutFinalizers(wec, resources.appliedManifestWorks, metadata, [appliedWorkFinalizer]);
}
