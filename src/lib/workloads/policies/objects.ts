import type { KubeObject } from '../../kube/objects.ts';

/** meta/v1 LabelSelector. The operator is one of In, NotIn, Exists, DoesNotExist; a server may hold others. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** control.kubestellar.io/v1alpha1 BindingPolicy (kubestellar v0.30.0, api/control/v1alpha1/types.go), as much of it as is used here. */
export interface BindingPolicy extends KubeObject {
  spec?: { clusterSelectors?: LabelSelector[] };
}

/** control.kubestellar.io/v1alpha1 Binding: the objects and the WECs that a BindingPolicy has been found to select. */
export interface Binding extends KubeObject {
  spec?: {
    workload?: { clusterScope?: BoundObject[]; namespaceScope?: BoundObject[] };
    destinations?: { clusterId: string }[];
  };
}

export interface BoundObject {
  group?: string;
  version?: string;
  resource: string;
  namespace?: string;
  name: string;
}

export const objectsOf = ({ spec }: Binding): BoundObject[] => [
  ...(spec?.workload?.clusterScope ?? []),
  ...(spec?.workload?.namespaceScope ?? []),
];

export const destinationsOf = (binding: Binding | undefined): string[] =>
  (binding?.spec?.destinations ?? []).map(({ clusterId }) => clusterId);
