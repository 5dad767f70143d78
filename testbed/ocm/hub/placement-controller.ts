import { isDeepStrictEqual } from 'node:util';
import { keyOf } from '../../kube/api.ts';
import { apply } from '../../kube/apply.ts';
import { withCondition } from '../../kube/conditions.ts';
import { Informer } from '../../kube/informer.ts';
import { type LabelSelector, selects } from '../../kube/label-selector.ts';
import type { Condition, KubeObject, ManagedCluster } from '../../kube/objects.ts';
import {
  managedClusterSetBindings,
  managedClusterSets,
  managedClusters,
  placementDecisions,
  placements,
  type Resource,
} from '../../kube/resources.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { clusterSetLabel, placementLabel } from '../names.ts';

interface Placement extends KubeObject {
  spec?: {
    clusterSets?: string[];
    predicates?: { requiredClusterSelector?: { labelSelector?: LabelSelector } }[];
    tolerations?: { key?: string; operator?: 'Equal' | 'Exists'; value?: string }[];
  };
  status?: { numberOfSelectedClusters?: number; conditions?: Condition[] };
}

interface ClusterSet extends KubeObject {
  spec?: { clusterSelector?: { selectorType?: string; labelSelector?: LabelSelector } };
}

interface SetBinding extends KubeObject {
  spec: { clusterSet: string };
}

export interface PlacementDecision extends KubeObject {
  status?: { decisions?: { clusterName: string; reason: string }[] };
}

/**
 * Stands in for `placement controller` (ocm pkg/placement): one PlacementDecision for each Placement, of the clusters in the sets
 * that are bound to its namespace. Clusters that are being deleted, and those with taints that it does not tolerate, are excluded.
 * Left out: scores, numbers, groups, claims.
 */
export async function placementController({ api, signal, log, setReady }: PodContext): Promise<void> {
  const onError = ({ message }: Error) => log(message);
  const wakeAll = () => {
    for (const key of all.items.keys()) queue.add(key);
  };
  const watch = <T extends KubeObject>(resource: Resource) =>
    new Informer<T>(api, resource, { onError, onChange: wakeAll }, signal);
  const queue = new WorkQueue(
    async (key) => {
      await synced;
      const placement = all.items.get(key);
      if (!placement || placement.metadata.deletionTimestamp) return;
      const selected = [...clusters.items.values()].filter((cluster) => isSelected(placement, cluster));
      await decide(placement, selected.map(({ metadata }) => metadata.name).sort());
    },
    signal,
    (key, { message }) => log(`placement ${key}: ${message}`),
  );
  const all = watch<Placement>(placements);
  const clusters = watch<ManagedCluster>(managedClusters);
  const sets = watch<ClusterSet>(managedClusterSets);
  const bindings = watch<SetBinding>(managedClusterSetBindings);
  const decisions = watch<PlacementDecision>(placementDecisions);
  const informers = [all, clusters, sets, bindings, decisions];
  const synced = Promise.all(informers.map((informer) => informer.synced));

  const isSelected = ({ metadata, spec = {} }: Placement, cluster: ManagedCluster): boolean => {
    if (cluster.metadata.deletionTimestamp) return false;
    const { labels = {} } = cluster.metadata;
    const bound = [...bindings.items.values()].filter((binding) => binding.metadata.namespace === metadata.namespace);
    const names = bound.map((binding) => binding.spec.clusterSet);
    const usable = names.filter((name) => !spec.clusterSets?.length || spec.clusterSets.includes(name));
    const isMember = usable.some((name) => {
      const { selectorType, labelSelector = {} } = sets.items.get(name)?.spec?.clusterSelector ?? {};
      return selectorType === 'LabelSelector' ? selects(labelSelector, labels) : labels[clusterSetLabel] === name;
    });
    const { predicates = [], tolerations = [] } = spec;
    const isTolerated = (key: string, value = '') =>
      tolerations.some((each) => each.key === key && (each.operator === 'Exists' || (each.value ?? '') === value));
    return (
      isMember &&
      (predicates.length === 0 ||
        predicates.some(({ requiredClusterSelector }) =>
          selects(requiredClusterSelector?.labelSelector ?? {}, labels),
        )) &&
      (cluster.spec.taints ?? []).every(({ key, value, effect }) => effect !== 'NoSelect' || isTolerated(key, value))
    );
  };

  const decide = async (placement: Placement, names: string[]): Promise<void> => {
    const { name, namespace = '', uid = '' } = placement.metadata;
    const { apiVersion, kind } = placements;
    const wanted = {
      apiVersion: placementDecisions.apiVersion,
      kind: placementDecisions.kind,
      metadata: {
        name: `${name}-decision-1`,
        namespace,
        labels: {
          [placementLabel]: name,
          'cluster.open-cluster-management.io/decision-group-index': '0',
          'cluster.open-cluster-management.io/decision-group-name': '',
        },
        ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
      },
    };
    const decision = await apply<PlacementDecision>(api, wanted);
    const chosen = names.map((clusterName) => ({ clusterName, reason: '' }));
    if (!isDeepStrictEqual(decision.status?.decisions ?? [], chosen))
      await api.patch(placementDecisions, keyOf(wanted), { status: { decisions: chosen } }, { subresource: 'status' });
    const conditions = withCondition(placement.status?.conditions ?? [], satisfied(names.length));
    if (conditions === placement.status?.conditions) return;
    const status = { numberOfSelectedClusters: names.length, conditions };
    await api.patch(placements, keyOf(placement), { status }, { subresource: 'status' });
  };

  setReady(true);
  await Promise.all(informers.map((informer) => informer.done));
}

function satisfied(count: number): Condition {
  const type = 'PlacementSatisfied';
  if (count > 0)
    return { type, status: 'True', reason: 'AllDecisionsScheduled', message: 'All cluster decisions scheduled' };
  const message = 'No ManagedCluster matches any of the cluster predicate';
  return { type, status: 'False', reason: 'NoManagedClusterMatched', message };
}
