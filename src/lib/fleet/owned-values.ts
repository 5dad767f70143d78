import { StellarError } from '../core/errors.ts';
import { advice } from '../core/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import { missing } from '../kube/client/missing.ts';
import { byName, type KubeObject, resources } from '../kube/client/objects.ts';
import { fieldManager } from '../kube/client/transport.ts';
import { listProperties } from '../ocm/hub/find-wecs.ts';
import { notAHub } from '../ocm/hub/require-hub.ts';
import type { ManagedCluster } from '../ocm/model/ocm-objects.ts';
import type { AppliedValues } from '../spaces/space/controllers-run.ts';

/** The field manager of a fleet: what it has applied shows which values it owns, without a state file. */
export const managerOf = (fleet: string) => `${fieldManager}-fleet-${fleet}`;

/** The annotation of the ManagedClusters that a fleet has joined, or has taken over from the fleet that had; only those are pruned. */
export const fleetAnnotation = 'stellarctl.kubestellar.io/fleet';

/** The field managers of the fleets that have applied values to a WEC. */
export const fleetsOf = (name: string, { clusters, properties }: Present) =>
  [clusters.get(name), properties.get(name)].flatMap((object) =>
    (object?.metadata.managedFields ?? []).flatMap(({ manager = '' }) =>
      manager.startsWith(managerOf('')) ? manager : [],
    ),
  );

/** A change of one value; null for none. */
export interface ValueChange {
  key: string;
  from: string | null;
  to: string | null;
}

/** A wanted value that another program has set to a different one. */
interface ValueConflict {
  key: string;
  value: string;
  managers: string[];
}

/**
 * Compares present values with the wanted ones, by the API server's record of who has written each (metadata.managedFields). What
 * the fleet has applied before and no longer wants is removed, unless another program wants it too. Values of `stellarctl label`
 * and earlier joins are the operator's own: the file replaces them.
 * @param wanted.forced keys whose values may be taken from other programs
 */
export function judgeValues(
  object: KubeObject | undefined,
  path: ValuePath,
  {
    fleet,
    values,
    forced,
  }: { fleet: string; values: Record<string, string>; forced: readonly string[] },
) {
  // A key may be called as what every object inherits.
  const present: Record<string, string> = Object.assign(
    Object.create(null),
    valuesAt(object, path),
  );
  const managers = managersOf(object, path);
  const ownManager = managerOf(fleet);
  const othersOf = (key: string) =>
    // Without a record, the value may be anybody's.
    [...(managers.get(key) ?? ['unknown'])].filter(
      (manager) => manager !== ownManager && manager !== fieldManager,
    );
  const owned = [...managers].flatMap(([key, names]) => (names.has(ownManager) ? key : []));
  const changes: ValueChange[] = [];
  const conflicts: ValueConflict[] = [];
  for (const [key, to] of Object.entries(values)) {
    const from = present[key];
    if (from === to) continue;
    const others = othersOf(key);
    if (from !== undefined && others.length > 0 && !forced.includes(key))
      conflicts.push({ key, value: from, managers: others });
    else changes.push({ key, from: from ?? null, to });
  }
  for (const key of owned) {
    const from = present[key];
    if (!Object.hasOwn(values, key) && from !== undefined && othersOf(key).length === 0)
      changes.push({ key, from, to: null });
  }
  /** Whether the fleet owns exactly the wanted values already. */
  const isOwned =
    owned.length === Object.keys(values).length && owned.every((key) => Object.hasOwn(values, key));
  return { changes, conflicts, isOwned };
}

const valuesAt = (object: KubeObject | undefined, path: ValuePath): Record<string, string> =>
  (path === 'data'
    ? (object as { data?: Record<string, string> } | undefined)?.data
    : object?.metadata[path]) ?? {};

/** The managers of each key, as FieldsV1 records them: `f:metadata.f:labels.f:KEY`. */
function managersOf(object: KubeObject | undefined, path: ValuePath): Map<string, Set<string>> {
  const managers = new Map<string, Set<string>>();
  for (const { manager = '', fieldsV1, subresource } of object?.metadata.managedFields ?? []) {
    const top = fieldsV1 as Fields | undefined;
    const fields = path === 'data' ? top?.['f:data'] : top?.['f:metadata']?.[`f:${path}`];
    if (subresource !== undefined) continue;
    for (const field of Object.keys(fields ?? {}).filter((name) => name.startsWith('f:'))) {
      const key = field.slice('f:'.length);
      managers.set(key, (managers.get(key) ?? new Set()).add(manager));
    }
  }
  return managers;
}

