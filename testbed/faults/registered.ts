import { expiredToken } from '../helpers/tokens.ts';
import type { WecScene } from '../helpers/wec-scene.ts';
import { bindWorkload, untilApplied } from '../helpers/workload.ts';
import { findCondition, isTrue } from '../kube/conditions.ts';
import type { AnyObject, Namespace, Pod } from '../kube/objects.ts';
import { apiServices, managedClusters, namespaces } from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { agentNamespace, condition } from '../ocm/names.ts';
import { pods } from './fault.ts';
import { registering } from './registering.ts';
import { type FaultRow, isHubs, row } from './row.ts';

const day = 86_400_000;

const isWaitingFor =
  (reason: string) =>
  ({ status }: Pod) =>
    status?.containerStatuses?.[0]?.state.waiting?.reason === reason;

/** Applies a fault to the agents. */
const toAgents = (scene: WecScene, kind: 'dead' | 'crashing' | 'unschedulable') =>
  scene.fault({ kind, plane: scene.wec.name, pod: pods.agents });

/** Deletes the ManagedCluster, and waits until its deletion is blocked. */
async function deleteCluster(scene: WecScene, message: RegExp): Promise<void> {
  await scene.hub.admin.delete(managedClusters, scene.name);
  await until(async () => {
    const deleting = findCondition((await scene.cluster())?.status?.conditions, 'Deleting');
    return message.test(deleting?.message ?? '');
  }, `${message} of ${scene.name}`);
}

