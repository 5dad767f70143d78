import { advice, command, type NextStep, partial, run } from '../../core/next-step.ts';
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

const isFailure = ({ type, status }: Condition) => failureConditions[type] === status;

const countFields = new Set([
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'availableReplicas',
  'desiredNumberScheduled',
  'numberAvailable',
]);

/** Keeps of a returned status what it counts, and the conditions that tell of failures and of availability. */
export function trimCounts(status: PodCounts): PodCounts {
  const conditions = Array.isArray(status.conditions) ? status.conditions : [];
  const told = conditions.filter(
    (condition) => condition.type === 'Available' || isFailure(condition),
  );
  return {
    ...Object.fromEntries(Object.entries(status).filter(([name]) => countFields.has(name))),
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
) => `${wec}/${keyOf({ ...ref, resource, name })}`;

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

/** control.kubestellar.io/v1alpha1 StatusCollector (kubestellar v0.30.0, api/control/v1alpha1/types.go). Expressions are CEL. */
export interface StatusCollector extends KubeObject {
  spec?: CollectorSpec;
  status?: { errors?: string[] };
}

export interface CollectorSpec {
  /** Selects the returned statuses that count; all without a filter. */
  filter?: string;
  groupBy?: NamedExpression[];
  combinedFields?: CombinedField[];
  select?: NamedExpression[];
  /** Maximum number of rows. */
  limit?: number;
}

interface NamedExpression {
  name: string;
  def: string;
}

export const combinators = ['COUNT', 'SUM', 'AVG', 'MIN', 'MAX'] as const;

interface CombinedField {
  name: string;
  type: (typeof combinators)[number];
  subject?: string;
}

/** The default in KubeStellar's documentation. */
export const defaultLimit = 20;

const wecColumn: NamedExpression = { name: 'wec', def: 'inventory.name' };

/** Collectors for common needs. */
export const presets = {
  replicas: {
    select: [
      wecColumn,
      { name: 'replicas', def: 'returned.status.replicas' },
      { name: 'available', def: 'returned.status.availableReplicas' },
    ],
  },
  conditions: { select: [wecColumn, { name: 'conditions', def: 'returned.status.conditions' }] },
  'available-wecs': {
    filter: 'has(returned.status.availableReplicas) && returned.status.availableReplicas > 0',
    combinedFields: [{ name: 'wecs', type: 'COUNT' }],
  },
} satisfies Record<string, CollectorSpec>;

export type Preset = keyof typeof presets;

/** What helps if several WECs have the object of which a single one is to return the status. */
export const returnedByOne = advice(
  'Select one WEC, or ask for wantMultiWECReportedState or a StatusCollector instead',
);

/** Returns the command that creates a collector that a policy names. @param flags of its WDS */
export function toCreateCollector(name: string, flags: readonly string[]): NextStep {
  return Object.hasOwn(presets, name)
    ? run(command`stellarctl collector create ${name} --preset ${name} ${flags}`, 'Create it')
    : partial(command`stellarctl collector create ${name} --preset PRESET ${flags}`, 'Create it');
}
