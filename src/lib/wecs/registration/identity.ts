import { formatAge } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, type NextStep, partial } from '../../core/next-step.ts';
import { count } from '../../core/text/words.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube, Reader } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { missing, seenList } from '../../kube/client/missing.ts';
import { type KubeObject, type Resource, resources } from '../../kube/client/objects.ts';
import {
  type CertificateAnswer,
  isAgentOf,
  presentCertificate,
} from '../../ocm/agent/agent-certificate.ts';
import { type FoundHub, findHub, type ShownRegistration } from '../../ocm/agent/registered-hub.ts';
import { otherName } from '../../ocm/agent/wec-evidence.ts';
import { clusterUid, otherUid, recordedUid } from '../../ocm/hub/cluster-uid.ts';
import type { Endpoint } from '../../ocm/hub/endpoint.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { type AppliedManifestWork, hubHash } from '../../workloads/delivery/applied-works.ts';
import { describeOtherHub } from './problems.ts';

/** Whether the cluster behind a context is the WEC of a name that an ITS knows. */
export type Identity =
  | { state: 'proven' }
  /** It is certainly another cluster. `found`: the finding, a clause. */
  | { state: 'other'; found: string }
  /** Neither is proven. */
  | { state: 'unseen'; found: string };

/** The ITS's evidence for the identity of a WEC. */
export interface KnownWec {
  name: string;
  /** The known addresses of the ITS. */
  endpoints: readonly Endpoint[];
  /** What the ITS has of it, with the UID of kube-system that was recorded when it joined. */
  managedCluster: ManagedCluster | undefined;
  /** Reads the UID of the ITS's kube-system once for several WECs. */
  uidOfHub?: (() => Promise<string | undefined>) | undefined;
  /** The hub that it is registered with, if the caller has judged that. */
  found?: FoundHub | undefined;
}

/**
 * Proves that the cluster behind a context is the named WEC, with evidence of the ITS: it accepts its agent's key and certificate
 * as `system:open-cluster-management:NAME:AGENT`, or its kube-system has the UID recorded at joining. If both are available, both
 * must agree: two clusters may hold one certificate. A cluster's own claim proves nothing, but shows what it is not.
 */
export async function proveIdentity(
  hub: Kube,
  wec: Kube,
  registration: ShownRegistration,
  known: KnownWec,
): Promise<Identity> {
  const { name, uidOfHub = () => clusterUid(hub) } = known;
  const recorded = recordedUid(known.managedCluster);
  const [hubUid, uid] = await Promise.all([uidOfHub(), clusterUid(wec)]);
  if (uid !== undefined && uid === hubUid) return { state: 'other', found: 'it is the ITS itself' };
  const other = otherName(registration.klusterlet, name);
  if (other !== undefined) return { state: 'other', found: `it is registered as ${other}` };
  const isRecorded = recorded !== undefined;
  if (isRecorded && uid === undefined)
    return { state: 'unseen', found: 'its namespace kube-system may not be read' };
  if (isRecorded && uid !== undefined && recorded !== uid)
    return { state: 'other', found: otherUid(uid, recorded, name) };
  const found = known.found ?? (await findHub(hub, registration, { ...known, isRecorded }));
  const answer =
    found?.answer ??
    (await presentCertificate(hub, registration.klusterlet && registration.hubSecret));
  const identity = judgeIdentity(answer, registration, known, found);
  if (identity.state !== 'unseen' || registration.klusterlet !== undefined) return identity;
  const role = await otherRole(wec);
  return { state: role?.kind === 'wds' ? 'other' : 'unseen', found: role?.found ?? identity.found };
}

/** Judges the hub's answer to the agent's certificate, if there is no evidence against the cluster so far. */
function judgeIdentity(
  answer: CertificateAnswer,
  registration: ShownRegistration,
  known: KnownWec,
  found: FoundHub | undefined,
): Identity {
  const isAccepted = answer.state === 'accepted';
  if (isAccepted && !isAgentOf(known.name, answer.username))
    return {
      state: 'other',
      found: `the certificate of its agent is that of ${answer.username || 'nobody'}`,
    };
  if (found?.relation === 'other')
    return { state: isAccepted ? 'unseen' : 'other', found: describeOtherHub(found) };
  if (isAccepted || recordedUid(known.managedCluster) !== undefined) return { state: 'proven' };
  return { state: 'unseen', found: describeMissingProof(answer, registration) };
}

