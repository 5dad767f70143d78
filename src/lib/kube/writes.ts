import { ownLimits } from '../core/deadline.ts';
import { StellarError } from '../core/errors.ts';
import { partialReader } from './access.ts';
import type { Change, Kube } from './client/client.ts';
import { ApiError, unlessStatus } from './client/errors.ts';
import { anyWriter, type WriterOf } from './client/foreseen.ts';
import {
  type KubeObject,
  type ObjectMeta,
  type PathOptions,
  type PlainResource,
  type Resource,
  resourceOf,
  resources,
} from './client/objects.ts';
import { may, requirePermissions } from './permissions.ts';
import { listIfDefined, type Proving, prove } from './served.ts';

/** Writes even after Ctrl-C and the deadline, for 10 s: what must be undone, or known, whatever has ended the command. */
export async function writeLast<T>(kube: Kube, work: (last: Kube) => Promise<T>): Promise<T> {
  const last = kube.fork({ run: ownLimits(10_000) });
  try {
    return await work(last);
  } finally {
    last.close();
  }
}

/** Removes the given finalizers from the object with this UID, and keeps all others. @returns the removed finalizers */
export async function withoutFinalizers<Kind extends Resource>(
  kube: WriterOf<Kind>,
  resource: Kind,
  metadata: ObjectMeta,
  removable: readonly string[],
): Promise<string[]> {
  let removed: string[] = [];
  const isPatched = await patchCurrent(
    kube,
    resource,
    { metadata },
    ({ metadata: { finalizers = [] } }) => {
      removed = finalizers.filter((finalizer) => removable.includes(finalizer));
      return removed.length === 0
        ? undefined
        : { finalizers: finalizers.filter((each) => !removable.includes(each)) };
    },
  );
  return isPatched ? removed : [];
}

/**
 * Patches the object with this UID, guarded by its resourceVersion: after a conflicting change it reads the object again.
 * @param patchOf the change of its metadata; undefined for none
 * @returns whether it was patched; false if it is gone, or another object has its name
 */
export async function patchCurrent<Found extends KubeObject, Kind extends Resource>(
  writer: WriterOf<Kind>,
  resource: Kind,
  object: Found,
  patchOf: (current: Found) => object | undefined,
): Promise<boolean> {
  const kube = anyWriter(writer);
  const { name, namespace, uid } = object.metadata;
  return retryConflicts(kube, async (isFirst) => {
    const current = isFirst ? object : await kube.get<Found>(resource, name, { namespace });
    if (current === undefined || current.metadata.uid !== uid) return false;
    const changes = patchOf(current);
    if (changes === undefined) return false;
    const metadata = { uid, resourceVersion: current.metadata.resourceVersion, ...changes };
    const merged = kube.merge(resource, name, { metadata }, { namespace }).then(() => true);
    return (await unlessStatus(merged, 404)) ?? false;
  });
}

/** Another program changes an object once or twice at the same time, not each time that it is written. */
const mostTries = 10;
const firstPauseMs = 50;
const longestPauseMs = 1000;

/**
 * Repeats a write that is guarded by what was read, while other programs change the object in between (409).
 * @param write reads the object again unless it is called for the first time
 * @throws ApiError of the last try; StellarError `timeout`, `interrupted`
 */
export async function retryConflicts<T>(
  kube: Pick<Kube, 'pause'>,
  write: (isFirst: boolean) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write(tries === 1);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || tries === mostTries) throw error;
      await kube.pause(Math.min(longestPauseMs, firstPauseMs * 2 ** tries));
    }
  }
}

/** A write that was answered, and is not what is there: an admission policy or another program has changed it. */
export const notStored = ({ cluster }: Kube, what: string) =>
  new StellarError(
    'conflict',
    `${cluster.context} accepted ${what}, and does not have it: another program or an admission policy changes it.`,
  );

/** Deletes the objects with these UIDs, and no new ones with the same names. @returns whether any was deleted */
export async function deleteObjects<Kind extends Resource>(
  writer: WriterOf<Kind>,
  resource: Kind,
  objects: readonly KubeObject[],
): Promise<boolean> {
  const kube = anyWriter(writer);
  let isAny = false;
  for (const object of objects) if (await kube.delete(resource, object)) isAny = true;
  return isAny;
}

