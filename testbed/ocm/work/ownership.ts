import type { AppliedManifestWork, ManifestWork, OwnerReference, ResourceMeta } from '../../kube/objects.ts';
import { appliedManifestWorks } from '../../kube/resources.ts';

/** The owner reference that all applied objects of a work have. */
export function ownerOf({ metadata }: AppliedManifestWork): OwnerReference {
  const { apiVersion, kind } = appliedManifestWorks;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' };
}

/** Whether a work should own an object, which is then deleted with it (ocm pkg/work/helper, OwnedByTheWork). */
export function isOwned(meta: ResourceMeta, deleteOption: ManifestWork['spec']['deleteOption'] = {}): boolean {
  const { propagationPolicy, selectivelyOrphans } = deleteOption;
  if (propagationPolicy === 'Orphan') return false;
  if (propagationPolicy !== 'SelectivelyOrphan') return true;
  const rules = selectivelyOrphans?.orphaningRules ?? [];
  return !rules.some(
    ({ group = '', resource, namespace = '', name }) =>
      group === meta.group && resource === meta.resource && namespace === meta.namespace && name === meta.name,
  );
}

/** Whether an owner is a work's; owners of other kinds do not keep an object when the work is deleted. */
export function isWork({ apiVersion, kind }: OwnerReference): boolean {
  return apiVersion === appliedManifestWorks.apiVersion && kind === appliedManifestWorks.kind;
}
