import { mapConcurrently } from '../core/concurrency.ts';
import type { Reader } from '../kube/client/client.ts';
import type { KubeObject } from '../kube/client/objects.ts';
import type { Resource } from '../kube/client/resources.ts';
import type { BoundObject } from '../ocm/policies.ts';

const readsAtOnce = 4;

/**
 * Reads complete objects of a WDS, and keeps a digest of each. Reads a kind once per namespace, not object by object.
 * @param digest returns what to keep; undefined for nothing
 */
export async function digestObjects<Digest, Bound extends BoundObject>(
  reader: Pick<Reader, 'list'>,
  bound: readonly Bound[],
  digest: (ref: Bound, object: KubeObject) => Digest | undefined,
): Promise<Digest[]> {
  const groups = Map.groupBy(bound, ({ group, version, resource, namespace }) =>
    JSON.stringify([group, version, resource, namespace]),
  );
  const found = await mapConcurrently([...groups.values()], readsAtOnce, async (refs) => {
    const byName = new Map(refs.map((ref) => [ref.name, ref]));
    const first = refs[0] as BoundObject;
    const { name, namespace } = first;
    const fieldSelector = refs.length === 1 ? `metadata.name=${name}` : undefined;
    const objects = (await reader.list(resourceOfBound(first), { namespace, fieldSelector })) ?? [];
    return objects.flatMap((object): Digest[] => {
      const ref = byName.get(object.metadata.name);
      const digested = ref && digest(ref, object);
      return digested === undefined ? [] : [digested];
    });
  });
  return found.flat();
}

/** The kind of an object that is named by its plural; an empty Namespace is none. */
export function resourceOfBound({
  group = '',
  version = 'v1',
  resource,
  namespace,
}: Omit<BoundObject, 'name'>): Resource {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return { apiVersion, kind: resource, plural: resource, namespaced: Boolean(namespace) };
}
