import type { Change, Kube } from './client/client.ts';
import type { KubeObject } from './client/objects.ts';
import { type PathOptions, type Resource, resourceOf } from './client/resources.ts';
import { may, requirePermissions } from './permissions.ts';

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
  /** @param verbs the verbs that the write needs, if they are not its own */
  const note = async (
    verb: RecordedWrite['verb'],
    resource: Resource,
    object: PathOptions & { kind?: string; name: string },
    verbs: readonly string[] = [verb],
  ): Promise<void> => {
    const { kind = resource.kind, name, namespace, subresource } = object;
    const permissions = verbs.map((each) => may(each, resource, { name, namespace, subresource }));
    await requirePermissions(kube, permissions);
    record({ verb, cluster: kube.cluster.context, kind, name, ...(namespace === undefined ? {} : { namespace }) });
  };
  const apply = async (object: KubeObject): Promise<Change> => {
    const { name, namespace } = object.metadata;
    const resource = resourceOf(object);
    const present = (await kube.get(resource, name, { namespace })) !== undefined;
    await note(present ? 'apply' : 'create', resource, object.metadata, present ? ['patch'] : ['create', 'patch']);
    return present ? 'changed' : 'created';
  };
  return withOwn(kube, {
    dryRun: true,
    fork: (changes) => recordWrites(kube.fork(changes), record),
    async create<T>(resource: Resource, body: object, options: PathOptions = {}) {
      const { kind = resource.kind, metadata } = body as KubeObject & { kind?: string };
      await note('create', resource, { ...options, kind, name: options.name ?? metadata?.name ?? '' });
      return {} as T;
    },
    apply,
    async applyAs(_manager, object) {
      await apply(object);
      return object;
    },
    async merge<T extends KubeObject>(
      resource: Resource,
      name: string,
      patch: object,
      options: Omit<PathOptions, 'name'> = {},
    ) {
      await note('patch', resource, { ...options, name });
      return { ...patch, metadata: { name } } as unknown as T;
    },
    async delete(resource, name, { namespace } = {}) {
      const present = (await kube.get(resource, name, { namespace })) !== undefined;
      if (present) await note('delete', resource, { name, namespace });
      return present;
    },
    async replace(resource, object, subresource) {
      await note('update', resource, { ...object.metadata, subresource });
      return object;
    },
  });
}

/** A client with some members of its own, and all others of another client. */
const withOwn = (kube: Kube, overrides: Partial<Kube>): Kube =>
  new Proxy(kube, {
    get(_, name) {
      const owner = name in overrides ? overrides : kube;
      const member: unknown = Reflect.get(owner, name);
      return typeof member === 'function' ? member.bind(owner) : member;
    },
  });
