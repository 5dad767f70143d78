import type { Kube } from '../kube/client/client.ts';
import type { KubeObject } from '../kube/client/objects.ts';
import { type Resource, resources } from '../kube/client/resources.ts';
import { managerAdminBinding, systemNamespace } from '../ocm/kubeflex-names.ts';
import type { Helm, ReleaseName } from './helm.ts';

/** helm never deletes objects with this annotation, even if a newer chart omits them. It reads the annotation on the cluster. */
const policy = { 'helm.sh/resource-policy': 'keep' };

/**
 * Objects that an upgrade must not delete, although the newer chart may omit them: control planes with all their contents; the RBAC
 * that KubeFlex needs for control planes of type host, which the release contains only while it lists one; and the namespace of
 * KubeFlex, which every upgrade of the 0.29 chart omits.
 */
export interface Irreplaceable {
  /** Names of the existing control planes of the release. */
  controlPlanes: string[];
  /** The objects without the annotation. */
  unmarked: { resource: Resource; name: string }[];
}

/** Finds the objects of the release that an upgrade must not delete. */
export async function findIrreplaceable(kube: Kube, helm: Helm, release: ReleaseName): Promise<Irreplaceable> {
  const found: Irreplaceable = { controlPlanes: [], unmarked: [] };
  for (const object of await helm.objects(release)) {
    const resource = resourceToKeep(object);
    const { name } = object.metadata;
    const present = resource && (await kube.get<KubeObject>(resource, name));
    if (resource === undefined || present === undefined) continue;
    if (resource === resources.controlPlanes) found.controlPlanes.push(name);
    if (present.metadata.annotations?.['helm.sh/resource-policy'] !== 'keep') found.unmarked.push({ resource, name });
  }
  return found;
}

function resourceToKeep({ kind, metadata: { name } }: KubeObject): Resource | undefined {
  if (kind === 'ControlPlane') return resources.controlPlanes;
  if (kind === 'Namespace' && name === systemNamespace) return resources.namespaces;
  return kind === 'ClusterRoleBinding' && name === managerAdminBinding ? resources.clusterRoleBindings : undefined;
}

export async function markAsKept(kube: Kube, { unmarked }: Irreplaceable): Promise<void> {
  for (const { resource, name } of unmarked) await kube.merge(resource, name, { metadata: { annotations: policy } });
}
