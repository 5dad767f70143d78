import { mapConcurrently } from '../core/concurrency.ts';
import { type ChangeResult, forName, type NamedResult } from '../core/each-name.ts';
import { type ErrorCode, StellarError } from '../core/errors.ts';
import { type Confirm, type Effect, readConfirmed } from '../core/read-confirmed.ts';
import { lostBy } from '../forecast/losses.ts';
import { type Foreseen, type ForeseenKube, foreseen } from '../kube/client/foreseen.ts';
import { type KubeObject, type Resource, resources } from '../kube/client/objects.ts';
import { ensureNamespace, retryConflicts } from '../kube/writes.ts';
import { noSuchWec } from '../ocm/hub/find-wecs.ts';
import { accessHub } from '../ocm/hub/hub-access.ts';
import { inProperties, propertiesNamespace } from '../ocm/model/kubestellar-names.ts';
import { withHostingLease } from '../spaces/hosting/hosting-lease.ts';
import type { WecResult } from '../wecs/follow/follow-registration.ts';
import { resumeEviction } from '../wecs/join/evict-from-former-hub.ts';
import { join } from '../wecs/join/join.ts';
import type { Moving } from '../wecs/join/join-options.ts';
import { type FleetWec, joinOptionsOf } from './fleet-file.ts';
import {
  conflictOf,
  fleetAnnotation,
  managerOf,
  type Present,
  planValues,
  readPresent,
  type ValueKindName,
  type ValuePlan,
} from './owned-values.ts';
import { type FleetPlan, type FleetWork, planFleet, requireOwn, type WecPlan } from './plan.ts';

/** The result for one WEC. The fields are an interface: docs/output.md. */
export interface FleetResult extends ChangeResult {
  /** not-begun: the first WEC that moved has failed. */
  action: WecPlan['action'] | 'not-begun';
}

/** So many WECs are written at once: a hub may allow one user few requests a second. */
const writesAtOnce = 4;

/**
 * Makes the WECs of an ITS what a file says: registers what is missing, then sets labels, annotations and properties. It can be
 * rerun to resume. Errors of single WECs are in the results; if a part of the file cannot be true, nothing is written.
 * @param confirm shows the plan and asks
 * @param prune deregisters WECs that left the file, as the last step, after a question of its own; `permit` throws for one that
 *   another writer has taken since
 * @param tryOut lets KubeStellar try the labels of the plan first
 */
export function applyFleet(
  work: FleetWork,
  confirm: Confirm<FleetPlan>,
  prune: (
    wecs: readonly string[],
    permit: (name: string) => Promise<void>,
  ) => Promise<NamedResult[]>,
  tryOut: (plan: FleetPlan) => Promise<void>,
): Promise<FleetResult[]> {
  const { fleet, run, its } = work;
  return withHostingLease(its.kube, `fleet apply ${fleet.name}`, run, async () => {
    const plan = await readConfirmed<FleetPlan>({
      read: () => planFleet(work),
      effects: agreedTo,
      confirm,
    });
    if (isRefused(plan)) return plan.items.map(resultOf);
    await tryOut(plan);
    const results = await applyPlan(work, plan);
    const removed = plan.items.flatMap(({ name, action }) => (action === 'remove' ? name : []));
    const isComplete = results.every(
      ({ error, action }) => error === undefined && action !== 'not-begun',
    );
    if (removed.length > 0 && !isComplete)
      run.progress.note(`Not deregistered, because others failed: ${removed.join(', ')}.`);
    const permit = (name: string) => requireOwn(fleet, its.kube, name);
    const pruned = removed.length > 0 && isComplete ? await prune(removed, permit) : [];
    return [
      ...results,
      ...pruned.map((result) => ({ changed: false, ...result, action: 'remove' as const })),
    ];
  });
}

/** Lets the agents of joined WECs delete what was held, where that was asked for. */
async function resumeEvictions(
  { its, options, run, open }: FleetWork,
  planned: readonly Planned[],
  results: readonly FleetResult[],
) {
  const done = results.filter(({ error, action }) => error === undefined && action !== 'not-begun');
  await mapConcurrently(planned, async ({ wec, item: { unsent }, isNew }) => {
    const result = done.find(({ name }) => name === wec.name);
    if (result === undefined || !(isNew || unsent !== undefined)) return;
    await forName(result, run, async () => {
      await resumeEviction(its.kube, { name: wec.name, kube: await open(wec) }, options, run);
    });
  });
}

/** A file whose plan is agreed to. */
export interface ForeseenWork extends FleetWork {
  /** What the plan does to workloads. */
  effects: Foreseen;
}

