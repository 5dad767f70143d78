import { mapConcurrently } from '../../../engine/concurrency.ts';
import type { Kube } from '../../../kube/client/client.ts';
import { unlessStatus } from '../../../kube/client/errors.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import type { Resource } from '../../../kube/resources.ts';

interface ResourceList {
  resources?: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
}

const readersAtOnce = 8;

/** Kinds that cannot be listed although discovery names the verb, such as aggregated ones whose server is absent. */
const [notListable, absentServer] = [405, 503];

/** What Kubernetes and OpenShift create in every namespace, or derive from other objects. */
const passingKinds = ['Event', 'Endpoints', 'EndpointSlice', 'Lease', 'ControllerRevision', 'PodMetrics'];
const everywhere = ['ConfigMap kube-root-ca.crt', 'ConfigMap openshift-service-ca.crt'];
const defaultAccounts = ['default', 'builder', 'deployer'];
const accountAnnotation = 'kubernetes.io/service-account.name';

/**
 * What a namespace contains except what every namespace has and what other objects own: `Kind name` each. It reads all kinds,
 * because only deleting an empty namespace loses nothing.
 * @param isExpected recognizes objects that may be deleted with the namespace
 * @param expectedKinds kinds whose objects may all be deleted with it: they are not read
 */
export async function othersIn(
  kube: Kube,
  namespace: string,
  isExpected: (object: KubeObject & { kind: string }) => boolean,
  expectedKinds: readonly string[] = [],
): Promise<string[]> {
  const kinds = (await namespacedKinds(kube)).filter(({ kind }) => ![...passingKinds, ...expectedKinds].includes(kind));
  const found = await mapConcurrently(kinds, readersAtOnce, async (resource) => {
    // Nothing is deleted without being read: an error for a kind that may not be listed ends this.
    const objects = await unlessStatus(kube.list(resource, { namespace }), notListable, absentServer);
    return (objects ?? []).map((object) => ({ ...object, kind: resource.kind }));
  });
  return found
    .flat()
    .filter((object) => !isPassing(object) && !isExpected(object))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

function isPassing({ kind, metadata }: KubeObject & { kind: string }): boolean {
  if (metadata.deletionTimestamp !== undefined || metadata.ownerReferences?.length) return true;
  if (everywhere.includes(`${kind} ${metadata.name}`)) return true;
  if (kind === 'ServiceAccount') return defaultAccounts.includes(metadata.name);
  return kind === 'Secret' && metadata.annotations?.[accountAnnotation] !== undefined;
}

/** Discovery: each group in the server's preferred version. */
async function namespacedKinds(kube: Kube): Promise<Resource[]> {
  const groups = await kube.read<{ groups?: { preferredVersion?: { groupVersion: string } }[] }>('/apis');
  const preferred = (groups?.groups ?? []).flatMap(({ preferredVersion }) => preferredVersion?.groupVersion ?? []);
  const kinds = await mapConcurrently(['v1', ...preferred], readersAtOnce, async (apiVersion) => {
    const path = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
    const list = await unlessStatus(kube.read<ResourceList>(path), absentServer);
    return (list?.resources ?? [])
      .filter(({ name, namespaced }) => namespaced && !name.includes('/'))
      .filter(({ verbs }) => verbs.includes('list') && verbs.includes('delete'))
      .map(({ name, kind }) => ({ apiVersion, kind, plural: name, namespaced: true }));
  });
  return kinds.flat();
}
