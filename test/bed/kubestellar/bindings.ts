import type { Condition, KubeObject } from '../kube/objects.ts';

/** A LabelSelector of Kubernetes. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'; values?: string[] }[];
}

/** What a BindingPolicy says of the objects that it selects, beyond selecting them. */
export interface Modulation {
  createOnly?: boolean;
  statusCollectors?: string[];
  wantSingletonReportedState?: boolean;
  wantMultiWECReportedState?: boolean;
}

/** One of the clauses that select objects: an object has to fulfil everything in it, and one clause is enough. */
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

/** Whether labels fulfil a selector; an empty one selects everything. */
export function selects(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Record<string, string> = {},
) {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const isOneOf = value !== undefined && values.includes(value);
      return operator === 'In' ? isOneOf : !isOneOf;
    })
  );
}