/** Registers and writes what the plan says, without removals. */
async function applyPlan(planning: FleetWork, plan: FleetPlan) {
  const work: ForeseenWork = { ...planning, effects: plan.effects };
  const { fleet, run } = work;
  const planned = await mapConcurrently(
    fleet.wecs,
    async (wec): Promise<Planned> => {
      const item = plan.items.find(({ name }) => name === wec.name) as WecPlan;
      const isNew = item.action === 'join' || item.action === 'move';
      if (!isNew || item.error !== undefined || Object.keys(wec.properties).length === 0)
        return { wec, item, isNew };
      // Its labels come with its registration.
      const { error } = await forName(resultOf(item), run, async () => {
        await addProperties(work, wec, plan.present, item);
      });
      return { wec, item: error === undefined ? item : { ...item, error }, isNew };
    },
    writesAtOnce,
  );
  const joined = await joinAll(work, planned, plan.present);
  const { kube: hub } = work.its;
  const present = joined.size > 0 && !run.dryRun ? await readPresent(hub) : plan.present;
  const results = await mapConcurrently(
    planned,
    async ({ wec, item, isNew }): Promise<FleetResult> => {
      const { name } = wec;
      const before = joined.get(name);
      const result = { ...resultOf(item), changed: before?.changed === true };
      if (before?.error !== undefined) return { ...result, error: before.error };
      if (isNew && before === undefined && item.error === undefined)
        return { ...result, action: 'not-begun' };
      return forName(result, run, async () => {
        if (item.error !== undefined) throw item.error;
        const changed = await writeValues(work, wec, present);
        // The fleet becomes an owner of values that are as the file says.
        const words = item.action === 'unchanged' ? 'owned now' : 'changed';
        if (!run.dryRun && before === undefined)
          run.progress.done(name, changed ? words : 'as the file says', changed);
      });
    },
    writesAtOnce,
  );
  await resumeEvictions(work, planned, results);
  return results;
}

const resultOf = ({ name, action, error }: WecPlan): FleetResult => ({
  name,
  action,
  changed: false,
  ...(error && { error }),
});

/** Errors of what the file says, which stop everything: one wrong line may be a sign of more. */
const wrongStatements: readonly ErrorCode[] = [
  'context-unknown',
  'same-cluster',
  'registered-elsewhere',
  'name-taken',
  'label-conflict',
];

/** Whether a part of the file cannot be true, so that nothing of it is written. */
export const isRefused = ({ items }: FleetPlan) =>
  items.some(({ error }) => error !== undefined && wrongStatements.includes(error.code));

/** What a plan takes from WECs: it is counted by the limit. */
export const takenByPlan = ({
  items,
  effects,
  evictWorks,
}: Pick<FleetPlan, 'items' | 'effects' | 'evictWorks'>): Effect[] => [
  ...items.flatMap(({ name: wec, action, unsent = [] }) => [
    ...(action === 'remove' ? [{ object: 'its registration', wec }] : []),
    ...(evictWorks ? unsent.map((object) => ({ object, wec })) : []),
  ]),
  ...lostBy(effects),
];

/** What the user must have agreed to, by names that stay the same while agents make progress. */
function agreedTo(plan: FleetPlan): Effect[] {
  return [
    ...plan.items.flatMap(({ name: wec, from, changes }) => [
      ...(from === undefined ? [] : [{ object: `its registration at ${from}`, wec }]),
      ...changes.flatMap(({ kind, key, from: before, to }) =>
        before === null ? [] : { object: `${kind} ${key}: ${before} → ${to ?? '-'}`, wec },
      ),
    ]),
    ...takenByPlan(plan),
  ];
}

/** A WEC of the file, and what becomes of it. */
interface Planned {
  wec: FleetWec;
  item: WecPlan;
  /** Whether it registers with the ITS. */
  isNew: boolean;
}

/** Those that another hub has sent works to come first, one of them alone; if that fails, none of them follows. */
async function joinAll(
  { fleet, options: { replaceHub }, run, its, open, effects }: ForeseenWork,
  planned: readonly Planned[],
  { clusters }: Present,
): Promise<Map<string, WecResult>> {
  const wecs = planned.filter(({ isNew, item }) => isNew && item.error === undefined);
  if (wecs.length === 0) return new Map();
  const access = await accessHub(its);
  const confirmMove = replaceHub ? requirePlanned(wecs) : undefined;
  const options = { accept: true, labels: {}, holdWorks: true, replaceHub: confirmMove, effects };
  const joinSome = async (some: readonly Planned[]): Promise<WecResult[]> => {
    const joining = some.map(async ({ wec }) => {
      const wecOptions = await joinOptionsOf(fleet.name, wec, clusters.get(wec.name));
      return { name: wec.name, kube: await open(wec), options: wecOptions };
    });
    return join(access, await Promise.all(joining), options, run);
  };
  const [first, ...others] = wecs.filter(({ item }) => item.works !== undefined);
  const begun = first === undefined ? [] : await joinSome([first]);
  const isProven = begun.every(({ error }) => error === undefined);
  if (!isProven) for (const { wec } of others) run.progress.failed(wec.name);
  const fresh = wecs.filter(({ item }) => item.works === undefined);
  const rest = await joinSome([...(isProven ? others : []), ...fresh]);
  return new Map([...begun, ...rest].map((result) => [result.name, result]));
}

/** Moves only what the plan showed. @throws StellarError `conflict` */
const requirePlanned =
  (planned: readonly Planned[]): Confirm<Moving> =>
  async ({ name, from }) => {
    if (planned.some(({ item }) => item.name === name && item.from === from)) return false;
    throw new StellarError(
      'conflict',
      `${name} is registered with ${from} now, which the plan did not show.`,
    );
  };

