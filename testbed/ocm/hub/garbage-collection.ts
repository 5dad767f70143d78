import { keyOf } from '../../kube/api.ts';
import { withCondition } from '../../kube/conditions.ts';
import type { Condition, KubeObject, ManagedCluster } from '../../kube/objects.ts';
import { managedClusterAddOns, manifestWorks, type Resource } from '../../kube/resources.ts';
import { finalizer } from '../names.ts';
import type { HubCache, Watched } from './hub-cache.ts';

/** How often a deleted cluster's remaining objects are checked (ocm pkg/registration/hub/gc). */
const recheck = 5_000;

/** Empties the mailbox of a deleted cluster: add-ons first, then works. A finalizer on one of them blocks the cluster. */
export function runGarbageCollection(cache: HubCache): void {
  const queue = cache.queue('garbage collection', async (name) => {
    const cluster = cache.cluster(name);
    if (!cluster) return;
    if (!cluster.metadata.deletionTimestamp) {
      await cache.setFinalizer(cluster, finalizer.resourceCleanup, true);
      return;
    }
    if (!cluster.metadata.finalizers?.includes(finalizer.resourceCleanup)) return;
    const remaining = await deleteNext(cache, cluster);
    await setDeleting(cache, cluster, remaining);
    if (remaining) queue.addAfter(name, recheck);
    else await cache.setFinalizer(cache.cluster(name) ?? cluster, finalizer.resourceCleanup, false);
  });
  cache.clusters.onChange((cluster, _change, before) => {
    // During the deletion the clock triggers it, not the cluster's changes, which are partly our own.
    if (!before?.metadata.deletionTimestamp) queue.add(cluster.metadata.name);
  });
}

/** Deletes the objects of the first kind that has any, and reports them. */
async function deleteNext(cache: HubCache, { metadata }: ManagedCluster): Promise<string | undefined> {
  const kinds: [Resource, Watched<KubeObject>][] = [
    [managedClusterAddOns, cache.addons],
    [manifestWorks, cache.works],
  ];
  for (const [resource, watched] of kinds) {
    const objects = cache.inNamespace(watched, metadata.name);
    if (objects.length === 0) continue;
    for (const object of objects.filter((each) => !each.metadata.deletionTimestamp))
      await cache.api.delete(resource, keyOf(object));
    const held = objects.filter(({ metadata: { finalizers } }) => finalizers?.length).length;
    const counts = `the remaining count is ${objects.length}, the finalizer pending count is ${held}`;
    return `The resource ${resource.plural} is remaning, ${counts}`;
  }
  return undefined;
}

async function setDeleting(cache: HubCache, cluster: ManagedCluster, remaining: string | undefined): Promise<void> {
  const deleting: Condition = remaining
    ? { type: 'Deleting', status: 'False', reason: 'ResourceRemaining', message: remaining }
    : { type: 'Deleting', status: 'True', reason: 'NoResource', message: 'No cleaned resource in cluster ns.' };
  const present = cluster.status?.conditions ?? [];
  const wanted = withCondition(present, deleting);
  if (wanted !== present) await cache.patchConditions(cluster, wanted);
}
