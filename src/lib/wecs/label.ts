import { withChanges } from '../engine/changes.ts';
import { findWecs } from '../hub/find-wecs.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/resources.ts';
import type { ManagedCluster } from '../model/ocm-objects.ts';
import { changeOne, type ValueStore } from './values.ts';

/** Sets labels of a WEC that has just been announced. @returns whether anything was written */
export async function setLabels(hub: Kube, cluster: ManagedCluster, labels: Record<string, string>): Promise<boolean> {
  const found = { name: cluster.metadata.name, source: cluster };
  const result = await changeOne(hub, labelStore(hub), found, labels, false);
  if (result.error !== undefined) throw result.error;
  return result.changed;
}

/** The labels of ManagedClusters. */
export function labelStore(hub: Kube): ValueStore<ManagedCluster> {
  return {
    conflict: 'label-conflict',
    command: ['label'],
    changed: 'labelled',
    unchanged: 'has these labels already',
    find: async (target) => (await findWecs(hub, target)).map(({ name, cluster }) => ({ name, source: cluster })),
    valuesOf: ({ metadata }) => metadata.labels ?? {},
    moreOf: () => ({}),
    read: (name) => hub.get<ManagedCluster>(resources.managedClusters, name),
    async write({ metadata }, labels) {
      const { name, resourceVersion } = metadata;
      const patched = await hub.merge<ManagedCluster>(resources.managedClusters, name, {
        metadata: { resourceVersion, labels },
      });
      return hub.dryRun ? withChanges(metadata.labels ?? {}, labels) : (patched.metadata.labels ?? {});
    },
  };
}