/** The labels and annotations of a WEC that a fleet has applied. @returns undefined if it has applied none */
export function appliedTo(cluster: ManagedCluster, fleet: string): AppliedValues | undefined {
  const manager = managerOf(fleet);
  const ofFleet = (path: 'labels' | 'annotations') =>
    Object.fromEntries(
      [...managersOf(cluster, path)].flatMap(([key, names]) => {
        const value = cluster.metadata[path]?.[key];
        return names.has(manager) && value !== undefined ? [[key, value]] : [];
      }),
    );
  const [labels, annotations] = [ofFleet('labels'), ofFleet('annotations')];
  return Object.keys({ ...labels, ...annotations }).length === 0
    ? undefined
    : { manager, labels, annotations };
}

interface Fields {
  [field: string]: Fields | undefined;
}

/** The values of a WEC that a file sets. */
type WecValues = Record<'labels' | 'annotations' | 'properties', Record<string, string>>;

/** These values, each with its place in an object. */
const valueKinds = [
  { kind: 'label', path: 'labels', field: 'labels' },
  { kind: 'annotation', path: 'annotations', field: 'annotations' },
  { kind: 'property', path: 'data', field: 'properties' },
] as const;

type ValuePath = (typeof valueKinds)[number]['path'];
export type ValueKindName = (typeof valueKinds)[number]['kind'];

/** What the ITS has. */
export type Present = Awaited<ReturnType<typeof readPresent>>;

export async function readPresent(hub: Kube) {
  const [clusters, properties] = await Promise.all([
    hub.list<ManagedCluster>(resources.managedClusters),
    listProperties(hub),
  ]);
  if (clusters === missing) throw notAHub(hub);
  return { clusters: byName(clusters), properties };
}

/** What the values of one WEC need. */
export type ValuePlan = ReturnType<typeof planValues>;

/** Compares the values of one WEC with those that the file wants. */
export function planValues(
  fleet: string,
  wec: WecValues & { name: string },
  { clusters, properties }: Present,
  forced: readonly string[] = [],
) {
  const judged = valueKinds.map(({ kind, path, field }) => {
    const object = path === 'data' ? properties.get(wec.name) : clusters.get(wec.name);
    return { kind, path, ...judgeValues(object, path, { fleet, values: wec[field], forced }) };
  });
  const open = judged.filter(({ changes, isOwned }) => changes.length > 0 || !isOwned);
  const former = clusters.get(wec.name)?.metadata.annotations?.[fleetAnnotation];
  const takenOver =
    former === undefined || former === fleet
      ? []
      : [{ key: fleetAnnotation, from: former, to: fleet }];
  return {
    changes: [
      ...judged.flatMap(({ kind, changes }) => changes.map((change) => ({ kind, ...change }))),
      ...takenOver.map((change) => ({ kind: 'annotation' as const, ...change })),
    ],
    conflicts: judged.flatMap(({ kind, conflicts }) =>
      conflicts.map((conflict) => ({ kind, ...conflict })),
    ),
    /** Which objects must be written, for changes or for their ownership. */
    writes: {
      cluster: takenOver.length > 0 || open.some(({ path }) => path !== 'data'),
      properties: open.some(({ path }) => path === 'data'),
    },
  };
}

/** The error of values that another program has set; undefined if there are none. */
export function conflictOf(
  { conflicts }: ValuePlan,
  hub: Kube,
  name: string,
): StellarError | undefined {
  if (conflicts.length === 0) return undefined;
  const all = conflicts.map(
    ({ kind, key, value, managers }) => `${kind} ${key}=${value} of ${managers.join(', ')}`,
  );
  return new StellarError(
    'label-conflict',
    `${name} has on ${hub.cluster.context}: ${all.join('; ')}.`,
    advice(
      `To own them: --force-conflicts ${[...new Set(conflicts.map(({ key }) => key))].join(',')}`,
    ),
  );
}
