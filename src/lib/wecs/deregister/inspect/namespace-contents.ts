import { mapConcurrently } from '../../../engine/concurrency.ts';
import type { Kube } from '../../../kube/client/client.ts';
import { discover } from '../../../kube/discovery.ts';
import type { KubeObject, OwnerReference } from '../../../kube/objects.ts';
import { groupOf, type Resource } from '../../../kube/resources.ts';
import { listServed, notServed } from '../../../kube/served.ts';

const readersAtOnce = 8;

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
const everywhere = ['ConfigMap kube-root-ca.crt', 'ConfigMap openshift-service-ca.crt'];
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
  const judged = kinds.filter((kind) => kind.namespaced && !passingKinds.includes(nameOf(kind)));
  const unread = expectedKinds.map(nameOf);
  const found = await mapConcurrently(judged, readersAtOnce, async (resource) => {
    if (unread.includes(nameOf(resource))) return [];
    const objects = await listServed(kube, resource, { namespace });
    return objects.map((object) => ({ ...object, kind: resource.kind }));
  });
  // An owner in the same namespace is judged itself, or is gone, and then its objects are being collected. One outside may need them.
  const ownerKinds = new Set(judged.map(nameOf));
  const isOwned = ({ metadata: { ownerReferences: owners = [] } }: KubeObject) =>
    owners.length > 0 && owners.every((owner) => ownerKinds.has(nameOf(owner)) || isOwner(owner));
  return found
    .flat()
    .filter((object) => !isPassing(object) && !isOwned(object) && !isExpected(object))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

/** `Deployment.apps`; kinds of different groups may have the same name. */
const nameOf = ({ apiVersion, kind }: Pick<Resource, 'apiVersion' | 'kind'>): string =>
  [kind, groupOf(apiVersion)].filter(Boolean).join('.');

function isPassing({ kind, metadata }: KubeObject & { kind: string }): boolean {
  if (metadata.deletionTimestamp !== undefined) return true;
  if (everywhere.includes(`${kind} ${metadata.name}`)) return true;
  if (kind === 'ServiceAccount') return defaultAccounts.includes(metadata.name);
  return kind === 'Secret' && metadata.annotations?.[accountAnnotation] !== undefined;
}
