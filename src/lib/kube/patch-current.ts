import type { Kube } from './client/client.ts';
import { unlessStatus } from './client/errors.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';

/**
 * Patches one very object, guarded by its UID and resourceVersion: after a change by others it is read again.
 * @param patchOf what to change in its metadata; undefined where nothing is to change
 * @returns whether it was patched; not where it is gone, or another one has its name
 */
export async function patchCurrent<Found extends KubeObject>(
  kube: Kube,
  resource: Resource,
  object: Found,
  patchOf: (current: Found) => object | undefined,
): Promise<boolean> {
  const { name, namespace, uid } = object.metadata;
  let current: Found | undefined = object;
  while (current !== undefined && current.metadata.uid === uid) {
    const changes = patchOf(current);
    if (changes === undefined) return false;
    const metadata = { uid, resourceVersion: current.metadata.resourceVersion, ...changes };
    const merged = kube.merge(resource, name, { metadata }, { namespace }).then(() => true);
    if (await unlessStatus(merged, 404, 409)) return true;
    current = await kube.get<Found>(resource, name, { namespace });
  }
  return false;
}
