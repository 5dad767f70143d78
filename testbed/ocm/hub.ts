import { type Rule, rule } from './rbac.ts';

/** The version of OCM in the bed's own hubs and WECs. KubeStellar 0.30.0 installs v1.0.0, which is older by a hole in the hub. */
export const ocmVersion = 'v1.0.1';

/** How a hub may differ from that of a current `clusteradm init`. */
export interface HubOptions {
  /** The version of its images. */
  version?: string;
  /** The registry of its images, quay.io/open-cluster-management by default. */
  registry?: string;
  /**
   * Approves the requests of the bootstrap service account, and accepts every cluster (gate
   * ManagedClusterAutoApproval).
   */
  autoApprove?: boolean;
}

const cluster = 'cluster.open-cluster-management.io';

/** The permissions of an agent before acceptance (ocm deploy/cluster-manager/chart, bootstrap_cluster_role.yaml). */
export const bootstrapRules: Rule[] = [
  rule('', 'configmaps', 'get'),
  rule('certificates.k8s.io', 'certificatesigningrequests', 'create, get, list, watch'),
  rule(cluster, 'managedclusters', 'get, create, list, watch'),
  rule(cluster, 'managedclustersets/join', 'create'),
];
