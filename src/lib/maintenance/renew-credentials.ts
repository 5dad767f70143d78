import { StellarError } from '../core/errors.ts';
import { advice, command, run as nextStep, partial } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { whyUnseen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { byName, type KubeObject, resources, type Secret } from '../kube/client/objects.ts';
import { claimsOf } from '../kube/client/validity.ts';
import { requestToken } from '../kube/service-accounts.ts';
import { isTokenRefused } from '../ocm/agent/agent-certificate.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import { adoptedAccount } from '../spaces/bootstrap.ts';
import type { SpaceTools } from '../spaces/hosting/hosting.ts';
import { type AdoptedCredentials, readCredentials } from '../spaces/space/credentials.ts';
import { openSpace } from '../spaces/space/space-access.ts';
import { itsOfWds, listControlPlanes, roleOf, typeOf } from '../spaces/space/spaces.ts';
import { planRestart, type RestartPlan } from './restart-plan.ts';
import { restartControllers } from './restart-wds.ts';

/** The token lifetime that KubeFlex requests by default (kubeflex 0.9.3: a year). */
const yearSeconds = 365 * 86_400;

/**
 * Renews the token that the pods of the hosting cluster use for an external space, and restarts the controllers
 * of the WDSes of an ITS, which have read the previous token when they started. The previous token stays valid until it expires.
 * @throws StellarError before any write: `unreachable` if there is no context for that cluster, `identity-unproven` if it may be
 *   another cluster
 */
export async function renewToken(name: string, tools: SpaceTools, run: Run): Promise<void> {
  const { hosting } = tools;
  const all = await listControlPlanes(hosting);
  const controlPlane = byName(all).get(name);
  if (controlPlane === undefined || typeOf(controlPlane) !== 'external') return;
  const credentials = await readCredentials(name, hosting);
  if (credentials?.token === undefined) return;
  const kube = await openAdopted(controlPlane, tools);
  await proveAdopted(name, kube, credentials.token);
  const restarts: RestartPlan[] = [];
  for (const each of all)
    if (roleOf(each) === 'wds' && itsOfWds(each.metadata.name, all) === controlPlane)
      restarts.push(await planRestart(each.metadata.name, tools));
  const token = await issueToken(
    name,
    kube,
    controlPlane.spec?.tokenExpirationSeconds ?? yearSeconds,
  );
  await replaceToken(hosting, credentials, token);
  run.progress.changed(name, 'token renewed');
  for (const plan of restarts) await restartControllers(plan, run);
}

/** Opens a client for the external cluster with the user's own access. */
async function openAdopted(controlPlane: ControlPlane, tools: SpaceTools): Promise<Kube> {
  const access = await openSpace(controlPlane, tools);
  if (access.state === 'seen') return access.value;
  const { name } = controlPlane.metadata;
  throw new StellarError(
    'unreachable',
    `The cluster of ${name} cannot be asked for a token: ${whyUnseen(access)}.`,
    partial(
      command`stellarctl its create ${name} --type external --bootstrap-context CONTEXT --hosting-context ${tools.hosting.cluster.context}`,
      'Record which context leads there',
    ),
  );
}

/**
 * Proves that a context belongs to the adopted cluster and not to another one: KubeFlex's service account there has the UID in the
 * present token, expired or not.
 */
async function proveAdopted(name: string, kube: Kube, token: string) {
  const { namespace, name: accountName } = adoptedAccount;
  const account = await kube.get<KubeObject>(resources.serviceAccounts, accountName, { namespace });
  const { context } = kube.cluster;
  if (account !== undefined && account.metadata.uid === claimsOf(token).accountUid) return;
  const found =
    account === undefined
      ? `it has no service account ${namespace}/${accountName}`
      : `the token of ${name} was made for another service account than its ${namespace}/${accountName}`;
  throw new StellarError(
    'identity-unproven',
    `The cluster of context ${context} is not proven to be ${name}: ${found}.`,
    nextStep(
      command`kubectl --context ${context} -n ${namespace} get serviceaccount ${accountName} -o yaml`,
    ),
  );
}

/** @returns a token that the API server accepts; undefined in a dry run */
async function issueToken(name: string, kube: Kube, seconds: number) {
  const token = (await requestToken(kube, adoptedAccount, seconds))?.token;
  if (kube.dryRun) return undefined;
  if (token !== undefined && !(await isTokenRefused(kube, token))) return token;
  throw new StellarError(
    'credentials-failed',
    `${kube.cluster.context} does not accept the token that it has just issued for ${name}.`,
    advice('Its API servers may be rotating their keys: rerun the command'),
  );
}

/**
 * Replaces only the token; the rest of the kubeconfig is kept byte for byte. @throws ApiError 409 if the Secret has changed since
 */
async function replaceToken(
  hosting: Kube,
  credentials: AdoptedCredentials,
  token: string | undefined,
) {
  const { secret, key, text, token: present = '' } = credentials;
  const { name, namespace, uid, resourceVersion } = secret.metadata;
  const renewed = token === undefined ? text : text.replaceAll(present, token);
  const data = { [key]: Buffer.from(renewed).toString('base64') };
  await hosting.merge<Secret>(
    resources.secrets,
    name,
    { metadata: { uid, resourceVersion }, data },
    { namespace },
  );
}
