import type { AnyObject } from '../kube/objects.ts';
import { customResourceDefinitions } from '../kube/resources.ts';

/** A kind that a CRD defines. */
interface Definition {
  group: string;
  /** Served versions, the stored one first. */
  versions: string[];
  kind: string;
  scope?: 'Cluster' | 'Namespaced';
  shortNames?: string[];
  spec?: object;
  status?: object;
  /** Top-level fields, instead of spec and status. */
  fields?: Record<string, object>;
  columns?: { name: string; type: string; jsonPath: string }[];
  hasStatus?: boolean;
}

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const text = { type: 'string' };

/**
 * The text of a CRD, specific to the bed and looser than the real ones: fields that nothing depends on are preserved unvalidated,
 * so no field of the real ones is pruned or rejected.
 */
export function crd({
  group,
  versions,
  kind,
  scope = 'Namespaced',
  shortNames = [],
  spec = anything,
  status = anything,
  fields = { spec, status },
  columns = [],
  hasStatus = true,
}: Definition): AnyObject {
  const singular = kind.toLowerCase();
  const plural = `${singular.replace(/y$/, 'ie').replace(/s$/, 'se')}s`;
  const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
  return {
    apiVersion: customResourceDefinitions.apiVersion,
    kind: customResourceDefinitions.kind,
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames },
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: { openAPIV3Schema: { type: 'object', properties: fields } },
        additionalPrinterColumns: [...columns, age],
        ...(hasStatus && { subresources: { status: {} } }),
      })),
    },
  };
}

const clusterGroup = 'cluster.open-cluster-management.io';
const addonGroup = 'addon.open-cluster-management.io';
const workGroup = 'work.open-cluster-management.io';

/** Facts 1.2: the defaults, the columns, and the validation by the API server itself. */
const managedClusterSpec = {
  type: 'object',
  properties: {
    hubAcceptsClient: { type: 'boolean' },
    leaseDurationSeconds: { type: 'integer', format: 'int32', default: 60 },
    managedClusterClientConfigs: {
      type: 'array',
      items: {
        type: 'object',
        properties: { url: text, caBundle: { type: 'string', format: 'byte' } },
        required: ['url'],
      },
    },
    taints: {
      type: 'array',
      items: {
        type: 'object',
        required: ['effect', 'key'],
        properties: {
          key: text,
          value: text,
          effect: { type: 'string', enum: ['NoSelect', 'PreferNoSelect', 'NoSelectIfNew'] },
          timeAdded: { type: 'string', format: 'date-time', nullable: true },
        },
      },
    },
  },
};

/** OCM 1.3.1 writes this default into objects of others. */
const manifestWorkSpec = {
  ...anything,
  properties: {
    manifestConfigs: {
      type: 'array',
      items: { ...anything, properties: { feedbackScrapeType: { type: 'string', default: 'Poll' } } },
    },
  },
};

const conditionColumn = (name: string, type: string) => ({
  name,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].status`,
});

/**
 * Facts 1.1. The add-on kinds are stored as v1alpha1; without the real conversion webhook both versions keep all
 * fields.
 */
export const hubCrds: AnyObject[] = [
  crd({
    group: clusterGroup,
    versions: ['v1'],
    kind: 'ManagedCluster',
    scope: 'Cluster',
    shortNames: ['mcl', 'mcls'],
    spec: managedClusterSpec,
    columns: [
      { name: 'Hub Accepted', type: 'boolean', jsonPath: '.spec.hubAcceptsClient' },
      { name: 'Managed Cluster URLs', type: 'string', jsonPath: '.spec.managedClusterClientConfigs[*].url' },
      conditionColumn('Joined', 'ManagedClusterJoined'),
      conditionColumn('Available', 'ManagedClusterConditionAvailable'),
    ],
  }),
  crd({
    group: clusterGroup,
    versions: ['v1beta2'],
    kind: 'ManagedClusterSet',
    scope: 'Cluster',
    shortNames: ['mclset', 'mclsets'],
  }),
  crd({
    group: clusterGroup,
    versions: ['v1beta2'],
    kind: 'ManagedClusterSetBinding',
    shortNames: ['mclsetbinding', 'mclsetbindings'],
  }),
  crd({ group: clusterGroup, versions: ['v1beta1'], kind: 'Placement' }),
  crd({ group: clusterGroup, versions: ['v1beta1'], kind: 'PlacementDecision' }),
  crd({ group: clusterGroup, versions: ['v1alpha1'], kind: 'AddOnPlacementScore' }),
  crd({ group: workGroup, versions: ['v1'], kind: 'ManifestWork', spec: manifestWorkSpec }),
  crd({ group: workGroup, versions: ['v1alpha1'], kind: 'ManifestWorkReplicaSet', shortNames: ['mwrs'] }),
  crd({
    group: addonGroup,
    versions: ['v1alpha1', 'v1beta1'],
    kind: 'ManagedClusterAddOn',
    shortNames: ['mca', 'mcas'],
  }),
  crd({
    group: addonGroup,
    versions: ['v1alpha1', 'v1beta1'],
    kind: 'ClusterManagementAddOn',
    scope: 'Cluster',
    shortNames: ['cma', 'cmas'],
  }),
  crd({ group: addonGroup, versions: ['v1alpha1', 'v1beta1'], kind: 'AddOnDeploymentConfig', hasStatus: false }),
  crd({
    group: addonGroup,
    versions: ['v1alpha1', 'v1beta1'],
    kind: 'AddOnTemplate',
    scope: 'Cluster',
    hasStatus: false,
  }),
  crd({ group: 'operator.open-cluster-management.io', versions: ['v1'], kind: 'ClusterManager', scope: 'Cluster' }),
];

/** The kinds that the klusterlet's operator installs on a managed cluster. */
export const managedCrds: AnyObject[] = [
  crd({ group: workGroup, versions: ['v1'], kind: 'AppliedManifestWork', scope: 'Cluster' }),
  crd({ group: clusterGroup, versions: ['v1alpha1'], kind: 'ClusterClaim', scope: 'Cluster', hasStatus: false }),
];