/**
 * Writes what differs, guarded by what was read. Properties come before labels where they are added, and after them where they are removed:
 * a policy that selects a WEC without a property that its templates ask for is sent to no WEC any more (kubestellar 0.30.0).
 * @returns whether anything was written
 */
export async function writeValues(work: ForeseenWork, wec: FleetWec, present: Present) {
  const {
    fleet: { name: fleet },
    options: { forceConflicts },
    its: { kube: hub },
    effects,
  } = work;
  const writer = foreseen(hub, effects);
  const { name, labels, annotations } = wec;
  return retryConflicts(hub, async (isFirst) => {
    const current = isFirst ? present : await readPresent(hub);
    const cluster = current.clusters.get(name);
    // In a dry run it has not joined.
    if (cluster === undefined && hub.dryRun) return false;
    if (cluster === undefined) throw await noSuchWec(name, hub);
    const plan = planValues(fleet, wec, current, forceConflicts);
    const error = conflictOf(plan, hub, name);
    if (error !== undefined) throw error;
    const removesOnly = plan.changes.every(({ kind, to }) => kind !== 'property' || to === null);
    const removed = removedOf(plan, 'property');
    const removesProperties = Object.keys(removed).length > 0;
    const kept =
      plan.writes.properties && !(removesOnly && removesProperties)
        ? await addProperties(work, wec, current, plan)
        : current.properties.get(name);
    if (plan.writes.cluster)
      await writeObject(writer, fleet, cluster, {
        resource: resources.managedClusters,
        removed: {
          metadata: {
            labels: removedOf(plan, 'label'),
            annotations: removedOf(plan, 'annotation'),
          },
        },
        wanted: { metadata: { name, labels, annotations } },
      });
    if (removesProperties)
      await writeObject(writer, fleet, kept, propertiesOf(wec, wec.properties, removed));
    return plan.writes.cluster || plan.writes.properties;
  });
}

/** Writes the properties of a WEC, and keeps those that leave the file. @returns the stored ConfigMap */
async function addProperties(
  { fleet, its: { kube: hub }, effects }: ForeseenWork,
  wec: FleetWec,
  { properties: configMaps }: Present,
  { changes }: Pick<WecPlan, 'changes'>,
): Promise<KubeObject> {
  const present = configMaps.get(wec.name);
  const leaving = Object.fromEntries(
    changes.flatMap(({ kind, key, from, to }) =>
      kind === 'property' && from !== null && to === null ? [[key, from]] : [],
    ),
  );
  if (present === undefined) await ensureNamespace(hub, propertiesNamespace);
  return writeObject(
    foreseen(hub, effects),
    fleet.name,
    present,
    propertiesOf(wec, { ...leaving, ...wec.properties }),
  );
}

const propertiesOf = ({ name }: FleetWec, data: Record<string, string>, removed: Removed = {}) => ({
  resource: resources.propertyConfigMaps,
  removed: { data: removed },
  wanted: { metadata: { name, ...inProperties }, data },
});

type Removed = Record<string, string | null>;

/**
 * First removes what left the file, then applies the rest: applied first, an interruption would leave a value that nobody owns.
 * Both fail with 409 if the object has changed since it was read. @returns the stored object
 */
export async function writeObject(
  hub: ForeseenKube,
  fleet: string,
  present: KubeObject | undefined,
  {
    resource,
    removed,
    wanted,
  }: {
    resource: Resource;
    removed: { metadata?: { labels: Removed; annotations: Removed }; data?: Removed };
    wanted: KubeObject & { data?: Record<string, string> };
  },
): Promise<KubeObject> {
  const { apiVersion, kind } = resource;
  const { name, namespace } = wanted.metadata;
  // Created without values, which only an apply owns: the next apply removes what has left the file.
  const base = { apiVersion, kind, metadata: { name, ...(namespace && { namespace }) } };
  let read = versionRefOf(
    present ?? (hub.dryRun ? undefined : await hub.create(resource, base, { namespace })),
  );
  if (
    Object.keys({ ...removed.metadata?.labels, ...removed.metadata?.annotations, ...removed.data })
      .length > 0
  ) {
    const patch = { ...removed, metadata: { ...removed.metadata, ...read } };
    read = versionRefOf(await hub.merge(resource, name, patch, { namespace }));
  }
  return hub.applyAs(managerOf(fleet), {
    apiVersion,
    kind,
    ...wanted,
    metadata: { ...wanted.metadata, ...read },
  });
}

const versionRefOf = (object: KubeObject | undefined) => {
  const { uid, resourceVersion } = object?.metadata ?? {};
  return { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
};

/** What is not applied: which fleet has joined a WEC is not one of the file's values. */
const removedOf = ({ changes }: ValuePlan, kind: ValueKindName): Removed =>
  Object.fromEntries(
    changes.flatMap((each) =>
      each.kind === kind && (each.to === null || each.key === fleetAnnotation)
        ? [[each.key, each.to]]
        : [],
    ),
  );
