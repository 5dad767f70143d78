import { type Access, ifSeen, reading, seen, through } from '../../kube/access.ts';
import type { Kube, Selection } from '../../kube/client/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { type Resource, resources } from '../../kube/resources.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import { findWecs } from '../../wecs/find-wecs.ts';
import type { ManagedCluster } from '../../wecs/objects.ts';
import type { ManifestWork } from '../manifest-works.ts';
import { combinedStatusLabels, originBindingLabel, originWdsLabel } from '../names.ts';
import { keyOf } from '../object-ref.ts';
import type { Binding, BindingPolicy } from '../policies/policy.ts';
import type { StatusCollector } from '../status/collector.ts';
import { trimWork, WorksOfWds } from './works.ts';

/** control.kubestellar.io/v1alpha1 WorkStatus: what a WEC's status agent has returned of one object. */
export interface WorkStatus extends KubeObject {
  spec?: { sourceRef?: { group?: string; resource?: string; namespace?: string; name?: string } };
  status?: Readonly<Record<string, unknown>>;
}

/** What was read of everything that a WDS sends, at one time. */
export interface DeliveryEvidence {
  wds: Pick<OpenWds, 'name' | 'context' | 'apiGroups'>;
  /** The context of the ITS; undefined where it is not seen. */
  its: string | undefined;
  policies: readonly BindingPolicy[];
  /** By name; those without their policy as well. */
  bindings: ReadonlyMap<string, Binding>;
  collectors: ReadonlyMap<string, StatusCollector>;
  /** By what they are of: `keyOf`, and the policy after it. */
  combined: ReadonlySet<string>;
  inventory: Access<ReadonlyMap<string, ManagedCluster>>;
  works: Access<WorksOfWds>;
  /** By WEC and object. */
  workStatuses: Access<ReadonlyMap<string, WorkStatus>>;
  /** The clocks of the WDS, in milliseconds since the epoch. */
  now: number;
}

/** What of it is in the WDS. */
type WdsSide = Pick<DeliveryEvidence, 'policies' | 'bindings' | 'collectors' | 'combined'>;

/**
 * Reads it: a list of each kind, whatever the number of objects and WECs.
 * @param policiesOf names the policies that it is about; without it, all
 */
export async function readDelivery(
  wds: OpenWds,
  policiesOf?: (inWds: WdsSide) => readonly string[],
): Promise<DeliveryEvidence> {
  const inventory = through(wds.its, async ({ kube }) => {
    const clusters = (await findWecs(kube, {})).flatMap(({ cluster }) => cluster ?? []);
    return new Map(clusters.map((cluster) => [cluster.metadata.name, cluster]));
  });
  const inWds = await readWdsSide(wds.kube);
  const names = policiesOf?.(inWds);
  const ofWds = `${originWdsLabel}=${wds.name}`;
  // A longer name cannot be that of a label, and there is no work of it.
  const labelled = names?.filter((name) => name.length <= 63);
  const ofPolicies = labelled === undefined ? '' : `,${originBindingLabel} in (${labelled.join(',')})`;
  const listFrom = <T extends KubeObject>(resource: Resource, selection: Selection) =>
    through(wds.its, async ({ kube }) =>
      labelled?.length === 0 ? [] : ((await kube.list<T>(resource, selection)) ?? []),
    );
  const [works, workStatuses] = await Promise.all([
    listFrom<ManifestWork>(resources.manifestWorks, { labelSelector: `${ofWds}${ofPolicies}`, trim: trimWork }),
    listFrom<WorkStatus>(resources.workStatuses, { labelSelector: ofWds, trim: trimStatus }),
  ]);
  return {
    ...{ wds, its: wds.its.state === 'seen' ? wds.its.value.name : undefined, ...inWds },
    inventory: await inventory,
    works: await through(works, async (list) => new WorksOfWds(list)),
    workStatuses: await through(workStatuses, async (list) => statusesByPlace(list)),
    now: wds.kube.now(),
  };
}

async function readWdsSide(wds: Kube): Promise<WdsSide> {
  const [policies, bindings, collectors, combined] = await Promise.all([
    wds.list<BindingPolicy>(resources.bindingPolicies),
    wds.list<Binding>(resources.bindings),
    reading(() => wds.list<StatusCollector>(resources.statusCollectors)),
    reading(() => wds.list(resources.combinedStatuses, { metadataOnly: true })),
  ]);
  return {
    policies: policies ?? [],
    bindings: byName(seen(bindings)),
    collectors: byName(collectors),
    combined: new Set((ifSeen(combined) ?? []).map(combinedKey)),
  };
}

/** Of a status only whether there is one. */
const trimStatus = (object: KubeObject): WorkStatus => {
  const { metadata, spec, status } = object as WorkStatus;
  const { name, namespace } = metadata;
  return {
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    ...(spec?.sourceRef === undefined ? {} : { spec: { sourceRef: spec.sourceRef } }),
    ...(status === undefined ? {} : { status: {} }),
  };
};

const byName = <T extends KubeObject>(read: Access<T[] | undefined>): Map<string, T> =>
  new Map((ifSeen(read) ?? []).map((object) => [object.metadata.name, object]));

/** Two policies that send an object to one WEC share its WorkStatus, which carries the labels of either. */
export const statusesByPlace = (statuses: readonly WorkStatus[]): Map<string, WorkStatus> =>
  new Map(statuses.map((status) => [statusKey(status.metadata.namespace ?? '', status.spec?.sourceRef ?? {}), status]));

export const statusKey = (wec: string, ref: NonNullable<NonNullable<WorkStatus['spec']>['sourceRef']>): string =>
  `${wec}/${keyOf({ ...ref, resource: ref.resource ?? '', name: ref.name ?? '' })}`;

export function combinedKey({ metadata: { labels = {} } }: KubeObject): string {
  const { group, resource, namespace, name, policy } = combinedStatusLabels;
  const of = { group: labels[group] ?? '', resource: labels[resource] ?? '', name: labels[name] ?? '' };
  return `${keyOf({ ...of, namespace: labels[namespace] ?? '' })} ${labels[policy]}`;
}
