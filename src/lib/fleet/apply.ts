import { mapConcurrently } from '../engine/concurrency.ts';
import { forName, type NamedResult } from '../engine/each-name.ts';
import type { ErrorCode } from '../engine/errors.ts';
import { type Confirm, readConfirmed } from '../engine/read-confirmed.ts';
import type { Run } from '../engine/run.ts';
import { withHostingLease } from '../hosting/lease.ts';
import { noSuchWec } from '../hub/find-wecs.ts';
import { accessHub } from '../hub/hub-access.ts';
import type { Kube } from '../kube/client/client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { type Resource, resources } from '../kube/resources.ts';
import { retryConflicts } from '../kube/writes.ts';
import { propertiesNamespace } from '../model/kubestellar-names.ts';
import { describePolicy } from '../model/policies.ts';
import { join } from '../wecs/join/join.ts';
import { ensurePropertiesNamespace } from '../wecs/properties.ts';
import type { WecResult } from '../wecs/registration/follow.ts';
import type { Fleet, FleetWec } from './file/read.ts';
import { joinOptionsOf } from './join-options.ts';
import { managerOf } from './owned-values.ts';
import {
  conflictOf,
  type FleetClusters,
  type FleetOptions,
  type FleetPlan,
  type Present,
  planFleet,
  planValues,
  readPresent,
  type ValueKindName,
  type ValuePlan,
  type WecPlan,
} from './plan.ts';

/** The result for one WEC. The fields are an interface: docs/output.md. */
export interface FleetResult extends NamedResult {
  action: WecPlan['action'];
  changed: boolean;
}

/** So many WECs are written at once: a hub may allow one user few requests a second. */
const writesAtOnce = 4;

/**
 * Makes the WECs of an ITS what a file says: registers what is missing, then sets labels, annotations and properties. It can be
 * rerun to resume. Errors of single WECs are in the results; if a part of the file cannot be true, nothing is written.
 * @param confirm shows the plan and asks
 * @param prune deregisters WECs that left the file, as the last step, after a question of its own
 */
export function applyFleet(
  fleet: Fleet,
  clusters: FleetClusters,
  options: FleetOptions,
  confirm: Confirm<FleetPlan>,
  prune: (wecs: readonly string[]) => Promise<NamedResult[]>,
  run: Run,
): Promise<FleetResult[]> {
  return withHostingLease(clusters.its.kube, `fleet apply ${fleet.name}`, run, async () => {
    const plan = await readConfirmed<FleetPlan>({
      read: () => planFleet(fleet, clusters, options, run),
      losses: lossesOf,
      confirm,
    });
    if (isRefused(plan))
      return plan.items.map((item) => ({ ...resultOf(item), ...(item.error && { error: item.error }) }));
    const joined = await joinAll(fleet, plan, clusters, run);
    const { kube: hub } = clusters.its;
    const present = joined.size > 0 && !run.dryRun ? await readPresent(hub) : plan.present;
    const results = await mapConcurrently(fleet.wecs, writesAtOnce, async (wec): Promise<FleetResult> => {
      const { name } = wec;
      const item = plan.items.find((each) => each.name === name) as WecPlan;
      const before = joined.get(name);
      const result = { ...resultOf(item), changed: before?.changed === true };
      if (before?.error !== undefined) return { ...result, error: before.error };
      return forName(result, run, async () => {
        if (item.error !== undefined) throw item.error;
        const changed = await writeValues(fleet.name, wec, present, hub, options);
        result.changed ||= changed;
        if (!run.dryRun && before === undefined)
          run.progress.done(name, changed ? 'changed' : 'as the file says', changed);
      });
    });
    const removed = plan.items.flatMap(({ name, action }) => (action === 'remove' ? name : []));
    const isComplete = results.every(({ error }) => error === undefined);
    if (removed.length > 0 && !isComplete)
      run.progress.note(`Not deregistered, because others failed: ${removed.join(', ')}.`);
    const pruned = removed.length > 0 && isComplete ? await prune(removed) : [];
    return [...results, ...pruned.map((result) => ({ changed: false, ...result, action: 'remove' as const }))];
  });
}

const resultOf = ({ name, action }: WecPlan): FleetResult => ({ name, action, changed: false });

/** Errors of what the file says, which stop everything: one wrong line may be a sign of more. */
const wrongStatements: readonly ErrorCode[] = [
  'context-unknown',
  'same-cluster',
  'registered-elsewhere',
  'name-taken',
  'label-conflict',
];

/** Whether a part of the file cannot be true, so that nothing of it is written. */
export const isRefused = ({ items }: FleetPlan): boolean =>
  items.some(({ error }) => error !== undefined && wrongStatements.includes(error.code));

