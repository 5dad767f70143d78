import { changesFor, changeWords, conflicts } from '../../core/changes.ts';
import { sharedReading } from '../../core/concurrency.ts';
import { StellarError } from '../../core/errors.ts';
import { command, run } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import type { Kube, Permission } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { type Resource, resources } from '../../kube/client/objects.ts';
import { askOnce, may } from '../../kube/permissions.ts';
import { listIfDefined } from '../../kube/served.ts';
import type { WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import { clusterUid } from '../../ocm/hub/cluster-uid.ts';
import {
  type ChosenEndpoint,
  type Endpoint,
  type HubConnection,
  verifyEndpoint,
} from '../../ocm/hub/endpoint.ts';
import type { HubAccess } from '../../ocm/hub/hub-access.ts';
import { hubConnectionOf } from '../../ocm/hub/hub-connection.ts';
import {
  emptyEvidence,
  type HubEvidence,
  hasJoined,
  isAvailable,
  readHub,
} from '../../ocm/hub/hub-evidence.ts';
import {
  agentNamespace,
  bootstrapServiceAccount,
  hubSecretName,
  klusterletName,
  operatorNamespace,
} from '../../ocm/model/ocm-names.ts';
import type { Klusterlet } from '../../ocm/model/ocm-objects.ts';
import { type Identity, otherRole, refuseRole } from '../registration/identity.ts';
import type { JoiningWec, JoinOptions } from './join-options.ts';

/** Reads the ITS for these WECs: one reading serves all that ask at the same time. */
export function hubReads(hub: Kube, wecs: readonly { name: string }[]) {
  const names = wecs.map(({ name }) => name);
  const readAll = sharedReading(() => readHub(hub, names));
  return {
    /** What this user may do there. */
    rights: askOnce(hub),
    /** The UID of its kube-system; undefined if it may not be read. */
    uid: sharedReading(() => clusterUid(hub)),
    evidenceOf: async (name: string) => (await readAll()).get(name) ?? emptyEvidence(name),
  };
}

/** What serves all WECs of a command. */
export type JoinProbes = ReturnType<typeof joinProbes>;

/**
 * What serves all WECs of a plan, which writes nothing: an operator's report that it is connected counts, since a new check would be
 * a write.
 */
export function joinProbes({ kube, its }: HubAccess, wecs: readonly { name: string }[], run: Run) {
  let verified: Promise<string | undefined> | undefined;
  return {
    /** Undefined without access to the ITS. */
    hub: kube && hubReads(kube, wecs),
    /** Verifies the address for agents, once for all WECs; returns a warning if there is one. */
    verify(endpoint: ChosenEndpoint & HubConnection) {
      verified ??= verifyEndpoint(its, endpoint, run);
      return verified;
    },
    /** Whether the WEC's operator is still connected with its hub. */
    recheckConnection: async (_: Kube, klusterlet: Klusterlet | undefined) =>
      hubConnectionOf(klusterlet).state === 'working',
  };
}

/**
 * Refuses a cluster that evidently is something else (a hub, a hosting cluster, a WDS, an API server without nodes, or one that a
 * Klusterlet in another cluster has registered), or is registered as something else: its own claims are enough for that.
 * @param endpoints the known addresses of the ITS
 * @throws StellarError `conflict`, `registered-elsewhere`
 */
export async function refuseOtherCluster(
  { name, kube }: JoiningWec,
  { klusterlet }: WecEvidence,
  endpoints: readonly Endpoint[],
): Promise<void> {
  const klusterlets = (await listIfDefined<Klusterlet>(kube, resources.klusterlets)) ?? [];
  // A hosted Klusterlet registers another cluster than its own.
  const notHosted = klusterlets.filter(({ spec }) => !spec?.deployOption?.mode?.endsWith('Hosted'));
  const other = notHosted.find(({ metadata }) => metadata.name !== klusterletName);
  if (other !== undefined) {
    throw elsewhere(
      kube,
      `is registered already, as ${other.spec?.clusterName ?? 'another name'}, by a Klusterlet ${other.metadata.name} that stellarctl did not install; ${name} was not joined`,
      other.metadata.name,
    );
  }
  if (klusterlet === undefined) {
    const hubs = endpoints.map(({ server }) => server);
    const role = await otherRole(kube, hubs);
    if (role !== undefined) refuseRole(kube, name, role);
  }
  refuseOtherRegistration(name, kube, klusterlet);
}

const elsewhere = ({ cluster }: Kube, what: string, klusterlet = klusterletName) =>
  new StellarError(
    'registered-elsewhere',
    `${describeCluster(cluster)} ${what}.`,
    toSeeKlusterlet(cluster.context, klusterlet),
  );

const toSeeKlusterlet = (context: string, klusterlet: string, lead = 'Look at it') =>
  run(command`kubectl --context ${context} get klusterlet ${klusterlet} -o yaml`, lead);

function refuseOtherRegistration(name: string, kube: Kube, klusterlet: Klusterlet | undefined) {
  if (klusterlet === undefined) return;
  if (klusterlet.metadata.deletionTimestamp !== undefined) {
    throw new StellarError(
      'conflict',
      `The Klusterlet on ${describeCluster(kube.cluster)} is being deleted; ${name} was not joined.`,
      toSeeKlusterlet(kube.cluster.context, klusterletName, 'Wait until it is gone. Look at it'),
    );
  }
  const registeredAs = klusterlet.spec?.clusterName;
  if (registeredAs === name) return;
  const under = registeredAs ?? '(none)';
  throw elsewhere(
    kube,
    `is registered already, under the name ${under}; it was not joined as ${name}`,
  );
}

/**
 * Refuses a name that another cluster has. Only a cluster with proof gets a name that has joined: the certificate of its agent, or
 * its recorded UID.
 * @throws StellarError `registered-elsewhere`, `name-taken`
 */
export function requireOwnership(
  access: Pick<HubAccess, 'its'>,
  wec: JoiningWec,
  { klusterlet }: WecEvidence,
  hub: HubEvidence,
  identity: Identity,
): void {
  if (identity.state === 'proven') return;
  const isOther = identity.state === 'other';
  if (isOther && (hub.managedCluster === undefined || klusterlet !== undefined))
    throw elsewhere(
      wec.kube,
      `is not the ${wec.name} of ${access.its}: ${identity.found}; it was not joined`,
    );
  if (isOther || hasJoined(hub)) throw wecNameTaken(access, wec, hub, identity);
}

function wecNameTaken(
  { its }: Pick<HubAccess, 'its'>,
  { name, kube }: JoiningWec,
  hub: HubEvidence,
  { state, found }: Identity & { found: string },
) {
  const availability = isAvailable(hub) ? 'available' : 'not available';
  const there = hasJoined(hub) ? `has joined and is ${availability}` : 'asks for it';
  const cluster = describeCluster(kube.cluster);
  return new StellarError(
    'name-taken',
    state === 'other'
      ? `${name} is the name of another cluster on ${its}, which ${there}. About ${cluster}: ${found}.`
      : `${name} ${there} on ${its}, and ${cluster} is not proven to be it: ${found}.`,
    run(
      command`stellarctl deregister ${name} --force --its ${its}`,
      'Choose another name. If it is this cluster, reinstalled, remove its old registration first, then join again',
    ),
  );
}

/** The permissions to accept a WEC on the ITS. The hub's webhook checks `managedclusters/accept`, not the API server. */
function acceptPermissions(wec: string): Permission[] {
  const group = 'register.open-cluster-management.io';
  return [
    may('update', resources.certificateSigningRequests, { subresource: 'approval' }),
    {
      verb: 'approve',
      group: 'certificates.k8s.io',
      resource: 'signers',
      name: 'kubernetes.io/kube-apiserver-client',
    },
    may('patch', resources.managedClusters, { name: wec }),
    { verb: 'update', group, resource: 'managedclusters', subresource: 'accept', name: wec },
  ];
}

export function hubPermissions(
  wec: string,
  { accept, labels, annotations }: Pick<JoinOptions, 'accept' | 'labels' | 'annotations'>,
): Permission[] {
  const label = Object.keys({ ...labels, ...annotations }).length > 0;
  const token = {
    subresource: 'token',
    namespace: operatorNamespace,
    name: bootstrapServiceAccount,
  };
  return [
    may('create', resources.serviceAccounts, token),
    may('get', resources.managedClusters, { name: wec }),
    may('list', resources.certificateSigningRequests),
    ...(accept ? acceptPermissions(wec) : []),
    ...(label && !accept ? [may('patch', resources.managedClusters, { name: wec })] : []),
  ];
}

/** The permissions to install a klusterlet on a WEC: server-side apply needs both verbs. */
export function wecPermissions(): Permission[] {
  const inNamespace = { namespace: operatorNamespace };
  const inAgentNamespace = { namespace: agentNamespace };
  const applied = [
    ...both(resources.clusterRoles),
    ...both(resources.clusterRoleBindings),
    ...both(resources.customResourceDefinitions),
    ...both(resources.namespaces),
    ...both(resources.serviceAccounts, inNamespace),
    ...both(resources.deployments, inNamespace),
    ...both(resources.secrets, inNamespace),
    ...both(resources.secrets, inAgentNamespace),
    ...both(resources.klusterlets),
  ];
  return [
    ...applied,
    may('get', resources.secrets, inAgentNamespace),
    may('list', resources.pods, inAgentNamespace),
  ];
}

/**
 * The permissions on a WEC to make an agent with a certificate register again: its certificate is removed, and its pods are
 * deleted.
 */
export function reregisterPermissions(): Permission[] {
  return [
    may('delete', resources.secrets, { namespace: agentNamespace, name: hubSecretName }),
    may('delete', resources.pods, { namespace: agentNamespace }),
  ];
}

const both = (resource: Resource, rest: Partial<Permission> = {}): Permission[] =>
  ['create', 'patch'].map((verb) => may(verb, resource, rest));

/** @throws StellarError `label-conflict` */
export function refuseLabelConflicts(
  { its }: Pick<HubAccess, 'its'>,
  { name, managedCluster }: HubEvidence,
  { labels, annotations = {} }: Pick<JoinOptions, 'labels' | 'annotations'>,
): void {
  const { metadata } = managedCluster ?? {};
  const own = changesFor(name, labels);
  const change = command`stellarctl label ${name} ${changeWords(own)} --overwrite`;
  const annotate = command`kubectl --context ${its} annotate managedcluster ${name} ${changeWords(annotations)} --overwrite`;
  for (const [what, other, step] of [
    ['labels', conflicts(metadata?.labels ?? {}, own), change],
    ['annotations', conflicts(metadata?.annotations ?? {}, annotations), annotate],
  ] as const)
    if (other.length > 0)
      throw new StellarError(
        'label-conflict',
        `${name} has other ${what} on ${its} already: ${other.join(', ')}.`,
        run(step, 'To change them'),
      );
}
