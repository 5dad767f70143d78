/** The version of OCM that KubeStellar 0.30.0 installs: that of testbed/programs. */
export const ocmVersion = 'v1.0.0';

/** How a hub may differ from that of a current `clusteradm init`. */
export interface HubOptions {
  /** The version of its images, that of the bed's programs by default. */
  version?: string;
  /** The registry of its images, quay.io/open-cluster-management by default. */
  registry?: string;
  /** As hubs before 0.11 were: the service account cluster-bootstrap instead of agent-registration-bootstrap. */
  olderBootstrap?: boolean;
  /** The registration drivers that its ClusterManager names; by default it names none, which means csr. */
  drivers?: ('csr' | 'grpc' | 'awsirsa')[];
  /**
   * Approves the requests of the bootstrap service account, and accepts every cluster (gate
   * ManagedClusterAutoApproval).
   */
  autoApprove?: boolean;
}

/** The names used for bootstrapping, current ones and those before 0.11. */
export function bootstrapNames({ olderBootstrap }: HubOptions): { account: string; role: string; binding: string } {
  if (olderBootstrap) {
    const role = 'system:open-cluster-management:bootstrap';
    return { account: 'cluster-bootstrap', role, binding: 'cluster-bootstrap-sa' };
  }
  const role = 'open-cluster-management:bootstrap';
  return { account: 'agent-registration-bootstrap', role, binding: `${role}:agent-registration` };
}
