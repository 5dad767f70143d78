/** Objects as the API server sends them: plain JSON, with unknown fields, timestamps as RFC 3339 strings. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  managedFields?: { manager?: string; time?: string; subresource?: string }[];
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
}

/** When an object was last written, as far as its API server records that, in milliseconds since the epoch. */
export const changedAt = (object: KubeObject): number => lastTime(object, () => true);

/** The same without writes of the status. */
export const writtenAt = (object: KubeObject): number =>
  lastTime(object, ({ subresource }) => subresource === undefined);

type Written = NonNullable<ObjectMeta['managedFields']>[number];

const lastTime = (object: KubeObject, counts: (written: Written) => boolean): number =>
  Math.max(
    createdAt(object),
    ...(object.metadata.managedFields ?? []).filter(counts).map(({ time = '' }) => Date.parse(time) || 0),
  );

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  observedGeneration?: number;
}

export interface WithConditions extends KubeObject {
  status?: { conditions?: Condition[] };
}

/** @param object also what has conditions without being an object: a manifest of a work's status */
export function conditionOf(
  object: { status?: { conditions?: Condition[] } | undefined } | undefined,
  type: string,
): Condition | undefined {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}

export function isTrue(object: WithConditions | undefined, type: string): boolean {
  return conditionOf(object, type)?.status === 'True';
}

export interface Secret extends KubeObject {
  type?: string;
  /** Values are base64. */
  data?: Record<string, string>;
}

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
  /** Values are base64. */
  binaryData?: Record<string, string>;
}

interface PodTemplate {
  metadata?: Pick<ObjectMeta, 'annotations'>;
  spec?: { containers?: ContainerSpec[]; initContainers?: ContainerSpec[] };
}

interface ContainerSpec {
  name: string;
  image?: string;
  args?: string[];
  command?: string[];
}

export interface Deployment extends WithConditions {
  spec?: { replicas?: number; template?: PodTemplate };
  status?: {
    conditions?: Condition[];
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
    readyReplicas?: number;
  };
}

export interface StatefulSet extends KubeObject {
  spec?: { replicas?: number; template?: PodTemplate };
  status?: { readyReplicas?: number };
}

export interface Job extends WithConditions {
  spec?: { backoffLimit?: number; template?: PodTemplate };
  status?: { conditions?: Condition[]; succeeded?: number; failed?: number; active?: number };
}

interface ContainerStatus {
  name: string;
  ready?: boolean;
  restartCount?: number;
  state?: {
    waiting?: { reason?: string; message?: string };
    running?: { startedAt?: string };
    terminated?: { exitCode: number; reason?: string; message?: string };
  };
  lastState?: { terminated?: { exitCode: number; reason?: string; message?: string } };
}

export interface Pod extends WithConditions {
  spec?: { containers?: ContainerSpec[]; initContainers?: ContainerSpec[] };
  status?: {
    conditions?: Condition[];
    phase?: string;
    reason?: string;
    message?: string;
    startTime?: string;
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

export interface Lease extends KubeObject {
  spec?: { acquireTime?: string; renewTime?: string; holderIdentity?: string; leaseDurationSeconds?: number };
}

/** The creation time of an object, in milliseconds since the epoch. Objects from a server always have it. */
export function createdAt(object: KubeObject): number {
  return Date.parse(object.metadata.creationTimestamp ?? '') || 0;
}
