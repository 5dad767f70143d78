import { command } from '../core/command-line.ts';
import { formatAge } from '../core/duration.ts';
import { type ErrorCode, StellarError } from '../core/errors.ts';
import { type NextStep, partial, run as runCommand } from '../core/next-step.ts';
import type { Remedy, Write } from '../core/remedy.ts';
import type { Run } from '../core/run.ts';
import { resources } from '../kube/client/resources.ts';
import { tokenExpiry } from '../kube/client/tokens.ts';
import { named } from '../kube/object-names.ts';
import { partialReader } from '../kube/partial-reader.ts';
import { certificateExpiry } from '../ocm/agent-certificate.ts';
import { verifyEndpoint } from '../ocm/endpoint.ts';
import type { HubAccess } from '../ocm/hub-access.ts';
import { hubConnectionOf } from '../ocm/hub-connection.ts';
import { bootstrapRequests, emptyEvidence } from '../ocm/hub-evidence.ts';
import { readHubKubeconfig, writtenAt } from '../ocm/klusterlet-agent.ts';
import { agentNamespace, bootstrapSecretName, clusterNameLabel } from '../ocm/ocm-names.ts';
import type { RegistrationRequest } from '../ocm/registration-requests.ts';
import { WebhookProbe } from '../ocm/webhook.ts';
import { singletonAgentId } from '../ocm/wec-evidence.ts';
import { agentPodsOf, agentStarted, isOperatorPod, stuckPodsOf } from '../ocm/wec-pods.ts';
import { followJoin } from './follow-join.ts';
import { describeRemainingWorks, readRemainingWorks } from './former-hub.ts';
import type { JoiningWec, JoinOptions } from './join-options.ts';
import { hubReads, type JoinPlan, planJoin } from './join-plan.ts';
import { clockMarginMs, OwnRequests } from './own-requests.ts';
import { isOtherConnection } from './reregister.ts';
import { type Outdated, pendingRequests } from './reregister-causes.ts';
import { reregister, restartAgents, retryStuckPods } from './restart-agent.ts';

/** A remedy accepts nothing, and keeps versions. */
const options: JoinOptions = { accept: false, labels: {} };

/**
 * Makes an agent re-register with the steps and the proofs of a join; it does not change the klusterlet itself. Reads only, until it
 * is applied.
 * @param outdated what the problem shows
 * @throws StellarError if a user must decide
 */
export async function planReregistration(
  access: HubAccess,
  plan: JoinPlan,
  outdated: Outdated,
  run: Run,
): Promise<Remedy | undefined> {
  if ((outdated === 'credentials' || outdated === 'address') && isAsking(plan)) return undefined;
  const why = whyNow(access, plan, outdated);
  if (why === undefined) return undefined;
  await refuseLoss(access, plan);
  return {
    writes: writesOf(access, plan, why, supersededBy(plan)),
    async apply() {
      const { kube, wecBefore, reregister: cause } = plan;
      await reregister(access, plan, cause?.by ?? 'token', wecBefore);
      await retryStuckPods(kube, wecBefore, false);
      if (access.kube === undefined) return;
      const startedJoin = { changed: true, reregisters: true, webhook: new WebhookProbe(access.kube, run) };
      const { error } = await followJoin(access, plan, options, startedJoin, run);
      if (error !== undefined) throw error;
    },
  };
}

const isLost = ({ reregister }: JoinPlan): boolean => reregister?.by === 'certificate';

/**
 * What a join would know before its first write. An operator's report that it is connected counts: a new check would be a write.
 * @throws StellarError if a join would refuse this cluster
 */
export const planFor = (access: HubAccess, wec: JoiningWec, run: Run, asked = options): Promise<JoinPlan> =>
  planJoin(access, wec, asked, {
    hub: access.kube && hubReads(access.kube, [wec]),
    verify: (endpoint) => verifyEndpoint(access.its, endpoint, run),
    isStillConnected: async (_, klusterlet) => hubConnectionOf(klusterlet).state === 'working',
  });

