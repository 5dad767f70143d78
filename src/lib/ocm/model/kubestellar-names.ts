import type {
  Condition,
  KubeObject,
  LabelSelector,
  ObjectMeta,
  PlainResource,
} from '../../kube/client/objects.ts';

/**
 * control.kubestellar.io/v1alpha1 BindingPolicy (kubestellar v0.30.0, api/control/v1alpha1/types.go), limited to the fields used
 * here.
 */
export interface BindingPolicy extends Reported {
  spec?: PolicySpec;
}

/** What KubeStellar reports. For a Binding its transport writes it, which omits conditions. */
interface Reported extends KubeObject {
  status?: { observedGeneration?: number; conditions?: Condition[]; errors?: string[] };
}

export interface PolicySpec {
  clusterSelectors?: LabelSelector[];
  downsync?: DownsyncClause[];
}

/** control.kubestellar.io/v1alpha1 Binding: the objects and the WECs that a BindingPolicy selects. */
export interface Binding extends Reported {
  spec?: {
    workload?: { clusterScope?: BoundObject[]; namespaceScope?: BoundObject[] };
    destinations?: { clusterId: string }[];
  };
}

/** An object of a WDS that a Binding sends, with its modulation. */
export interface BoundObject extends Modulation {
  group?: string;
  version?: string;
  resource: string;
  namespace?: string;
  name: string;
  /** The object's version that the Binding sends. */
  resourceVersion?: string;
}

export const objectsOf = ({ spec }: Binding): BoundObject[] => [
  ...(spec?.workload?.clusterScope ?? []),
  ...(spec?.workload?.namespaceScope ?? []),
];

export const destinationsOf = (binding: Binding | undefined) =>
  (binding?.spec?.destinations ?? []).map(({ clusterId }) => clusterId);

/** Whether a Binding lists no object or no WEC, as each start of the controller manager leaves it for a while. */
export const isEmptyBinding = (binding: Binding | undefined): boolean =>
  binding === undefined || objectsOf(binding).length === 0 || destinationsOf(binding).length === 0;

/** A BindingPolicy that sends workloads through one ITS. */
export interface Policy {
  /** The WDS that contains it. */
  wds: string;
  /** The kubeconfig context of that WDS, if there is one. */
  context: string | undefined;
  name: string;
  clusterSelectors: readonly LabelSelector[];
  /** What KubeStellar resolved it to; undefined until KubeStellar has processed it. */
  binding: Binding | undefined;
  /**
   * Whether it is a Binding without its BindingPolicy, as `kubectl delete --cascade=orphan` leaves it. It keeps its WECs,
   * regardless of their labels.
   */
  orphaned: boolean;
  /** Whether it has no Binding only because KubeStellar has just got it. */
  isFresh: boolean;
}

/** A WDS, or a part of it, that could not be read. */
export interface Unread {
  wds: string;
  why: string;
}

/** The policies of an ITS that could be read. */
export interface PoliciesOfIts {
  policies: Policy[];
  unread: Unread[];
}

/** Describes a policy, for example `nginx-policy (wds1)`. */
export const describePolicy = ({ name, wds }: Pick<Policy, 'name' | 'wds'>) => `${name} (${wds})`;

/** What a clause requests besides sending an object. */
export interface Modulation {
  /** Create the object on a WEC, and do not change an existing one. */
  createOnly?: boolean;
  wantSingletonReportedState?: boolean;
  wantMultiWECReportedState?: boolean;
  statusCollectors?: string[];
}

/** A member of spec.downsync of a BindingPolicy (kubestellar v0.30.0, api/control/v1alpha1 DownsyncPolicyClause). */
export interface DownsyncClause extends Modulation {
  apiGroup?: string;
  resources?: string[];
  namespaces?: string[];
  namespaceSelectors?: LabelSelector[];
  objectSelectors?: LabelSelector[];
  objectNames?: string[];
}

/** A kind in one of its versions. */
export interface KindRef {
  group: string;
  version: string;
  /** Plural, in lower case. */
  resource: string;
  kind: string;
}

/** The fields of a WDS object that selection needs. */
export interface Candidate extends KindRef {
  metadata: ObjectMeta;
}

/**
 * Names that KubeStellar defines. Source: github.com/kubestellar/kubestellar, api/control/v1alpha1 and pkg/transport, as of
 * v0.30.0.
 */

/**
 * Namespace of an ITS that holds the customization properties: one ConfigMap per WEC, with the WEC's name
 * (PropertyConfigMapNamespace).
 */
export const propertiesNamespace = 'customization-properties';

/** Where the properties of WECs are. */
export const inProperties = { namespace: propertiesNamespace };

/**
 * Labels of the works that KubeStellar's transport creates in mailboxes: the WDS, and the Binding in it (which has its policy's
 * name).
 */
export const originWdsLabel = 'transport.kubestellar.io/originWdsName';
export const originBindingLabel = 'transport.kubestellar.io/originOwnerReferenceBindingKey';

/** The status add-on creates this CRD in an ITS. KubeStellar's controllers wait for it without logging that they wait. */
export const workStatusCrd = 'workstatuses.control.kubestellar.io';

/** CRDs that KubeStellar's controller manager creates in a WDS. */
export const wdsCrds = [
  'bindings',
  'bindingpolicies',
  'statuscollectors',
  'combinedstatuses',
  'customtransforms',
].map((plural) => `${plural}.control.kubestellar.io`);

/** Annotation of a work: the generation of the Binding that it was created from. */
export const originGenerationAnnotation =
  'transport.kubestellar.io/originOwnerReferenceBindingGeneration';

/** Labels of a workload object in a WDS while its status is returned to it. */
export const returnedStatusLabels = {
  singleton: 'managed-by.kubestellar.io/singletonstatus',
  multi: 'managed-by.kubestellar.io/multiwecstatus',
} as const;

/** Labels of a CombinedStatus that identify its object and policy. */
export const combinedStatusLabels = {
  group: 'status.kubestellar.io/api-group',
  resource: 'status.kubestellar.io/resource',
  namespace: 'status.kubestellar.io/namespace',
  name: 'status.kubestellar.io/name',
  policy: 'status.kubestellar.io/binding-policy',
} as const;

/** What KubeStellar never sends from a WDS (kubestellar v0.30.0, pkg/binding, excludedGroups and excludedGroupResources). */
const neverSentGroups = new Set([
  'flowcontrol.apiserver.k8s.io',
  'discovery.k8s.io',
  'apiregistration.k8s.io',
  'coordination.k8s.io',
  'control.kubestellar.io',
]);
const neverSentKinds = new Set([
  'events.',
  'events.events.k8s.io',
  'nodes.',
  'endpoints.',
  'csistoragecapacities.storage.k8s.io',
  'csinodes.storage.k8s.io',
]);

/** Whether objects of a kind are never sent to a WEC, regardless of what selects them. */
export const isExcludedKind = ({ group, resource }: { group: string; resource: string }) =>
  neverSentGroups.has(group) || neverSentKinds.has(`${resource}.${group}`);

/** The kind of an object that is named by its plural; an empty Namespace is none. */
export function resourceOfBound({
  group = '',
  version = 'v1',
  resource,
  namespace,
}: Omit<BoundObject, 'name'>): PlainResource {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return { apiVersion, kind: resource, plural: resource, namespaced: Boolean(namespace) };
}
