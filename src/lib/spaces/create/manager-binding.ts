import type { Kube } from '../../kube/client/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { managerAdminBinding } from '../names.ts';
import { managerBinding } from './manifests.ts';

/**
 * What KubeFlex's manager still needs for a control plane of this type. The core chart makes the same binding where it lists a control
 * plane of type host: that one is left as it is.
 */
export async function missingManagerBinding(hosting: Kube, type: string): Promise<KubeObject | undefined> {
  if (type !== 'host') return undefined;
  const present = await hosting.get<KubeObject>(resources.clusterRoleBindings, managerAdminBinding);
  return present === undefined ? managerBinding() : undefined;
}
