import { StellarError } from '../../core/errors.ts';
import { command, partial } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { unlessStatus } from '../../kube/client/errors.ts';
import { resources, typeMeta } from '../../kube/client/objects.ts';
import { claimsOf } from '../../kube/client/validity.ts';
import { may, missingPermissions } from '../../kube/permissions.ts';
import { userOf } from '../../kube/service-accounts.ts';
import { heldValidity } from '../../ocm/agent/agent-certificate.ts';
import {
  ownTokenOf,
  readHubKubeconfig,
  secretWrittenAt,
} from '../../ocm/agent/klusterlet-agent.ts';
import type { WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import { bootstrapRequests, type HubEvidence, isOpen } from '../../ocm/hub/hub-evidence.ts';
import type { RegistrationRequest } from '../../ocm/hub/registration-requests.ts';
import {
  bootstrapAccountOf,
  bootstrapServiceAccount,
  isOurs,
  managedBy,
  managedByLabel,
  operatorNamespace,
} from '../../ocm/model/ocm-names.ts';

/**
 * The key under which kube-apiserver records the credential of a request, as `JTI=<id of a token>` (KEP-4193, on since Kubernetes
 * 1.30).
 */
const credentialKey = 'authentication.kubernetes.io/credential-id';

/** The id of the token that a request was sent with; undefined if the ITS does not record it. */
const tokenOf = ({ csr }: RegistrationRequest) =>
  csr.spec.extra?.[credentialKey]?.find((id) => id.startsWith('JTI='))?.slice('JTI='.length);

/** Whether a request was sent by the service account that was made for the WEC whose name it carries, and for no other. */
const isOfOwnAccount = ({ csr, cluster }: RegistrationRequest) =>
  csr.spec.username === ownUser(cluster);

const ownUser = (wec: string) =>
  userOf({ namespace: operatorNamespace, name: bootstrapAccountOf(wec) });

/** Whether a bootstrap token was made for this WEC alone: what was sent with it was sent by its agent. */
export function isOwnToken(
  wec: string,
  { bootstrapSecret }: Pick<WecEvidence, 'bootstrapSecret'>,
): boolean {
  const { id, user } = claimsOf(readHubKubeconfig(bootstrapSecret)?.token);
  return user === ownUser(wec) || (id !== undefined && ownTokenOf(bootstrapSecret) === id);
}

/**
 * Distinguishes the requests of a WEC's agent from others: by its id if it is known, else by the token that they were sent with,
 * which is in the bootstrap secret of that WEC, or by the service account that was made for it. An agent exits when its bootstrap
 * secret changes, and its keys are lost.
 */
export class OwnRequests {
  /** The id of the WEC's agent, if it is known by now. */
  agent: string | undefined;
  /** Whether it was known at the start. */
  readonly #isKnown: boolean;
  #token: string | undefined;
  #user: string | undefined;

  /** @param agent the id of the WEC's agent, if it is known at the start */
  constructor(agent: string | undefined, wec: Pick<WecEvidence, 'bootstrapSecret'>) {
    this.agent = agent;
    this.#isKnown = agent !== undefined;
    this.see(wec, []);
  }

  /** Records the WEC's current bootstrap secret, and with it its agent's id: none if several agents use its token. */
  see(
    { bootstrapSecret }: Pick<WecEvidence, 'bootstrapSecret'>,
    requests: readonly RegistrationRequest[],
  ): void {
    const { id, user } = claimsOf(readHubKubeconfig(bootstrapSecret)?.token);
    this.#token = id;
    this.#user = user;
    if (this.#isKnown) return;
    const agents = new Set(
      requests.filter((each) => isOpen(each) && this.isProven(each)).map(({ agent }) => agent),
    );
    this.agent = agents.size === 1 ? [...agents][0] : undefined;
  }

  /** True also if neither the id nor the token distinguishes it. */
  maybe(request: RegistrationRequest): boolean {
    if (this.#isKnown) return request.agent === this.agent;
    return !this.#isOfOtherToken(request);
  }

  isProven(request: RegistrationRequest): boolean {
    if (this.#isKnown) return request.agent === this.agent;
    return (
      isOfOwnAccount(request) || (this.#token !== undefined && tokenOf(request) === this.#token)
    );
  }

  /** An id is no secret: a request with it that was sent with another WEC's token is not the agent's. */
  mayApprove(request: RegistrationRequest): boolean {
    return this.isProven(request) && (isOfOwnAccount(request) || !this.#isOfOtherToken(request));
  }

  /** @throws StellarError `identity-unproven` if the ITS does not show with which token a request of the WEC was sent */
  requireRecords(hub: Kube, requests: readonly RegistrationRequest[]): void {
    const open = requests.filter(
      ({ state, problems }) => state === 'pending' && problems.length === 0,
    );
    if (this.#isKnown || this.#token === undefined || open.some((each) => this.isProven(each)))
      return;
    const silent = open.find((each) => tokenOf(each) === undefined && isOfHubAccount(each));
    // The request of an account that was made for the WEC is still to come.
    if (silent !== undefined && this.#user === ownUser(silent.cluster)) return;
    if (silent !== undefined)
      throw requestUnproven(
        hub,
        silent.cluster,
        `request ${silent.name} may be of another cluster`,
      );
  }

  #isOfOtherToken(request: RegistrationRequest): boolean {
    const token = tokenOf(request);
    return token !== undefined && this.#token !== undefined && token !== this.#token;
  }
}

/** Sent by a service account that several WECs share. */
const isOfHubAccount = ({ csr }: RegistrationRequest) =>
  csr.spec.username === userOf({ namespace: operatorNamespace, name: bootstrapServiceAccount });

/** The refusal to approve a request of mode Default that nothing proves to be the WEC's own. */
export function requestUnproven(
  { cluster: { context } }: Kube,
  name: string,
  why: string,
): StellarError {
  return new StellarError(
    'identity-unproven',
    `Whose request it is cannot be proven, and none was approved: ${context} does not record with which token a request was sent (Kubernetes 1.30 does), and ${why}.`,
    partial(
      command`stellarctl wec join ${`${name}=CONTEXT`} --its ${context}`,
      'Join it without --accept',
    ),
    partial(
      command`stellarctl accept ${name} --agent AGENT --its ${context}`,
      'Then accept its agent',
    ),
  );
}

/** How far the clocks of two clusters may appear to differ: their answers contain whole seconds. */
export const clockMarginMs = 3000;
/** An agent that has not restarted yet would replace a deleted request. */
const agentExitMs = 5000;

/**
 * Deletes requests whose agent has restarted: the agent has lost their keys, and pending requests would look like a second agent.
 * Denying them would silence the agent for good (seen with OCM 1.3.1): it sends a new request only when its request is gone.
 * Requests that a user has decided on stay as they are.
 * @param reported the names of those that this user may not delete: each is reported once
 */
async function retire(
  hub: Kube,
  requests: readonly RegistrationRequest[],
  reported: Set<string>,
  run: Run,
) {
  for (const { name, cluster, state, csr } of requests) {
    if (state === 'denied' || reported.has(name)) continue;
    const deleting = hub.delete(resources.certificateSigningRequests, csr);
    if ((await unlessStatus(deleting, 403)) !== undefined) continue;
    reported.add(name);
    run.progress.note(
      `The request ${name} of ${cluster} is superseded, and this user may not delete it. Ask for its deletion: ${command`kubectl --context ${hub.cluster.context} delete csr ${name}`}`,
    );
  }
}

/** Reduces the requests of a WEC's agent to those for which it still has the keys. */
export function supersededRequests(wec: Kube, ownRequests: OwnRequests, run: Run) {
  const names = new Set<string>();
  const reported = new Set<string>();
  const superseded = {
    /** Names of superseded requests, deleted or not. */
    names: names as ReadonlySet<string>,
    /** Whether some must still be deleted after the agent restarts. */
    isOpen: false,
    /** Adds requests whose agent this run restarts. What a user has denied stays denied. */
    add(requests: readonly RegistrationRequest[]) {
      for (const { name } of requests.filter(({ state }) => state !== 'denied')) names.add(name);
    },
    /**
     * Deletes what the agent sent before its bootstrap secret was last written, after the agent has restarted. It keeps a request
     * whose certificate has arrived.
     */
    async clear(hub: Kube, evidence: HubEvidence, { bootstrapSecret, hubSecret }: WecEvidence) {
      const { to = Number.POSITIVE_INFINITY } = heldValidity(hubSecret) ?? {};
      const isCertified = hubSecret !== undefined && to >= wec.now();
      superseded.isOpen = false;
      if (bootstrapSecret === undefined || isCertified) return;
      const age = wec.now() - secretWrittenAt(bootstrapSecret);
      const ofAgent = bootstrapRequests(evidence).filter(
        ({ name, agent, problems }) =>
          (names.has(name) || (agent !== undefined && agent === ownRequests.agent)) &&
          problems.length === 0,
      );
      const old = ofAgent.filter(
        ({ name, created }) => names.has(name) || hub.now() - created > age + clockMarginMs,
      );
      superseded.add(old);
      superseded.isOpen = old.length > 0 && age <= agentExitMs && old.length === ofAgent.length;
      if (!superseded.isOpen) await retire(hub, old, reported, run);
    },
  };
  return superseded;
}

/** The rights of agents that register (ocm, the hub's manifests). */
const roleName = 'open-cluster-management:bootstrap';

/** The objects of an account: the service account, and the binding that gives it the rights of the hub's own. */
const kinds = [
  [resources.clusterRoleBindings, {}],
  [resources.serviceAccounts, { namespace: operatorNamespace }],
] as const;

/** Whether a hub records in each request with which token it was sent (KEP-4193). */
export async function recordsTokens(hub: Kube): Promise<boolean> {
  const { major = '', minor = '' } =
    (await hub.read<{ major?: string; minor?: string }>('/version')) ?? {};
  return !(major === '1' && Number.parseInt(minor, 10) < 30);
}

/** Why a WEC cannot have a service account of its own, a clause; undefined if it can. */
export async function whyNoAccount(hub: Kube): Promise<string | undefined> {
  const changes = kinds.flatMap(([resource, where]) =>
    ['create', 'patch', 'delete'].map((verb) => may(verb, resource, where)),
  );
  const token = may('create', resources.serviceAccounts, {
    subresource: 'token',
    namespace: operatorNamespace,
  });
  const bind = may('bind', resources.clusterRoles, { name: roleName });
  const missing = await missingPermissions(hub, [...changes, token, bind]);
  return missing.length === 0
    ? undefined
    : `you may not ${missing.join(', ')} to make a service account for it`;
}

/** Makes the service account of one WEC: the user name of a request shows that it was sent with its token. */
export async function makeAccount(hub: Kube, wec: string): Promise<void> {
  const metadata = { name: bootstrapAccountOf(wec), labels: { [managedByLabel]: managedBy } };
  await hub.apply({
    ...typeMeta(resources.serviceAccounts),
    metadata: { ...metadata, namespace: operatorNamespace },
  });
  const binding = {
    ...typeMeta(resources.clusterRoleBindings),
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleName },
    subjects: [{ kind: 'ServiceAccount', name: metadata.name, namespace: operatorNamespace }],
  };
  await hub.apply(binding);
}

/** Removes the service account of a WEC that has joined, if it has one, also of an earlier run. */
export async function removeAccount(hub: Kube, wec: string): Promise<void> {
  const name = bootstrapAccountOf(wec);
  for (const [resource, where] of kinds) {
    const present = await partialReader(hub).get(resource, name, where);
    if (isOurs(present)) await unlessStatus(hub.delete(resource, present), 403);
  }
}
