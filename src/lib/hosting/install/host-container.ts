import type { Kube } from '../../kube/client/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { lenient } from '../../kube/permissive-reader.ts';
import { resources } from '../../kube/resources.ts';

/** How kind and k3d call the container that serves a cluster, which is also the name of its node. */
const containerForm = /^(?:.+-control-plane|k3d-.+-server-0)$/;

/**
 * The container of a local hosting cluster: by its name other clusters on the same container network reach the control planes
 * (KubeFlex publishes it in each vcluster). @returns undefined where the cluster is none of kind's or k3d's, or cannot be seen
 */
export async function findHostContainer(kube: Kube): Promise<string | undefined> {
  const nodes = (await lenient(kube).list<KubeObject>(resources.nodes)) ?? [];
  const names = nodes.map(({ metadata }) => metadata.name).filter((name) => containerForm.test(name));
  return names.length === 1 ? names[0] : undefined;
}
