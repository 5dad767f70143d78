import type { Condition, KubeObject } from '../../kube/objects.ts';
import { groupOf } from '../../kube/resources.ts';
import type { ManifestStatus, ManifestWork } from '../manifest-works.ts';
import { originBindingLabel, originGenerationAnnotation, originWdsLabel } from '../names.ts';
import { expandAnnotation } from '../policies/template-keys.ts';
import { hasField } from '../transforms/path.ts';
import type { Removals } from './content-today.ts';

/** A work, and what the agent says of one object in it. */
export interface SentObject extends SentContent {
  work: ManifestWork;
  /** Undefined as long as the agent has said nothing of it. */
  manifest: ManifestStatus | undefined;
}

/** What is kept of the content of an object in a work. */
interface SentContent {
  /** The first field in it that transforms remove today. */
  left?: string;
  /** All of it, where it asks for templates to be expanded. */
  expanded?: object;
}

/** The works of a WDS by binding, WEC and object. Names are no help: they depend on how many objects a work may have. */
export class WorksOfWds {
  readonly #byPlace: ReadonlyMap<string, readonly ManifestWork[]>;
  readonly #byObject = new Map<string, SentObject>();
  /** The objects that were made of templates, by `objectKey`. */
  readonly expanded = new Set<string>();

  constructor(works: readonly ManifestWork[]) {
    const place = ({ metadata: { labels, namespace } }: ManifestWork) =>
      placeOf(labels?.[originBindingLabel] ?? '', namespace ?? '');
    this.#byPlace = Map.groupBy(works, place);
    for (const work of works) {
      const stated = new Map(
        (work.status?.resourceStatus?.manifests ?? []).map((manifest) => [manifest.resourceMeta?.ordinal, manifest]),
      );
      const manifests: (Manifest & SentContent)[] = work.spec?.workload?.manifests ?? [];
      for (const [ordinal, { apiVersion = '', kind = '', metadata, left, expanded }] of manifests.entries()) {
        const object = { group: groupOf(apiVersion), kind, namespace: metadata?.namespace, name: metadata?.name ?? '' };
        const key = objectKey(object);
        const content = { ...(left === undefined ? {} : { left }), ...(expanded === undefined ? {} : { expanded }) };
        this.#byObject.set(`${place(work)} ${key}`, { work, manifest: stated.get(ordinal), ...content });
        if (expanded !== undefined) this.expanded.add(key);
      }
    }
  }

  of(binding: string, wec: string): readonly ManifestWork[] {
    return this.#byPlace.get(placeOf(binding, wec)) ?? [];
  }

  /** The work that carries an object, which has the kind and the name in it. */
  find(binding: string, wec: string, object: ObjectOfWork): SentObject | undefined {
    return this.#byObject.get(`${placeOf(binding, wec)} ${objectKey(object)}`);
  }
}

/** Whether the agent has applied an object of a work as it is now; undefined as long as it has not said. */
export const appliedState = (work: ManifestWork, manifest: ManifestStatus | undefined): Condition | undefined => {
  const applied = manifest?.conditions?.find(({ type }) => type === 'Applied');
  return (applied?.observedGeneration ?? 0) < (work.metadata.generation ?? 0) ? undefined : applied;
};

interface ObjectOfWork {
  group: string;
  kind: string;
  namespace?: string | undefined;
  name: string;
}

/** By this key an object is found in works, which have its kind. */
export const objectKey = ({ group, kind, namespace = '', name }: ObjectOfWork): string =>
  [group, kind, namespace, name].join('/');

const placeOf = (binding: string, wec: string): string => `${wec}/${binding}`;

type Manifest = NonNullable<NonNullable<NonNullable<ManifestWork['spec']>['workload']>['manifests']>[number];

/**
 * Trims works: of what their objects contain, which is most of 50,000 works, only that is kept by which they are judged.
 * @param removals what transforms remove today
 */
export function trimmer(removals: Removals): (object: KubeObject) => ManifestWork {
  const pool = new Map<string, object>();
  /** What is alike in many works is kept once. */
  const shared: Share = (value) => {
    const key = JSON.stringify(value);
    const known = pool.get(key) ?? value;
    pool.set(key, known);
    return known as typeof value;
  };
  return (object) => trimWork(object, removals, shared);
}

type Share = <T extends object>(value: T) => T;

function trimWork(object: KubeObject, removals: Removals, shared: Share): ManifestWork {
  const { metadata, spec, status } = object as ManifestWork;
  const { name, namespace, generation, deletionTimestamp, labels = {}, annotations = {} } = metadata;
  const kept = (all: Record<string, string>, ...keys: string[]) =>
    Object.fromEntries(keys.flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]]])));
  // Times differ in every work, and nothing depends on them.
  const conditionsOf = (conditions: readonly Condition[] = []) =>
    conditions
      .filter(({ type }) => type === 'Applied' || type === 'Available')
      .map(({ lastTransitionTime, ...condition }) => condition);
  return {
    metadata: {
      ...{ name, labels: shared(kept(labels, originBindingLabel, originWdsLabel)) },
      ...{ annotations: shared(kept(annotations, originGenerationAnnotation)) },
      ...(namespace === undefined ? {} : shared({ namespace })),
      ...(generation === undefined ? {} : { generation }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: shared({
      workload: {
        manifests: (spec?.workload?.manifests ?? []).map((manifest) => trimManifest(manifest, removals)),
      },
    }),
    status: shared({
      conditions: conditionsOf(status?.conditions),
      resourceStatus: {
        manifests: (status?.resourceStatus?.manifests ?? []).map(({ resourceMeta = {}, conditions }) => ({
          resourceMeta,
          conditions: conditionsOf(conditions),
        })),
      },
    }),
  };
}

function trimManifest(manifest: Manifest, removals: Removals): Manifest & SentContent {
  const { apiVersion = '', kind = '', metadata: { name = '', namespace, annotations } = {} } = manifest;
  const left = removals.get(`${groupOf(apiVersion)}/${kind}`)?.find((path) => hasField(manifest, path));
  return {
    ...{ apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } },
    ...(left === undefined ? {} : { left: ['$', ...left].join('.') }),
    ...(annotations?.[expandAnnotation] === 'true' ? { expanded: manifest } : {}),
  };
}
