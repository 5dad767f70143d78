import type { LabelSelector } from '../kube/label-selector.ts';
import type { Condition, KubeObject } from '../kube/objects.ts';

/** The fields of a BindingPolicy for the objects that it selects, beyond the selection. */
export interface Modulation {
  createOnly?: boolean;
  statusCollectors?: string[];
  wantSingletonReportedState?: boolean;
  wantMultiWECReportedState?: boolean;
}

/** One of the clauses that select objects: an object must match all of its parts, and one clause is enough. */
export interface DownsyncClause extends Modulation {
  apiGroup?: string;
  resources?: string[];
  namespaces?: string[];
  namespaceSelectors?: LabelSelector[];
  objectSelectors?: LabelSelector[];
  objectNames?: string[];
}

interface Status {
  observedGeneration?: number;
  conditions?: Condition[];
  errors?: string[];
}

export interface BindingPolicy extends KubeObject {
  spec?: { clusterSelectors?: LabelSelector[]; downsync?: DownsyncClause[] };
  status?: Status;
}

/** One object that a Binding names. */
export interface BoundObject extends Modulation {
  group: string;
  version: string;
  resource: string;
  namespace?: string;
  name: string;
  resourceVersion: string;
}

export interface Binding extends KubeObject {
  spec: {
    workload: { clusterScope?: BoundObject[]; namespaceScope?: BoundObject[] };
    destinations?: { clusterId: string }[];
  };
  status?: Status;
}

/** All objects that a Binding names. */
export function objectsOf({ workload }: Binding['spec']): BoundObject[] {
  return [...(workload.clusterScope ?? []), ...(workload.namespaceScope ?? [])];
}
