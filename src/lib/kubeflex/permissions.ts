import type { Permission } from '../kube/client.ts';
import { may } from '../kube/permissions.ts';
import { resources } from '../kube/resources.ts';
import { namespaceOf } from './names.ts';

/** What creating and following a space takes on the hosting cluster. */
export function createPermissions(name: string): Permission[] {
  const inSpace = { namespace: namespaceOf(name) };
  return [
    may('create', resources.controlPlanes),
    may('patch', resources.controlPlanes, { name }),
    may('get', resources.secrets, inSpace),
    may('list', resources.pods, inSpace),
    may('list', resources.jobs, inSpace),
    may('list', resources.deployments, inSpace),
    may('list', resources.statefulSets, inSpace),
  ];
}
