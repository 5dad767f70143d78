import { setTimeout as sleep } from 'node:timers/promises';
import { bootstrapAccount, expiredToken, mintToken, renewAccount } from '../../helpers/tokens.ts';
import { clusterRoles } from '../../kube/resources.ts';
import { bootstrapRules } from '../../ocm/hub/roles.ts';
import { type Rule, roleObject } from '../../ocm/rbac.ts';
import { type FaultRow, row } from '../row.ts';
import type { Scene } from '../scene.ts';

const tokenRefused = /^BootstrapSecretError,HubKubeConfigSecretMissing$/;
const role = 'open-cluster-management:bootstrap';

/** Longer than an agent takes from its token to its request, in seconds. */
const shortLife = 20;

/** API servers accept a token for so many seconds after it has expired (github.com/go-jose/go-jose, jwt.DefaultLeeway). */
const leeway = 60;

/** API servers cache a valid token for 10 s (k8s.io/apiserver, the token cache). */
const remembered = 11_000;

/** Approves the request of an agent that can no longer see it. */
async function decideTooLate(scene: Scene): Promise<void> {
  await scene.restartAgent();
  await scene.untilAgentSays(/Unauthorized/);
  await scene.approve(await scene.untilRequested());
  await scene.accept();
}

/** Agents whose bootstrap role lacks the rules that name a resource. */
function withoutRule(id: string, cause: string, resource: string, arrange: (scene: Scene) => Promise<void>): FaultRow {
  const setRules = ({ hub }: Scene, rules: Rule[]) =>
    hub.admin.patch(clusterRoles, role, { rules: roleObject(role, rules).rules });
  const left = bootstrapRules.filter(({ resources }) => !resources.includes(resource));
  return row(
    id,
    cause,
    async (scene) => {
      await scene.wipe();
      await setRules(scene, left);
      await arrange(scene);
    },
    {
      isHubs: true,
      undo: async (scene) => {
        await setRules(scene, bootstrapRules);
        await scene.wipe();
      },
    },
  );
}

const notAllowed = /^BootstrapSecretUnauthorized,HubKubeConfigSecretMissing$/;

/** A klusterlet that reaches its hub, and is rejected. */
export const credentials: readonly FaultRow[] = [
  row('token-expired', 'The bootstrap token has expired', async (scene) => {
    await scene.install({ token: await expiredToken(scene.hub) });
    await scene.untilConnection(tokenRefused, /Unauthorized/);
    await scene.untilRunning();
  }),
  row(
    'token-revoked',
    'The service account of the bootstrap token was deleted and made anew',
    async (scene) => {
      const { token } = await scene.bootstrap();
      await renewAccount(scene.hub, bootstrapAccount);
      await scene.install({ token });
      await scene.untilConnection(tokenRefused, /Unauthorized/);
      await scene.untilRunning();
    },
    { isHubs: true },
  ),
  row('token-expired-before-approval', 'The bootstrap token expired between request and approval', async (scene) => {
    const began = Date.now();
    await scene.install({ token: await mintToken(scene.hub, bootstrapAccount, shortLife - leeway) });
    await scene.untilRequested();
    await scene.untilAnnounced();
    await sleep(Math.max(0, began + shortLife * 1000 - Date.now()));
    await decideTooLate(scene);
  }),
  row(
    'token-revoked-before-approval',
    'The service account of the bootstrap token was made anew between request and approval',
    async (scene) => {
      await scene.install();
      await scene.untilRequested();
      await scene.untilAnnounced();
      await renewAccount(scene.hub, bootstrapAccount);
      await sleep(remembered);
      await decideTooLate(scene);
    },
    { isHubs: true },
  ),
  withoutRule(
    'rbac-request',
    'The bootstrap role may not make or see requests',
    'certificatesigningrequests',
    async (scene) => {
      await scene.install();
      await scene.untilConnection(notAllowed);
      await scene.untilAnnounced();
    },
  ),
  withoutRule('rbac-cluster', 'The bootstrap role may not announce clusters', 'managedclusters', async (scene) => {
    await scene.install();
    await scene.untilConnection(notAllowed);
    await scene.untilRequested();
  }),
  withoutRule(
    'rbac-clusterset-join',
    'The bootstrap role may not put clusters into the default set',
    'managedclustersets/join',
    async (scene) => {
      await scene.install();
      await scene.untilRequested();
      await scene.untilConnection(/^BootstrapSecretFunctional,HubKubeConfigSecretMissing$/);
    },
  ),
];
