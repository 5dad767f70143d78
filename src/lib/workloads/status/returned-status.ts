import type { Condition, KubeObject, PodCounts } from '../../kube/client/objects.ts';
import { keyOf } from '../../ocm/model/object-ref.ts';

/** control.kubestellar.io/v1alpha1 WorkStatus: the status that a WEC's status agent returned for one object. */
export interface WorkStatus extends KubeObject {
  spec?: { sourceRef?: { group?: string; resource?: string; namespace?: string; name?: string } };
  status?: PodCounts;
}

/** The conditions by which Kubernetes' own controllers say that they have failed, with their status then. */
const failureConditions: Readonly<Record<string, string>> = {
  ReplicaFailure: 'True',
  Progressing: 'False',
  Failed: 'True',
};

/** The failure that a returned status tells, such as a refused pod: it may concern a new version while the old one runs. */
export const failureIn = ({ conditions = [] }: PodCounts): Condition | undefined =>
  conditions.find(isFailure);

const isFailure = ({ type, status }: Condition): boolean => failureConditions[type] === status;

const countFields = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'availableReplicas',
  'desiredNumberScheduled',
  'numberAvailable',
] as const;

/** Keeps of a returned status what it counts, and the conditions that tell of failures and of availability. */
export function trimCounts(status: PodCounts): PodCounts {
  const conditions = Array.isArray(status.conditions) ? status.conditions : [];
  const told = conditions.filter(
    (condition) => condition.type === 'Available' || isFailure(condition),
  );
  return {
    ...Object.fromEntries(
      countFields.flatMap((name) => (status[name] === undefined ? [] : [[name, status[name]]])),
    ),
    conditions: told,
  };
}

/** Keeps of a status, if there is one, what it counts and which of its conditions tell something. */
export const trimStatus = (object: KubeObject): WorkStatus => {
  const { metadata, spec, status } = object as WorkStatus;
  const { name, namespace } = metadata;
  return {
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    ...(spec?.sourceRef === undefined ? {} : { spec: { sourceRef: spec.sourceRef } }),
    ...(status === undefined ? {} : { status: trimCounts(status) }),
  };
};

/** Two policies that send an object to one WEC share its WorkStatus, which carries the labels of either. */
export const statusesByPlace = (statuses: readonly WorkStatus[]): Map<string, WorkStatus> =>
  new Map(
    statuses.map((status) => [
      statusKey(status.metadata.namespace ?? '', status.spec?.sourceRef ?? {}),
      status,
    ]),
  );

export const statusKey = (
  wec: string,
  { resource = '', name = '', ...ref }: Partial<Parameters<typeof keyOf>[0]>,
): string => `${wec}/${keyOf({ ...ref, resource, name })}`;

/**
 * Reads from a returned status what is not available yet. OCM's condition Available only says that the object exists on the WEC.
 * @param asked the replicas that were sent: a policy of the WEC may have changed them
 * @returns such as `1/2 replicas are available`; undefined if all are, or for a kind without replicas
 */
export function missingReplicas(
  resource: string,
  status: PodCounts,
  asked = 0,
): string | undefined {
  const { replicas, updatedReplicas, availableReplicas } = status;
  const { desiredNumberScheduled, numberAvailable, conditions = [] } = status;
  const wanted = Math.max(asked, replicas ?? desiredNumberScheduled ?? 0);
  const available = availableReplicas ?? numberAvailable ?? 0;
  // While a Deployment is rolled out, the replicas of its earlier version are available.
  if (
    resource === 'deployments' &&
    replicas &&
    updatedReplicas !== undefined &&
    updatedReplicas < replicas
  )
    return `${available} replicas are available, and ${updatedReplicas} of ${replicas} are of its present version`;
  if (available < wanted) return `${available}/${wanted} replicas are available`;
  // The first status that a Deployment's controller writes has no replicas yet.
  const isReported = conditions.some(
    ({ type, status }) => type === 'Available' && status === 'True',
  );
  return resource === 'deployments' && !isReported ? 'no replica is available' : undefined;
}
