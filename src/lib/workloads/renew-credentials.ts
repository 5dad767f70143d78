import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { advice, run as nextStep, partial } from '../core/next-step.ts';
import type { Remedy, Write } from '../core/remedy.ts';
import type { Run } from '../core/run.ts';
import { whyUnseen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import type { KubeObject, Secret } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { accountUid, tokenIssue } from '../kube/client/tokens.ts';
import { named } from '../kube/object-names.ts';
import { requestToken } from '../kube/service-accounts.ts';
import { isTokenRefused } from '../ocm/agent-certificate.ts';
import { namespaceOf } from '../ocm/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import { adoptedAccount } from '../spaces/bootstrap.ts';
import { type AdoptedCredentials, readCredentials } from '../spaces/credentials.ts';
import { openSpace } from '../spaces/space-access.ts';
import type { SpaceTools } from '../spaces/space-tools.ts';
import { itsOfWds, listControlPlanes, roleOf } from '../spaces/spaces.ts';
import { planRestart } from './restart-plan.ts';
import { restart } from './restart-wds.ts';

/** The token lifetime that KubeFlex requests by default (kubeflex 0.9.3: a year). */
const yearSeconds = 365 * 86_400;

/**
 * Plans to renew the token that the pods of the hosting cluster use for an external ITS, and to restart the controllers of its
 * WDSes, which have read the previous token. The previous token stays valid until it expires. Writes nothing until it is applied.
 * @throws StellarError `unreachable` if there is no context for that cluster, `identity-unproven` if it may be another cluster
 */
export async function planCredentialRenewal(name: string, tools: SpaceTools, run: Run): Promise<Remedy | undefined> {
  const { hosting } = tools;
  const all = (await listControlPlanes(hosting)) ?? [];
  const controlPlane = all.find(({ metadata }) => metadata.name === name);
  const credentials = await readCredentials(name, hosting);
  if (controlPlane === undefined || credentials?.token === undefined) return undefined;
  const kube = await openAdopted(controlPlane, tools);
  const account = await proveAdopted(name, kube, credentials.token);
  const ofIts = all.filter((each) => roleOf(each) === 'wds' && itsOfWds(each.metadata.name, all) === controlPlane);
  const restarts: Remedy[] = [];
  for (const { metadata } of ofIts) restarts.push(await planOneRestart(metadata.name, tools, run));
  const { secret } = credentials;
  const on = hosting.cluster.context;
  const object = `ServiceAccount ${adoptedAccount.namespace}/${adoptedAccount.name}`;
  const requested: Write = { verb: 'request a token of', object, on: kube.cluster.context, uid: account.metadata.uid };
  const why = 'only its token is replaced';
  return {
    writes: [
      requested,
      { verb: 'write', object: named('Secret', secret), on, uid: secret.metadata.uid, why },
      ...restarts.flatMap(({ writes }) => writes),
    ],
    async apply() {
      const token = await newToken(name, kube, controlPlane.spec?.tokenExpirationSeconds ?? yearSeconds);
      await replaceToken(hosting, credentials, token);
      for (const { apply } of restarts) await apply();
    },
  };
}

/**
 * Plans to restart the controllers of a WDS, which read the credentials of its ITS only when they start. Writes nothing until it is
 * applied.
 */
export async function planControllerRestart(wds: string, tools: SpaceTools, run: Run): Promise<Remedy | undefined> {
  const its = itsOfWds(wds, (await listControlPlanes(tools.hosting)) ?? [])?.metadata.name;
  const token = its && (await readCredentials(its, tools.hosting))?.token;
  return tokenIssue(token ?? '') === undefined ? undefined : planOneRestart(wds, tools, run);
}

/** @throws StellarError what speaks against it */
async function planOneRestart(wds: string, tools: SpaceTools, run: Run): Promise<Remedy> {
  const plan = await planRestart(wds, tools);
  const { uid } = plan.controlPlane.metadata;
  const on = tools.hosting.cluster.context;
  const why = 'they read the credentials of their ITS when they start; workloads keep running';
  const write: Write = { verb: 'restart', object: `Deployments in ${namespaceOf(wds)}`, on, uid, why };
  return { writes: [write], apply: () => restart(plan, run) };
}

/** Opens a client for the external cluster with the user's own access. */
async function openAdopted(controlPlane: ControlPlane, tools: SpaceTools): Promise<Kube> {
  const access = await openSpace(controlPlane, tools);
  if (access.state === 'seen') return access.value;
  const { name } = controlPlane.metadata;
  throw new StellarError('unreachable', `The cluster of ${name} cannot be asked for a token: ${whyUnseen(access)}.`, {
    next: [
      partial(
        command`stellarctl its create ${name} --type external --bootstrap-context CONTEXT --hosting-context ${tools.hosting.cluster.context}`,
        'Record which context leads there',
      ),
    ],
  });
}

/**
 * Proves that a context belongs to the adopted cluster and not to another one: KubeFlex's service account there has the UID in the
 * present token, expired or not.
 */
async function proveAdopted(name: string, kube: Kube, token: string): Promise<KubeObject> {
  const { namespace, name: accountName } = adoptedAccount;
  const account = await kube.get<KubeObject>(resources.serviceAccounts, accountName, { namespace });
  const { context } = kube.cluster;
  if (account !== undefined && account.metadata.uid === accountUid(token)) return account;
  const found =
    account === undefined
      ? `it has no service account ${namespace}/${accountName}`
      : `the token of ${name} was made for another service account than its ${namespace}/${accountName}`;
  throw new StellarError(
    'identity-unproven',
    `The cluster of context ${context} is not proven to be ${name}: ${found}.`,
    {
      next: [nextStep(command`kubectl --context ${context} -n ${namespace} get serviceaccount ${accountName} -o yaml`)],
    },
  );
}

/** @returns a token that the API server accepts; undefined in a dry run */
async function newToken(name: string, kube: Kube, seconds: number): Promise<string | undefined> {
  const token = (await requestToken(kube, adoptedAccount, seconds))?.token;
  if (kube.dryRun) return undefined;
  if (token !== undefined && !(await isTokenRefused(kube, token))) return token;
  throw new StellarError(
    'credentials-failed',
    `${kube.cluster.context} does not accept the token that it has just issued for ${name}.`,
    {
      next: [advice('Its API servers may be rotating their keys: rerun the command')],
    },
  );
}

/**
 * Replaces only the token; the rest of the kubeconfig is kept byte for byte. @throws ApiError 409 if the Secret has changed since
 */
async function replaceToken(
  hosting: Kube,
  { secret, key, text, token: present = '' }: AdoptedCredentials,
  token: string | undefined,
): Promise<void> {
  const { name, namespace, uid, resourceVersion } = secret.metadata;
  const renewed = token === undefined ? text : text.replaceAll(present, token);
  const data = { [key]: Buffer.from(renewed).toString('base64') };
  await hosting.merge<Secret>(resources.secrets, name, { metadata: { uid, resourceVersion }, data }, { namespace });
}
