import { once } from 'node:events';
import type { Api } from '../kube/api.ts';
import { isAlreadyExists, isConflict } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import type {
  AnyObject,
  AppliedManifestWork,
  KubeObject,
  ManifestWork,
  OwnerReference,
} from '../kube/objects.ts';
import {
  appliedManifestWorks,
  groupOf,
  manifestWorks,
  type Resource,
  versionOf,
  workStatuses,
} from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';

/** Kinds that have no status (ocm-status-addon pkg/agent). */
const excluded = new Set([
  'v1/secrets',
  'v1/configmaps',
  'v1/serviceaccounts',
  ...['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'].map(
    (kind) => `rbac.authorization.k8s.io/v1/${kind}`,
  ),
]);

const singletonLabel = 'managed-by.kubestellar.io/singletonstatus';

/** The prefix of the labels of KubeStellar's works; the agent ignores others. */
const ours = ['managed-by.kubestellar.io', 'transport.kubestellar.io'];

/** After a change several more follow. */
const reaction = 100;

/** The status of one object on one cluster, in the mailbox of the cluster. */
interface WorkStatus extends KubeObject {
  spec: {
    sourceRef: Record<'group' | 'version' | 'resource' | 'kind' | 'namespace' | 'name', string>;
  };
  status?: Record<string, unknown>;
}

export interface StatusAgentParts {
  /** The managed cluster. */
  own: Api;
  hub: Api;
  cluster: string;
  signal: AbortSignal;
  log: (line: string) => void;
}

interface Kind {
  resource: Resource;
  objects: Informer<AnyObject>;
  life: AbortController;
}

/**
 * Stands in for the agent of KubeStellar's status add-on (ocm-status-addon pkg/agent) until the signal: for each object that works
 * have applied on a cluster, of kinds with a status, a WorkStatus in the mailbox, owned by its work. For an object with several
 * owning works it is the first one's.
 */
export async function runStatusAgent(parts: StatusAgentParts): Promise<void> {
  new StatusAgent(parts);
  if (!parts.signal.aborted) await once(parts.signal, 'abort');
}

class StatusAgent {
  readonly #parts: StatusAgentParts;
  readonly #works: Informer<AppliedManifestWork>;
  readonly #kinds = new Map<string, Kind>();
  /** The mailbox name of each deleted object, by the queue's key. */
  readonly #gone = new Map<string, string>();
  readonly #statuses: WorkQueue;
  readonly #watches: WorkQueue;

