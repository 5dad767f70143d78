/**
 * Names of Open Cluster Management that several stand-ins share. Where comments of this folder give a source, `ocm …`
 * is a path of github.com/open-cluster-management-io/ocm as of v1.3.1.
 */

export const operatorNamespace = 'open-cluster-management';
export const hubNamespace = 'open-cluster-management-hub';
export const agentNamespace = 'open-cluster-management-agent';
export const addonNamespace = 'open-cluster-management-agent-addon';

export const bootstrapSecret = 'bootstrap-hub-kubeconfig';
export const hubKubeconfigSecret = 'hub-kubeconfig-secret';

export const clusterNameLabel = 'open-cluster-management.io/cluster-name';
export const addonNameLabel = 'open-cluster-management.io/addon-name';

export const clientSigner = 'kubernetes.io/kube-apiserver-client';
export const clusterLease = 'managed-cluster-lease';
export const managedClustersGroup = 'system:open-cluster-management:managed-clusters';

export const condition = {
  hubAccepted: 'HubAcceptedManagedCluster',
  joined: 'ManagedClusterJoined',
  available: 'ManagedClusterConditionAvailable',
  clockSynced: 'ManagedClusterConditionClockSynced',
  certificateRotated: 'ClusterCertificateRotated',
} as const;

export const finalizer = {
  /** Of the hub's garbage collector, on every ManagedCluster. */
  resourceCleanup: 'cluster.open-cluster-management.io/resource-cleanup',
  /** Of the hub's cluster controller, on accepted ones. */
  apiResourceCleanup: 'cluster.open-cluster-management.io/api-resource-cleanup',
  manifestWork: 'cluster.open-cluster-management.io/manifest-work-cleanup',
  appliedManifestWork: 'cluster.open-cluster-management.io/applied-manifest-work-cleanup',
  klusterlet: 'operator.open-cluster-management.io/klusterlet-cleanup',
} as const;

/** The user and the groups of a cluster's certificate. */
export function clusterGroup(cluster: string): string {
  return `system:open-cluster-management:${cluster}`;
}

export function agentUser(cluster: string, agent: string): string {
  return `${clusterGroup(cluster)}:${agent}`;
}
