import type { PodCounts } from '../../kube/objects.ts';

/**
 * Reads from a returned status what is not available yet. OCM's condition Available only says that the object exists on the WEC.
 * @returns such as `1/2 replicas are available`; undefined if all are, or for a kind without replicas
 */
export function missingReplicas(resource: string | undefined, status: PodCounts): string | undefined {
  const { replicas, availableReplicas, desiredNumberScheduled, numberAvailable, conditions = [] } = status;
  const wanted = replicas ?? desiredNumberScheduled ?? 0;
  const available = availableReplicas ?? numberAvailable ?? 0;
  if (available < wanted) return `${available}/${wanted} replicas are available`;
  // The first status that a Deployment's controller writes has no replicas yet.
  const isReported = conditions.some(({ type, status }) => type === 'Available' && status === 'True');
  return resource === 'deployments' && !isReported ? 'no replica is available' : undefined;
}
