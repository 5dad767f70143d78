import type { KubeObject } from '../objects.ts';
import { resourceOf } from '../resources.ts';
import type { Change, Kube } from './client.ts';
import { withOwn } from './delegate.ts';

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
 * A client that sends reads and records writes (`--dry-run`). Access reviews are reads; a TokenRequest is a write and returns an
 * empty answer.
 */
export function recordWrites(kube: Kube, record: WriteRecorder): Kube {
  const note = (verb: RecordedWrite['verb'], kind: string, name: string, namespace?: string): void =>
    record({ verb, cluster: kube.cluster.context, kind, name, ...(namespace === undefined ? {} : { namespace }) });
  return withOwn(kube, {
    dryRun: true,
    fork: (changes) => recordWrites(kube.fork(changes), record),
    async create<T>(
      resource: { kind: string },
      body: object,
      options: { name?: string | undefined; namespace?: string | undefined; subresource?: string | undefined } = {},
    ) {
      const kind = (body as KubeObject).kind ?? resource.kind;
      note('create', kind, options.name ?? (body as KubeObject).metadata?.name ?? '', options.namespace);
      return {} as T;
    },
    async apply(object): Promise<Change> {
      const { name, namespace } = object.metadata;
      const present = (await kube.get(resourceOf(object), name, { namespace })) !== undefined;
      note(present ? 'apply' : 'create', object.kind ?? '', name, namespace);
      return present ? 'changed' : 'created';
    },
    async merge<T extends KubeObject>(
      resource: { kind: string },
      name: string,
      patch: object,
      options: { namespace?: string | undefined } = {},
    ) {
      note('patch', resource.kind, name, options.namespace);
      return { ...patch, metadata: { name } } as unknown as T;
    },
    async delete(resource, name, { namespace } = {}) {
      const present = (await kube.get(resource, name, { namespace })) !== undefined;
      if (present) note('delete', resource.kind, name, namespace);
      return present;
    },
    async replace(resource, object) {
      note('update', resource.kind, object.metadata.name, object.metadata.namespace);
      return object;
    },
  });
}
