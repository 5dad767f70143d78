import type { AnyObject } from '../kube/objects.ts';
import { operatorNamespace } from './names.ts';
import { bindingObject, type Rule, roleObject, rule, serviceAccountObject, serviceAccountSubject } from './rbac.ts';

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

const cluster = 'cluster.open-cluster-management.io';

/** The permissions of an agent before acceptance (ocm deploy/cluster-manager/chart, bootstrap_cluster_role.yaml). */
export const bootstrapRules: Rule[] = [
  rule('', 'configmaps', 'get'),
  rule('certificates.k8s.io', 'certificatesigningrequests', 'create, get, list, watch'),
  rule(cluster, 'managedclusters', 'get, create, list, watch'),
  rule(cluster, 'managedclustersets/join', 'create'),
];

/** What agents bootstrap with (ocm deploy/cluster-manager/chart, bootstrap_*.yaml). */
export function bootstrapObjects(options: HubOptions): AnyObject[] {
  const { account, role, binding } = bootstrapNames(options);
  return [
    serviceAccountObject(account, { namespace: operatorNamespace }),
    roleObject(role, bootstrapRules),
    bindingObject(binding, { name: role }, [serviceAccountSubject(operatorNamespace, account)]),
  ];
}
