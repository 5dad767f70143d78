import { mapConcurrently } from '../core/concurrency.ts';
import { ExitCode, failureOf, StellarError } from '../core/errors.ts';
import { refuseManyRemovals } from '../core/read-confirmed.ts';
import type { Run } from '../core/run.ts';
import type { Forecast } from '../forecast/forecast.ts';
import { type LookOn, noForecast } from '../forecast/read-forecast.ts';
import { type WecChange, wecChange } from '../forecast/wec-change.ts';
import type { Kube } from '../kube/client/client.ts';
import { namesOf } from '../kube/client/objects.ts';
import { readWec } from '../ocm/agent/wec-evidence.ts';
import { clusterUid, recordedUid } from '../ocm/hub/cluster-uid.ts';
import { accessHub, type HubAccess, knownEndpoints } from '../ocm/hub/hub-access.ts';
import { hasJoined } from '../ocm/hub/hub-evidence.ts';
import type { Its } from '../ocm/hub/its.ts';
import type { ManagedCluster } from '../ocm/model/ocm-objects.ts';
import { readRemainingWorks, unsentObjects } from '../wecs/join/evict-from-former-hub.ts';
import type { JoiningWec, RemainingWorks } from '../wecs/join/join-options.ts';
import { planJoin } from '../wecs/join/join-plan.ts';
import { type JoinProbes, joinProbes } from '../wecs/join/join-requirements.ts';
import { proveIdentity, requireProof } from '../wecs/registration/identity.ts';
import { type Fleet, type FleetWec, joinOptionsOf } from './fleet-file.ts';
import {
  conflictOf,
  fleetAnnotation,
  fleetsOf,
  managerOf,
  type Present,
  planValues,
  readPresent,
  type ValueChange,
  type ValueKindName,
  type ValuePlan,
} from './owned-values.ts';

/** What becomes of one WEC. The fields are an interface: docs/output.md. */
export interface WecPlan {
  name: string;
  action: 'join' | 'move' | 'change' | 'unchanged' | 'remove';
  changes: (ValueChange & { kind: ValueKindName })[];
  /** Whether the fleet becomes an owner of values that stay as they are. */
  adopts: boolean;
  /** Why it cannot be done; nothing of it is written then. */
  error?: StellarError;
  /** What was not checked, a sentence. */
  note?: string;
  /** Of a WEC that moves: the server of the hub that its agent is registered with. */
  from?: string;
  /** What a hub that it is registered with, or that was lost, has sent; null if it may not be read. */
  works?: RemainingWorks | null;
  /** Of a WEC that has come from such a hub: the objects that the ITS has not sent yet. */
  unsent?: string[];
}

export type FleetPlan = Awaited<ReturnType<typeof planFleet>>;

/** What a file says about WECs, and what it is compared with. */
export interface FleetWork {
  fleet: Fleet;
  options: FleetOptions;
  run: Run;
  its: Its;
  /** A client for a WEC. @throws StellarError `context-unknown` */
  open(wec: FleetWec): Promise<Kube>;
  /** What changes of WECs do to workloads. */
  foresee(changes: readonly WecChange[], lookOn: LookOn): Promise<Forecast>;
}

export interface FleetOptions {
  /** Keys whose values are taken from other programs. */
  forceConflicts?: readonly string[];
  /** Whether WECs that it has joined and that left the file are deregistered. */
  prune?: boolean;
  /** Whether WECs that are registered with another hub are moved. */
  replaceHub?: boolean;
  /** Whether agents may delete what another hub has sent, and the ITS has not. */
  evictWorks?: boolean;
  /** So many at most (default: the larger of 1 and 10 % of the WECs of the ITS). */
  maxRemoved?: number | undefined;
}

