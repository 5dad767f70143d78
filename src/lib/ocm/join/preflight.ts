import { conflicts } from '../../changes.ts';
import { StellarError } from '../../errors.ts';
import type { Kube } from '../../kube/client.ts';
import { ApiError, describeCluster } from '../../kube/errors.ts';
import { isTrue, type KubeObject } from '../../kube/objects.ts';
import { requirePermissions } from '../../kube/permissions.ts';
import { resources } from '../../kube/resources.ts';
import type { Run } from '../../run.ts';
import { type ChosenEndpoint, chooseEndpoint, isSameHub } from '../endpoint.ts';
import type { HubAccess } from '../hub-access.ts';
import { type HubEvidence, hasJoined, readHub } from '../hub-evidence.ts';
import { tagOf } from '../image.ts';
import { type AgentSettings, type HubConnection, readHubKubeconfig } from '../klusterlet/agent.ts';
import { managedBy, managedByLabel } from '../klusterlet/operator.ts';
import { klusterletName } from '../names.ts';
import type { Klusterlet } from '../objects.ts';
import { hubPermissions, wecPermissions } from '../permissions.ts';
import { readWec, type WecEvidence } from '../wec-evidence.ts';
import type { JoiningWec, JoinOptions } from './options.ts';
import { verifyEndpoint } from './verify-endpoint.ts';

/** What a join will do to one WEC: decided before anything is written. */
export interface JoinPlan {
  name: string;
  kube: Kube;
  endpoint: ChosenEndpoint & HubConnection;
  settings: AgentSettings;
  /** False where somebody else's operator is there, which is left alone. */
  installOperator: boolean;
  /** What both sides showed before. */
  wecBefore: WecEvidence;
  hubBefore: HubEvidence | undefined;
  /** Things worth saying, that stop nothing. */
  notes: string[];
}

/**
 * Everything that can be known before the first write. Reads only, but for access reviews.
 * @throws StellarError for the first reason not to join this WEC
 */
export async function preflight(access: HubAccess, wec: JoiningWec, options: JoinOptions, run: Run): Promise<JoinPlan> {
  const { name, kube } = wec;
  await Promise.all([
    requirePermissions(kube, wecPermissions()),
    access.kube &&
      requirePermissions(
        access.kube,
        hubPermissions(name, { accept: options.accept, label: Object.keys(options.labels).length > 0 }),
      ),
  ]);
  const notes: string[] = [];
  await refuseSameCluster(access, wec, notes);
  const [wecBefore, klusterlets, hubBefore] = await Promise.all([
    readWec(kube),
    kube.list<Klusterlet>(resources.klusterlets),
    access.kube && readHub(access.kube, [name]).then((evidence) => evidence.get(name)),
  ]);
  const endpoint = await endpointFor(access, name, options);
  refuseOtherKlusterlets(wec, klusterlets ?? []);
  refuseForeignRegistration(access, wec, wecBefore, endpoint);
  if (hubBefore !== undefined) {
    refuseTakenName(access, wec, wecBefore, hubBefore);
    refuseLabelConflicts(access, hubBefore, options.labels);
  }
  const settings = agentSettings(access, name, wecBefore.klusterlet, options);
  const unverified = await verifyEndpoint(access.its, endpoint, run);
  if (unverified !== undefined) notes.push(unverified);
  if (hasOtherAuthority(access, endpoint)) {
    notes.push(
      `kube-public/cluster-info of ${access.its} has another certificate authority than its context. If the agent does not trust it: --ca-file FILE`,
    );
  }
  if (access.kube === undefined)
    notes.push(`${access.its} is out of reach from here: whether the name ${name} is free there was not checked.`);
  const operatorIsOurs =
    wecBefore.operator === undefined || wecBefore.operator.metadata.labels?.[managedByLabel] === managedBy;
  if (!operatorIsOurs)
    notes.push(`${name} has a klusterlet operator that stellarctl did not install; it is left as it is.`);
  return { name, kube, endpoint, settings, installOperator: operatorIsOurs, wecBefore, hubBefore, notes };
}

/** Either the ITS shows other certificates to the outside, or what it publishes is out of date. */
function hasOtherAuthority({ outside }: HubAccess, { source, certificateAuthority }: ChosenEndpoint): boolean {
  const known = outside.certificateAuthority?.trim();
  return source === 'kube-public/cluster-info' && known !== undefined && known !== certificateAuthority?.trim();
}

/** The address of the ITS for the agents of a WEC, with everything that they need to use it. */
export async function endpointFor(
  access: HubAccess,
  wec: string,
  options: JoinOptions,
): Promise<ChosenEndpoint & HubConnection> {
  const chosen = await chooseEndpoint({
    its: access.its,
    wec,
    outside: access.outside,
    inside: access.inside,
    insideForbidden: access.insideForbidden,
    hubApiserver: options.hubApiserver,
    forceInside: options.forceInternalEndpointLookup,
    certificateAuthority: options.certificateAuthority,
  });
  return { ...chosen, proxyUrl: options.proxyUrl };
}

