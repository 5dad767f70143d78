/** A status, of one object or combined from several. */
export type Status = Record<string, unknown>;

interface StatusCondition {
  type?: string;
  reason?: string;
}

/**
 * The combined status of an object on several clusters (kubestellar pkg/status/aggregation): the minimum of most numbers, and of
 * conditions only one that reports a failure. Undefined for kinds that then return nothing.
 */
export function aggregate(kind: string, statuses: readonly Status[]): Status | undefined {
  const rule = rules[kind];
  if (!rule) return undefined;
  const numbers = (field: string) =>
    statuses.map((status) => status[field]).filter((value) => typeof value === 'number');
  const least = rule.least.map((field) => [field, numbers(field).length > 0 ? Math.min(...numbers(field)) : 0]);
  const most = rule.most.map((field) => [field, numbers(field).length > 0 ? Math.max(...numbers(field)) : 0]);
  const all = statuses.flatMap(({ conditions }) =>
    Array.isArray(conditions) ? (conditions as StatusCondition[]) : [],
  );
  const failure = rule.isFailure && all.find(rule.isFailure);
  return {
    ...Object.fromEntries([...least, ...most]),
    ...(rule.isFailure && { conditions: failure ? [failure] : [] }),
  };
}

interface Rule {
  least: string[];
  most: string[];
  isFailure?: (condition: StatusCondition) => boolean;
}

const rules: Record<string, Rule> = {
  'apps/Deployment': {
    least: ['replicas', 'updatedReplicas', 'availableReplicas', 'readyReplicas', 'observedGeneration'],
    most: ['unavailableReplicas'],
    isFailure: ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  },
  'apps/ReplicaSet': {
    least: ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'],
    most: [],
    isFailure: ({ type }) => type === 'ReplicaFailure',
  },
  'apps/DaemonSet': {
    least: [
      'currentNumberScheduled',
      'desiredNumberScheduled',
      'numberReady',
      'observedGeneration',
      'updatedNumberScheduled',
      'numberAvailable',
    ],
    most: ['numberMisscheduled'],
  },
};
