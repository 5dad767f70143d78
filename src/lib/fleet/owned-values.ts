import type { KubeObject } from '../kube/client/objects.ts';
import { fieldManager } from '../kube/client/transport.ts';

/** The field manager of a fleet: what it has applied shows which values it owns, without a state file. */
export const managerOf = (fleet: string): string => `${fieldManager}-fleet-${fleet}`;

/** The annotation of the ManagedClusters that a fleet has joined, or has taken over from the fleet that had; only those are pruned. */
export const fleetAnnotation = 'stellarctl.kubestellar.io/fleet';

/** Whether another fleet has applied values to one of these objects. */
export function hasOtherFleet(fleet: string, objects: readonly (KubeObject | undefined)[]): boolean {
  const managers = objects.flatMap((object) => object?.metadata.managedFields ?? []).map(({ manager = '' }) => manager);
  return managers.some((manager) => manager.startsWith(managerOf('')) && manager !== managerOf(fleet));
}

/** The values of an object that fleets own. */
export type ValuePath = 'labels' | 'annotations' | 'data';

/** A change of one value; null for none. */
export interface ValueChange {
  key: string;
  from: string | null;
  to: string | null;
}

/** A wanted value that another program has set to a different one. */
export interface ValueConflict {
  key: string;
  value: string;
  managers: string[];
}

/** What a fleet changes on the values of one object. */
export interface ValueJudgement {
  changes: ValueChange[];
  conflicts: ValueConflict[];
  /** Whether the fleet owns exactly the wanted values already. */
  isOwned: boolean;
}

interface Wanted {
  fleet: string;
  values: Record<string, string>;
  /** Keys whose values may be taken from other programs. */
  forced: ReadonlySet<string>;
}

/**
 * Compares present values with the wanted ones, by the API server's record of who has written each (metadata.managedFields). What
 * the fleet has applied before and no longer wants is removed, unless another program wants it too. Values of `stellarctl label`
 * and earlier joins are the operator's own: the file replaces them.
 */
export function judgeValues(object: KubeObject | undefined, path: ValuePath, wanted: Wanted): ValueJudgement {
  const { fleet, values, forced } = wanted;
  // A key may be called as what every object inherits.
  const present: Record<string, string> = Object.assign(Object.create(null), valuesAt(object, path));
  const managers = managersOf(object, path);
  const ownManager = managerOf(fleet);
  const othersOf = (key: string) =>
    [...(managers.get(key) ?? [])].filter((manager) => manager !== ownManager && manager !== fieldManager);
  const owned = [...managers].flatMap(([key, names]) => (names.has(ownManager) ? key : []));
  const changes: ValueChange[] = [];
  const conflicts: ValueConflict[] = [];
  for (const [key, to] of Object.entries(values)) {
    const from = present[key];
    if (from === to) continue;
    const others = othersOf(key);
    if (from !== undefined && others.length > 0 && !forced.has(key))
      conflicts.push({ key, value: from, managers: others });
    else changes.push({ key, from: from ?? null, to });
  }
  for (const key of owned) {
    const from = present[key];
    if (!Object.hasOwn(values, key) && from !== undefined && othersOf(key).length === 0)
      changes.push({ key, from, to: null });
  }
  const isOwned = owned.length === Object.keys(values).length && owned.every((key) => Object.hasOwn(values, key));
  return { changes, conflicts, isOwned };
}

const valuesAt = (object: KubeObject | undefined, path: ValuePath): Record<string, string> =>
  (path === 'data' ? (object as { data?: Record<string, string> } | undefined)?.data : object?.metadata[path]) ?? {};

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

interface Fields {
  [field: string]: Fields | undefined;
}