/** A workload that the cluster's label selects. */
async function send(scene: WecScene): Promise<{ stop(): void }> {
  const metadata = { labels: { env: scene.name } };
  await scene.hub.admin.patch(managedClusters, scene.name, { metadata });
  const sending = await bindWorkload(scene.hub, {
    policy: scene.name,
    matchLabels: { env: scene.name },
  });
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

/** The faults of registrations: before, and, with agents, credentials and deletions, after them. */
export const registrationFaults: readonly FaultRow[] = [
  ...registering,
  row(
    'agent-dead',
    'The agent does nothing any more, though its pod looks well: its lease is stale',
    async (scene) => {
      await scene.register();
      await toAgents(scene, 'dead');
      await scene.untilUnknown();
    },
  ),
  row('agent-crashing', 'The agent ends soon after each start', async (scene) => {
    await scene.register();
    await toAgents(scene, 'crashing');
    await scene.untilAgent(isWaitingFor('CrashLoopBackOff'), 'crashing');
    await scene.untilUnknown();
  }),
  row('agent-scaled-to-zero', 'Operator and agent were scaled to 0', async (scene) => {
    await scene.register();
    await scene.stopKlusterlet();
    await scene.untilUnknown();
  }),
  row('agent-unpullable', "The agent's image cannot be pulled", async (scene) => {
    await scene.install({}, { agentVersion: 'v1.3.1-missing' });
    await scene.untilAgent(isWaitingFor('ImagePullBackOff'), 'not pulled');
  }),
  row('agent-unschedulable', 'No node has room for the agent', async (scene) => {
    await toAgents(scene, 'unschedulable');
    await scene.install();
    const hasNoNode = ({ spec, status }: Pod) =>
      spec.nodeName === undefined && status?.phase === 'Pending';
    await scene.untilAgent(hasNoNode, 'without a node');
  }),
  row('clock-wrong', "The managed cluster's clock is ten minutes behind", async (scene) => {
    await scene.fault({
      kind: 'clock-off',
      plane: scene.wec.name,
      pod: pods.agents,
      seconds: -600,
    });
    await scene.install();
    await scene.approve(await scene.untilRequested());
    await scene.accept();
    await scene.untilCluster(condition.clockSynced, 'False');
  }),
  row(
    'wec-unhealthy',
    "The managed cluster's API server is not healthy: its etcd does not answer",
    async (scene) => {
      await scene.register();
      await scene.fault({ kind: 'unhealthy', plane: scene.wec.name });
      // The agent checks once a minute, and whenever its ManagedCluster changes.
      await scene.hub.admin.patch(managedClusters, scene.name, {
        metadata: { annotations: { 'bed/look': 'again' } },
      });
      await scene.untilCluster(condition.available, 'False');
    },
  ),
  row('versions-apart', 'The agent is of an older version than the hub', (scene) =>
    scene.register({ agentVersion: 'v1.0.0' }),
  ),
  row('cluster-deleted', 'The ManagedCluster was deleted under a living agent', async (scene) => {
    await scene.register();
    await scene.hub.admin.delete(managedClusters, scene.name);
    await until(
      async () => (await scene.cluster()) === undefined,
      `end of ManagedCluster ${scene.name}`,
    );
    await scene.untilConnection(/^BootstrapSecretFunctional,HubKubeConfigUnauthorized$/);
  }),
  row(
    'hub-ca-changed',
    'The hub serves with another CA than when the cluster joined',
    async (scene) => {
      await scene.register();
      await scene.record();
      await scene.fault({ kind: 'certificate', plane: scene.hub.name });
      await scene.restartAgent();
      await scene.untilUnknown();
      await scene.untilConnection(/HubKubeConfigError$/, /unknown authority/);
    },
    isHubs,
  ),
  row(
    'agent-certificate-expired',
    "The agent's certificate expired while it did not run, and so did its token",
    async (scene) => {
      await scene.register();
      await scene.stopKlusterlet();
      await scene.certifyUntil(new Date(Date.now() - day));
      await scene.bootstrapAnew({ token: await expiredToken(scene.hub) });
      await scene.startKlusterlet();
      await scene.untilUnknown();
      await scene.untilConnection(/^BootstrapSecretError,HubKubeConfigError$/, /Unauthorized/);
    },
  ),
  row(
    'agent-certificate-expiring',
    "The agent's certificate expires in ten days, and its renewal is not signed",
    async (scene) => {
      await scene.register();
      await scene.stopKlusterlet();
      await scene.fault({ kind: 'unsigned', plane: scene.hub.name });
      const earlier = (await scene.requests()).length;
      await scene.certifyUntil(new Date(Date.now() + 10 * day));
      await scene.startKlusterlet();
      await until(
        async () => (await scene.requests()).length > earlier,
        `a renewal of ${scene.name}`,
      );
    },
    isHubs,
  ),
  row(
    'deletion-held-by-work',
    'The agent is dead, and nobody takes its finalizer off a work',
    async (scene) => {
      await scene.register();
      const sending = await send(scene);
      sending.stop();
      await toAgents(scene, 'dead');
      await scene.untilUnknown();
      await deleteCluster(scene, /manifestworks is remaning, .* the finalizer pending count is 3/);
    },
  ),
  row(
    'deletion-works-return',
    'A BindingPolicy selects the cluster, and makes its works again as often as they are deleted',
    async (scene) => {
      await scene.register();
      const sending = await send(scene);
      scene.onMend(async () => sending.stop());
      await deleteCluster(scene, /manifestworks is remaning/);
    },
  ),
  row(
    'deletion-held-by-finalizer',
    'Somebody else holds the ManagedCluster by a finalizer',
    async (scene) => {
      await scene.register();
      const { finalizers = [] } = (await scene.cluster())?.metadata ?? {};
      const metadata = { finalizers: [...finalizers, 'example.com/hold'] };
      await scene.hub.admin.patch(managedClusters, scene.name, { metadata });
      await scene.hub.admin.delete(managedClusters, scene.name);
      await until(
        async () => (await scene.cluster())?.metadata.finalizers?.join() === 'example.com/hold',
      );
    },
  ),
  row(
    'namespace-held-by-apiservice',
    "The agents' namespace does not end: an aggregated API of the cluster does not answer",
    async (scene) => {
      const { admin } = scene.wec;
      await scene.wipe();
      await admin.ensure(namespaces, { metadata: { name: agentNamespace } });
      scene.onMend(() => admin.delete(apiServices, metrics.metadata.name));
      await admin.ensure(apiServices, metrics);
      const { name } = metrics.metadata;
      const answers = async () =>
        isTrue((await admin.get<Namespace>(apiServices, name)).status?.conditions, 'Available');
      await until(async () => !(await answers()));
      await admin.delete(namespaces, agentNamespace);
      await scene.untilNamespace(scene.wec, agentNamespace, 'NamespaceDeletionDiscoveryFailure');
    },
  ),
];
