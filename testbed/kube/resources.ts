/** A kind of object as its API serves it: the folder of its group and version, and its plural name. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
}

function resource(apiVersion: string, kind: string, plural = `${kind.toLowerCase()}s`): Resource {
  return { apiVersion, kind, plural };
}

export const namespaces = resource('v1', 'Namespace');
export const nodes = resource('v1', 'Node');
export const pods = resource('v1', 'Pod');
export const secrets = resource('v1', 'Secret');
export const services = resource('v1', 'Service');
export const configMaps = resource('v1', 'ConfigMap');
export const serviceAccounts = resource('v1', 'ServiceAccount');
export const events = resource('v1', 'Event');
export const deployments = resource('apps/v1', 'Deployment');
const replicaSets = resource('apps/v1', 'ReplicaSet');
const daemonSets = resource('apps/v1', 'DaemonSet');
export const statefulSets = resource('apps/v1', 'StatefulSet');
export const jobs = resource('batch/v1', 'Job');
export const ingresses = resource('networking.k8s.io/v1', 'Ingress', 'ingresses');
export const ingressClasses = resource('networking.k8s.io/v1', 'IngressClass', 'ingressclasses');
export const networkPolicies = resource('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies');
export const leases = resource('coordination.k8s.io/v1', 'Lease');
export const roles = resource('rbac.authorization.k8s.io/v1', 'Role');
export const roleBindings = resource('rbac.authorization.k8s.io/v1', 'RoleBinding');
export const clusterRoles = resource('rbac.authorization.k8s.io/v1', 'ClusterRole');
export const clusterRoleBindings = resource('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding');
export const customResourceDefinitions = resource(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
);
export const mutatingWebhooks = resource(
  'admissionregistration.k8s.io/v1',
  'MutatingWebhookConfiguration',
);
export const validatingWebhooks = resource(
  'admissionregistration.k8s.io/v1',
  'ValidatingWebhookConfiguration',
);
export const apiServices = resource('apiregistration.k8s.io/v1', 'APIService');
export const certificateSigningRequests = resource(
  'certificates.k8s.io/v1',
  'CertificateSigningRequest',
);
export const selfSubjectAccessReviews = resource(
  'authorization.k8s.io/v1',
  'SelfSubjectAccessReview',
);

export const managedClusters = resource('cluster.open-cluster-management.io/v1', 'ManagedCluster');
const managedClusterSets = resource(
  'cluster.open-cluster-management.io/v1beta2',
  'ManagedClusterSet',
);
export const managedClusterSetBindings = resource(
  'cluster.open-cluster-management.io/v1beta2',
  'ManagedClusterSetBinding',
);
export const placements = resource('cluster.open-cluster-management.io/v1beta1', 'Placement');
const placementDecisions = resource(
  'cluster.open-cluster-management.io/v1beta1',
  'PlacementDecision',
);
export const managedClusterAddOns = resource(
  'addon.open-cluster-management.io/v1alpha1',
  'ManagedClusterAddOn',
);
export const clusterManagementAddOns = resource(
  'addon.open-cluster-management.io/v1alpha1',
  'ClusterManagementAddOn',
);
export const manifestWorks = resource('work.open-cluster-management.io/v1', 'ManifestWork');
export const appliedManifestWorks = resource(
  'work.open-cluster-management.io/v1',
  'AppliedManifestWork',
);
const clusterClaims = resource('cluster.open-cluster-management.io/v1alpha1', 'ClusterClaim');
export const klusterlets = resource('operator.open-cluster-management.io/v1', 'Klusterlet');
export const clusterManagers = resource('operator.open-cluster-management.io/v1', 'ClusterManager');

export const controlPlanes = resource('tenancy.kflex.kubestellar.org/v1alpha1', 'ControlPlane');
export const postCreateHooks = resource('tenancy.kflex.kubestellar.org/v1alpha1', 'PostCreateHook');

export const bindingPolicies = resource(
  'control.kubestellar.io/v1alpha1',
  'BindingPolicy',
  'bindingpolicies',
);
export const bindings = resource('control.kubestellar.io/v1alpha1', 'Binding');
export const customTransforms = resource('control.kubestellar.io/v1alpha1', 'CustomTransform');
export const combinedStatuses = resource(
  'control.kubestellar.io/v1alpha1',
  'CombinedStatus',
  'combinedstatuses',
);
export const workStatuses = resource(
  'control.kubestellar.io/v1alpha1',
  'WorkStatus',
  'workstatuses',
);
export const statusCollectors = resource('control.kubestellar.io/v1alpha1', 'StatusCollector');

const known = [
  namespaces,
  nodes,
  pods,
  secrets,
  services,
  configMaps,
  serviceAccounts,
  events,
  deployments,
  leases,
  roles,
  roleBindings,
  clusterRoles,
  clusterRoleBindings,
  customResourceDefinitions,
  mutatingWebhooks,
  validatingWebhooks,
  certificateSigningRequests,
  managedClusters,
  managedClusterSets,
  managedClusterSetBindings,
  placements,
  placementDecisions,
  managedClusterAddOns,
  manifestWorks,
  appliedManifestWorks,
  clusterClaims,
  klusterlets,
  clusterManagers,
  replicaSets,
  daemonSets,
  statefulSets,
  jobs,
  ingresses,
  networkPolicies,
  ingressClasses,
  controlPlanes,
  postCreateHooks,
  bindingPolicies,
  bindings,
  clusterManagementAddOns,
];

/** The version of an apiVersion. */
export const versionOf = (apiVersion: string): string => apiVersion.split('/').at(-1) ?? '';

/** The group of an apiVersion; '' for the core one. */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';

/** The resource that serves an object, by its apiVersion and kind. */
export function resourceOf(object: { apiVersion?: string; kind?: string }): Resource {
  const found = known.find(
    (entry) => entry.apiVersion === object.apiVersion && entry.kind === object.kind,
  );
  if (!found) throw new Error(`the bed knows no resource for ${object.apiVersion} ${object.kind}`);
  return found;
}
