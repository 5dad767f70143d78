import { apply } from '../../kube/apply.ts';
import { isTrue } from '../../kube/conditions.ts';
import type { ContainerStatus, Klusterlet, ManifestWork, Pod } from '../../kube/objects.ts';
import { clusterRoles, klusterlets, managedClusters, manifestWorks } from '../../kube/resources.ts';
import { until } from '../../kube/until.ts';
import { condition } from '../../ocm/names.ts';
import { roleObject, rule } from '../../ocm/rbac.ts';
import { pods } from '../fault.ts';
import { type FaultRow, row } from '../row.ts';
import type { Scene } from '../scene.ts';

const containerOf = ({ status }: Pod): ContainerStatus | undefined => status?.containerStatuses?.[0];
const isWaitingFor = (reason: string) => (pod: Pod) => containerOf(pod)?.state.waiting?.reason === reason;
const hasNoNode = (pod: Pod) => pod.spec.nodeName === undefined && pod.status?.phase === 'Pending';

/** Applies a fault to the agents. */
const toAgents = (scene: Scene, kind: 'dead' | 'crashing' | 'evicted' | 'unschedulable') =>
  scene.fault({ kind, plane: scene.wec.name, pod: pods.agents });

/** Faults of the agents' pods and their environment. */
export const agents: readonly FaultRow[] = [
  row('agent-dead', 'The agent does nothing any more, though its pod looks well: its lease is stale', async (scene) => {
    await scene.register();
    await toAgents(scene, 'dead');
    await scene.untilUnknown();
  }),
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
  row(
    'agent-evicted',
    'The node ran out of disk: the agent was evicted, and its successor finds no node',
    async (scene) => {
      await scene.register();
      await toAgents(scene, 'evicted');
      await scene.untilAgent(({ status }) => status?.phase === 'Failed', 'evicted');
      await scene.untilAgent(hasNoNode, 'without a node');
      await scene.untilUnknown();
    },
  ),
  row('agent-unpullable', "The agent's image cannot be pulled", async (scene) => {
    await scene.install({}, { agentVersion: 'v1.3.1-missing' });
    await scene.untilAgent(isWaitingFor('ImagePullBackOff'), 'not pulled');
  }),
  row('agent-unschedulable', 'No node has room for the agent', async (scene) => {
    await toAgents(scene, 'unschedulable');
    await scene.install();
    await scene.untilAgent(hasNoNode, 'without a node');
  }),
  row('clock-wrong', "The managed cluster's clock is ten minutes behind", async (scene) => {
    await scene.fault({ kind: 'clock-off', plane: scene.wec.name, pod: pods.agents, seconds: -600 });
    await scene.install();
    await scene.approve(await scene.untilRequested());
    await scene.accept();
    await scene.untilCluster(condition.clockSynced, 'False');
  }),
  row('wec-unhealthy', "The managed cluster's API server is not healthy: its etcd does not answer", async (scene) => {
    await scene.register();
    await scene.fault({ kind: 'unhealthy', plane: scene.wec.name });
    // The agent checks once a minute, and whenever its ManagedCluster changes.
    await scene.hub.admin.patch(managedClusters, scene.name, { metadata: { annotations: { 'bed/look': 'again' } } });
    await scene.untilCluster(condition.available, 'False');
  }),
  row('versions-apart', 'The agent is of an older version than the hub', (scene) =>
    scene.register({ agentVersion: 'v0.15.0' }),
  ),
  row(
    'klusterlet-recreated',
    'A work of the hub makes the Klusterlet again wherever it is deleted',
    async (scene) => {
      await scene.register();
      const klusterlet = rule(
        'operator.open-cluster-management.io',
        'klusterlets',
        'get, create, update, patch, delete',
      );
      const role = roleObject('bed:klusterlets', [klusterlet]);
      const labels = { 'open-cluster-management.io/aggregate-to-work': 'true' };
      await apply(scene.wec.admin, { ...role, metadata: { ...role.metadata, labels } });
      const { spec } = await scene.wec.admin.get<Klusterlet>(klusterlets, 'klusterlet');
      const { apiVersion, kind } = klusterlets;
      const manifests = [{ apiVersion, kind, metadata: { name: 'klusterlet' }, spec }];
      const key = { name: `${scene.name}-klusterlet`, namespace: scene.name };
      await scene.hub.admin.create<ManifestWork>(manifestWorks, { metadata: key, spec: { workload: { manifests } } });
      await until(async () => {
        const { status } = await scene.hub.admin.get<ManifestWork>(manifestWorks, `${key.namespace}/${key.name}`);
        return isTrue(status?.conditions, 'Applied');
      }, `the Klusterlet of ${scene.name} as a work`);
    },
    {
      undo: async (scene) => {
        await scene.wipe();
        await scene.wec.admin.delete(clusterRoles, 'bed:klusterlets');
      },
    },
  ),
];
