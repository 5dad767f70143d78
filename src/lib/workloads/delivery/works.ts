import { rfc3339 } from '../../core/deadline.ts';
import {
  type Condition,
  conditionOf,
  groupOf,
  type KubeObject,
  writtenAt,
} from '../../kube/client/objects.ts';
import {
  originBindingLabel,
  originGenerationAnnotation,
  originWdsLabel,
} from '../../ocm/model/kubestellar-names.ts';
import type { ManifestStatus, ManifestWork } from '../../ocm/model/manifest-works.ts';
import type { ObjectView } from '../../ocm/model/object-ref.ts';

type Manifest = NonNullable<
  NonNullable<NonNullable<ManifestWork['spec']>['workload']>['manifests']
>[number];

/** An object of a work, and what the agent reports about it. */
export interface SentObject {
  work: ManifestWork;
  /** With the replicas that it asks for. */
  object: Manifest & { replicas?: number };
  /** Undefined until the agent reports it. */
  manifest: ManifestStatus | undefined;
}

/** The objects of a work. */
export function sentObjects(work: ManifestWork): SentObject[] {
  const { manifests = [] } = work.status?.resourceStatus ?? {};
  const stated = new Map(manifests.map((each) => [each.resourceMeta?.ordinal, each]));
  return (work.spec?.workload?.manifests ?? []).map((object, ordinal) => ({
    work,
    object,
    manifest: stated.get(ordinal),
  }));
}

/**
 * The works of a WDS by Binding, WEC and object. Their names do not identify them: the names depend on how many objects a work may
 * have.
 */
export class WorksOfWds {
  readonly #byObject = new Map<string, SentObject>();
  /** When a work of a Binding was last created or rewritten, in milliseconds since the epoch. */
  readonly newest = new Map<string, number>();
  /** The WECs whose mailboxes have works of a Binding, once for each work. */
  readonly places = new Map<string, string[]>();

  constructor(works: readonly ManifestWork[]) {
    for (const work of works) {
      const { namespace: wec = '', labels } = work.metadata;
      const binding = labels?.[originBindingLabel] ?? '';
      const places = this.places.get(binding) ?? [];
      places.push(wec);
      this.places.set(binding, places);
      this.newest.set(binding, Math.max(this.newest.get(binding) ?? 0, writtenAt(work)));
      for (const sent of sentObjects(work)) {
        this.#byObject.set(sentKey(binding, wec, viewOfSent(sent.object)), sent);
      }
    }
  }

  /** Finds an object in the works. It has the kind and the name that it has there. */
  find(...of: Parameters<typeof sentKey>): SentObject | undefined {
    return this.#byObject.get(sentKey(...of));
  }
}

/** An object of a work, as documents name it. */
export const viewOfSent = ({
  apiVersion = '',
  kind = '',
  metadata: { name = '', namespace } = {},
}: SentObject['object']): ObjectView => ({
  kind,
  group: groupOf(apiVersion),
  namespace: namespace ?? null,
  name,
});

/** Identifies an object in works, which name its kind. @param binding empty for those of any */
export const sentKey = (
  binding: string,
  wec: string,
  object: { group: string; kind: string; namespace?: string | null | undefined; name: string },
) => [binding, wec, object.group, object.kind, object.namespace ?? '', object.name].join('/');

/** Identifies an object on a WEC, whichever work has it. */
export const keyOfSent = (object: ObjectView) => sentKey('', '', object);

/** The generation of its Binding that a work was written for. */
export const generationOf = ({ metadata }: ManifestWork) =>
  Number(metadata.annotations?.[originGenerationAnnotation] ?? 0);

/** Returns whether the agent has applied the current version of an object of a work; undefined until the agent reports it. */
export function appliedState({
  work,
  manifest,
}: Pick<SentObject, 'work' | 'manifest'>): Condition | undefined {
  const applied = manifest?.conditions?.find(({ type }) => type === 'Applied');
  // Agents before OCM 1.2 set the generation only on the condition of the whole work, which they write together with those of its
  // manifests (OCM v1.0.0, pkg/work/spoke/controllers/manifestcontroller/manifestwork_reconciler.go:107).
  const { observedGeneration = 0 } = { ...conditionOf(work, 'Applied'), ...applied };
  return observedGeneration < (work.metadata.generation ?? 0) ? undefined : applied;
}

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
  const { name, namespace, uid, generation, deletionTimestamp, labels, annotations } = metadata;
  const { deleteOption } = spec ?? {};
  const kept = (all: Record<string, string> = {}, ...keys: string[]) =>
    shared(Object.fromEntries(Object.entries(all).filter(([key]) => keys.includes(key))));
  const stated = (status?.resourceStatus?.manifests ?? []).map(
    ({ resourceMeta = {}, conditions }) => ({
      resourceMeta,
      conditions: trimConditions(conditions),
    }),
  );
  return {
    metadata: {
      name,
      ...(uid === undefined ? {} : { uid }),
      labels: kept(labels, originBindingLabel, originWdsLabel),
      annotations: kept(annotations, originGenerationAnnotation),
      ...shared({ managedFields: [{ time: rfc3339(writtenAt(object)) }] }),
      ...(namespace === undefined ? {} : shared({ namespace })),
      ...(generation === undefined ? {} : { generation }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: shared({
      workload: { manifests: (spec?.workload?.manifests ?? []).map(trimManifest) },
      ...(deleteOption && { deleteOption }),
    }),
    status: shared({
      conditions: trimConditions(status?.conditions),
      resourceStatus: { manifests: stated },
    }),
  };
}

/** The times differ in every work, and only those of failures are shown. */
const trimConditions = (conditions: readonly Condition[] = []): Condition[] =>
  conditions
    .filter(({ type }) => type === 'Applied' || type === 'Available')
    .map(({ lastTransitionTime, ...condition }) =>
      condition.status === 'True' || !lastTransitionTime
        ? condition
        : { ...condition, lastTransitionTime },
    );

function trimManifest(manifest: Manifest): SentObject['object'] {
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
