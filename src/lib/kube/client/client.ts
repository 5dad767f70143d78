import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { monotonic, pause, type Waiting } from '../../core/deadline.ts';
import { noteWrite } from '../../core/each-name.ts';
import { StellarError } from '../../core/errors.ts';
import type { ClusterEntry, SelectedContext, UserEntry } from '../kubeconfig/kubeconfig.ts';
import { ApiError, answersLate, apiError, type ClusterRef, unlessStatus } from './errors.ts';
import { type Missing, missing } from './missing.ts';
import {
  isLiving,
  type KubeObject,
  type ObjectMeta,
  type PathOptions,
  type PlainResource,
  pathOf,
  type Resource,
  resourceOf,
  resources,
  typeMeta,
} from './objects.ts';
import {
  type Connection,
  fieldManager,
  type Limit,
  longestList,
  objectIn,
  type Request,
  Requests,
} from './transport.ts';
import type { Ending } from './validity.ts';

const pageSize = 500;
/** meta.k8s.io: a server that does not support the form sends whole objects. */
const metadataForm =
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json';

/** The limit of concurrent requests of one client, or of the clients of several clusters. */
export const requestLimit = (): Limit => pLimit(32);

/** Up to so many objects are read one by one; more are read with a list of all. */
export const readsOneByOne = 10;

export interface Selection {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Only the objects' metadata, without apiVersion and kind: much smaller for large objects. */
  metadataOnly?: boolean;
  /** Keeps the needed parts of each object, page by page: many large objects at once may not fit into memory. */
  trim?: (object: KubeObject) => KubeObject;
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

/** Settings that differ from the original client's; all others are the same. */
export interface Fork {
  user?: UserEntry;
  /** Another address, with its certificate authority (PEM), to which only the user's certificate is shown, and no secret is sent. */
  at?: { server: string; certificateAuthority: string | undefined };
  run?: Waiting;
}

/** The part of a client that only reads. */
export type Reader = Pick<Kube, 'cluster' | 'get' | 'list' | 'now'>;

/** Opens a client for a context: passed to library functions that discover clusters as they run. */
export type Connect = (context: SelectedContext) => Kube;

/**
 * One cluster, as one user. Objects are plain JSON. Every method throws StellarError (ApiError if the server answered).
 * Writes are idempotent: apply, merge patches, and deletes that accept a missing object.
 */
export type Kube = Pick<LiveKube, keyof LiveKube>;

/** What a server answers to a list; some leave out the kind. */
interface Page<T> {
  kind?: string;
  metadata?: { continue?: string };
  items?: T[] | null;
}

/** How a client works. */
export interface Connecting extends Omit<Connection, 'context' | 'limit' | 'connections'> {
  /** A limit of the clients of many clusters: such a client opens few connections, each of which takes 85 kB until it is closed. */
  shared?: Limit | undefined;
}

/** A client for one context. */
export function connect(context: SelectedContext, { shared, ...given }: Connecting): Kube {
  const [limit, connections] = shared === undefined ? [requestLimit(), 32] : [shared, 4];
  return new LiveKube({ ...given, context, limit, connections });
}

class LiveKube {
  readonly cluster: ClusterRef;
  /** True for a client that records writes instead of sending them: callers must not wait for their effect. */
  readonly dryRun: boolean = false;
  readonly #connection: Connection;
  readonly #requests: Requests;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#requests = new Requests(connection);
    this.cluster = this.#requests.cluster;
  }

  /** @returns undefined if the object or its kind is not found. */
  async get<T extends KubeObject>(
    resource: Resource,
    name: string,
    options: Omit<PathOptions, 'name'> = {},
  ): Promise<T | undefined> {
    const found = await this.read(pathOf(resource, { ...options, name }));
    if (found === undefined) return undefined;
    const object = this.#object<T>(found);
    // A proxy may answer with another object, which must be neither judged nor deleted for this one. A kind that is known by its
    // plural only is called by that.
    const { kind, plural } = resource;
    if (object.metadata.name !== name || (kind !== plural && object.kind !== kind))
      throw this.#requests.notAnApiServer();
    return object;
  }

