import { isTrue } from '../../kube/conditions.ts';
import type { Namespace } from '../../kube/objects.ts';
import { certificateSigningRequests, configMaps, managedClusters, namespaces } from '../../kube/resources.ts';
import { until } from '../../kube/until.ts';
import { pods } from '../fault.ts';
import { type FaultRow, row } from '../row.ts';
import type { Scene } from '../scene.ts';

const waiting = /^BootstrapSecretFunctional,HubKubeConfigSecretMissing$/;

/** A klusterlet that has requested its registration. */
async function ask(scene: Scene): Promise<void> {
  await scene.install();
  await scene.untilRequested();
  await scene.untilAnnounced();
}

/** The namespace of a cluster's works, blocked by an object in it while it is deleted. */
const hold = { metadata: { name: 'held', finalizers: ['example.com/hold'] } };

/** A klusterlet whose request the hub has, or should have. */
export const requests: readonly FaultRow[] = [
  row('request-pending', 'Nobody has decided about the request', async (scene) => {
    await ask(scene);
    await scene.untilConnection(waiting);
  }),
  row('request-denied', 'The request was denied', async (scene) => {
    await ask(scene);
    await scene.approve(await scene.untilRequested(), 'Denied');
    await scene.untilConnection(waiting);
  }),
  row(
    'request-not-issued',
    'The request was approved, and the hub has nobody who signs it',
    async (scene) => {
      await scene.fault({ kind: 'unsigned', plane: scene.hub.name });
      await ask(scene);
      await scene.approve(await scene.untilRequested());
      await scene.accept();
    },
    { isHubs: true },
  ),
  row('requests-piled-up', 'Ten requests are on the hub, and the agent makes no more', async (scene) => {
    await scene.wipe();
    for (let count = 0; count < 10; count++) await scene.requestAs(`earlier${count}`);
    await scene.bootstrapAnew({});
    await scene.untilAgentSays(/Stop creating csr/);
    await scene.untilAnnounced();
    await scene.untilConnection(waiting);
  }),
  row('issued-not-accepted', 'The request was approved and issued, the cluster was not accepted', async (scene) => {
    await ask(scene);
    await scene.approve(await scene.untilRequested());
    await scene.untilConnection(/^BootstrapSecretFunctional,HubKubeConfigUnauthorized$/);
  }),
  row('accepted-not-approved', 'The cluster was accepted, its request was not approved', async (scene) => {
    await ask(scene);
    await scene.accept();
    await scene.untilCluster('HubAcceptedManagedCluster', 'True');
    await scene.untilConnection(waiting);
  }),
  row('duplicate-name-before', 'Another cluster asks for the same name, and none is accepted yet', async (scene) => {
    await ask(scene);
    await scene.requestAs('another-cluster');
  }),
  row(
    'duplicate-name-after',
    'Another cluster asks for the name of one that is registered',
    async (scene) => {
      await scene.register();
      await scene.requestAs('another-cluster');
    },
    {
      undo: async (scene) => {
        for (const { metadata, status } of await scene.requests())
          if (!status?.conditions) await scene.hub.admin.delete(certificateSigningRequests, metadata.name);
      },
    },
  ),
  row(
    'webhook-down',
    "The hub's admission webhook does not answer: the cluster cannot be announced",
    async (scene) => {
      await scene.fault({ kind: 'dead', plane: scene.hub.name, pod: pods.webhook });
      await scene.install();
      await scene.untilRequested();
      await scene.untilAgentSays(/failed calling webhook/);
    },
    { isHubs: true },
  ),
  row(
    'namespace-terminating',
    "The cluster's namespace on the hub is held by a finalizer while it is deleted",
    async (scene) => {
      await ask(scene);
      const { name, hub } = scene;
      await hub.admin.ensure(namespaces, { metadata: { name } });
      await hub.admin.create(configMaps, { metadata: { ...hold.metadata, namespace: name } });
      await hub.admin.delete(namespaces, name);
      await until(async () => {
        const { status } = await hub.admin.get<Namespace>(namespaces, name);
        return isTrue(status?.conditions, 'NamespaceFinalizersRemaining');
      }, `a held namespace ${name}`);
    },
  ),
  row(
    'klusterlet-of-another-name',
    'The context leads to a cluster that is registered by another name',
    async (scene) => {
      await scene.install({}, { clusterName: `${scene.name}-other` });
      const labelSelector = `open-cluster-management.io/cluster-name=${scene.name}-other`;
      await until(async () => (await scene.hub.admin.list(certificateSigningRequests, { labelSelector })).items[0]);
      await until(() => scene.hub.admin.find(managedClusters, `${scene.name}-other`));
    },
    { undo: (scene) => scene.wipe(`${scene.name}-other`) },
  ),
];