/** The UID of kube-system identifies a cluster, whatever its contexts are called. Undefined where this user may not see it. */
export async function clusterIdentity(kube: Kube): Promise<string | undefined> {
  try {
    return (await kube.get<KubeObject>(resources.namespaces, 'kube-system'))?.metadata.uid;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
}

async function refuseSameCluster(access: HubAccess, { name, kube }: JoiningWec, notes: string[]): Promise<void> {
  if (access.kube === undefined) return;
  const [hub, wec] = await Promise.all([clusterIdentity(access.kube), clusterIdentity(kube)]);
  if (hub === undefined || wec === undefined) {
    notes.push(
      `Whether ${name} and the ITS are different clusters was not checked: the namespace kube-system may not be read.`,
    );
  } else if (hub === wec) {
    throw new StellarError(
      'same-cluster',
      `${name} and the ITS are the same cluster (contexts ${kube.cluster.context} and ${access.its}, kube-system ${hub.slice(0, 8)}…).`,
      { hint: `Give the context of the cluster to register: stellarctl wec join ${name}=CONTEXT` },
    );
  }
}

function refuseOtherKlusterlets({ name, kube }: JoiningWec, klusterlets: Klusterlet[]): void {
  // A hosted Klusterlet registers another cluster than the one it is in.
  const own = klusterlets.filter(({ spec }) => !spec?.deployOption?.mode?.endsWith('Hosted'));
  const other = own.find(({ metadata }) => metadata.name !== klusterletName);
  if (other === undefined) return;
  throw new StellarError(
    'registered-elsewhere',
    `${describeCluster(kube.cluster)} is registered already, as ${other.spec?.clusterName ?? 'another name'}, by a Klusterlet ${other.metadata.name} that stellarctl did not install; ${name} was not joined.`,
    { hint: `Look at it: kubectl --context ${kube.cluster.context} get klusterlet ${other.metadata.name} -o yaml` },
  );
}

function refuseForeignRegistration(
  access: HubAccess,
  { name, kube }: JoiningWec,
  { klusterlet, bootstrapSecret, hubSecret }: WecEvidence,
  endpoint: ChosenEndpoint,
): void {
  if (klusterlet === undefined) return;
  const cluster = describeCluster(kube.cluster);
  const look = `Look at it: kubectl --context ${kube.cluster.context} get klusterlet ${klusterletName} -o yaml`;
  if (klusterlet.metadata.deletionTimestamp !== undefined) {
    throw new StellarError('conflict', `The Klusterlet on ${cluster} is being deleted; ${name} was not joined.`, {
      hint: `Wait until it is gone. ${look}`,
    });
  }
  const registeredAs = klusterlet.spec?.clusterName;
  if (registeredAs !== name) {
    throw new StellarError(
      'registered-elsewhere',
      `${cluster} is registered already, under the name ${registeredAs ?? '(none)'}; it was not joined as ${name}.`,
      { hint: look },
    );
  }
  const present = readHubKubeconfig(hubSecret) ?? readHubKubeconfig(bootstrapSecret);
  const known = [access.outside, access.inside, endpoint].filter((candidate) => candidate !== undefined);
  if (present === undefined || isSameHub(present, known)) return;
  throw new StellarError(
    'registered-elsewhere',
    `${cluster} is registered already, as ${name} with the hub ${present.server}, which is not ${access.its}.`,
    {
      hint: `If ${access.its} has that address: --hub-apiserver ${present.server}`,
    },
  );
}

/** A name that has joined belongs to the cluster whose agent holds a certificate for it. */
function refuseTakenName(
  { its }: HubAccess,
  { name }: JoiningWec,
  { klusterlet, hubSecret }: WecEvidence,
  hub: HubEvidence,
): void {
  if (!hasJoined(hub) || (klusterlet !== undefined && hubSecret !== undefined)) return;
  const state = isTrue(hub.managedCluster, 'ManagedClusterConditionAvailable') ? 'available' : 'not available';
  throw new StellarError(
    'name-taken',
    `${name} is the name of another cluster on ${its}, which has joined and is ${state}.`,
    {
      hint: `Choose another name. If it is this cluster, installed anew, remove its old registration first: kubectl --context ${its} delete managedcluster ${name}`,
    },
  );
}

function refuseLabelConflicts(
  { its }: HubAccess,
  { name, managedCluster }: HubEvidence,
  labels: Record<string, string>,
): void {
  const other = conflicts(managedCluster?.metadata.labels ?? {}, labels);
  if (other.length === 0) return;
  const wanted = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  throw new StellarError('label-conflict', `${name} has other labels on ${its} already: ${other.join(', ')}.`, {
    hint: `To change them: stellarctl label ${name} ${wanted.join(' ')} --overwrite`,
  });
}

export function agentSettings(
  access: HubAccess,
  name: string,
  present: Klusterlet | undefined,
  options: JoinOptions,
): AgentSettings {
  const presentMode = present?.spec?.deployOption?.mode === 'Default' ? 'Default' : 'Singleton';
  const wantedMode = options.singleton === undefined ? undefined : options.singleton ? 'Singleton' : 'Default';
  if (present !== undefined && wantedMode !== undefined && wantedMode !== presentMode) {
    throw new StellarError(
      'mode-differs',
      `${name} is registered in mode ${presentMode}; a join does not change that to ${wantedMode}.`,
      {
        hint: 'Leave the mode out to keep it as it is.',
      },
    );
  }
  const version = options.ocmVersion ?? access.ocmVersion;
  if (version === undefined) {
    throw new StellarError('hub-version-unknown', `${access.its} does not say which version of OCM it runs.`, {
      hint: 'Give the version for the agent: --ocm-version X.Y.Z',
    });
  }
  return {
    clusterName: name,
    mode: present === undefined ? (wantedMode ?? 'Singleton') : presentMode,
    imageRegistry: options.imageRegistry ?? access.imageRegistry ?? 'quay.io/open-cluster-management',
    tag: tagOf(version),
  };
}