/**
 * Why the agent must re-register by what is read now; undefined if it need not.
 * @throws StellarError `endpoint-unusable`, `identity-unproven`
 */
function whyNow(access: HubAccess, plan: JoinPlan, outdated: Outdated): string | undefined {
  const { name, wecBefore, hubBefore, endpoint, reregister } = plan;
  const isDecisive = isLost(plan) || reregister?.code === 'certificate-expired';
  if (!isDecisive && outdated === 'requests') return whyByRequests(access, plan);
  if (!isDecisive && outdated === 'announcement')
    return hubBefore?.managedCluster === undefined ? 'its agent could not announce itself' : undefined;
  if (isDecisive || reregister === undefined || outdated !== 'address' || isOtherConnection(wecBefore, endpoint))
    return reregister?.why;
  const join = command`stellarctl wec join ${`${name}=${plan.kube.cluster.context}`} --its ${access.its}`;
  throw new StellarError(
    'endpoint-unusable',
    `${name} has the address of ${access.its} that is known here, ${endpoint.server}, and does not reach it.`,
    { next: [partial(`${join} --hub-apiserver https://…`, 'Give the address that it reaches')] },
  );
}

/**
 * Whether the agent has sent a request with a valid token since its bootstrap secret was written: it waits for a user's decision.
 */
function isAsking(plan: JoinPlan): boolean {
  const { kube, wecBefore, hubBefore, isTokenRefused } = plan;
  const { bootstrapSecret: secret } = wecBefore;
  const expiry = tokenExpiry(readHubKubeconfig(secret)?.token ?? '')?.getTime() ?? Number.POSITIVE_INFINITY;
  if (secret === undefined || hubBefore === undefined || isTokenRefused || expiry <= kube.now()) return false;
  const own = ownRequestsOf(plan);
  const written = writtenAt(secret) - clockMarginMs;
  return pendingRequests(hubBefore).some((request) => own.isProven(request) && request.created >= written);
}

/**
 * Requests without proof that they are its own may come from another cluster's agent, which waits.
 * @throws StellarError `identity-unproven`
 */
function whyByRequests({ its }: HubAccess, plan: JoinPlan): string | undefined {
  const own = ownRequestsOf(plan);
  const pending = pendingRequests(plan.hubBefore ?? emptyEvidence(plan.name));
  const others = pending.filter((request) => !own.isProven(request));
  if (others.length === 0)
    return pending.length === 0 ? undefined : 'its agent sends no more requests: it is restarted';
  throw left(
    'identity-unproven',
    `${others.length} of the ${pending.length} requests of ${plan.name} are not proven to be those of this cluster's agent: another one may wait for them.`,
    runCommand(command`kubectl --context ${its} get csr -l ${`${clusterNameLabel}=${plan.name}`}`, 'Look at them'),
  );
}

const left = (code: ErrorCode, message: string, next: NextStep): StellarError =>
  new StellarError(code, message, { next: [next] });

/**
 * An agent connected to a hub without its works deletes their workloads after some time: a user must want that.
 * @throws StellarError `has-dependents`
 */
async function refuseLoss(access: HubAccess, { name, kube, wecBefore, hubBefore }: JoinPlan): Promise<void> {
  const hasMailbox = hubBefore?.managedCluster !== undefined;
  const [works, sent] = await Promise.all([
    readRemainingWorks(kube, wecBefore),
    hasMailbox && access.kube ? partialReader(access.kube).list(resources.manifestWorks, { namespace: name }) : [],
  ]);
  const known = new Set(sent?.map(({ metadata }) => metadata.name));
  const evicted = works?.evicted.filter((work) => !known.has(work)) ?? [];
  // An agent without a certificate has had no works either.
  const isUnseen = works === undefined && wecBefore.hubSecret !== undefined && !hasMailbox;
  if (evicted.length === 0 && !isUnseen) return;
  const workloadEffects =
    works === undefined ? 'what it runs may not be seen' : describeRemainingWorks({ ...works, evicted }, access.its);
  const join = command`stellarctl wec join ${`${name}=${kube.cluster.context}`} --its ${access.its}`;
  throw left(
    'has-dependents',
    `${name} runs what ${access.its} has not sent: ${workloadEffects}.`,
    runCommand(join, 'If it may be deleted'),
  );
}