/** What the user must have agreed to, by names that stay the same while agents make progress. */
function lossesOf({ items, effects }: FleetPlan): string[] {
  return [
    ...items.flatMap(({ name, action }) => (action === 'remove' ? name : [])),
    ...items.flatMap(({ name, changes }) =>
      changes.flatMap(({ kind, key, from, to }) =>
        from === null ? [] : `${kind} ${key} of ${name}: ${from} → ${to ?? '-'}`,
      ),
    ),
    ...effects.released.flatMap(({ policy, wecs }) => wecs.map((wec) => `${describePolicy(policy)} on ${wec}`)),
    ...effects.broken.map(({ policy, object, keys }) => `${describePolicy(policy)}: ${object} ${keys.join(',')}`),
  ];
}

async function joinAll(
  fleet: Fleet,
  { items, present }: FleetPlan,
  { its, open }: FleetClusters,
  run: Run,
): Promise<Map<string, WecResult>> {
  const isNew = ({ name }: FleetWec) =>
    items.some((item) => item.name === name && item.action === 'join' && item.error === undefined);
  const wecs = fleet.wecs.filter(isNew);
  if (wecs.length === 0) return new Map();
  const access = await accessHub(its.kube, its.context, undefined);
  const joining = await Promise.all(
    wecs.map(async (wec) => {
      const options = await joinOptionsOf(fleet.name, wec, present.clusters.get(wec.name));
      return { name: wec.name, kube: (await open(wec)).kube, options };
    }),
  );
  const results = await join(access, joining, { accept: true, labels: {} }, run);
  return new Map(results.map((result) => [result.name, result]));
}

/** Writes what differs, guarded by what was read. @returns whether anything was written */
async function writeValues(
  fleet: string,
  wec: FleetWec,
  present: Present,
  hub: Kube,
  options: Pick<FleetOptions, 'forceConflicts'>,
): Promise<boolean> {
  const { name, labels, annotations, properties } = wec;
  return retryConflicts(hub, async (isFirst) => {
    const { clusters, properties: configMaps } = isFirst ? present : await readPresent(hub);
    const cluster = clusters.get(name);
    // In a dry run it has not joined.
    if (cluster === undefined && hub.dryRun) return false;
    if (cluster === undefined) throw noSuchWec(name, hub);
    const plan = planValues(fleet, wec, { clusters, properties: configMaps }, options);
    const error = conflictOf(plan, hub, name);
    if (error !== undefined) throw error;
    if (plan.writes.cluster)
      await writeObject(hub, fleet, resources.managedClusters, cluster, {
        removed: { metadata: { labels: removedOf(plan, 'label'), annotations: removedOf(plan, 'annotation') } },
        wanted: { metadata: { name, labels, annotations } },
      });
    if (plan.writes.properties) {
      if (!configMaps.has(name)) await ensurePropertiesNamespace(hub);
      await writeObject(hub, fleet, resources.configMaps, configMaps.get(name), {
        removed: { data: removedOf(plan, 'property') },
        wanted: { metadata: { name, namespace: propertiesNamespace }, data: properties },
      });
    }
    return plan.writes.cluster || plan.writes.properties;
  });
}

type Removed = Record<string, null>;

/**
 * First removes what left the file, then applies the rest: applied first, an interruption would leave a value that nobody owns.
 * Both fail with 409 if the object has changed since it was read.
 */
async function writeObject(
  hub: Kube,
  fleet: string,
  resource: Resource,
  present: KubeObject | undefined,
  given: {
    removed: { metadata?: { labels: Removed; annotations: Removed }; data?: Removed };
    wanted: KubeObject & { data?: Record<string, string> };
  },
): Promise<void> {
  const { removed, wanted } = given;
  const { name, namespace } = wanted.metadata;
  let read = versionOf(present);
  if (Object.keys({ ...removed.metadata?.labels, ...removed.metadata?.annotations, ...removed.data }).length > 0) {
    const patch = { ...removed, metadata: { ...removed.metadata, ...read } };
    read = versionOf(await hub.merge(resource, name, patch, { namespace }));
  }
  const { apiVersion, kind } = resource;
  await hub.applyAs(managerOf(fleet), { apiVersion, kind, ...wanted, metadata: { ...wanted.metadata, ...read } });
}

const versionOf = (object: KubeObject | undefined): { uid?: string; resourceVersion?: string } => {
  const { uid, resourceVersion } = object?.metadata ?? {};
  return { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
};

const removedOf = ({ changes }: ValuePlan, kind: ValueKindName): Removed =>
  Object.fromEntries(changes.flatMap((each) => (each.kind === kind && each.to === null ? [[each.key, null]] : [])));
