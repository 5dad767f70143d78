import type { Kube } from '../../kube/client/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { type Resource, resources } from '../../kube/resources.ts';
import type { Helm, ReleaseName } from '../../programs/helm/helm.ts';
import { managerAdminBinding, systemNamespace } from '../../spaces/names.ts';

/** helm deletes nothing that is annotated so, whatever a newer chart lists; it looks at the object on the cluster. */
const policy = { 'helm.sh/resource-policy': 'keep' };

/**
 * What an upgrade must not delete, as it would where the newer chart does not list it any more: control planes with all that is in
 * them; the rights that KubeFlex needs for those of type host, which are part of the release only while it lists such a one; and the
 * namespace of KubeFlex, which the chart of 0.29 forgets whenever it is upgraded.
 */
export interface Irreplaceable {
  /** Names of control planes of the release that exist. */
  controlPlanes: string[];
  /** Those of all these objects that are not marked yet. */
  unmarked: { resource: Resource; name: string }[];
}

/** Looks for it in what the release consists of. */
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