/** Reads the ITS once and the WECs in parallel, and compares them with the file. It writes nothing. @throws StellarError `not-a-hub` */
export async function planFleet(work: FleetWork) {
  const { fleet, options, its, open } = work;
  const [present, access] = await Promise.all([readPresent(its.kube), accessHub(its)]);
  const checked = await checkClusters(work, present, access);
  const wanted = fleet.wecs.map((wec): WecPlan => {
    const { name } = wec;
    const plan = planValues(fleet.name, wec, present, options.forceConflicts);
    const { error = conflictOf(plan, its.kube, name), ...unsentWorks } = checked.get(name) ?? {};
    const action = actionOf(present.clusters.get(name), unsentWorks, plan);
    const adopts = plan.writes.cluster || plan.writes.properties;
    return { name, action, changes: plan.changes, adopts, ...(error && { error }), ...unsentWorks };
  });
  const former = formerWecs(fleet, present);
  const removed = options.prune ? former : [];
  const removals = { wecs: removed.length, of: present.clusters.size, max: options.maxRemoved };
  refuseManyRemovals(removals, 'would be deregistered');
  const leaving = removed.map(
    (name): WecPlan => ({ name, action: 'remove', changes: [], adopts: false }),
  );
  const items = [...wanted, ...leaving];
  const changes = wanted.flatMap((plan) => changeOf(plan, present));
  const lookOn = async (name: string) => {
    const wec = fleet.wecs.find((each) => each.name === name && each.context !== undefined);
    return wec && open(wec);
  };
  const { evictWorks = false } = options;
  return {
    fleet: fleet.name,
    its: its.context.name,
    items,
    /** WECs that the fleet has joined and that left the file; without `prune` they stay. */
    former,
    /** Those that it has not joined, and only given values, which stay as well. */
    left: leftWecs(fleet, present, former),
    /** Whether agents delete what is held on their WECs. */
    evictWorks,
    /** What the plan rests on. */
    present,
    /** What the changes of labels and properties do to running workloads. */
    effects: await work.foresee(changes, lookOn),
  };
}

/** The plan for an ITS that does not exist yet: every WEC joins. */
export function planNew(fleet: Fleet): FleetPlan {
  const items = fleet.wecs.map((wec): WecPlan => {
    const { changes } = planValues(fleet.name, wec, nothingPresent, []);
    return { name: wec.name, action: 'join', changes, adopts: true };
  });
  const rest = {
    former: [],
    left: [],
    evictWorks: false,
    present: nothingPresent,
    effects: noForecast,
  };
  return { fleet: fleet.name, its: fleet.its[0]?.name ?? '', items, ...rest };
}

const nothingPresent: Present = { clusters: new Map(), properties: new Map() };

/** The WECs that the fleet has joined and no longer lists, without those that another fleet has applied values to. */
export function formerWecs(fleet: Fleet, present: Present): string[] {
  const ofFleet = [...present.clusters.values()].filter(
    ({ metadata }) => metadata.annotations?.[fleetAnnotation] === fleet.name,
  );
  return namesOf(ofFleet)
    .filter((name) => !fleet.wecs.some((wec) => wec.name === name))
    .filter((name) => fleetsOf(name, present).every((each) => each === managerOf(fleet.name)))
    .sort();
}

/**
 * Reads once more whether the fleet still owns a WEC that left the file: another writer may have taken it since the plan.
 * @throws StellarError `conflict`
 */
export async function requireOwn(fleet: Fleet, hub: Kube, name: string): Promise<void> {
  const present = await readPresent(hub);
  if (!present.clusters.has(name) || formerWecs(fleet, present).includes(name)) return;
  throw new StellarError(
    'conflict',
    `Another fleet owns ${name} on ${hub.cluster.context} since the plan was made; it was not deregistered.`,
  );
}

/** The WECs that left the file and to which the fleet has only given values. */
export function leftWecs(fleet: Fleet, present: Present, former: readonly string[]): string[] {
  const listed = [...former, ...fleet.wecs.map(({ name }) => name)];
  const isOwned = (name: string) => fleetsOf(name, present).includes(managerOf(fleet.name));
  return [...present.clusters.keys()].filter((name) => !listed.includes(name) && isOwned(name));
}

const isRegistered = (managedCluster: ManagedCluster | undefined) =>
  managedCluster?.spec?.hubAcceptsClient === true && hasJoined({ managedCluster });

type Checked = Pick<WecPlan, 'error' | 'note' | 'from' | 'works' | 'unsent'>;

function actionOf(
  cluster: ManagedCluster | undefined,
  { from }: Checked,
  { changes }: ValuePlan,
): WecPlan['action'] {
  if (from !== undefined) return 'move';
  if (!isRegistered(cluster)) return 'join';
  return changes.length > 0 ? 'change' : 'unchanged';
}

