import type { KubeObject, LabelSelector } from '../../../src/lib/kube/client/objects.ts';
import type { Binding, BoundObject, Policy } from '../../../src/lib/ocm/model/kubestellar-names.ts';

export interface PolicyOptions {
  wds?: string;
  clusterSelectors?: LabelSelector[];
  destinations?: string[];
  objects?: BoundObject[];
  orphaned?: boolean;
}

/** A policy as read from a WDS. */
export function policy(name: string, options: PolicyOptions = {}): Policy {
  const { wds = 'wds1', clusterSelectors = [], orphaned = false } = options;
  return {
    wds,
    context: undefined,
    name,
    clusterSelectors,
    orphaned,
    isFresh: false,
    binding: binding(name, options),
  };
}

export const binding = (
  name: string,
  { destinations = [], objects = [] }: PolicyOptions = {},
): Binding => ({
  kind: 'Binding',
  metadata: { name, uid: uidOf(name) },
  spec: {
    destinations: destinations.map((clusterId) => ({ clusterId })),
    workload: { namespaceScope: objects },
  },
});

/** The UID of a Binding of this name. */
export const uidOf = (name: string) =>
  `8aea660d-0b0f-4114-8b4f-${Buffer.from(name).toString('hex').padEnd(12, '0').slice(0, 12)}`;

/** A work of a Binding in the mailbox of a WEC, named as in KubeStellar for works of one object. */
export const workOf = (
  bindingName: string,
  wds: string,
  wec: string,
  uid = uidOf(bindingName),
): KubeObject => ({
  kind: 'ManifestWork',
  metadata: {
    name: `${uid}-${wds}-21e57e7f-121f-4fd5-9ef0-dde4c669f86f`,
    namespace: wec,
    labels: {
      'transport.kubestellar.io/originWdsName': wds,
      'transport.kubestellar.io/originOwnerReferenceBindingKey': bindingName,
    },
  },
});
