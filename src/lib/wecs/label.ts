import { withChanges } from '../engine/changes.ts';
import { findWecs } from '../hub/find-wecs.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/resources.ts';
import type { ManagedCluster } from '../model/ocm-objects.ts';
import type { ValueStore } from './values.ts';

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
