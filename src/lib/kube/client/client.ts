import type { Run } from '../../engine/run.ts';
import type { SelectedContext, UserEntry } from '../kubeconfig/kubeconfig.ts';
import type { KubeObject, ObjectMeta } from '../objects.ts';
import type { PathOptions, Resource } from '../resources.ts';
import type { ClusterRef } from './errors.ts';

export interface Selection {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  /** The objects' metadata alone, without apiVersion and kind: much less where objects are large. */
  metadataOnly?: boolean;
  /** Keeps of each object what is needed, page by page: of many large ones, all at once may be more than there is memory. */
  trim?: (object: KubeObject) => KubeObject;
}

export interface Deletion {
  namespace?: string | undefined;
  uid?: string | undefined;
  orphan?: boolean;
}

/** What server-side apply did to an object. */
export type Change = 'created' | 'changed' | 'unchanged';

/** A verb on a resource, as access reviews ask about it. */
export interface Permission {
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  name?: string;
}

/**
 * One cluster, as one user. Objects are plain JSON. Every method throws StellarError (ApiError where the server answered).
 * Writes are idempotent: apply, merge patches, deletes that accept absence.
 */
export interface Kube {
  readonly cluster: ClusterRef;
  /** True for a client that records writes instead of sending them: whoever waits for their effect must not. */
  readonly dryRun: boolean;
  /** @returns undefined when there is no such object, or no such kind. */
  get<T extends KubeObject>(
    resource: Resource,
    name: string,
    options?: Omit<PathOptions, 'name'>,
  ): Promise<T | undefined>;
  /** Read in pages of 500. @returns undefined when there is no such kind. */
  list<T extends KubeObject>(resource: Resource, selection?: Selection): Promise<T[] | undefined>;
  /** GET of any path, parsed as JSON. @param accept the form of the answer, where there are several @returns undefined on 404. */
  read<T>(path: string, accept?: string, query?: Record<string, string>): Promise<T | undefined>;
  /** The last lines that a container has written. @param options.previous of its run before this one. @returns undefined where there are none */
  logTail(
    pod: ObjectMeta,
    container: string,
    options: { lines: number; previous?: boolean },
  ): Promise<string[] | undefined>;
  /** POST to a collection or, with a name, to a sub-resource. */
  create<T>(resource: Resource, body: object, options?: PathOptions): Promise<T>;
  /**
   * Sends an object through admission and stores nothing (`dryRun=All`): not a write. Needs the right to create it.
   * @param seconds how long the server may take
   */
  tryCreate(resource: Resource, object: KubeObject, seconds: number): Promise<void>;
  /** Server-side apply with field manager `stellarctl`, taking over fields that somebody else manages. */
  apply(object: KubeObject): Promise<Change>;
  /** JSON merge patch (RFC 7386). A `metadata.resourceVersion` in it makes it fail with 409 when the object has changed. */
  merge<T extends KubeObject>(
    resource: Resource,
    name: string,
    patch: object,
    options?: Omit<PathOptions, 'name'>,
  ): Promise<T>;
  /** PUT of a whole object or sub-resource; its resourceVersion guards against changes by others. */
  replace<T extends KubeObject>(resource: Resource, object: T, subresource?: string): Promise<T>;
  /**
   * Deletes an object, and what it owns in the background.
   * @param options.uid delete only this very object
   * @param options.orphan leave what it owns
   * @returns false where it was not there (any more)
   */
  delete(resource: Resource, name: string, options?: Deletion): Promise<boolean>;
  /** Asks the server whether this user may do something (SelfSubjectAccessReview): not a write. */
  mayI(permission: Permission): Promise<boolean>;
  /** Sends a review of this very user (SelfSubjectReview): not a write. */
  review<T>(body: { apiVersion: string; kind: string }): Promise<T>;
  /** The cluster's clock, as its last answer told it, in milliseconds since the epoch: ages on it must not depend on ours. */
  now(): number;
  /** Whether the server has been away, as for a restart, since this client first reached it. */
  hasBeenAway(): boolean;
  /** A client of its own for the same server over the same settings, as another user, or within other bounds. Whoever makes it closes it. */
  fork(changes: Fork): Kube;
  close(): void;
}

/** What a client may have of its own; the rest is as before. */
export interface Fork {
  user?: UserEntry;
  run?: Pick<Run, 'deadline' | 'signal'>;
}

/** As much of a client as looking takes. */
export type Reader = Pick<Kube, 'cluster' | 'get' | 'list'>;

/** Opens a client for a context: handed to library functions that come to know clusters only as they go. */
export type Connect = (context: SelectedContext) => Kube;
