import type {
  AuthenticationV1TokenRequest,
  V1CertificateSigningRequest,
  V1ClusterRole,
  V1Condition,
  V1ConfigMap,
  V1CustomResourceDefinition,
  V1DaemonSetStatus,
  V1Deployment,
  V1DeploymentStatus,
  V1Job,
  V1LabelSelector,
  V1LabelSelectorRequirement,
  V1Lease,
  V1ObjectMeta,
  V1OwnerReference,
  V1Pod,
  V1PolicyRule,
  V1Secret,
  V1StatefulSet,
} from '@kubernetes/client-node';

/**
 * A type of client-node as plain JSON: timestamps are RFC 3339 strings. Fields that the API server requires are optional, since
 * an object may be trimmed, the result of a dry run, or a template in another object; except those without which an object
 * cannot be identified or judged.
 */
type Json<T> = T extends Date
  ? string
  : T extends object
    ? number extends keyof T
      ? { [Key in keyof T]: Json<T[Key]> }
      : { [Key in keyof T as Extract<Key, Kept>]: Json<T[Key]> } & {
          [Key in keyof T as Exclude<Key, Kept>]?: Json<T[Key]>;
        }
    : T;

type Kept = 'apiVersion' | 'kind' | 'name' | 'type' | 'status' | 'spec' | 'request';

/** A kind of Kubernetes as the API server sends it. */
type FromServer<T> = KubeObject & Json<Omit<T, keyof KubeObject>>;

export type ObjectMeta = Json<V1ObjectMeta> & { name: string };
export type OwnerReference = Json<V1OwnerReference>;
export type Condition = Json<V1Condition>;
/** The operator of a requirement is one of In, NotIn, Exists, DoesNotExist; a server may hold others. */
export type LabelSelector = V1LabelSelector;
export type LabelSelectorRequirement = V1LabelSelectorRequirement;
export type PolicyRule = Json<V1PolicyRule>;

export type CertificateSigningRequest = FromServer<V1CertificateSigningRequest>;
export type ClusterRole = FromServer<V1ClusterRole>;
export type ConfigMap = FromServer<V1ConfigMap>;
export type CustomResourceDefinition = FromServer<V1CustomResourceDefinition>;
export type Deployment = FromServer<V1Deployment>;
export type Job = FromServer<V1Job>;
export type Lease = FromServer<V1Lease>;
export type Pod = FromServer<V1Pod>;
export type Secret = FromServer<V1Secret>;
export type StatefulSet = FromServer<V1StatefulSet>;
export type TokenRequest = FromServer<AuthenticationV1TokenRequest>;

/** The status fields of apps/v1 that count pods. */
export type PodCounts = Json<V1DeploymentStatus & V1DaemonSetStatus>;

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

/** The creation time of an object, in milliseconds since the epoch. Objects from a server always have it. */
export function createdAt(object: KubeObject): number {
  return Date.parse(object.metadata.creationTimestamp ?? '') || 0;
}
