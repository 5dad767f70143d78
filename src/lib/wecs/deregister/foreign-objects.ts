import { mapConcurrently } from '../../core/concurrency.ts';
import { failureOf, StellarError } from '../../core/errors.ts';
import { advice } from '../../core/next-step.ts';
import { few } from '../../core/text/words.ts';
import type { Kube } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import {
  groupOf,
  type KubeObject,
  type OwnerReference,
  type Resource,
  resources,
} from '../../kube/client/objects.ts';
import { discover } from '../../kube/discovery.ts';
import { listServed, notServed } from '../../kube/served.ts';
import { createdByKlusterlet } from '../../ocm/agent/klusterlet-operator.ts';
import { readKlusterlet } from '../../ocm/agent/wec-evidence.ts';
import {
  addonNamespace,
  agentNamespace,
  bootstrapSecretName,
  hubSecretName,
  isOurs,
  operatorName,
  pullSecretName,
} from '../../ocm/model/ocm-names.ts';

const ownAccounts = [operatorName, 'klusterlet-work-sa', 'klusterlet-registration-sa'];
const agentSecrets = [pullSecretName, bootstrapSecretName, hubSecretName];
/** Of OCM after 1.3.1, with its feature gate NetworkPolicies (manifests/klusterlet/management); they lack the label of the operator. */
const ownNetworkPolicies = [
  'default-deny-all',
  'allow-dns-and-api',
  'klusterlet',
  'klusterlet-agent',
];

/**
 * Objects that a registration creates in its namespaces; in the namespace of add-ons also the secrets that the agent writes for
 * them.
 */
function isOfRegistration({ kind, metadata }: KubeObject & { kind: string }) {
  if (createdByKlusterlet({ metadata }) || isOurs({ metadata })) return true;
  if (kind === 'ServiceAccount') return ownAccounts.includes(metadata.name);
  if (kind === 'NetworkPolicy')
    return metadata.namespace === agentNamespace && ownNetworkPolicies.includes(metadata.name);
  const isOfAddon =
    metadata.namespace === addonNamespace && metadata.name.endsWith('-hub-kubeconfig');
  return kind === 'Secret' && (agentSecrets.includes(metadata.name) || isOfAddon);
}

/**
 * Objects of others in a namespace of a registration, `Kind name` each.
 * @param hubHash identifies the registration's own AppliedManifestWorks: their names begin with it (ocm pkg/work/helper)
 * @throws StellarError if not all can be seen
 */
export function foreignObjectsIn(
  wec: Kube,
  namespace: string,
  hubHash: string | null,
): Promise<string[]> {
  const isOwner = ({ kind, name }: OwnerReference) =>
    hubHash !== null &&
    kind === resources.appliedManifestWorks.kind &&
    name.startsWith(`${hubHash}-`);
  return othersIn(wec, namespace, { isExpected: isOfRegistration, isOwner });
}

/**
 * Refuses to delete a Klusterlet if its operator would delete objects of others with the namespaces: it deletes them whole (seen
 * with OCM 1.0.0 and 1.3.1).
 * @throws StellarError `has-dependents`, and others if it cannot be seen
 */
export async function refuseForeignObjects(wec: Kube, hubHash: string | null): Promise<void> {
  if ((await readKlusterlet(wec)) === undefined) return;
  for (const namespace of [agentNamespace, addonNamespace]) {
    const present = await wec.get(resources.namespaces, namespace);
    if (present === undefined || present.metadata.deletionTimestamp !== undefined) continue;
    const others = await foreignObjectsIn(wec, namespace, hubHash).catch((error: unknown) => {
      const unread = `The klusterlet operator deletes namespace ${namespace}, and what it holds could not be read. Nothing was written.`;
      throw failureOf(error).with({ details: [unread] });
    });
    if (others.length === 0) continue;
    throw new StellarError(
      'has-dependents',
      `Namespace ${namespace} on ${describeCluster(wec.cluster)} holds ${few(others).join(', ')}, which the klusterlet operator deletes with the Klusterlet. Nothing was written.`,
      advice('Move what is needed elsewhere, and delete it there'),
    );
  }
}

/** What Kubernetes and OpenShift create in every namespace, or derive from other objects. */
const passingKinds = [
  'Event',
  'Event.events.k8s.io',
  'Endpoints',
  'EndpointSlice.discovery.k8s.io',
  'Lease.coordination.k8s.io',
  'ControllerRevision.apps',
];
/** APIs that store nothing; their servers are often absent. */
const derivedApis = /^(?:(?:custom|external)\.)?metrics\.k8s\.io\//;
const inEveryNamespace = ['ConfigMap kube-root-ca.crt', 'ConfigMap openshift-service-ca.crt'];
const defaultAccounts = ['default', 'builder', 'deployer'];
const accountAnnotation = 'kubernetes.io/service-account.name';

/** What may be deleted with a namespace. */
interface Expected {
  /** Recognizes objects. */
  isExpected: (object: KubeObject & { kind: string }) => boolean;
  /** Recognizes owners outside the namespace, whose objects may be deleted. */
  isOwner?: (owner: OwnerReference) => boolean;
  /** Kinds whose objects may all be deleted: they are not read. */
  expectedKinds?: readonly Resource[];
}

/**
 * What a namespace contains except what every namespace has and what is expected: `Kind name` each. It reads all kinds that
 * discovery names, because only deleting an empty namespace loses nothing.
 * @throws StellarError if not all of them can be read: what cannot be seen may exist
 */
export async function othersIn(
  kube: Kube,
  namespace: string,
  { isExpected, isOwner = () => false, expectedKinds = [] }: Expected,
): Promise<string[]> {
  const { kinds, unseen } = await discover(kube, ['list', 'delete']);
  const unknown = unseen.filter((api) => !derivedApis.test(api));
  if (unknown.length > 0) throw notServed(kube, unknown.join(', '));
  const judged = kinds.filter(
    (kind) => kind.namespaced && !passingKinds.includes(kindWithGroup(kind)),
  );
  const unread = expectedKinds.map(kindWithGroup);
  const found = await mapConcurrently(judged, async (resource) => {
    if (unread.includes(kindWithGroup(resource))) return [];
    const objects = await listServed(kube, resource, { namespace });
    return objects.map((object) => ({ ...object, kind: resource.kind }));
  });
  // An owner in the same namespace is judged itself, or is gone, and then its objects are being collected. One outside may need them.
  const ownerKinds = new Set(judged.map(kindWithGroup));
  const isOwned = ({ metadata: { ownerReferences: owners = [] } }: KubeObject) =>
    owners.length > 0 &&
    owners.every((owner) => ownerKinds.has(kindWithGroup(owner)) || isOwner(owner));
  return found
    .flat()
    .filter((object) => !isPassing(object) && !isOwned(object) && !isExpected(object))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

/** `Deployment.apps`; kinds of different groups may have the same name. */
const kindWithGroup = ({ apiVersion, kind }: Pick<Resource, 'apiVersion' | 'kind'>) =>
  [kind, groupOf(apiVersion)].filter(Boolean).join('.');

function isPassing({ kind, metadata }: KubeObject & { kind: string }) {
  if (metadata.deletionTimestamp !== undefined) return true;
  if (inEveryNamespace.includes(`${kind} ${metadata.name}`)) return true;
  if (kind === 'ServiceAccount') return defaultAccounts.includes(metadata.name);
  return kind === 'Secret' && metadata.annotations?.[accountAnnotation] !== undefined;
}
