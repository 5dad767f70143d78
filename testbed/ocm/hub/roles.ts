import { type Rule, rule } from '../rbac.ts';

const cluster = 'cluster.open-cluster-management.io';
const csrs = 'certificatesigningrequests';

/** The permissions of an agent before acceptance (ocm deploy/cluster-manager/chart, bootstrap_cluster_role.yaml). */
export const bootstrapRules: Rule[] = [
  rule('', 'configmaps', 'get'),
  rule('certificates.k8s.io', csrs, 'create, get, list, watch'),
  rule(cluster, 'managedclusters', 'get, create, list, watch'),
  rule(cluster, 'managedclustersets/join', 'create'),
];
