import { coreChart } from '../../../hosting/core-chart.ts';
import type { Kube } from '../../../kube/client/client.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resources.ts';
import { managerAdminBinding, managerName, systemNamespace } from '../../names.ts';

/**
 * What KubeFlex's manager still needs for a control plane of this type. The core chart makes the same binding where it lists a control
 * plane of type host: that one is left as it is.
 */
export async function missingManagerBinding(hosting: Kube, type: string): Promise<KubeObject | undefined> {
  if (type !== 'host') return undefined;
  const present = await hosting.get<KubeObject>(resources.clusterRoleBindings, managerAdminBinding);
  return present === undefined ? managerBinding() : undefined;
}

/** KubeFlex gives a control plane of type host all rights on the hosting cluster, which its manager needs to have itself for that. */
export function managerBinding(): KubeObject {
  const { apiVersion, kind } = resources.clusterRoleBindings;
  return {
    apiVersion,
    kind,
    metadata: {
      name: managerAdminBinding,
      // helm takes over what says to be its release's, and refuses what does not: a chart that lists a host space makes this as well.
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        'meta.helm.sh/release-name': coreChart.release.name,
        'meta.helm.sh/release-namespace': coreChart.release.namespace,
      },
    },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: managerName, namespace: systemNamespace }],
  } as KubeObject;
}
