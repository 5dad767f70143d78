import { mapConcurrently } from '../../../engine/concurrency.ts';
import type { Kube } from '../../../kube/client/client.ts';
import { ApiError } from '../../../kube/client/errors.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import type { Resource } from '../../../kube/resources.ts';

interface ResourceList {
  resources?: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
}

const readersAtOnce = 8;

/** What Kubernetes and OpenShift make in every namespace, or make of other objects. */
const passingKinds = ['Event', 'Endpoints', 'EndpointSlice', 'Lease', 'ControllerRevision', 'PodMetrics'];
const everywhere = ['ConfigMap kube-root-ca.crt', 'ConfigMap openshift-service-ca.crt'];
const everywhereAccounts = ['default', 'builder', 'deployer'];
const accountAnnotation = 'kubernetes.io/service-account.name';

/**
 * What a namespace holds beside what is made in every namespace and what other objects own: `Kind name` each. All kinds are looked
 * at, because only deleting an empty namespace loses nothing.
 * @param isExpected recognises objects that may go with the namespace
 */
export async function othersIn(
  kube: Kube,
  namespace: string,
  isExpected: (object: KubeObject & { kind: string }) => boolean,
): Promise<string[]> {
  const found = await mapConcurrently(await namespacedKinds(kube), readersAtOnce, async (resource) =>
    ((await listAllowed(kube, resource, namespace)) ?? []).map((object) => ({ ...object, kind: resource.kind })),
  );
  return found
    .flat()
    .filter((object) => !isPassing(object) && !isExpected(object))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

function isPassing({ kind, metadata }: KubeObject & { kind: string }): boolean {
  if (metadata.deletionTimestamp !== undefined || metadata.ownerReferences?.length) return true;
  if (passingKinds.includes(kind) || everywhere.includes(`${kind} ${metadata.name}`)) return true;
  if (kind === 'ServiceAccount') return everywhereAccounts.includes(metadata.name);
  return kind === 'Secret' && metadata.annotations?.[accountAnnotation] !== undefined;
}

/** A kind whose objects may not be listed is named by the caller's error: nothing is deleted unseen. */
async function listAllowed(kube: Kube, resource: Resource, namespace: string): Promise<KubeObject[] | undefined> {
  try {
    return await kube.list(resource, { namespace });
  } catch (error) {
    // Kinds that cannot be listed although they say so, as aggregated ones whose server is not there.
    if (error instanceof ApiError && (error.status === 405 || error.status === 503)) return undefined;
    throw error;
  }
}

/** Discovery: each group in the version that the server prefers. */
async function namespacedKinds(kube: Kube): Promise<Resource[]> {
  const groups = await kube.read<{ groups?: { preferredVersion?: { groupVersion: string } }[] }>('/apis');
  const versions = [
    'v1',
    ...(groups?.groups ?? []).flatMap(({ preferredVersion }) => preferredVersion?.groupVersion ?? []),
  ];
  const lists = await mapConcurrently(versions, readersAtOnce, async (apiVersion) => ({
    apiVersion,
    list: await kube
      .read<ResourceList>(apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`)
      .catch(ignoreAbsentServer),
  }));
  return lists.flatMap(({ apiVersion, list }) =>
    (list?.resources ?? [])
      .filter(
        ({ name, namespaced, verbs }) =>
          namespaced && !name.includes('/') && verbs.includes('list') && verbs.includes('delete'),
      )
      .map(({ name, kind }) => ({ apiVersion, kind, plural: name, namespaced: true })),
  );
}

function ignoreAbsentServer(error: unknown): undefined {
  if (error instanceof ApiError && error.status === 503) return undefined;
  throw error;
}
