import { apiError } from '../../../src/lib/kube/client/errors.ts';
import { groupOf, type KubeObject } from '../../../src/lib/kube/client/objects.ts';
import type { DiscoveredKind } from '../../../src/lib/kube/discovery.ts';
import { MemoryCluster } from './space-builders.ts';

const kind = (
  apiVersion: string,
  name: string,
  plural: string,
  namespaced = true,
  versions = [apiVersion],
) => ({ apiVersion, kind: name, plural, namespaced, versions, aliases: [name.toLowerCase()] });

/** The kinds of a WDS: ControlPlane as on a hosting cluster; Gadget from a CustomResourceDefinition with two served versions. */
const kinds: DiscoveredKind[] = [
  kind('v1', 'Namespace', 'namespaces', false),
  kind('v1', 'ConfigMap', 'configmaps'),
  kind('v1', 'Service', 'services'),
  kind('v1', 'ServiceAccount', 'serviceaccounts'),
  kind('apps/v1', 'Deployment', 'deployments'),
  kind('apps/v1', 'ReplicaSet', 'replicasets'),
  kind('tenancy.kflex.kubestellar.org/v1alpha1', 'ControlPlane', 'controlplanes', false),
  kind('example.com/v1', 'Gadget', 'gadgets', true, ['example.com/v1', 'example.com/v1beta1']),
];

const versionsOf = ({ versions, kind: name, plural, namespaced }: DiscoveredKind) =>
  versions.map((apiVersion) => ({
    version: apiVersion.split('/').at(-1),
    resources: [
      {
        resource: plural,
        responseKind: { kind: name },
        scope: namespaced ? 'Namespaced' : 'Cluster',
        verbs: ['list', 'watch'],
        singularResource: name.toLowerCase(),
      },
    ],
  }));

/** Selects like a server, by `a`, `a=b`, `a in (b,c)` and `a notin (b,c)`. */
const hasLabels = (labels: Record<string, string> = {}, selector: string) =>
  selector
    .split(/,(?![^(]*\))/)
    .filter((term) => term !== '')
    .every((term) => {
      const [, key = '', one, not, many] =
        /^([^=\s]+)(?:=(\S*)| (not)?in \((.*)\))?$/.exec(term) ?? [];
      const values = many?.split(',') ?? (one === undefined ? undefined : [one]);
      if (values === undefined) return key in labels;
      return values.includes(labels[key] ?? '') === (not === undefined);
    });

/** A cluster in memory that reports its kinds, and lists those of all Namespaces. */
export class WorkloadCluster extends MemoryCluster {
  readonly kinds = kinds;

  /** @param unknown plural names of kinds that it does not serve */
  constructor(
    objects: readonly (KubeObject & { kind?: string })[],
    unknown: readonly string[] = [],
  ) {
    const kindOf = (plural: string) => kinds.find((each) => each.plural === plural)?.kind;
    super(objects, {
      read: async (path) =>
        ({
          items: kinds
            .filter(({ apiVersion }) => (groupOf(apiVersion) === '') === (path === '/api'))
            .map((each) => ({
              metadata: { name: groupOf(each.apiVersion) },
              versions: versionsOf(each),
            })),
          // Of an ITS.
          resources: [{ name: 'managedclusters' }],
        }) as never,
      list: async ({ kind: name, plural }, { namespace, labelSelector = '', trim } = {}) => {
        if (this.forbidden.has(plural))
          throw apiError(this.kube.cluster, 403, `{"message":"${plural} is forbidden"}`);
        if (unknown.includes(plural)) return undefined;
        const listed = objects.filter(
          ({ kind: of, metadata }) =>
            (of === name || of === kindOf(plural)) &&
            (namespace === undefined || metadata.namespace === namespace) &&
            hasLabels(metadata.labels, labelSelector),
        );
        return listed.map((object) => trim?.(object) ?? object) as never;
      },
    });
  }
}
