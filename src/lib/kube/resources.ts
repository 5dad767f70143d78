/** The kinds that stellarctl uses: a fixed table saves the requests of discovery. */
export interface Resource {
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}

const resource = (apiVersion: string, kind: string, plural: string, namespaced: boolean): Resource => ({
  apiVersion,
  kind,
  plural,
  namespaced,
});

const rbac = 'rbac.authorization.k8s.io/v1';

export const resources = {
  namespaces: resource('v1', 'Namespace', 'namespaces', false),
  secrets: resource('v1', 'Secret', 'secrets', true),
  configMaps: resource('v1', 'ConfigMap', 'configmaps', true),
  services: resource('v1', 'Service', 'services', true),
  serviceAccounts: resource('v1', 'ServiceAccount', 'serviceaccounts', true),
  events: resource('v1', 'Event', 'events', true),
  pods: resource('v1', 'Pod', 'pods', true),
  deployments: resource('apps/v1', 'Deployment', 'deployments', true),
  statefulSets: resource('apps/v1', 'StatefulSet', 'statefulsets', true),
  jobs: resource('batch/v1', 'Job', 'jobs', true),
  nodes: resource('v1', 'Node', 'nodes', false),
  clusterRoles: resource(rbac, 'ClusterRole', 'clusterroles', false),
  clusterRoleBindings: resource(rbac, 'ClusterRoleBinding', 'clusterrolebindings', false),
  roles: resource(rbac, 'Role', 'roles', true),
  roleBindings: resource(rbac, 'RoleBinding', 'rolebindings', true),
  customResourceDefinitions: resource(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
    false,
  ),
  certificateSigningRequests: resource(
    'certificates.k8s.io/v1',
    'CertificateSigningRequest',
    'certificatesigningrequests',
    false,
  ),
  selfSubjectReviews: resource('authentication.k8s.io/v1', 'SelfSubjectReview', 'selfsubjectreviews', false),
  subjectAccessReviews: resource('authorization.k8s.io/v1', 'SubjectAccessReview', 'subjectaccessreviews', false),
  selfSubjectAccessReviews: resource(
    'authorization.k8s.io/v1',
    'SelfSubjectAccessReview',
    'selfsubjectaccessreviews',
    false,
  ),
  leases: resource('coordination.k8s.io/v1', 'Lease', 'leases', true),
  managedClusters: resource('cluster.open-cluster-management.io/v1', 'ManagedCluster', 'managedclusters', false),
  managedClusterAddOns: resource(
    'addon.open-cluster-management.io/v1alpha1',
    'ManagedClusterAddOn',
    'managedclusteraddons',
    true,
  ),
  clusterManagementAddOns: resource(
    'addon.open-cluster-management.io/v1alpha1',
    'ClusterManagementAddOn',
    'clustermanagementaddons',
    false,
  ),
  placementDecisions: resource(
    'cluster.open-cluster-management.io/v1beta1',
    'PlacementDecision',
    'placementdecisions',
    true,
  ),
  manifestWorks: resource('work.open-cluster-management.io/v1', 'ManifestWork', 'manifestworks', true),
  clusterManagers: resource('operator.open-cluster-management.io/v1', 'ClusterManager', 'clustermanagers', false),
  appliedManifestWorks: resource(
    'work.open-cluster-management.io/v1',
    'AppliedManifestWork',
    'appliedmanifestworks',
    false,
  ),
  clusterClaims: resource('cluster.open-cluster-management.io/v1alpha1', 'ClusterClaim', 'clusterclaims', false),
  controlPlanes: resource('tenancy.kflex.kubestellar.org/v1alpha1', 'ControlPlane', 'controlplanes', false),
  postCreateHooks: resource('tenancy.kflex.kubestellar.org/v1alpha1', 'PostCreateHook', 'postcreatehooks', false),
  bindingPolicies: resource('control.kubestellar.io/v1alpha1', 'BindingPolicy', 'bindingpolicies', false),
  bindings: resource('control.kubestellar.io/v1alpha1', 'Binding', 'bindings', false),
  customTransforms: resource('control.kubestellar.io/v1alpha1', 'CustomTransform', 'customtransforms', false),
  statusCollectors: resource('control.kubestellar.io/v1alpha1', 'StatusCollector', 'statuscollectors', false),
  combinedStatuses: resource('control.kubestellar.io/v1alpha1', 'CombinedStatus', 'combinedstatuses', true),
  workStatuses: resource('control.kubestellar.io/v1alpha1', 'WorkStatus', 'workstatuses', true),
  klusterlets: resource('operator.open-cluster-management.io/v1', 'Klusterlet', 'klusterlets', false),
} as const;

/** The API group of an apiVersion: `apps/v1` → `apps`, `v1` → the empty string. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

export interface PathOptions {
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
}

/** The URL path of an object or, without a name, of a collection. */
export function pathOf(resource: Resource, { namespace, name, subresource }: PathOptions = {}): string {
  if (name === '') throw new Error(`an empty name would mean all ${resource.plural}`);
  const root = groupOf(resource.apiVersion) === '' ? '/api' : '/apis';
  const segments = [resource.apiVersion];
  if (namespace !== undefined) segments.push('namespaces', encodeURIComponent(namespace));
  segments.push(resource.plural);
  if (name !== undefined) segments.push(encodeURIComponent(name));
  if (subresource !== undefined) segments.push(subresource);
  return `${root}/${segments.join('/')}`;
}

const byKind = new Map<string, Resource>(
  Object.values(resources).map((known) => [`${known.apiVersion} ${known.kind}`, known]),
);

/** @throws Error for a kind that is missing from the table above: a bug. */
export function resourceOf(object: { apiVersion?: string | undefined; kind?: string | undefined }): Resource {
  const known = byKind.get(`${object.apiVersion} ${object.kind}`);
  if (known === undefined) throw new Error(`kind ${object.apiVersion} ${object.kind} is missing from resources.ts`);
  return known;
}

/** As kubectl spells it: `widgets.example.com`, or `secrets` of the core group. */
export const groupResourceOf = ({ group, resource }: { group: string; resource: string }): string =>
  group === '' ? resource : `${resource}.${group}`;
