import { Deadline } from '../core/deadline.ts';
import type { Kube } from './client/client.ts';
import { ApiError, unlessStatus } from './client/errors.ts';
import type { KubeObject, ObjectMeta } from './client/objects.ts';
import type { Resource } from './client/resources.ts';

/** Writes even after Ctrl-C and the deadline, for 10 s: what must be undone, or known, whatever has ended the command. */
export async function writeLast<T>(kube: Kube, work: (last: Kube) => Promise<T>): Promise<T> {
  const last = kube.fork({ run: { deadline: new Deadline(10_000), signal: new AbortController().signal } });
  try {
    return await work(last);
  } finally {
    last.close();
  }
}

/** Removes the given finalizers from the object with this UID, and keeps all others. @returns the removed finalizers */
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
 * Patches the object with this UID, guarded by its resourceVersion: after a conflicting change it reads the object again.
 * @param patchOf the change of its metadata; undefined for none
 * @returns whether it was patched; false if it is gone, or another object has its name
 */
export async function patchCurrent<Found extends KubeObject>(
  kube: Kube,
  resource: Resource,
  object: Found,
  patchOf: (current: Found) => object | undefined,
): Promise<boolean> {
  const { name, namespace, uid } = object.metadata;
  return retryConflicts(kube, async (isFirst) => {
    const current = isFirst ? object : await kube.get<Found>(resource, name, { namespace });
    if (current === undefined || current.metadata.uid !== uid) return false;
    const changes = patchOf(current);
    if (changes === undefined) return false;
    const metadata = { uid, resourceVersion: current.metadata.resourceVersion, ...changes };
    const merged = kube.merge(resource, name, { metadata }, { namespace }).then(() => true);
    return (await unlessStatus(merged, 404)) ?? false;
  });
}

/** Another program changes an object once or twice at the same time, not each time that it is written. */
const mostTries = 10;
const firstPauseMs = 50;
const longestPauseMs = 1000;

/**
 * Repeats a write that is guarded by what was read, while other programs change the object in between (409).
 * @param write reads the object again unless it is called for the first time
 * @throws ApiError of the last try; StellarError `timeout`, `interrupted`
 */
export async function retryConflicts<T>(kube: Kube, write: (isFirst: boolean) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write(tries === 1);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || tries === mostTries) throw error;
      await kube.pause(Math.min(longestPauseMs, firstPauseMs * 2 ** tries));
    }
  }
}

/** Deletes the objects with these UIDs, and no new ones with the same names. @returns whether any was deleted */
export async function deleteObjects(kube: Kube, resource: Resource, objects: readonly KubeObject[]): Promise<boolean> {
  let isAny = false;
  for (const { metadata } of objects) {
    const { name, namespace, uid } = metadata;
    if (await kube.delete(resource, name, { namespace, uid })) isAny = true;
  }
  return isAny;
}

/** Deletes the object that now has a name, by its UID: a recreated one is kept. @returns whether it was deleted */
export async function deletePresent(kube: Kube, resource: Resource, name: string, namespace: string): Promise<boolean> {
  const present = await kube.get(resource, name, { namespace });
  return present !== undefined && kube.delete(resource, name, { namespace, uid: present.metadata.uid });
}
