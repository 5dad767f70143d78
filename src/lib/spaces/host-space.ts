import type { Kube } from '../kube/client/client.ts';
import type { KubeObject } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { managerAdminBinding, managerName, systemNamespace } from '../ocm/kubeflex-names.ts';
import { coreChart } from './core-chart.ts';

/**
 * The binding that KubeFlex's manager lacks for a control plane of this type. The core chart creates the same binding if it lists a
 * control plane of type host; that one is kept.
 */
export async function missingManagerBinding(hosting: Kube, type: string): Promise<KubeObject | undefined> {
  if (type !== 'host') return undefined;
  const present = await hosting.get<KubeObject>(resources.clusterRoleBindings, managerAdminBinding);
  return present === undefined ? managerBinding() : undefined;
}

/**
 * KubeFlex grants cluster-admin on the hosting cluster to a control plane of type host. For that, its manager needs the same
 * rights.
 */
export function managerBinding(): KubeObject {
  const { apiVersion, kind } = resources.clusterRoleBindings;
  return {
    apiVersion,
    kind,
    metadata: {
      name: managerAdminBinding,
      // helm adopts objects labeled as part of its release, and rejects others: a chart that lists a host space creates this
      // binding too.
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
