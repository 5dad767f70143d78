import type { Permission } from '../../kube/client/client.ts';
import { resources } from '../../kube/client/objects.ts';
import { may } from '../../kube/permissions.ts';
import { systemNamespace } from '../../ocm/model/kubeflex-names.ts';
import type { ReleaseName } from './helm.ts';

/**
 * The permissions to make a hosting cluster: a sample of the chart's objects, and the Secrets in which helm stores its releases.
 */
export function initPermissions(release: ReleaseName): Permission[] {
  return [
    may('create', resources.namespaces),
    may('create', resources.customResourceDefinitions),
    may('create', resources.clusterRoles),
    may('create', resources.clusterRoleBindings),
    may('create', resources.deployments, { namespace: systemNamespace }),
    may('create', resources.postCreateHooks),
    may('create', resources.secrets, { namespace: release.namespace }),
  ];
}
