import type { Api } from '../kube/api.ts';
import type { Condition, KubeObject, Secret } from '../kube/objects.ts';
import { controlPlanes, secrets } from '../kube/resources.ts';

/** A KubeFlex control plane, as far as KubeStellar's programs read it. */
export interface ControlPlane extends KubeObject {
  status?: {
    conditions?: Condition[];
    secretRef?: { namespace: string; name: string; inClusterKey: string };
  };
}

/** The control plane with a name, or without one the only one of a role: its, wds. */
export async function findControlPlane(
  hosting: Api,
  name: string,
  role: 'its' | 'wds',
): Promise<ControlPlane | 'several' | undefined> {
  if (name !== '') return hosting.find<ControlPlane>(controlPlanes, name);
  const { items } = await hosting.list<ControlPlane>(controlPlanes, {
    labelSelector: `kflex.kubestellar.io/cptype=${role}`,
  });
  return items.length > 1 ? 'several' : items[0];
}

/** The kubeconfig with which pods of the hosting cluster reach a control plane. */
export async function kubeconfigOfControlPlane(hosting: Api, { metadata, status }: ControlPlane): Promise<string> {
  const { namespace, name, inClusterKey } = status?.secretRef ?? {};
  if (!namespace) throw new Error(`access secret reference doesn't exist for ${metadata.name}`);
  const { data } = await hosting.get<Secret>(secrets, `${namespace}/${name}`);
  return Buffer.from(data?.[inClusterKey ?? ''] ?? '', 'base64').toString();
}