  constructor(parts: StatusAgentParts) {
    const { own, signal, log } = parts;
    this.#parts = parts;
    const fail = (key: string, { message }: Error) => log(`error syncing key ${key}: ${message}`);
    this.#statuses = new WorkQueue((key) => this.#report(key), signal, fail);
    this.#watches = new WorkQueue(() => this.#adjustWatches(), signal, fail);
    const onChange = () => this.#watches.addAfter('kinds', reaction);
    this.#works = new Informer<AppliedManifestWork>(
      own,
      appliedManifestWorks,
      { onChange },
      signal,
    );
  }

  /** Watches the kinds of applied objects, and no others. */
  async #adjustWatches(): Promise<void> {
    const all = [...this.#works.items.values()].flatMap(
      ({ status }) => status?.appliedResources ?? [],
    );
    const wanted = new Map(
      all.map(({ group, version, resource }) => {
        const apiVersion = group ? `${group}/${version}` : version;
        return [`${apiVersion}/${resource}`, { apiVersion, plural: resource }];
      }),
    );
    for (const [key, { life }] of this.#kinds) {
      if (wanted.has(key)) continue;
      life.abort();
      this.#kinds.delete(key);
    }
    for (const [key, { apiVersion, plural }] of wanted) {
      if (excluded.has(key) || this.#kinds.has(key)) continue;
      const kind = await this.#kindOf(apiVersion, plural);
      if (kind) this.#watch(key, { apiVersion, plural, kind });
    }
  }

  async #kindOf(apiVersion: string, plural: string): Promise<string | undefined> {
    const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const { resources } = await this.#parts.own.send<{
      resources: { name: string; kind: string }[];
    }>('GET', path);
    return resources.find(({ name }) => name === plural)?.kind;
  }

  #watch(key: string, resource: Resource): void {
    const life = new AbortController();
    const onChange = (object: AnyObject, change: string) => {
      const { namespace = '', name } = object.metadata;
      const queued = `${key} ${namespace}/${name}`;
      if (!ownerOf(object)) return;
      const work = this.#workOf(object);
      if (change === 'deleted' && work) this.#gone.set(queued, nameOf(work, resource, object));
      this.#statuses.addAfter(queued, reaction);
    };
    const signal = AbortSignal.any([this.#parts.signal, life.signal]);
    const objects = new Informer<AnyObject>(this.#parts.own, resource, { onChange }, signal);
    this.#kinds.set(key, { resource, objects, life });
  }

  /** The work that has applied an object, as far as known. */
  #workOf(object: KubeObject): AppliedManifestWork | undefined {
    return this.#works.items.get(ownerOf(object)?.name ?? '');
  }

  async #report(key: string): Promise<void> {
    const [kindKey = '', place = ''] = key.split(' ');
    const kind = this.#kinds.get(kindKey);
    const object = kind?.objects.items.get(place.replace(/^\//, ''));
    const { hub, cluster } = this.#parts;
    const gone = this.#gone.get(key);
    this.#gone.delete(key);
    if (!kind || !object) {
      if (gone) await hub.delete(workStatuses, `${cluster}/${gone}`);
      return;
    }
    const work = this.#workOf(object);
    if (!work)
      throw new Error(`AppliedManifestWork not found for object with name=${object.metadata.name}`);
    try {
      await this.#write(work, kind.resource, object);
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error)) throw error;
      this.#statuses.addAfter(key, reaction);
    }
  }

  async #write(work: AppliedManifestWork, resource: Resource, object: AnyObject): Promise<void> {
    const { hub, cluster } = this.#parts;
    const name = nameOf(work, resource, object);
    const key = `${cluster}/${name}`;
    const isReturned = object.metadata.labels?.[singletonLabel];
    let present = await hub.find<WorkStatus>(workStatuses, key);
    if (!present) {
      const origin = await hub.get<ManifestWork>(
        manifestWorks,
        `${cluster}/${work.spec.manifestWorkName}`,
      );
      const { labels = {}, uid = '' } = origin.metadata;
      if (!Object.keys(labels).some((label) => ours.some((prefix) => label.startsWith(prefix))))
        return;
      const { apiVersion, kind } = manifestWorks;
      const owner = {
        apiVersion,
        kind,
        name: origin.metadata.name,
        uid,
        controller: true,
        blockOwnerDeletion: true,
      };
      const all = { ...labels, ...(isReturned && { [singletonLabel]: isReturned }) };
      present = await hub.create<WorkStatus>(workStatuses, {
        metadata: { name, namespace: cluster, labels: all, ownerReferences: [owner] },
        spec: { sourceRef: sourceOf(resource, object) },
      });
    } else if (isReturned && present.metadata.labels?.[singletonLabel] !== isReturned) {
      const metadata = { labels: { [singletonLabel]: isReturned } };
      present = await hub.patch<WorkStatus>(workStatuses, key, { metadata });
    }
    const { status } = object as Pick<WorkStatus, 'status'>;
    if (status) await hub.update<WorkStatus>(workStatuses, { ...present, status }, 'status');
  }
}

function ownerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ kind }) => kind === appliedManifestWorks.kind);
}

function sourceOf(
  { apiVersion, plural, kind }: Resource,
  { metadata }: KubeObject,
): WorkStatus['spec']['sourceRef'] {
  const version = versionOf(apiVersion);
  const { name, namespace = '' } = metadata;
  return { group: groupOf(apiVersion), version, resource: plural, kind, name, namespace };
}

/** By the UID that the work has on the managed cluster, and by the object. */
function nameOf(
  { metadata }: AppliedManifestWork,
  { apiVersion, kind }: Resource,
  object: KubeObject,
): string {
  const { namespace = '', name } = object.metadata;
  const parts = [
    metadata.uid,
    apiVersion.replaceAll('/', '').toLowerCase(),
    kind.toLowerCase(),
    namespace,
    name,
  ];
  return parts.join('-').slice(0, 253);
}
