import { type Rule, rule } from '../rbac.ts';

const cluster = 'cluster.open-cluster-management.io';
const work = 'work.open-cluster-management.io';
const addon = 'addon.open-cluster-management.io';
const register = 'register.open-cluster-management.io';
const csrs = 'certificatesigningrequests';

/** The permissions of an agent before acceptance (ocm deploy/cluster-manager/chart, bootstrap_cluster_role.yaml). */
export const bootstrapRules: Rule[] = [
  rule('', 'configmaps', 'get'),
  rule('certificates.k8s.io', csrs, 'create, get, list, watch'),
  rule(cluster, 'managedclusters', 'get, create, list, watch'),
  rule(cluster, 'managedclustersets/join', 'create'),
];

/** The hub-wide permissions of an accepted cluster's agent (ocm pkg/registration/hub/manifests/rbac). */
export function acceptedClusterRules(name: string): Rule[] {
  return [
    rule('certificates.k8s.io', csrs, 'create, get, list, watch'),
    rule(register, 'managedclusters/clientcertificates', 'renew'),
    rule(cluster, 'managedclusters', 'get, list, update, watch', [name]),
    rule(cluster, 'managedclusters/status', 'patch, update', [name]),
  ];
}

/** Those that remain after a denial. */
export function deniedClusterRules(name: string): Rule[] {
  return [rule(cluster, 'managedclusters', 'get, list, watch', [name])];
}

/** In its mailbox namespace: the registration agent (ocm pkg/registration/hub/clusterrole). */
export const registrationRules: Rule[] = [
  rule('coordination.k8s.io', 'leases', 'get, list, watch, update'),
  rule(addon, 'managedclusteraddons', 'get, list, watch'),
  rule(addon, 'managedclusteraddons/status', 'patch, update'),
  rule('events.k8s.io', 'events', 'create'),
];

/** In its mailbox namespace: the work agent (ocm pkg/registration/hub/clusterrole). */
export const workRules: Rule[] = [
  rule(', events.k8s.io', 'events', 'create, patch, update'),
  rule(work, 'manifestworks', 'get, list, watch, update, patch'),
  rule(work, 'manifestworks/status', 'patch, update'),
];

/** The permissions of the registration controller, including those that it grants: no one may grant more than they have. */
export const registrationControllerRules: Rule[] = [
  rule('certificates.k8s.io', csrs, 'create, get, list, watch'),
  rule('certificates.k8s.io', `${csrs}/status, ${csrs}/approval`, 'update'),
  rule('certificates.k8s.io', 'signers', 'approve', ['kubernetes.io/kube-apiserver-client']),
  rule('', 'namespaces', 'get, list, watch, create, update'),
  rule(', events.k8s.io', 'events', 'create, patch, update'),
  rule('authorization.k8s.io', 'subjectaccessreviews', 'create'),
  rule(
    'rbac.authorization.k8s.io',
    'clusterroles, clusterrolebindings, roles, rolebindings',
    'get, list, watch, create, update, patch, delete',
  ),
  rule('coordination.k8s.io', 'leases', 'get, list, watch, create, update, patch, delete'),
  rule(cluster, 'managedclusters', 'get, list, watch, update, patch'),
  rule(cluster, 'managedclusters/status', 'update, patch'),
  rule(cluster, 'managedclustersets', 'get, list, watch, create, update'),
  rule(addon, 'managedclusteraddons', 'get, list, watch, delete'),
  rule(addon, 'managedclusteraddons/status', 'patch, update'),
  rule(work, 'manifestworks', 'get, list, watch, create, update, patch, delete'),
  rule(work, 'manifestworks/status', 'patch, update'),
  rule(register, 'managedclusters/clientcertificates', 'renew'),
  rule(register, 'managedclusters/accept', 'update'),
];

const read = 'get, list, watch';
const write = 'create, update, patch, delete';

/** For the Lease of leader election. */
const leaderRules: Rule[] = [rule('coordination.k8s.io', 'leases', 'get, list, watch, create, update, patch')];

/** As far as the stand-in of the operator needs them (ocm v1.0.0 deploy/cluster-manager/chart, cluster_role.yaml). */
export const hubOperatorRules: Rule[] = [
  ...leaderRules,
  rule('apps', 'deployments', `${read}, ${write}`),
  rule('operator.open-cluster-management.io', 'clustermanagers', `${read}, update, patch`),
  rule('operator.open-cluster-management.io', 'clustermanagers/status', 'update, patch'),
];

export const placementControllerRules: Rule[] = [
  rule(cluster, 'managedclusters, managedclustersets, managedclustersetbindings, placements', read),
  rule(cluster, 'placements/status, placementdecisions/status', 'update, patch'),
  // An owner reference that blocks deletion needs permission to change the owner's finalizers.
  rule(cluster, 'placements/finalizers', 'update'),
  rule(cluster, 'placementdecisions', `${read}, ${write}`),
  ...leaderRules,
];

export const addonManagerRules: Rule[] = [
  rule(cluster, 'managedclusters, placements, placementdecisions', read),
  rule(addon, 'clustermanagementaddons', read),
  rule(addon, 'clustermanagementaddons/finalizers', 'update'),
  rule(addon, 'managedclusteraddons', `${read}, ${write}`),
  ...leaderRules,
];

export const registrationWebhookRules: Rule[] = [
  rule('authorization.k8s.io', 'subjectaccessreviews', 'create'),
  rule('', 'namespaces', 'get, list, watch'),
];
