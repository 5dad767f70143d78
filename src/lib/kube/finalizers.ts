import type { Kube } from './client/client.ts';
import { ApiError } from './client/errors.ts';
import type { KubeObject, ObjectMeta } from './objects.ts';
import type { Resource } from './resources.ts';

/**
 * Removes certain finalizers from one very object, and leaves all others. Guarded by its UID and resourceVersion: after a change by
 * others it is read again.
 * @returns those that were removed
 */
export async function withoutFinalizers(
  kube: Kube,
  resource: Resource,
  { name, namespace, uid, ...seen }: ObjectMeta,
  removable: readonly string[],
): Promise<string[]> {
  let { finalizers = [], resourceVersion } = seen;
  for (;;) {
    const removed = finalizers.filter((finalizer) => removable.includes(finalizer));
    if (removed.length === 0) return [];
    const kept = finalizers.filter((finalizer) => !removable.includes(finalizer));
    try {
      await kube.merge(resource, name, { metadata: { uid, resourceVersion, finalizers: kept } }, { namespace });
      return removed;
    } catch (error) {
      if (!(error instanceof ApiError) || ![404, 409].includes(error.status)) throw error;
    }
    const now = await kube.get<KubeObject>(resource, name, { namespace });
    if (now === undefined || now.metadata.uid !== uid) return [];
    finalizers = now.metadata.finalizers ?? [];
    resourceVersion = now.metadata.resourceVersion;
  }
}
