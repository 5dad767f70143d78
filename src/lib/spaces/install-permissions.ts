import { StellarError } from '../core/errors.ts';
import type { Kube, Permission } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import { may, requirePermissions } from '../kube/permissions.ts';
import { systemNamespace } from '../ocm/kubeflex-names.ts';
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

/** @throws StellarError `forbidden`, with the missing permissions, before any write */
export async function requireInitPermissions(kube: Kube, release: ReleaseName): Promise<void> {
  await requirePermissions(kube, initPermissions(release)).catch((error: unknown) => {
    if (!(error instanceof StellarError) || error.code !== 'forbidden') throw error;
    throw error.with({ details: ['Installing KubeStellar requires the rights of a cluster administrator.'] });
  });
}
