import { bindWorkload, installAddonByPlacement, untilApplied } from '../../helpers/workload.ts';
import { keyOf } from '../../kube/api.ts';
import { findCondition, isTrue } from '../../kube/conditions.ts';
import type { AnyObject, Namespace } from '../../kube/objects.ts';
import { apiServices, managedClusters, namespaces, resourceOf } from '../../kube/resources.ts';
import { until } from '../../kube/until.ts';
import { addOnObject, everywhere } from '../../kubestellar/status-addon-chart.ts';
import { agentNamespace, operatorNamespace } from '../../ocm/names.ts';
import { pods } from '../fault.ts';
import { type FaultRow, row } from '../row.ts';
import type { Scene } from '../scene.ts';

/** Deletes the ManagedCluster, and waits until its deletion is blocked. */
async function deleteCluster(scene: Scene, message: RegExp): Promise<void> {
  await scene.hub.admin.delete(managedClusters, scene.name);
  await until(async () => {
    const deleting = findCondition((await scene.cluster())?.status?.conditions, 'Deleting');
    return message.test(deleting?.message ?? '');
  }, `${message} of ${scene.name}`);
}

/** A workload that the cluster's label selects. */
async function send(scene: Scene): Promise<{ stop(): void }> {
  const metadata = { labels: { env: scene.name } };
  await scene.hub.admin.patch(managedClusters, scene.name, { metadata });
  const sending = bindWorkload(scene.hub, { policy: scene.name, matchLabels: { env: scene.name } });
  await untilApplied(scene.hub, scene.name, 3);
  return sending;
}

const metrics: AnyObject = {
  apiVersion: apiServices.apiVersion,
  kind: apiServices.kind,
  metadata: { name: 'v1beta1.metrics.k8s.io' },
  spec: {
    group: 'metrics.k8s.io',
    version: 'v1beta1',
    groupPriorityMinimum: 100,
    versionPriority: 100,
    insecureSkipTLSVerify: true,
    service: { name: 'metrics-server', namespace: 'kube-system' },
  },
};

/** What does not end, and why. */
export const deletion: readonly FaultRow[] = [
  row('deletion-held-by-work', 'The agent is dead, and nobody takes its finalizer off a work', async (scene) => {
    await scene.register();
    const sending = await send(scene);
    sending.stop();
    await scene.fault({ kind: 'dead', plane: scene.wec.name, pod: pods.agents });
    await scene.untilUnknown();
    await deleteCluster(scene, /manifestworks is remaning, .* the finalizer pending count is 3/);
  }),
  returningWorks(),
  returningAddon(),
  row('deletion-held-by-finalizer', 'Somebody else holds the ManagedCluster by a finalizer', async (scene) => {
    await scene.register();
    const { finalizers = [] } = (await scene.cluster())?.metadata ?? {};
    const metadata = { finalizers: [...finalizers, 'example.com/hold'] };
    await scene.hub.admin.patch(managedClusters, scene.name, { metadata });
    await scene.hub.admin.delete(managedClusters, scene.name);
    await until(async () => (await scene.cluster())?.metadata.finalizers?.join() === 'example.com/hold');
  }),
  row(
    'namespace-held-by-apiservice',
    "The agents' namespace does not end: an aggregated API of the cluster does not answer",
    async (scene) => {
      const { admin } = scene.wec;
      await scene.wipe();
      await admin.ensure(namespaces, { metadata: { name: agentNamespace } });
      await admin.ensure(apiServices, metrics);
      await until(
        async () =>
          !isTrue((await admin.get<Namespace>(apiServices, metrics.metadata.name)).status?.conditions, 'Available'),
      );
      await admin.delete(namespaces, agentNamespace);
      await until(async () => {
        const { status } = await admin.get<Namespace>(namespaces, agentNamespace);
        return isTrue(status?.conditions, 'NamespaceDeletionDiscoveryFailure');
      }, 'a namespace that cannot be emptied');
    },
    {
      undo: async (scene) => {
        await scene.wec.admin.delete(apiServices, metrics.metadata.name);
        await scene.wipe();
      },
    },
  ),
];

function returningWorks(): FaultRow {
  let sending: { stop(): void } | undefined;
  return row(
    'deletion-works-return',
    'A BindingPolicy selects the cluster, and makes its works again as often as they are deleted',
    async (scene) => {
      await scene.register();
      sending = await send(scene);
      await deleteCluster(scene, /manifestworks is remaning/);
    },
    {
      undo: async (scene) => {
        sending?.stop();
        await scene.wipe();
      },
    },
  );
}

function returningAddon(): FaultRow {
  let addon: { stop(): void } | undefined;
  return row(
    'deletion-addon-returns',
    'The placement controller is dead: the add-on is made again as often as it is deleted',
    async (scene) => {
      await scene.register();
      addon = await installAddonByPlacement(scene.hub);
      await untilApplied(scene.hub, scene.name, 1);
      await scene.fault({ kind: 'dead', plane: scene.hub.name, pod: pods.placement });
      await deleteCluster(scene, /managedclusteraddons is remaning/);
    },
    {
      isHubs: true,
      undo: async (scene) => {
        addon?.stop();
        for (const object of [...everywhere(operatorNamespace), addOnObject(operatorNamespace)])
          await scene.hub.admin.delete(resourceOf(object), keyOf(object));
        await scene.wipe();
      },
    },
  );
}
