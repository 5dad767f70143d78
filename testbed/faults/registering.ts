import { setTimeout as sleep } from 'node:timers/promises';
import { bootstrapAccount, expiredToken, mintToken, renewAccount } from '../helpers/tokens.ts';
import type { WecScene } from '../helpers/wec-scene.ts';
import {
  certificateSigningRequests,
  clusterRoles,
  configMaps,
  managedClusters,
  namespaces,
} from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { bootstrapRules } from '../ocm/hub.ts';
import { type Rule, roleObject } from '../ocm/rbac.ts';
import { Authority } from '../plane/pki.ts';
import { pods } from './fault.ts';
import { type FaultRow, isHubs, row } from './row.ts';

/** What the operator says of a hub that it could not query, and of a request that nobody has decided. */
const unreached = /^BootstrapSecretError,HubKubeConfigSecretMissing$/;
const waiting = /^BootstrapSecretFunctional,HubKubeConfigSecretMissing$/;

/** A klusterlet with an invalid bootstrap kubeconfig, and the operator's message. */
async function install(
  scene: WecScene,
  message: RegExp,
  wrong: Parameters<WecScene['install']>[0] = {},
): Promise<void> {
  await scene.install(wrong);
  await scene.untilConnection(unreached, message);
  await scene.untilRunning();
}

/** The same, with what the network does with the packets of this cluster to its hub. */
const network =
  (kind: 'unresolvable' | 'refused' | 'swallowed', message: RegExp) => async (scene: WecScene) => {
    await scene.fault({ kind, host: scene.hub.nodeName, from: scene.wec.name });
    await install(scene, message);
  };

/** Longer than an agent takes from its token to its request, in seconds. */
const shortLife = 20;

/** API servers accept a token for so many seconds after it has expired (github.com/go-jose/go-jose, jwt.DefaultLeeway). */
const leeway = 60;

const bootstrapRole = 'open-cluster-management:bootstrap';
const setBootstrapRules = ({ hub }: WecScene, rules: Rule[]) =>
  hub.admin.patch(clusterRoles, bootstrapRole, { rules: roleObject(bootstrapRole, rules).rules });

/** A klusterlet that has requested its registration. */
async function ask(scene: WecScene): Promise<void> {
  await scene.install();
  await scene.untilRequested();
  await scene.untilAnnounced();
}

