import { Informer } from '../../kube/informer.ts';
import type { AnyObject, KubeObject } from '../../kube/objects.ts';
import {
  clusterManagementAddOns,
  managedClusterAddOns,
  placementDecisions,
  placements,
  type Resource,
} from '../../kube/resources.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { placementLabel } from '../names.ts';
import type { PlacementDecision } from './placement-controller.ts';

interface ClusterManagementAddOn extends KubeObject {
  spec?: { installStrategy?: { type?: string; placements?: { name: string; namespace: string }[] } };
}

/**
 * Stands in for `addon manager`, as far as it installs add-ons (ocm pkg/addon/controllers/addonmanagement): if an add-on has
 * Placements, a ManagedClusterAddOn is in the mailbox of every cluster that their decisions name, and in no other. A deleted one is
 * recreated while a decision names its cluster, even if that is being deleted.
 */
export async function addonManager({ api, signal, log, setReady }: PodContext): Promise<void> {
  const onError = ({ message }: Error) => log(message);
  const wakeAll = () => {
    for (const name of definitions.items.keys()) queue.add(name);
  };
  const watch = <T extends KubeObject>(resource: Resource) =>
    new Informer<T>(api, resource, { onError, onChange: wakeAll }, signal);
  const queue = new WorkQueue(
    async (name) => {
      await synced;
      const definition = definitions.items.get(name);
      if (definition) await install(definition);
    },
    signal,
    (name, { message }) => log(`addon ${name}: ${message}`),
  );
  const definitions = watch<ClusterManagementAddOn>(clusterManagementAddOns);
  const addons = watch<KubeObject>(managedClusterAddOns);
  const decisions = watch<PlacementDecision>(placementDecisions);
  const known = watch<KubeObject>(placements);
  const informers = [definitions, addons, decisions, known];
  const synced = Promise.all(informers.map((informer) => informer.synced));

  const decided = (strategy: { name: string; namespace: string }): string[] =>
    known.items.has(`${strategy.namespace}/${strategy.name}`)
      ? [...decisions.items.values()]
          .filter(
            ({ metadata }) =>
              metadata.namespace === strategy.namespace && metadata.labels?.[placementLabel] === strategy.name,
          )
          .flatMap(({ status }) => (status?.decisions ?? []).map(({ clusterName }) => clusterName))
      : [];

  const install = async ({ metadata, spec }: ClusterManagementAddOn): Promise<void> => {
    const { type, placements: strategies = [] } = spec?.installStrategy ?? {};
    if (type !== 'Placements') return;
    const wanted = new Set(strategies.flatMap(decided));
    const present = [...addons.items.values()].filter((addon) => addon.metadata.name === metadata.name);
    const namespaces = new Set(present.map((addon) => addon.metadata.namespace ?? ''));
    const { apiVersion, kind } = clusterManagementAddOns;
    const { name, uid = '' } = metadata;
    const owner = { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
    for (const namespace of wanted) {
      if (namespaces.has(namespace)) continue;
      const addon = { metadata: { name, namespace, ownerReferences: [owner] }, spec: {} };
      await api.ensure<AnyObject>(managedClusterAddOns, addon);
    }
    for (const namespace of namespaces)
      if (!wanted.has(namespace)) await api.delete(managedClusterAddOns, `${namespace}/${name}`);
  };

  setReady(true);
  await Promise.all(informers.map((informer) => informer.done));
}
