import type { Permission } from '../../kube/client/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { may } from '../../kube/permissions.ts';
import { resourceOf, resources } from '../../kube/resources.ts';
import { namespaceOf } from '../names.ts';

/**
 * What creating and following a space takes on the hosting cluster.
 * @param others objects that are to be made beside the control plane
 */
export function createPermissions(name: string, others: readonly KubeObject[] = []): Permission[] {
  const inSpace = { namespace: namespaceOf(name) };
  return [
    ...others.flatMap((object) => {
      const { name: ofOther, namespace } = object.metadata;
      const place = namespace === undefined ? {} : { namespace };
      return [may('create', resourceOf(object), place), may('patch', resourceOf(object), { name: ofOther, ...place })];
    }),
    may('create', resources.controlPlanes),
    may('patch', resources.controlPlanes, { name }),
    may('get', resources.secrets, inSpace),
    may('list', resources.pods, inSpace),
    may('list', resources.jobs, inSpace),
    may('list', resources.deployments, inSpace),
    may('list', resources.statefulSets, inSpace),
  ];
}
