import type { Api } from '../../kube/api.ts';
import type { AppliedResource, KubeObject, OwnerReference } from '../../kube/objects.ts';
import type { Resource } from '../../kube/resources.ts';
import { isWork } from './ownership.ts';

/**
 * Removes the objects that a work has applied, and returns those that still exist. It keeps an object that replaced one of the same
 * name, and one that the work does not own (any more); an object that other works own as well only loses this owner (ocm
 * pkg/work/helper, DeleteAppliedResources).
 */
export async function removeResources(
  own: Api,
  resources: readonly AppliedResource[],
  owner: OwnerReference,
): Promise<AppliedResource[]> {
  const pending: AppliedResource[] = [];
  for (const applied of resources) {
    const resource = resourceFor(applied);
    const key = applied.namespace ? `${applied.namespace}/${applied.name}` : applied.name;
    const present = await own.find<KubeObject>(resource, key);
    if (!present) continue;
    const { uid: presentUid, ownerReferences = [], deletionTimestamp, resourceVersion } = present.metadata;
    const others = ownerReferences.filter(({ uid }) => uid !== owner.uid);
    if (others.length === ownerReferences.length) continue;
    if (others.some(isWork)) {
      await own.patch(resource, key, { metadata: { ownerReferences: others, resourceVersion } });
      continue;
    }
    if (presentUid !== applied.uid) continue;
    pending.push(applied);
    if (deletionTimestamp) continue;
    await own.delete(resource, key, { propagationPolicy: 'Background', preconditions: { uid: applied.uid } });
  }
  return pending;
}

function resourceFor({ group, version, resource }: AppliedResource): Resource {
  return { apiVersion: group ? `${group}/${version}` : version, kind: '', plural: resource };
}