  #object<T>(answer: unknown): T {
    const object = objectIn(answer);
    if (object === undefined) throw this.#requests.notAnApiServer();
    return object as T;
  }

  /** Sends a write that is answered with the object. */
  async #write<T>(resource: Resource, request: Request): Promise<T> {
    return this.#object<T>(await this.#noting(resource, request));
  }

  /**
   * Sends a write, and notes it: only a refusal proves that nothing was stored. A Lease keeps other runs away, and is no part of what they
   * write.
   */
  async #noting<T>(resource: Resource, request: Request, isNew = (_: T) => true): Promise<T> {
    let isStored = true;
    try {
      const answer = await this.#requests.json<T>(request);
      isStored = isNew(answer);
      return answer;
    } catch (error) {
      isStored = !(error instanceof ApiError && error.status < 500);
      throw error;
    } finally {
      if (isStored && resource !== resources.leases) noteWrite();
    }
  }

  /** Reads in pages of 500. */
  async list<T extends KubeObject>(
    resource: Resource,
    selection: Selection = {},
  ): Promise<T[] | Missing> {
    try {
      return await this.#listPages(resource, selection);
    } catch (error) {
      if (
        error instanceof ApiError &&
        error.status === 400 &&
        selection.labelSelector !== undefined
      )
        throw new StellarError(
          'usage',
          `"${selection.labelSelector}" is not a label selector: ${error.words}`,
        );
      throw error;
    }
  }

  async #listPages<T extends KubeObject>(
    resource: Resource,
    selection: Selection,
  ): Promise<T[] | Missing> {
    const path = pathOf(resource, { namespace: selection.namespace });
    const items: T[] = [];
    const { deadline } = this.#connection;
    const end = monotonic() + deadline.requestTimeout(Number.POSITIVE_INFINITY);
    const within = { bytes: longestList };
    let next: string | undefined;
    for (;;) {
      const { labelSelector, fieldSelector } = selection;
      const query = { labelSelector, fieldSelector, limit: String(pageSize), continue: next };
      const form = selection.metadataOnly ? metadataForm : undefined;
      const page = await this.read<Page<T>>(path, form, query, within);
      if (page === undefined && next === undefined) return missing;
      // Go writes null for an empty list; an answer without the field, or of another kind such as Status, is no list.
      const more: unknown = page?.items === null ? [] : page?.items;
      if (!Array.isArray(more) || page?.kind?.endsWith('List') === false)
        throw this.#requests.notAnApiServer();
      for (const item of more.map((each) => this.#object<T>(each)))
        items.push((selection.trim?.(item) ?? item) as T);
      next = page?.metadata?.continue || undefined;
      if (next === undefined) return items;
      if (monotonic() >= end) throw answersLate(this.cluster);
    }
  }

  /** GET of any path, parsed as JSON. @param accept the form of the answer, if there are several @returns undefined on 404. */
  async read<T>(
    path: string,
    accept?: string,
    query?: Record<string, string | undefined>,
    within?: Request['within'],
  ): Promise<T | undefined> {
    const readAt = (at: string) =>
      unlessStatus(this.#requests.json<T>({ method: 'GET', path: at, accept, query, within }), 404);
    const found = await readAt(path);
    const next = path.replace(firstAddOns, '$1v1beta1/');
    return found === undefined && next !== path ? readAt(next) : found;
  }

  /** The last log lines of a container. @param options.previous of its previous run. @returns undefined if there are none */
  async logTail(
    { namespace, name }: ObjectMeta,
    container: string,
    { lines, previous = false }: { lines: number; previous?: boolean },
  ): Promise<string[] | undefined> {
    const path = pathOf(resources.pods, { namespace, name, subresource: 'log' });
    const query = { container, tailLines: String(lines), previous: String(previous) };
    const { status, text } = await this.#requests.answer({ method: 'GET', path, query });
    // 400: the container has not started, or has no previous run.
    if (status === 404 || status === 400) return undefined;
    if (status >= 300) throw apiError(this.cluster, status, text);
    return text.split('\n').filter((line) => line.trim() !== '');
  }

  /** GET of any path whose answer may have no end: its text as it arrives. */
  stream(path: string, query: Record<string, string | undefined>): AsyncGenerator<string> {
    return this.#requests.stream({ method: 'GET', path, query });
  }

  /** POST to a collection or, with a name, to a subresource. */
  create<T>(resource: PlainResource, body: object, options: PathOptions = {}): Promise<T> {
    const path = pathOf(resource, options);
    const request = { method: 'POST', path, query: { fieldManager }, body } as const;
    return options.subresource === undefined
      ? this.#noting(resource, request)
      : this.#requests.json(request);
  }

  /**
   * Sends an object through admission and stores nothing (`dryRun=All`): not a write. Needs the right to create it. The server waits 5 s
   * for its webhooks: OCM allows ten, a healthy webhook takes milliseconds.
   */
  async tryCreate(resource: Resource, object: KubeObject): Promise<void> {
    const query = { fieldManager, dryRun: 'All', timeout: '5s' };
    const path = pathOf(resource, { namespace: object.metadata.namespace });
    await this.#requests.json({ method: 'POST', path, query, body: object });
  }

  /** The same for a merge patch of an object. */
  async tryMerge(resource: Resource, name: string, patch: object): Promise<void> {
    await this.#requests.json(mergePatch(pathOf(resource, { name }), patch, { dryRun: 'All' }));
  }

  /** The same for a forced server-side apply of an object. @returns the object as it would be stored */
  tryApply(resource: Resource, object: KubeObject): Promise<KubeObject> {
    return this.#requests.json(forcedApply(fieldManager, object, resource, { dryRun: 'All' }));
  }

  /** Server-side apply with field manager `stellarctl`; forces ownership of fields that another manager owns. */
  async apply(object: KubeObject): Promise<Change> {
    const { name, namespace } = object.metadata;
    const resource = resourceOf(object);
    const before = await this.get(resource, name, { namespace });
    let isNew = true;
    await this.#noting(resource, forcedApply(fieldManager, object, resource), (answer) => {
      const after = essenceOf(this.#object(answer));
      isNew = before === undefined || !isDeepStrictEqual(essenceOf(before), after);
      return isNew;
    });
    if (before === undefined) return 'created';
    return isNew ? 'changed' : 'unchanged';
  }

  /** The same with another field manager, without reading what is there. */
  applyAs(manager: string, object: KubeObject): Promise<KubeObject> {
    const resource = resourceOf(object);
    return this.#write(resource, forcedApply(manager, object, resource));
  }

  /** JSON merge patch (RFC 7386). With a `metadata.resourceVersion` it fails with 409 if the object has changed. */
  merge<T extends KubeObject>(
    resource: PlainResource,
    name: string,
    patch: object,
    options: Omit<PathOptions, 'name'> = {},
  ): Promise<T> {
    return this.#write<T>(resource, mergePatch(pathOf(resource, { ...options, name }), patch));
  }

  /** PUT of a whole object or subresource; its resourceVersion guards against concurrent changes. */
  replace<T extends KubeObject>(
    resource: PlainResource,
    object: T,
    subresource?: string,
  ): Promise<T> {
    const { name, namespace } = object.metadata;
    const path = pathOf(resource, { namespace, name, subresource });
    return this.#write<T>(resource, { method: 'PUT', path, query: { fieldManager }, body: object });
  }

  /**
   * Deletes an object that was read, by its UID, and its dependents in the background.
   * @param options.orphan keep its dependents
   * @returns false if it was not found, or another object has its name
   */
  async delete(
    resource: PlainResource,
    { metadata: { name, namespace, uid } }: KubeObject,
    { orphan = false }: { orphan?: boolean } = {},
  ): Promise<boolean> {
    if (uid === undefined) throw this.#requests.notAnApiServer();
    const propagationPolicy = orphan ? 'Orphan' : 'Background';
    const body = { propagationPolicy, preconditions: { uid } };
    try {
      const path = pathOf(resource, { namespace, name });
      await this.#noting(resource, { method: 'DELETE', path, body });
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || ![404, 409].includes(error.status)) throw error;
      // A conflict: another object has taken the name, or this one is being changed.
      const now = error.status === 409 ? await this.get(resource, name, { namespace }) : undefined;
      if (now?.metadata.uid === uid && isLiving(now)) throw error;
      return false;
    }
  }

  /** Asks the server whether this user may do something (SelfSubjectAccessReview): not a write. */
  async mayI(permission: Permission): Promise<boolean> {
    const body = {
      ...typeMeta(resources.selfSubjectAccessReviews),
      spec: { resourceAttributes: permission },
    };
    return (await this.review<{ status?: { allowed?: boolean } }>(body)).status?.allowed === true;
  }

  /** Sends a review of this user (SelfSubjectReview): not a write. */
  review<T>(body: { apiVersion: string; kind: string }): Promise<T> {
    return this.#requests.json<T>({ method: 'POST', path: pathOf(resourceOf(body)), body });
  }

  /**
   * The cluster's clock by its last answer, in milliseconds since the epoch: ages of its objects must not depend on the local
   * clock.
   */
  now(): number {
    return this.#requests.now();
  }

  /** What ends by itself of what the last request has used. */
  validities(): Ending[] {
    return this.#requests.validities();
  }

  /** Waits before a write is repeated. @throws StellarError `timeout` at the deadline of this client, `interrupted` */
  async pause(ms: number): Promise<void> {
    await pause(ms, this.#connection);
    if (this.#connection.deadline.expired) throw answersLate(this.cluster);
  }

  /** A separate client for the same server and settings, with another user or other limits. The caller closes it. */
  fork({ user = this.#connection.context.user, run, at }: Fork): Kube {
    const { context, ...connection } = this.#connection;
    if (at === undefined)
      return new LiveKube({ ...connection, ...run, context: { ...context, user } });
    const fields = Object.entries(user).filter(([key]) =>
      /^client-(?:certificate|key)(?:-data)?$/.test(key),
    );
    if (fields.length === 0)
      throw new StellarError(
        'credentials-failed',
        'Only a certificate is shown to another address.',
      );
    const changed = { server: at.server, cluster: clusterAt(at), user: Object.fromEntries(fields) };
    return new LiveKube({ ...connection, ...run, context: { ...context, ...changed } });
  }

  close(): void {
    this.#requests.close();
  }
}

/** The first version of OCM's add-ons: 1.3 serves the next one as well, and a later one need not serve this. */
const firstAddOns = /^(\/apis\/addon\.open-cluster-management\.io\/)v1alpha1\//;

function mergePatch(path: string, body: object, query: Request['query'] = {}): Request {
  const contentType = 'application/merge-patch+json';
  return { method: 'PATCH', path, query: { fieldManager, ...query }, body, contentType };
}

function forcedApply(
  manager: string,
  body: KubeObject,
  resource: Resource,
  query: Request['query'] = {},
): Request {
  return {
    method: 'PATCH',
    path: pathOf(resource, body.metadata),
    query: { fieldManager: manager, force: 'true', ...query },
    body,
    contentType: 'application/apply-patch+yaml',
  };
}

/** The entry of a cluster with nothing but its address and its certificate authority, PEM. */
export const clusterAt = ({
  server,
  certificateAuthority,
}: NonNullable<Fork['at']>): ClusterEntry => ({
  server,
  ...(certificateAuthority && {
    'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64'),
  }),
});

/** The fields of an object that are applied, without the ones that the server and controllers change at any time. */
export function essenceOf(object: KubeObject): object {
  const { status, ...kept } = object as KubeObject & { status?: unknown };
  const { resourceVersion, generation, managedFields, ...metadata } = kept.metadata;
  return { ...kept, metadata };
}
