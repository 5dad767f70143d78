import type {
  AuthenticationV1TokenRequest,
  CoreV1Event,
  V1CertificateSigningRequest,
  V1ClusterRole,
  V1Condition,
  V1ConfigMap,
  V1CustomResourceDefinition,
  V1DaemonSetStatus,
  V1Deployment,
  V1DeploymentStatus,
  V1Job,
  V1LabelSelector,
  V1LabelSelectorRequirement,
  V1Lease,
  V1Node,
  V1ObjectMeta,
  V1OwnerReference,
  V1Pod,
  V1PolicyRule,
  V1Secret,
  V1StatefulSet,
} from '@kubernetes/client-node';

/**
 * A type of client-node as plain JSON: timestamps are RFC 3339 strings. Fields that the API server requires are optional, since
 * an object may be trimmed, the result of a dry run, or a template in another object; except those without which an object
 * cannot be identified or judged.
 */
type JsonOf<T> = T extends Date
  ? string
  : T extends object
    ? number extends keyof T
      ? { [Key in keyof T]: JsonOf<T[Key]> }
      : { [Key in keyof T as Extract<Key, Kept>]: JsonOf<T[Key]> } & {
          [Key in keyof T as Exclude<Key, Kept>]?: JsonOf<T[Key]>;
        }
    : T;

type Kept = 'apiVersion' | 'kind' | 'name' | 'type' | 'status' | 'spec' | 'request';

/** A kind of Kubernetes as the API server sends it. */
type FromServer<T> = KubeObject & JsonOf<Omit<T, keyof KubeObject>>;

export type ObjectMeta = JsonOf<V1ObjectMeta> & { name: string };
export type OwnerReference = JsonOf<V1OwnerReference>;
export type Condition = JsonOf<V1Condition>;
/** The operator of a requirement is one of In, NotIn, Exists, DoesNotExist; a server may hold others. */
export type LabelSelector = V1LabelSelector;
export type LabelSelectorRequirement = V1LabelSelectorRequirement;
export type PolicyRule = JsonOf<V1PolicyRule>;

export type CertificateSigningRequest = FromServer<V1CertificateSigningRequest>;
export type ClusterRole = FromServer<V1ClusterRole>;
export type ConfigMap = FromServer<V1ConfigMap>;
export type CustomResourceDefinition = FromServer<V1CustomResourceDefinition>;
export type Deployment = FromServer<V1Deployment>;
export type Event = FromServer<CoreV1Event>;
export type Job = FromServer<V1Job>;
export type Lease = FromServer<V1Lease>;
export type Node = FromServer<V1Node>;
export type Pod = FromServer<V1Pod>;
export type Secret = FromServer<V1Secret>;
export type StatefulSet = FromServer<V1StatefulSet>;
export type TokenRequest = FromServer<AuthenticationV1TokenRequest>;

/** The status fields of apps/v1 that count pods. */
export type PodCounts = JsonOf<V1DeploymentStatus & V1DaemonSetStatus>;

/**
 * When an object was last written, as far as its API server records that, in milliseconds since the epoch. Infinity for an object that was
 * scaled: the API server records no time of that, which may have been now.
 */
export const changedAt = (object: KubeObject) => lastTime(object, () => true);

/** The same without writes of the status. */
export const writtenAt = (object: KubeObject) =>
  lastTime(object, ({ subresource }) => subresource !== 'status');

type Written = NonNullable<ObjectMeta['managedFields']>[number];

const lastTime = (object: KubeObject, counts: (written: Written) => boolean) =>
  Math.max(createdAt(object), ...(object.metadata.managedFields ?? []).filter(counts).map(timeOf));

const timeOf = ({ time = '', subresource }: Written) =>
  Date.parse(time) || (subresource === 'scale' ? Number.POSITIVE_INFINITY : 0);

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

export interface WithConditions extends KubeObject {
  status?: { conditions?: Condition[] };
}

/** @param object also what has conditions without being an object: a manifest of a work's status */
export function conditionOf(
  object: { status?: { conditions?: Condition[] } | undefined } | undefined,
  type: string,
): Condition | undefined {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}

export const isTrue = (...of: Parameters<typeof conditionOf>) =>
  conditionOf(...of)?.status === 'True';

/** A field of a Secret, as text. */
export const textIn = ({ data }: Secret, key: string) =>
  Buffer.from(data?.[key] ?? '', 'base64').toString();

/** Whether its deletion has not been requested. */
export const isLiving = ({ metadata }: KubeObject) => metadata.deletionTimestamp === undefined;

/** What is the only one; undefined if there are none or several. */
export const onlyOf = <T>([first, ...others]: readonly T[]): T | undefined =>
  others.length > 0 ? undefined : first;

export const namesOf = (objects: readonly KubeObject[]) =>
  objects.map(({ metadata }) => metadata.name);

export const byName = <T extends KubeObject>(all: readonly T[]): Map<string, T> =>
  new Map(all.map((object) => [object.metadata.name, object]));

/** The creation time of an object, in milliseconds since the epoch. Objects from a server always have it. */
export function createdAt(object: KubeObject): number {
  return Date.parse(object.metadata.creationTimestamp ?? '') || 0;
}

interface AnyResource {
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}

/** A kind that any client writes. */
export interface PlainResource extends AnyResource {
  isForeseen?: never;
}

/** A kind by whose writes WECs may lose workloads: only a client that has the forecast of that writes it (foreseen.ts). */
export interface ForeseenResource extends AnyResource {
  isForeseen: true;
}

export type Resource = PlainResource | ForeseenResource;

