import { withChanges } from '../core/changes.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import { findWecs } from '../ocm/find-wecs.ts';
import type { ManagedCluster } from '../ocm/ocm-objects.ts';
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

const clusterSetLabel = 'cluster.open-cluster-management.io/clusterset';

/** What users have written, without what OCM, kubectl and stellarctl write themselves. */
export const labelsOf = ({ metadata }: ManagedCluster) => ({
  labels: pick(metadata.labels, (key, value) => (key === clusterSetLabel ? value !== 'default' : !isMachine(key))),
  annotations: pick(metadata.annotations, (key) => !isMachine(key)),
});

/** Whether a program writes the key: OCM, kubectl or stellarctl, by its prefix. */
const isMachine = (key: string): boolean =>
  /^([^/]*\.)?open-cluster-management\.io\/|^(kubectl|stellarctl)\.[^/]*\//.test(key);

const pick = (all: Record<string, string> | undefined, isKept: (key: string, value: string) => boolean) =>
  Object.fromEntries(
    Object.entries(all ?? {})
      .filter(([key, value]) => isKept(key, value))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
