import {
  type Condition,
  conditionOf,
  groupOf,
  type KubeObject,
  writtenAt,
} from '../../kube/client/objects.ts';
import {
  type KindRef,
  originBindingLabel,
  originGenerationAnnotation,
  originWdsLabel,
} from '../../ocm/model/kubestellar-names.ts';
import type { ManifestStatus, ManifestWork } from '../../ocm/model/manifest-works.ts';

/** A work, and what the agent reports about one object in it. */
export interface SentObject {
  work: ManifestWork;
  /** Undefined until the agent reports it. */
  manifest: ManifestStatus | undefined;
  /** The replicas that it asks for. */
  replicas?: number | undefined;
}

/**
 * The works of a WDS by Binding, WEC and object. Their names do not identify them: the names depend on how many objects a work may
 * have.
 */
export class WorksOfWds {
  readonly #byObject = new Map<string, SentObject>();
  /** When a work of a Binding was last created or rewritten, in milliseconds since the epoch. */
  readonly newest = new Map<string, number>();

  constructor(works: readonly ManifestWork[]) {
    for (const work of works) {
      const binding = work.metadata.labels?.[originBindingLabel] ?? '';
      this.newest.set(binding, Math.max(this.newest.get(binding) ?? 0, writtenAt(work)));
      const place = placeOf(binding, work.metadata.namespace ?? '');
      const stated = new Map(
        (work.status?.resourceStatus?.manifests ?? []).map((manifest) => [
          manifest.resourceMeta?.ordinal,
          manifest,
        ]),
      );
      const manifests: (ManifestOfWork & Pick<SentObject, 'replicas'>)[] =
        work.spec?.workload?.manifests ?? [];
      for (const [ordinal, { replicas, ...manifest }] of manifests.entries()) {
        const key = objectKey(objectOfManifest(manifest));
        this.#byObject.set(`${place} ${key}`, { work, replicas, manifest: stated.get(ordinal) });
      }
    }
  }

  /** Finds the work that contains an object. The object has the kind and the name that it has in the work. */
  find(binding: string, wec: string, object: ObjectOfWork): SentObject | undefined {
    return this.#byObject.get(`${placeOf(binding, wec)} ${objectKey(object)}`);
  }
}

/** The generation of its Binding that a work was written for. */
export const generationOf = ({ metadata }: ManifestWork): number =>
  Number(metadata.annotations?.[originGenerationAnnotation] ?? 0);

/** Returns whether the agent has applied the current version of an object of a work; undefined until the agent reports it. */
export const appliedState = (
  work: ManifestWork,
  manifest: ManifestStatus | undefined,
): Condition | undefined => {
  const applied = manifest?.conditions?.find(({ type }) => type === 'Applied');
  return (applied?.observedGeneration ?? 0) < (work.metadata.generation ?? 0) ? undefined : applied;
};

interface ObjectOfWork extends Pick<KindRef, 'group' | 'kind'> {
  namespace?: string | undefined;
  name: string;
}

/** Identifies an object in works, which name its kind. */
const objectKey = ({ group, kind, namespace = '', name }: ObjectOfWork): string =>
  [group, kind, namespace, name].join('/');

const placeOf = (binding: string, wec: string): string => `${wec}/${binding}`;

/** The object that a manifest of a work is. */
const objectOfManifest = ({
  apiVersion = '',
  kind = '',
  metadata,
}: ManifestOfWork): ObjectOfWork => ({
  group: groupOf(apiVersion),
  kind,
  namespace: metadata?.namespace,
  name: metadata?.name ?? '',
});

type ManifestOfWork = NonNullable<
  NonNullable<NonNullable<ManifestWork['spec']>['workload']>['manifests']
>[number];

/**
 * Trims works: object contents make up most of 50,000 works, so only what the verdict needs is kept.
 */
export function trimmer(): (object: KubeObject) => ManifestWork {
  const pool = new Map<string, object>();
  /** Keeps values that many works share only once. */
  const shared: Share = (value) => {
    const key = JSON.stringify(value);
    const known = pool.get(key) ?? value;
    pool.set(key, known);
    return known as typeof value;
  };
  return (object) => trimWork(object, shared);
}

type Share = <T extends object>(value: T) => T;

function trimWork(object: KubeObject, shared: Share): ManifestWork {
  const { metadata, spec, status } = object as ManifestWork;
  const {
    name,
    namespace,
    generation,
    deletionTimestamp,
    labels = {},
    annotations = {},
  } = metadata;
  const { finalizers = [], managedFields = [] } = metadata;
  const written = { time: new Date(writtenAt(object)).toISOString() };
  const kept = (all: Record<string, string>, ...keys: string[]) =>
    Object.fromEntries(keys.flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]]])));
  // These times differ in every work, and only those of failures are shown.
  const conditionsOf = (conditions: readonly Condition[] = []) =>
    conditions
      .filter(({ type }) => type === 'Applied' || type === 'Available')
      .map(({ lastTransitionTime, ...condition }) =>
        condition.status === 'True' || !lastTransitionTime
          ? condition
          : { ...condition, lastTransitionTime },
      );
  // Agents before OCM 1.2 set the generation only on the condition of the whole work, which they write together with those of its
  // manifests (OCM v1.0.0, pkg/work/spoke/controllers/manifestcontroller/manifestwork_reconciler.go:107).
  const { observedGeneration } = conditionOf({ status }, 'Applied') ?? {};
  const withGeneration = (each: Condition): Condition =>
    each.type === 'Applied' && observedGeneration !== undefined
      ? { observedGeneration, ...each }
      : each;
  const stated = (status?.resourceStatus?.manifests ?? []).map(
    ({ resourceMeta = {}, conditions }) => ({
      resourceMeta,
      conditions: conditionsOf(conditions).map(withGeneration),
    }),
  );
  return {
    metadata: {
      name,
      labels: shared(kept(labels, originBindingLabel, originWdsLabel)),
      annotations: shared(kept(annotations, originGenerationAnnotation)),
      ...(namespace === undefined ? {} : shared({ namespace })),
      ...(generation === undefined ? {} : { generation }),
      ...(deletionTimestamp === undefined
        ? shared({ managedFields: [written] })
        : { deletionTimestamp, finalizers, managedFields: [written, ...managedFields] }),
    },
    spec: shared({ workload: { manifests: (spec?.workload?.manifests ?? []).map(trimManifest) } }),
    status: shared({ resourceStatus: { manifests: stated } }),
  };
}

function trimManifest(manifest: ManifestOfWork): ManifestOfWork & Pick<SentObject, 'replicas'> {
  const {
    apiVersion = '',
    kind = '',
    metadata: { name = '', namespace, deletionTimestamp } = {},
  } = manifest;
  const { spec } = manifest as { spec?: { replicas?: unknown } };
  const kept = {
    name,
    ...(namespace && { namespace }),
    ...(deletionTimestamp && { deletionTimestamp }),
  };
  const replicas = typeof spec?.replicas === 'number' ? { replicas: spec.replicas } : {};
  return { apiVersion, kind, metadata: kept, ...replicas };
}