/** The plural is what Kubernetes makes of a kind (apimachinery, meta.UnsafeGuessKindToResource). */
function resource(apiVersion: string, kind: string, namespaced = false): PlainResource {
  const singular = kind.toLowerCase();
  const plural = singular.endsWith('s') ? `${singular}es` : `${singular}s`.replace(/ys$/, 'ies');
  return { apiVersion, kind, plural, namespaced };
}

const foreseenResource = (...of: Parameters<typeof resource>): ForeseenResource => ({
  ...resource(...of),
  isForeseen: true,
});

const rbac = 'rbac.authorization.k8s.io/v1';
const admission = 'admissionregistration.k8s.io';

/** The kinds that stellarctl uses: a fixed table saves the requests of discovery. */
export const resources = {
  namespaces: resource('v1', 'Namespace'),
  secrets: resource('v1', 'Secret', true),
  configMaps: resource('v1', 'ConfigMap', true),
  /** Those by whose values templates are filled (kubestellar-names.ts, inProperties). */
  propertyConfigMaps: foreseenResource('v1', 'ConfigMap', true),
  serviceAccounts: resource('v1', 'ServiceAccount', true),
  events: resource('v1', 'Event', true),
  pods: resource('v1', 'Pod', true),
  deployments: resource('apps/v1', 'Deployment', true),
  statefulSets: resource('apps/v1', 'StatefulSet', true),
  jobs: resource('batch/v1', 'Job', true),
  ingressClasses: resource('networking.k8s.io/v1', 'IngressClass'),
  nodes: resource('v1', 'Node'),
  clusterRoles: resource(rbac, 'ClusterRole'),
  clusterRoleBindings: resource(rbac, 'ClusterRoleBinding'),
  roles: resource(rbac, 'Role', true),
  roleBindings: resource(rbac, 'RoleBinding', true),
  customResourceDefinitions: resource('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
  admissionPolicies: resource(`${admission}/v1`, 'ValidatingAdmissionPolicy'),
  admissionPolicyBindings: resource(`${admission}/v1`, 'ValidatingAdmissionPolicyBinding'),
  admissionPoliciesBeta: resource(`${admission}/v1beta1`, 'ValidatingAdmissionPolicy'),
  admissionPolicyBindingsBeta: resource(`${admission}/v1beta1`, 'ValidatingAdmissionPolicyBinding'),
  certificateSigningRequests: resource('certificates.k8s.io/v1', 'CertificateSigningRequest'),
  selfSubjectReviews: resource('authentication.k8s.io/v1', 'SelfSubjectReview'),
  subjectAccessReviews: resource('authorization.k8s.io/v1', 'SubjectAccessReview'),
  selfSubjectAccessReviews: resource('authorization.k8s.io/v1', 'SelfSubjectAccessReview'),
  leases: resource('coordination.k8s.io/v1', 'Lease', true),
  managedClusters: foreseenResource('cluster.open-cluster-management.io/v1', 'ManagedCluster'),
  managedClusterAddOns: resource(
    'addon.open-cluster-management.io/v1alpha1',
    'ManagedClusterAddOn',
    true,
  ),
  clusterManagementAddOns: resource(
    'addon.open-cluster-management.io/v1alpha1',
    'ClusterManagementAddOn',
  ),
  placementDecisions: resource(
    'cluster.open-cluster-management.io/v1beta1',
    'PlacementDecision',
    true,
  ),
  manifestWorks: foreseenResource('work.open-cluster-management.io/v1', 'ManifestWork', true),
  clusterManagers: resource('operator.open-cluster-management.io/v1', 'ClusterManager'),
  appliedManifestWorks: resource('work.open-cluster-management.io/v1', 'AppliedManifestWork'),
  clusterClaims: resource('cluster.open-cluster-management.io/v1alpha1', 'ClusterClaim'),
  controlPlanes: resource('tenancy.kflex.kubestellar.org/v1alpha1', 'ControlPlane'),
  postCreateHooks: resource('tenancy.kflex.kubestellar.org/v1alpha1', 'PostCreateHook'),
  bindingPolicies: foreseenResource('control.kubestellar.io/v1alpha1', 'BindingPolicy'),
  bindings: foreseenResource('control.kubestellar.io/v1alpha1', 'Binding'),
  customTransforms: foreseenResource('control.kubestellar.io/v1alpha1', 'CustomTransform'),
  statusCollectors: foreseenResource('control.kubestellar.io/v1alpha1', 'StatusCollector'),
  combinedStatuses: resource('control.kubestellar.io/v1alpha1', 'CombinedStatus', true),
  workStatuses: resource('control.kubestellar.io/v1alpha1', 'WorkStatus', true),
  klusterlets: resource('operator.open-cluster-management.io/v1', 'Klusterlet'),
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
export function pathOf(
  resource: Resource,
  { namespace, name, subresource }: PathOptions = {},
): string {
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
export function resourceOf(object: {
  apiVersion?: string | undefined;
  kind?: string | undefined;
}): Resource {
  const known = byKind.get(`${object.apiVersion} ${object.kind}`);
  if (known === undefined)
    throw new Error(`kind ${object.apiVersion} ${object.kind} is missing from objects.ts`);
  return known;
}

/** The fields of an object that say of which kind it is (apimachinery, meta.TypeMeta). */
export const typeMeta = ({ apiVersion, kind }: Resource) => ({ apiVersion, kind });

/** As kubectl spells it: `widgets.example.com`, or `secrets` of the core group. */
export const groupResourceOf = ({ group, resource }: { group: string; resource: string }) =>
  group === '' ? resource : `${resource}.${group}`;
