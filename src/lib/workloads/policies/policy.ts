import type { Reader } from '../../kube/client/client.ts';
import type { Condition, KubeObject } from '../../kube/objects.ts';
import type { DownsyncClause, Modulation } from '../selection/clauses.ts';
import type { LabelSelector } from '../selection/label-selectors.ts';

/** control.kubestellar.io/v1alpha1 BindingPolicy (kubestellar v0.30.0, api/control/v1alpha1/types.go), as much of it as is used here. */
export interface BindingPolicy extends KubeObject {
  spec?: PolicySpec;
  status?: { observedGeneration?: number; conditions?: Condition[]; errors?: string[] };
}

export interface PolicySpec {
  clusterSelectors?: LabelSelector[];
  downsync?: DownsyncClause[];
}

/** control.kubestellar.io/v1alpha1 Binding: the objects and the WECs that a BindingPolicy has been found to select. */
export interface Binding extends KubeObject {
  spec?: {
    workload?: { clusterScope?: BoundObject[]; namespaceScope?: BoundObject[] };
    destinations?: { clusterId: string }[];
  };
  /** What KubeStellar's transport has made of it; it leaves conditions out. */
  status?: { observedGeneration?: number; conditions?: Condition[]; errors?: string[] };
}

/** An object of a WDS that a Binding sends, and how. */
export interface BoundObject extends Modulation {
  group?: string;
  version?: string;
  resource: string;
  namespace?: string;
  name: string;
  /** Of the object, as the Binding sends it. */
  resourceVersion?: string;
}

export const objectsOf = ({ spec }: Binding): BoundObject[] => [
  ...(spec?.workload?.clusterScope ?? []),
  ...(spec?.workload?.namespaceScope ?? []),
];

export const destinationsOf = (binding: Binding | undefined): string[] =>
  (binding?.spec?.destinations ?? []).map(({ clusterId }) => clusterId);

/** A BindingPolicy that sends workloads through one ITS. */
export interface Policy {
  /** The WDS that holds it. */
  wds: string;
  /** The context of the kubeconfig that leads to that WDS, where one does. */
  context: string | undefined;
  name: string;
  clusterSelectors: readonly LabelSelector[];
  /** What KubeStellar has found it to select; undefined as long as it has not looked. */
  binding: Binding | undefined;
  /** A Binding without its BindingPolicy, as `kubectl delete --cascade=orphan` leaves it: its WECs stay, whatever their labels. */
  orphaned: boolean;
  /** The WDS. */
  reader: Reader;
}

/** A WDS, or a part of it, that could not be read. */
export interface Unread {
  wds: string;
  why: string;
}

/** The policies of an ITS, as far as they could be read. */
export interface PoliciesOfIts {
  policies: Policy[];
  unread: Unread[];
}

/** As `nginx-policy (wds1)`. */
export const describePolicy = ({ name, wds }: Pick<Policy, 'name' | 'wds'>): string => `${name} (${wds})`;
