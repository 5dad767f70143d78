import type { Kube } from './client/client.ts';
import type { ObjectMeta } from './objects.ts';
import { patchCurrent } from './patch-current.ts';
import type { Resource } from './resources.ts';

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