/** What prevents a cluster from being registered. */
export const registering: readonly FaultRow[] = [
  row(
    'wrong-url',
    "The bootstrap kubeconfig has the hub's address for this machine, the pod itself in a pod",
    (scene) =>
      install(scene, /dial tcp 127\.0\.0\.1:\d+: connect: connection refused/, {
        server: scene.hub.server,
      }),
  ),
  row(
    'name-unresolvable',
    "The managed cluster's DNS does not know the hub's name",
    network('unresolvable', /no such host/),
  ),
  row(
    'connection-refused',
    'Nobody listens at the address of the hub',
    network('refused', /connection refused/),
  ),
  row(
    'firewall',
    'A firewall swallows what the managed cluster sends to the hub; seen after 30 s',
    network('swallowed', /i\/o timeout/),
  ),
  row('wrong-ca', "The bootstrap kubeconfig trusts another CA than the hub's", async (scene) => {
    const { certPem } = await Authority.create('somebody-else');
    await install(scene, /unknown authority/, { caPem: certPem });
  }),
  row(
    'certificate-of-other-name',
    "The hub's certificate is for other names than the one it is called by",
    async (scene) => {
      await scene.fault({ kind: 'misnamed', plane: scene.hub.name });
      await install(scene, /x509: certificate is valid for .*, not /);
    },
    isHubs,
  ),
  row('bootstrap-secret-missing', 'The managed cluster has no bootstrap Secret', async (scene) => {
    await scene.install('no Secret');
    await scene.untilConnection(/^BootstrapSecretMissing,HubKubeConfigSecretMissing$/);
    await scene.untilAgent(({ status }) => status?.phase === 'Pending', 'pending');
  }),
  row('token-expired', 'The bootstrap token has expired', async (scene) =>
    install(scene, /Unauthorized/, { token: await expiredToken(scene.hub) }),
  ),
  row(
    'token-revoked',
    'The service account of the bootstrap token was deleted and made anew',
    async (scene) => {
      const { token } = await scene.bootstrap();
      await renewAccount(scene.hub, bootstrapAccount);
      await install(scene, /Unauthorized/, { token });
    },
    isHubs,
  ),
  row(
    'token-expired-before-approval',
    'The bootstrap token expired between request and approval',
    async (scene) => {
      const began = Date.now();
      await scene.install({
        token: await mintToken(scene.hub, bootstrapAccount, shortLife - leeway),
      });
      await scene.untilRequested();
      await scene.untilAnnounced();
      await sleep(Math.max(0, began + shortLife * 1000 - Date.now()));
      await scene.restartAgent();
      await scene.untilAgentSays(/Unauthorized/);
      await scene.approve(await scene.untilRequested());
      await scene.accept();
    },
  ),
  row(
    'rbac-cluster',
    'The bootstrap role may not announce clusters',
    async (scene) => {
      await scene.wipe();
      scene.onMend(() => setBootstrapRules(scene, bootstrapRules));
      const fewer = bootstrapRules.filter(
        ({ resources }) => !resources.includes('managedclusters'),
      );
      await setBootstrapRules(scene, fewer);
      await scene.install();
      await scene.untilConnection(/^BootstrapSecretUnauthorized,HubKubeConfigSecretMissing$/);
      await scene.untilRequested();
    },
    isHubs,
  ),
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
    isHubs,
  ),
  row(
    'requests-piled-up',
    'Ten requests are on the hub, and the agent makes no more',
    async (scene) => {
      await scene.wipe();
      for (let count = 0; count < 10; count++) await scene.requestAs(`earlier${count}`);
      await scene.bootstrapAnew({});
      await scene.untilAgentSays(/Stop creating csr/);
      await scene.untilAnnounced();
      await scene.untilConnection(waiting);
    },
  ),
  row(
    'issued-not-accepted',
    'The request was approved and issued, the cluster was not accepted',
    async (scene) => {
      await ask(scene);
      await scene.approve(await scene.untilRequested());
      await scene.untilConnection(/^BootstrapSecretFunctional,HubKubeConfigUnauthorized$/);
    },
  ),
  row(
    'duplicate-name-before',
    'Another cluster asks for the same name, and none is accepted yet',
    async (scene) => {
      await ask(scene);
      await scene.requestAs('another-cluster');
    },
  ),
  row(
    'duplicate-name-after',
    'Another cluster asks for the name of one that is registered',
    async (scene) => {
      await scene.register();
      await scene.requestAs('another-cluster');
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
    isHubs,
  ),
  row(
    'namespace-terminating',
    "The cluster's namespace on the hub is held by a finalizer while it is deleted",
    async (scene) => {
      await ask(scene);
      const { name, hub } = scene;
      await hub.admin.ensure(namespaces, { metadata: { name } });
      const held = { name: 'held', namespace: name, finalizers: ['example.com/hold'] };
      await hub.admin.create(configMaps, { metadata: held });
      await hub.admin.delete(namespaces, name);
      await scene.untilNamespace(hub, name, 'NamespaceFinalizersRemaining');
    },
  ),
  row(
    'klusterlet-of-another-name',
    'The context leads to a cluster that is registered by another name',
    async (scene) => {
      const other = `${scene.name}-other`;
      scene.onMend(() => scene.wipe(other));
      await scene.install({}, { clusterName: other });
      const labelSelector = `open-cluster-management.io/cluster-name=${other}`;
      await until(
        async () =>
          (await scene.hub.admin.list(certificateSigningRequests, { labelSelector })).items[0],
      );
      await until(() => scene.hub.admin.find(managedClusters, other));
    },
  ),
];
