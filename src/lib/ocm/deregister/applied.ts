import type { Kube } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { type Resource, resources } from '../../kube/resources.ts';

/** work.open-cluster-management.io/v1, as far as a deregistration reads it. */
interface AppliedManifestWork extends KubeObject {
  spec?: { manifestWorkName?: string };
  status?: {
    appliedResources?: { group: string; version: string; resource: string; name: string; namespace?: string }[];
  };
}

/**
 * Takes workloads out of the ownership of AppliedManifestWorks, on the WEC itself, so that nothing removes them when those go.
 * @param workNames the works whose workloads are meant; undefined for all
 * @returns how many objects were released
 */
export async function releaseOwned(wec: Kube, workNames?: ReadonlySet<string>): Promise<number> {
  let released = 0;
  for (const applied of (await wec.list<AppliedManifestWork>(resources.appliedManifestWorks)) ?? []) {
    if (workNames !== undefined && !workNames.has(applied.spec?.manifestWorkName ?? '')) continue;
    for (const entry of applied.status?.appliedResources ?? []) if (await disown(wec, applied, entry)) released += 1;
  }
  return released;
}

type AppliedResource = NonNullable<NonNullable<AppliedManifestWork['status']>['appliedResources']>[number];

async function disown(wec: Kube, owner: AppliedManifestWork, entry: AppliedResource): Promise<boolean> {
  const { group, version, resource: plural, name, namespace } = entry;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const resource: Resource = { apiVersion, kind: plural, plural, namespaced: Boolean(namespace) };
  const at = namespace ? { namespace } : {};
  const object = await wec.get<KubeObject & { metadata: { ownerReferences?: { uid: string }[] } }>(resource, name, at);
  const owners = object?.metadata.ownerReferences ?? [];
  const ownerReferences = owners.filter(({ uid }) => uid !== owner.metadata.uid);
  if (object === undefined || ownerReferences.length === owners.length) return false;
  const { resourceVersion } = object.metadata;
  await wec.merge(resource, name, { metadata: { resourceVersion, ownerReferences } }, at);
  return true;
}

/**
 * Removes AppliedManifestWorks that no agent looks after any more. What they own goes with them, by garbage collection, unless it
 * is to be kept.
 * @returns how many there were
 */
export async function removeApplied(wec: Kube, keepWorkloads: boolean): Promise<number> {
  if (keepWorkloads) await releaseOwned(wec);
  const left = (await wec.list<AppliedManifestWork>(resources.appliedManifestWorks)) ?? [];
  for (const { metadata } of left) {
    await wec.merge(resources.appliedManifestWorks, metadata.name, { metadata: { finalizers: null } });
    await wec.delete(resources.appliedManifestWorks, metadata.name, { uid: metadata.uid });
  }
  return left.length;
}