function describeMissingProof(answer: CertificateAnswer, { klusterlet }: ShownRegistration) {
  if (klusterlet === undefined) return 'it has no Klusterlet';
  if (answer.state !== 'refused') return answer.state === 'none' ? answer.why : '';
  const expired =
    answer.expired && `, which expired ${formatAge(Date.now() - answer.expired.getTime())} ago`;
  return `the ITS does not accept the certificate of its agent${expired ?? ''}`;
}

/**
 * @param next if the cluster is another one
 * @param unproven if that is not proven
 * @throws StellarError `registered-elsewhere`, `identity-unproven`
 */
export function requireProof(
  identity: Identity,
  wec: Kube,
  name: string,
  hub: Kube,
  next: NextStep[],
  unproven: NextStep[] = next,
): void {
  if (identity.state === 'proven') return;
  const cluster = describeCluster(wec.cluster);
  const rest = `the WEC ${name} of ${hub.cluster.context}: ${identity.found}. Nothing was written.`;
  if (identity.state === 'other')
    throw new StellarError('registered-elsewhere', `${cluster} is not ${rest}`, ...next);
  throw new StellarError(
    'identity-unproven',
    `It cannot be proven that ${cluster} is ${rest}`,
    ...unproven,
  );
}

/** What a cluster evidently is, if it is not a cluster to register. */
export interface OtherRole {
  kind: 'hub' | 'hosting' | 'wds' | 'no-nodes' | 'hosted';
  /** A clause, such as `it is an OCM hub`. */
  found: string;
  /** The control planes of a hosting cluster. */
  spaces?: ControlPlane[];
}

/** As far as this user may read it. @param ownHubs the servers of the ITS: works that it has left there are no evidence */
export const otherRole = (
  kube: Kube,
  ownHubs: readonly string[] = [],
): Promise<OtherRole | undefined> => readRole(partialReader(kube), ownHubs);

/**
 * What a cluster without its own Klusterlet evidently is, before it is joined or deleted as a WEC. A hub in Hosted mode has its
 * Klusterlets in another cluster; only their works show then. Its own pods are no evidence: they may not have started yet.
 * @param list reads a kind that a CustomResourceDefinition adds; undefined if it is not served
 * @returns undefined if nothing shows it
 */
export async function readRole(
  reader: Reader,
  ownHubs: readonly string[] = [],
  list = async <T extends KubeObject>(resource: Resource): Promise<T[] | undefined> =>
    seenList(await reader.list<T>(resource)),
): Promise<OtherRole | undefined> {
  const [spaces, managers, policies, nodes, allWorks] = await Promise.all([
    list<ControlPlane>(resources.controlPlanes),
    list(resources.clusterManagers),
    list(resources.bindingPolicies),
    reader.list(resources.nodes, { metadataOnly: true }),
    list<AppliedManifestWork>(resources.appliedManifestWorks),
  ]);
  // If the kind is served, KubeFlex is installed, with or without control planes.
  if (spaces !== undefined)
    return { kind: 'hosting', found: 'it is a hosting cluster of ITSes and WDSes', spaces };
  if (managers?.length) return { kind: 'hub', found: 'it is an OCM hub' };
  if (policies !== undefined)
    return { kind: 'wds', found: 'it is a WDS: it serves BindingPolicies' };
  if (nodes !== missing && nodes.length === 0)
    return { kind: 'no-nodes', found: 'it has no nodes, so no pod could ever run in it' };
  const hubHashes = ownHubs.map(hubHash);
  const works = allWorks?.filter(({ spec }) => !hubHashes.includes(spec?.hubHash ?? '')).length;
  return works
    ? { kind: 'hosted', found: `it has no Klusterlet, and ${count(works, 'work')} of a hub` }
    : undefined;
}

/** @throws StellarError `registered-elsewhere` */
export function refuseRole({ cluster }: Kube, name: string, { kind, found }: OtherRole): never {
  throw new StellarError(
    'registered-elsewhere',
    `${describeCluster(cluster)} is not a cluster to register: ${found}. ${name} was not joined.`,
    partial(command`stellarctl wec join ${`${name}=CONTEXT`}`, `Give the context of ${name}`),
    ...(kind === 'no-nodes'
      ? [
          advice(
            'If its nodes are added when a pod needs one: start a pod in it first, then rerun the command',
          ),
        ]
      : []),
  );
}
