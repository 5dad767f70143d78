import type { Condition, KubeObject } from '../../kube/objects.ts';
import { groupOf } from '../../kube/resources.ts';
import type { ManifestStatus, ManifestWork } from '../manifest-works.ts';
import { originBindingLabel, originGenerationAnnotation, originWdsLabel } from '../names.ts';

/** A work, and what the agent says of one object in it. */
export interface SentObject {
  work: ManifestWork;
  /** Undefined as long as the agent has said nothing of it. */
  manifest: ManifestStatus | undefined;
}

/** The works of a WDS by binding, WEC and object. Names are no help: they depend on how many objects a work may have. */
export class WorksOfWds {
  readonly #byPlace: ReadonlyMap<string, readonly ManifestWork[]>;
  readonly #byObject = new Map<string, SentObject>();

  constructor(works: readonly ManifestWork[]) {
    const place = ({ metadata: { labels, namespace } }: ManifestWork) =>
      placeOf(labels?.[originBindingLabel] ?? '', namespace ?? '');
    this.#byPlace = Map.groupBy(works, place);
    for (const work of works) {
      const stated = new Map(
        (work.status?.resourceStatus?.manifests ?? []).map((manifest) => [manifest.resourceMeta?.ordinal, manifest]),
      );
      for (const [ordinal, { apiVersion = '', kind = '', metadata }] of (
        work.spec?.workload?.manifests ?? []
      ).entries()) {
        const object = { group: groupOf(apiVersion), kind, namespace: metadata?.namespace, name: metadata?.name ?? '' };
        this.#byObject.set(`${place(work)} ${objectKey(object)}`, { work, manifest: stated.get(ordinal) });
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

interface ObjectOfWork {
  group: string;
  kind: string;
  namespace?: string | undefined;
  name: string;
}

const objectKey = ({ group, kind, namespace = '', name }: ObjectOfWork): string =>
  [group, kind, namespace, name].join('/');

const placeOf = (binding: string, wec: string): string => `${wec}/${binding}`;

/** A work without what its objects contain: of 50,000 works that is most of it. */
export function trimWork(object: KubeObject): ManifestWork {
  const { metadata, spec, status } = object as ManifestWork;
  const { name, namespace, uid, generation, deletionTimestamp, labels = {}, annotations = {} } = metadata;
  const kept = (all: Record<string, string>, ...keys: string[]) =>
    Object.fromEntries(keys.flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]]])));
  const conditionsOf = (conditions: readonly Condition[] = []) =>
    conditions.filter(({ type }) => type === 'Applied' || type === 'Available');
  return {
    metadata: {
      ...{ name, labels: kept(labels, originBindingLabel, originWdsLabel) },
      ...{ annotations: kept(annotations, originGenerationAnnotation) },
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(generation === undefined ? {} : { generation }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: {
      workload: {
        manifests: (spec?.workload?.manifests ?? []).map(({ apiVersion = '', kind = '', metadata: of }) => ({
          ...{ apiVersion, kind },
          metadata: { name: of?.name ?? '', ...(of?.namespace === undefined ? {} : { namespace: of.namespace }) },
        })),
      },
    },
    status: {
      conditions: conditionsOf(status?.conditions),
      resourceStatus: {
        manifests: (status?.resourceStatus?.manifests ?? []).map(({ resourceMeta = {}, conditions }) => ({
          resourceMeta,
          conditions: conditionsOf(conditions),
        })),
      },
    },
  };
}