/** Reads the clusters behind the contexts: each must be the WEC of its name, or be free to become it. */
async function checkClusters(
  { fleet, options: { replaceHub }, run, its, open }: FleetWork,
  present: Present,
  access: HubAccess,
): Promise<Map<string, Checked>> {
  const checks = joinProbes(access, fleet.wecs, run);
  const uids = new Map<string, string>();
  const checkOne = async (wec: FleetWec, kube: Kube): Promise<Checked> => {
    const { name } = wec;
    const cluster = present.clusters.get(name);
    const uid = await clusterUid(kube);
    const first = uid && uids.get(uid);
    if (first) throw new StellarError('same-cluster', `${name} and ${first} are the same cluster.`);
    if (uid) uids.set(uid, name);
    if (isRegistered(cluster))
      return checkRegistered(its.kube, access, { name, kube, uid, cluster }, checks);
    const joinOptions = await joinOptionsOf(fleet.name, wec, cluster);
    // The user is asked about the plan of all WECs.
    if (replaceHub) joinOptions.replaceHub = async () => false;
    return checkNew(access, { name, kube }, joinOptions, checks);
  };
  const checked = await mapConcurrently(fleet.wecs, async (wec): Promise<[string, Checked]> => {
    const { name } = wec;
    const registered = isRegistered(present.clusters.get(name));
    try {
      if (wec.context !== undefined) return [name, await checkOne(wec, await open(wec))];
      return [name, registered ? {} : { error: withoutContext(name) }];
    } catch (error) {
      const failure = failureOf(error);
      // Its labels are on the ITS.
      const isAway = registered && failure.exitCode === ExitCode.unreachable;
      const note = `The cluster of ${name} was not checked: ${failure.why}. ${staysHeld}`;
      return [name, isAway ? { note } : { error: failure }];
    }
  });
  return new Map(checked);
}

/** `fleet apply` lets agents delete what another hub has sent only where the cluster was checked. */
const staysHeld = 'What another hub has sent there, if anything, stays held.';

/** What a join would do. @throws StellarError for one that is refused */
async function checkNew(
  ...[access, joining, options, checks]: Parameters<typeof planJoin>
): Promise<Checked> {
  const { notes, former, wecBefore } = await planJoin(access, joining, options, checks);
  const works = await readRemainingWorks(joining.kube, wecBefore);
  return {
    ...(notes.length > 0 && { note: notes.join(' ') }),
    ...(former && { from: former.server }),
    ...((former || works?.evicted.length) && { works: works ?? null }),
  };
}

/** Whether a context leads to the WEC of its name. @throws StellarError `registered-elsewhere` */
async function checkRegistered(
  hub: Kube,
  access: HubAccess,
  {
    name,
    kube,
    uid,
    cluster,
  }: JoiningWec & { uid: string | undefined; cluster: ManagedCluster | undefined },
  { hub: ofHub }: JoinProbes,
): Promise<Checked> {
  const recorded = recordedUid(cluster);
  const unsent = await unsentObjects(hub, kube, name);
  const unsentWorks = unsent === undefined ? {} : { unsent };
  if (recorded !== undefined && recorded === uid) return unsentWorks;
  const known = {
    name,
    endpoints: knownEndpoints(access),
    managedCluster: cluster,
    uidOfHub: ofHub?.uid,
  };
  const identity = await proveIdentity(hub, kube, await readWec(kube), known);
  if (identity.state === 'unseen')
    return {
      note: `Whether ${kube.cluster.context} is ${name} was not proven: ${identity.found}. ${staysHeld}`,
    };
  requireProof(identity, kube, name, hub, []);
  return unsentWorks;
}

const withoutContext = (name: string) =>
  new StellarError(
    'context-unknown',
    `${name} is not registered, and the file gives no context of it.`,
  );

/** What changes of a WEC that policies may select it by, or that their templates ask for, and its acceptance. */
export function changeOf(
  plan: Pick<WecPlan, 'name' | 'changes' | 'error'>,
  { clusters, properties }: Present,
): WecChange[] {
  const { name } = plan;
  if (plan.error !== undefined) return [];
  const present = clusters.get(name);
  // Nothing is sent to one before it is accepted.
  const isNew = present?.spec?.hubAcceptsClient !== true;
  const cluster = present ?? { metadata: { name } };
  const to = (of: ValueKindName) =>
    Object.fromEntries(
      plan.changes.flatMap(({ kind, key, to: value }) => (kind === of ? [[key, value]] : [])),
    );
  const values = { labels: to('label'), annotations: to('annotation'), data: to('property') };
  const change = wecChange({ cluster, configMap: properties.get(name) }, values, isNew);
  const { lacks, stale } = change;
  return isNew || lacks.length + stale.length + Object.keys(values.labels).length > 0
    ? [change]
    : [];
}
