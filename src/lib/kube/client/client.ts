import type { Run } from '../../engine/run.ts';
import type { SelectedContext, UserEntry } from '../kubeconfig/kubeconfig.ts';
import type { KubeObject, ObjectMeta } from '../objects.ts';
import type { PathOptions, Resource } from '../resources.ts';
import type { ClusterRef } from './errors.ts';

/** Up to so many objects are read one by one; more are read with a list of all. */
export const readsOneByOne = 10;

export interface Selection {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  /** Only the objects' metadata, without apiVersion and kind: much smaller for large objects. */
  metadataOnly?: boolean;
  /** Keeps the needed parts of each object, page by page: many large objects at once may not fit into memory. */
  trim?: (object: KubeObject) => KubeObject;
}

export interface Deletion {
  namespace?: string | undefined;
  uid?: string | undefined;
  orphan?: boolean;
}

/** What server-side apply did to an object. */
export type Change = 'created' | 'changed' | 'unchanged';

/** A verb on a resource, as in access reviews. */
export interface Permission {
  verb: string;
  group: string;
  resource: string;
  subresource?: string | undefined;
  namespace?: string | undefined;
  name?: string | undefined;
}

/**
 * One cluster, as one user. Objects are plain JSON. Every method throws StellarError (ApiError if the server answered).
 * Writes are idempotent: apply, merge patches, and deletes that accept a missing object.
 */
export interface Kube {
  readonly cluster: ClusterRef;
  /** True for a client that records writes instead of sending them: callers must not wait for their effect. */
  readonly dryRun: boolean;
  /** @returns undefined if the object or its kind is not found. */
  get<T extends KubeObject>(
    resource: Resource,
    name: string,
    options?: Omit<PathOptions, 'name'>,
  ): Promise<T | undefined>;
  /** Reads in pages of 500. @returns undefined if the kind is not found. */
  list<T extends KubeObject>(resource: Resource, selection?: Selection): Promise<T[] | undefined>;
  /** GET of any path, parsed as JSON. @param accept the form of the answer, if there are several @returns undefined on 404. */
  read<T>(path: string, accept?: string, query?: Record<string, string>): Promise<T | undefined>;
  /** The last log lines of a container. @param options.previous of its previous run. @returns undefined if there are none */
  logTail(
    pod: ObjectMeta,
    container: string,
    options: { lines: number; previous?: boolean },
  ): Promise<string[] | undefined>;
  /** POST to a collection or, with a name, to a subresource. */
  create<T>(resource: Resource, body: object, options?: PathOptions): Promise<T>;
  /**
   * Sends an object through admission and stores nothing (`dryRun=All`): not a write. Needs the right to create it.
   * @param seconds the server's timeout
   */
  tryCreate(resource: Resource, object: KubeObject, seconds: number): Promise<void>;
  /** Server-side apply with field manager `stellarctl`; forces ownership of fields that another manager owns. */
  apply(object: KubeObject): Promise<Change>;
  /** JSON merge patch (RFC 7386). With a `metadata.resourceVersion` it fails with 409 if the object has changed. */
  merge<T extends KubeObject>(
    resource: Resource,
    name: string,
    patch: object,
    options?: Omit<PathOptions, 'name'>,
  ): Promise<T>;
  /** PUT of a whole object or subresource; its resourceVersion guards against concurrent changes. */
  replace<T extends KubeObject>(resource: Resource, object: T, subresource?: string): Promise<T>;
  /**
   * Deletes an object, and its dependents in the background.
   * @param options.uid delete only the object with this UID
   * @param options.orphan keep its dependents
   * @returns false if it was not found
   */
  delete(resource: Resource, name: string, options?: Deletion): Promise<boolean>;
  /** Asks the server whether this user may do something (SelfSubjectAccessReview): not a write. */
  mayI(permission: Permission): Promise<boolean>;
  /** Sends a review of this user (SelfSubjectReview): not a write. */
  review<T>(body: { apiVersion: string; kind: string }): Promise<T>;
  /**
   * The cluster's clock by its last answer, in milliseconds since the epoch: ages of its objects must not depend on the local
   * clock.
   */
  now(): number;
  /** Waits before a write is repeated. @throws StellarError `timeout` at the deadline of this client, `interrupted` */
  pause(ms: number): Promise<void>;
  /** Whether the server was away, for example for a restart, since this client first reached it. */
  hasBeenUnavailable(): boolean;
  /** A separate client for the same server and settings, with another user or other limits. The caller closes it. */
  fork(changes: Fork): Kube;
  close(): void;
}

/** Settings that differ from the original client's; all others are the same. */
export interface Fork {
  user?: UserEntry;
  /** Another address, with its certificate authority (PEM), to which only the user's certificate is shown, and no secret is sent. */
  at?: { server: string; certificateAuthority: string | undefined };
  run?: Pick<Run, 'deadline' | 'signal'>;
}

/** The part of a client that only reads. */
export type Reader = Pick<Kube, 'cluster' | 'get' | 'list' | 'now'>;

/** Opens a client for a context: passed to library functions that discover clusters as they run. */
export type Connect = (context: SelectedContext) => Kube;