/** Deletes the object that now has a name, by its UID: a recreated one is kept. @returns whether it was deleted */
export async function deletePresent(
  kube: Kube,
  resource: PlainResource,
  name: string,
  namespace: string | undefined,
): Promise<boolean> {
  const present = await kube.get(resource, name, { namespace });
  return present !== undefined && kube.delete(resource, present);
}

/**
 * Creates a namespace if it is missing. A user who may not read it may still write in it, and gets an error if it is missing.
 * @returns whether it was missing
 */
export async function ensureNamespace(kube: Kube, name: string): Promise<boolean> {
  const reader = partialReader(kube);
  const found = await reader.get(resources.namespaces, name);
  if (found !== undefined || reader.forbidden.size > 0) return false;
  await unlessStatus(
    kube.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
    409,
  );
  return true;
}

/** A write that was not sent. */
export interface RecordedWrite {
  verb: 'create' | 'apply' | 'patch' | 'update' | 'delete';
  cluster: string;
  kind: string;
  name: string;
  namespace?: string;
}

export type WriteRecorder = (write: RecordedWrite) => void;

/**
 * A client that sends reads and records writes (`--dry-run`). Access reviews are reads: a write that this user is not allowed to make
 * fails as it would. A TokenRequest is a write and returns an empty answer.
 */
export function recordWrites(kube: Kube, record: WriteRecorder): Kube {
  const note = noting(kube, record);
  const isPresent = async (resource: Resource, { name, namespace }: ObjectMeta) =>
    (await kube.get(resource, name, { namespace })) !== undefined;
  const apply = async (object: KubeObject): Promise<Change> => {
    const resource = resourceOf(object);
    const present = await isPresent(resource, object.metadata);
    if (present) await note('apply', resource, object.metadata, ['patch']);
    else await note('create', resource, object.metadata, ['create', 'patch']);
    return present ? 'changed' : 'created';
  };
  return withOwn(kube, {
    dryRun: true,
    fork: (changes) => recordWrites(kube.fork(changes), record),
    async create(resource, body, options = {}) {
      const { kind, metadata } = body as KubeObject & { kind?: string };
      await note('create', resource, {
        ...options,
        kind,
        name: options.name ?? metadata?.name ?? '',
      });
      return {} as never;
    },
    apply,
    async applyAs(_manager, object) {
      await apply(object);
      return object;
    },
    async merge(resource, name, patch, options) {
      await note('patch', resource, { ...options, name });
      return { ...patch, metadata: { name } } as never;
    },
    async delete(resource, { metadata }) {
      const present = await isPresent(resource, metadata);
      if (present) await note('delete', resource, metadata);
      return present;
    },
    async replace(resource, object, subresource) {
      await note('update', resource, { ...object.metadata, subresource });
      return object;
    },
  });
}

/** @returns a function that notes a write which this user is allowed to make. @param verbs what it needs, if not its own verb */
const noting =
  (kube: Kube, record: WriteRecorder) =>
  async (
    verb: RecordedWrite['verb'],
    resource: Resource,
    object: PathOptions & { kind?: string | undefined; name: string },
    verbs: readonly string[] = [verb],
  ) => {
    const { kind = resource.kind, name, namespace, subresource } = object;
    const permissions = verbs.map((each) => may(each, resource, { name, namespace, subresource }));
    await requirePermissions(kube, permissions);
    const written = { verb, cluster: kube.cluster.context, kind, name };
    record(namespace === undefined ? written : { ...written, namespace });
  };

/** The same client, which takes an object for missing only if that is proven: for whatever deletes. */
export const proving = (kube: Kube): Proving =>
  withOwn(kube, {
    get: async <T extends KubeObject>(...[resource, name, options]: Parameters<Kube['get']>) =>
      (await prove<T>(kube, resource, name, { ...options, list: listIfDefined })).object,
  }) as Proving;

/** A client with some members of its own, and all others of another client. */
const withOwn = (kube: Kube, overrides: Partial<Kube>): Kube =>
  new Proxy(kube, {
    get(_, name) {
      const owner = name in overrides ? overrides : kube;
      const member: unknown = Reflect.get(owner, name);
      return typeof member === 'function' ? member.bind(owner) : member;
    },
  });
