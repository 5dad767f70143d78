import { expiredToken } from '../../helpers/tokens.ts';
import type { Secret } from '../../kube/objects.ts';
import { managedClusters, secrets } from '../../kube/resources.ts';
import { until } from '../../kube/until.ts';
import { filesOf } from '../../ocm/hub-kubeconfig.ts';
import { agentNamespace, agentUser, clusterGroup, hubKubeconfigSecret, managedClustersGroup } from '../../ocm/names.ts';
import { type FaultRow, row } from '../row.ts';
import type { Scene } from '../scene.ts';

const day = 86_400_000;
const hubSecret = `${agentNamespace}/${hubKubeconfigSecret}`;

/** While no agent runs, replaces its certificate by one of the hub's CA with the same subject, valid for a year until then. */
async function certifyUntil({ hub, wec, name }: Scene, to: Date): Promise<void> {
  const files = filesOf(await wec.admin.get<Secret>(secrets, hubSecret));
  const subject = agentUser(name, files['agent-name'] ?? '');
  const validity = { from: new Date(to.getTime() - 365 * day), to };
  const { certPem, keyPem } = await hub.issueUser(subject, [clusterGroup(name), managedClustersGroup], validity);
  await wec.admin.patch(secrets, hubSecret, {
    data: { 'tls.crt': Buffer.from(certPem).toString('base64'), 'tls.key': Buffer.from(keyPem).toString('base64') },
  });
}

/** Faults after the registration. */
export const registered: readonly FaultRow[] = [
  row('cluster-deleted', 'The ManagedCluster was deleted under a living agent', async (scene) => {
    await scene.register();
    await scene.hub.admin.delete(managedClusters, scene.name);
    await until(async () => (await scene.cluster()) === undefined, `end of ManagedCluster ${scene.name}`);
    await scene.untilConnection(/^BootstrapSecretFunctional,HubKubeConfigUnauthorized$/);
  }),
  row(
    'hub-ca-changed',
    'The hub serves with another CA than when the cluster joined',
    async (scene) => {
      await scene.register();
      await scene.fault({ kind: 'certificate', plane: scene.hub.name });
      await scene.restartAgent();
      await scene.untilUnknown();
      await scene.untilConnection(/HubKubeConfigError$/, /unknown authority/);
    },
    { isHubs: true },
  ),
  row('hub-url-changed', 'The name by which the cluster joined its hub leads nowhere any more', async (scene) => {
    await scene.register();
    await scene.fault({ kind: 'unresolvable', host: scene.hub.nodeName, from: scene.wec.name });
    await scene.restartAgent();
    await scene.untilUnknown();
    await scene.untilConnection(/HubKubeConfigError$/, /no such host/);
  }),
  row(
    'agent-certificate-expired',
    "The agent's certificate expired while it did not run, and so did its token",
    async (scene) => {
      await scene.register();
      await scene.stopKlusterlet();
      await certifyUntil(scene, new Date(Date.now() - day));
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
      await certifyUntil(scene, new Date(Date.now() + 10 * day));
      await scene.startKlusterlet();
      await until(async () => (await scene.requests()).length > earlier, `a renewal of ${scene.name}`);
    },
    { isHubs: true },
  ),
];
