import type { Kube } from './client/client.ts';
import { unlessStatus } from './client/errors.ts';
import type { Deployment, KubeObject, ObjectMeta } from './objects.ts';
import { type Resource, resources } from './resources.ts';

/** Removes certain finalizers from one very object, and leaves all others. @returns those that were removed */
export async function withoutFinalizers(
  kube: Kube,
  resource: Resource,
  metadata: ObjectMeta,
  removable: readonly string[],
): Promise<string[]> {
  let removed: string[] = [];
  const isPatched = await patchCurrent(kube, resource, { metadata }, ({ metadata: { finalizers = [] } }) => {
    removed = finalizers.filter((finalizer) => removable.includes(finalizer));
    return removed.length === 0 ? undefined : { finalizers: finalizers.filter((each) => !removable.includes(each)) };
  });
  return isPatched ? removed : [];
}

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

/** Deletes these very objects, whatever has their names meanwhile. @returns whether any was deleted */
export async function deleteObjects(kube: Kube, resource: Resource, objects: readonly KubeObject[]): Promise<boolean> {
  let isAny = false;
  for (const { metadata } of objects) {
    const { name, namespace, uid } = metadata;
    if (await kube.delete(resource, name, { namespace, uid })) isAny = true;
  }
  return isAny;
}

/** Deletes the object that has a name now, by its UID: one that is recreated meanwhile stays. @returns whether it was deleted */
export async function deletePresent(kube: Kube, resource: Resource, name: string, namespace: string): Promise<boolean> {
  const present = await kube.get(resource, name, { namespace });
  return present !== undefined && kube.delete(resource, name, { namespace, uid: present.metadata.uid });
}

/** Where `kubectl rollout restart` notes in a pod template when it was (kubectl pkg/polymorphichelpers). */
const restartedAnnotation = 'kubectl.kubernetes.io/restartedAt';

/** When a Deployment was last restarted so, milliseconds since the epoch; undefined where it never was. */
export function restartedAt({ spec }: Deployment): number | undefined {
  const time = Date.parse(spec?.template?.metadata?.annotations?.[restartedAnnotation] ?? '');
  return Number.isNaN(time) ? undefined : time;
}

/** Replaces the pods of this very Deployment as `kubectl rollout restart` does: the old ones serve until the new ones are ready. */
export async function restartDeployment(kube: Kube, { metadata }: Deployment): Promise<void> {
  const { name, namespace, uid } = metadata;
  const annotations = { [restartedAnnotation]: new Date(kube.now()).toISOString() };
  const patch = { metadata: { uid }, spec: { template: { metadata: { annotations } } } };
  await kube.merge(resources.deployments, name, patch, { namespace });
}