function ownRequestsOf({ wecBefore, hubBefore }: JoinPlan): OwnRequests {
  const { klusterlet } = wecBefore;
  const own = new OwnRequests(klusterlet && singletonAgentId(klusterlet), wecBefore);
  own.see(wecBefore, hubBefore?.requests ?? []);
  return own;
}

/** What the agent has sent so far: its keys are lost with the secret that it was sent with. Denied requests stay. */
function supersededBy(plan: JoinPlan): RegistrationRequest[] {
  const { hubSecret } = plan.wecBefore;
  if (hubSecret !== undefined && certificateExpiry(hubSecret, plan.kube.now()) === undefined && !isLost(plan))
    return [];
  const own = ownRequestsOf(plan);
  return bootstrapRequests(plan.hubBefore ?? emptyEvidence(plan.name)).filter(
    (request) => request.state !== 'denied' && own.isProven(request),
  );
}

function writesOf(
  { its }: HubAccess,
  plan: JoinPlan,
  why: string,
  superseded: readonly RegistrationRequest[],
): Write[] {
  const { kube, wecBefore } = plan;
  const on = kube.cluster.context;
  const { hubSecret, pods } = wecBefore;
  const stuck = stuckPodsOf(pods, kube.now()).filter((pod) => !isOperatorPod(pod));
  const agents = isLost(plan) ? agentPodsOf(pods) : [];
  const taken = isLost(plan) && hubSecret !== undefined ? [hubSecret] : [];
  const secret = `Secret ${agentNamespace}/${bootstrapSecretName}`;
  return [
    { verb: 'write', object: secret, on, uid: wecBefore.bootstrapSecret?.metadata.uid, why },
    ...taken.map((each) => removal('Secret', each, on, 'it is obsolete')),
    ...(stuck.length + agents.length > 0 ? [restartOf(on)] : []),
    ...superseded.map(({ csr }) => removal('CertificateSigningRequest', csr, its, 'superseded')),
  ];
}

const removal = (kind: string, object: Parameters<typeof named>[1], on: string, why: string): Write => ({
  ...{ verb: 'delete', object: named(kind, object), on, uid: object.metadata.uid, why },
});

/** Pods change: it restarts those that exist when it runs. */
const restartOf = (on: string, why?: string): Write => ({
  ...{ verb: 'restart', object: `Pods in ${agentNamespace}`, on },
  ...(why && { why }),
});

/**
 * Replaces the pods of an agent that runs and does nothing, as far as its Lease shows. Once only: a restart has not helped an agent
 * that has not renewed its Lease since it started.
 * @throws StellarError `agent-dead`, `identity-unproven`
 */
export async function planRestart(_: HubAccess, plan: JoinPlan): Promise<Remedy | undefined> {
  const { name, kube, wecBefore, hubBefore, identity } = plan;
  if (identity.state !== 'proven')
    throw new StellarError(
      'identity-unproven',
      `${kube.cluster.context} is not proven to be ${name}: ${identity.found}.`,
    );
  const started = agentStarted(wecBefore.klusterlet, wecBefore.pods);
  const renewed = Date.parse(hubBefore?.lease?.spec?.renewTime ?? '');
  if (started === undefined || Number.isNaN(renewed)) return undefined;
  // Both times come from the agent's own node.
  if (started > renewed)
    throw left(
      'agent-dead',
      `The agent of ${name} started ${formatAge(kube.now() - started)} ago and has not renewed its Lease since: it has been restarted already.`,
      runCommand(
        command`kubectl --context ${kube.cluster.context} -n ${agentNamespace} logs ${agentPodsOf(wecBefore.pods)
          .map(({ metadata }) => metadata.name)
          .slice(0, 1)}`,
      ),
    );
  const why = `it has not renewed its Lease for ${formatAge(kube.now() - renewed)}`;
  return {
    writes: [restartOf(kube.cluster.context, why)],
    apply: () => restartAgents(kube),
  };
}
