import { withChanges } from '../core/changes.ts';
import { concurrentRequests, mapConcurrently } from '../core/concurrency.ts';
import { ExitCode, failureOf, StellarError } from '../core/errors.ts';
import { advice } from '../core/next-step.ts';
import { refuseManyRemovals } from '../core/removal-limit.ts';
import type { Run } from '../core/run.ts';
import type { Kube } from '../kube/client/client.ts';
import { type ConfigMap, resources } from '../kube/client/objects.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import { listServed } from '../kube/served.ts';
import { clusterUid, recordedUid } from '../ocm/cluster-uid.ts';
import { type Endpoint, verifyEndpoint } from '../ocm/endpoint.ts';
import { accessHub, type HubAccess } from '../ocm/hub-access.ts';
import { hubConnectionOf } from '../ocm/hub-connection.ts';
import { hasJoined } from '../ocm/hub-evidence.ts';
import { type PoliciesOfIts, propertiesNamespace } from '../ocm/kubestellar-api.ts';
import type { ManagedCluster } from '../ocm/ocm-objects.ts';
import { notAHub } from '../ocm/require-hub.ts';
import { readWec } from '../ocm/wec-evidence.ts';
import { readRemainingWorks, unsentObjects } from '../wecs/former-hub.ts';
import { proveIdentity } from '../wecs/identity.ts';
import type { JoiningWec, JoinOptions, RemainingWorks } from '../wecs/join-options.ts';
import { hubReads, type JoinProbes, planJoin } from '../wecs/join-plan.ts';
import { type SideEffects, sideEffectsOf, type WecChange } from '../workloads/side-effects.ts';
import { type Fleet, type FleetWec, joinOptionsOf } from './fleet-file.ts';
import {
  fleetAnnotation,
  hasOtherFleet,
  judgeValues,
  type ValueChange,
  type ValueConflict,
  type ValuePath,
} from './owned-values.ts';

/** The values of a WEC that a file sets, each with its place in an object. */
const valueKinds = [
  { kind: 'label', path: 'labels', wantedOf: ({ labels }: FleetWec) => labels },
  { kind: 'annotation', path: 'annotations', wantedOf: ({ annotations }: FleetWec) => annotations },
  { kind: 'property', path: 'data', wantedOf: ({ properties }: FleetWec) => properties },
] as const satisfies readonly { kind: string; path: ValuePath; wantedOf(wec: FleetWec): Record<string, string> }[];

export type ValueKindName = (typeof valueKinds)[number]['kind'];

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

export interface FleetPlan {
  fleet: string;
  its: string;
  items: WecPlan[];
  /** WECs that the fleet has joined and that left the file; without `prune` they stay. */
  former: string[];
  /** Whether agents delete what is held on their WECs. */
  evictWorks: boolean;
  /** What the plan rests on. */
  present: Present;
  /** What the changes of labels and properties do to running workloads. */
  effects: SideEffects;
}

/** The clusters of a fleet. */
export interface FleetClusters {
  its: { kube: Kube; context: SelectedContext };
  /** A client for a WEC. @throws StellarError `context-unknown` */
  open(wec: FleetWec): Promise<Kube>;
  /** Reads the binding policies that may send workloads to these WECs, as far as they can be read. */
  readPolicies(wecs: readonly string[]): Promise<PoliciesOfIts>;
}

export interface FleetOptions {
  /** Keys whose values are taken from other programs. */
  forceConflicts: readonly string[];
  /** Whether WECs that it has joined and that left the file are deregistered. */
  prune: boolean;
  /** Whether WECs that are registered with another hub are moved. */
  replaceHub: boolean;
  /** Whether agents may delete what another hub has sent, and the ITS has not. */
  evictWorks: boolean;
  /** So many at most (default: the larger of 1 and 10 % of the WECs of the ITS). */
  maxRemoved?: number | undefined;
}

/** What the ITS has. */
export interface Present {
  clusters: Map<string, ManagedCluster>;
  properties: Map<string, ConfigMap>;
}

/** Reads the ITS once and the WECs in parallel, and compares them with the file. It writes nothing. @throws StellarError `not-a-hub` */
export async function planFleet(fleet: Fleet, clusters: FleetClusters, options: FleetOptions, run: Run) {
  const { its, readPolicies } = clusters;
  const [present, access] = await Promise.all([readPresent(its.kube), accessHub(its.kube, its.context, undefined)]);
  const checked = await checkClusters(fleet, present, access, clusters, options, run);
  const wanted = fleet.wecs.map((wec): WecPlan => {
    const { name } = wec;
    const plan = planValues(fleet.name, wec, present, options);
    const { error = conflictOf(plan, its.kube, name), ...unsentWorks } = checked.get(name) ?? {};
    const action = actionOf(present.clusters.get(name), unsentWorks, plan);
    const adopts = plan.writes.cluster || plan.writes.properties;
    return { name, action, changes: plan.changes, adopts, ...(error && { error }), ...unsentWorks };
  });
  const former = formerWecs(fleet, present);
  const removed = options.prune ? former : [];
  const removals = { wecs: removed.length, of: present.clusters.size, max: options.maxRemoved };
  refuseManyRemovals(removals, 'would be deregistered');
  const leaving = removed.map((name): WecPlan => ({ name, action: 'remove', changes: [], adopts: false }));
  const items = [...wanted, ...leaving];
  const changes = fleet.wecs.flatMap((wec) => wecChange(wec, wanted, present));
  const effects =
    changes.length === 0 ? noEffects : sideEffectsOf(await readPolicies(changes.map(({ name }) => name)), changes);
  const { evictWorks } = options;
  return { fleet: fleet.name, its: its.context.name, items, former, evictWorks, present, effects };
}

/** The plan for an ITS that does not exist yet: every WEC joins. */
export function planNew(fleet: Fleet): FleetPlan {
  const items = fleet.wecs.map((wec): WecPlan => {
    const { changes } = planValues(fleet.name, wec, nothing, { forceConflicts: [] });
    return { name: wec.name, action: 'join', changes, adopts: true };
  });
  return {
    fleet: fleet.name,
    its: fleet.its[0]?.name ?? '',
    items,
    former: [],
    evictWorks: false,
    present: nothing,
    effects: noEffects,
  };
}

const nothing: Present = { clusters: new Map(), properties: new Map() };
const noEffects: SideEffects = { starting: [], released: [], unread: [] };

export async function readPresent(hub: Kube): Promise<Present> {
  const [clusters, configMaps] = await Promise.all([
    hub.list<ManagedCluster>(resources.managedClusters),
    listServed<ConfigMap>(hub, resources.configMaps, { namespace: propertiesNamespace }),
  ]);
  if (clusters === undefined) throw notAHub(hub);
  return {
    clusters: new Map(clusters.map((each) => [each.metadata.name, each])),
    properties: new Map(configMaps.map((each) => [each.metadata.name, each])),
  };
}

/** The WECs that the fleet has joined and no longer lists, without those that another fleet has applied values to. */
export function formerWecs(fleet: Fleet, { clusters, properties }: Present): string[] {
  return [...clusters.values()]
    .filter(({ metadata }) => metadata.annotations?.[fleetAnnotation] === fleet.name)
    .map(({ metadata }) => metadata.name)
    .filter((name) => !fleet.wecs.some((wec) => wec.name === name))
    .filter((name) => !hasOtherFleet(fleet.name, [clusters.get(name), properties.get(name)]))
    .sort();
}

/** What the values of one WEC need. */
export interface ValuePlan {
  changes: WecPlan['changes'];
  conflicts: (ValueConflict & { kind: ValueKindName })[];
  /** Which objects must be written, for changes or for their ownership. */
  writes: { cluster: boolean; properties: boolean };
}

/** Compares the values of one WEC with those that the file wants. */
export function planValues(
  fleet: string,
  wec: FleetWec,
  { clusters, properties }: Present,
  { forceConflicts }: Pick<FleetOptions, 'forceConflicts'>,
): ValuePlan {
  const forced = new Set(forceConflicts);
  const judged = valueKinds.map(({ kind, path, wantedOf }) => {
    const object = path === 'data' ? properties.get(wec.name) : clusters.get(wec.name);
    return { kind, path, ...judgeValues(object, path, { fleet, values: wantedOf(wec), forced }) };
  });
  const open = judged.filter(({ changes, isOwned }) => changes.length > 0 || !isOwned);
  const former = clusters.get(wec.name)?.metadata.annotations?.[fleetAnnotation];
  const takenOver = former === undefined || former === fleet ? [] : [{ key: fleetAnnotation, from: former, to: fleet }];
  return {
    changes: [
      ...judged.flatMap(({ kind, changes }) => changes.map((change) => ({ kind, ...change }))),
      ...takenOver.map((change) => ({ kind: 'annotation' as const, ...change })),
    ],
    conflicts: judged.flatMap(({ kind, conflicts }) => conflicts.map((conflict) => ({ kind, ...conflict }))),
    writes: {
      cluster: takenOver.length > 0 || open.some(({ path }) => path !== 'data'),
      properties: open.some(({ path }) => path === 'data'),
    },
  };
}

const isRegistered = (managedCluster: ManagedCluster | undefined): boolean =>
  managedCluster?.spec?.hubAcceptsClient === true && hasJoined({ managedCluster });

/** The error of values that another program has set; undefined if there are none. */
export function conflictOf({ conflicts }: ValuePlan, hub: Kube, name: string): StellarError | undefined {
  if (conflicts.length === 0) return undefined;
  const all = conflicts.map(({ kind, key, value, managers }) => `${kind} ${key}=${value} of ${managers.join(', ')}`);
  return new StellarError('label-conflict', `${name} has on ${hub.cluster.context}: ${all.join('; ')}.`, {
    next: [advice(`To own them: --force-conflicts ${[...new Set(conflicts.map(({ key }) => key))].join(',')}`)],
  });
}

type Checked = Pick<WecPlan, 'error' | 'note' | 'from' | 'works' | 'unsent'>;

function actionOf(cluster: ManagedCluster | undefined, { from }: Checked, { changes }: ValuePlan): WecPlan['action'] {
  if (from !== undefined) return 'move';
  if (!isRegistered(cluster)) return 'join';
  return changes.length > 0 ? 'change' : 'unchanged';
}

/** Reads the clusters behind the contexts: each must be the WEC of its name, or be free to become it. */
async function checkClusters(
  fleet: Fleet,
  present: Present,
  access: HubAccess,
  { its, open }: FleetClusters,
  { replaceHub }: FleetOptions,
  run: Run,
): Promise<Map<string, Checked>> {
  const hub = hubReads(its.kube, fleet.wecs);
  let verified: Promise<string | undefined> | undefined;
  const checks: JoinProbes = {
    hub,
    verify(endpoint) {
      verified ??= verifyEndpoint(access.its, endpoint, run);
      return verified;
    },
    // A new check would be a write.
    isStillConnected: async (_, klusterlet) => hubConnectionOf(klusterlet).state === 'working',
  };
  const uids = new Map<string, string>();
  const checkOne = async (wec: FleetWec, kube: Kube): Promise<Checked> => {
    const cluster = present.clusters.get(wec.name);
    const uid = await clusterUid(kube);
    const other = uid === undefined ? undefined : uids.get(uid);
    if (uid !== undefined) uids.set(uid, other ?? wec.name);
    if (other !== undefined) return { error: sameCluster(wec.name, other) };
    const joining = { name: wec.name, kube };
    if (isRegistered(cluster)) return checkRegistered(its.kube, access, { ...joining, uid }, cluster, hub.uid);
    return checkNew(access, joining, await joinOptionsOf(fleet.name, wec, cluster), checks, replaceHub);
  };
  const checked = await mapConcurrently(fleet.wecs, concurrentRequests, async (wec): Promise<[string, Checked]> => {
    const registered = isRegistered(present.clusters.get(wec.name));
    try {
      if (wec.context === undefined) return [wec.name, registered ? {} : { error: withoutContext(wec.name) }];
      return [wec.name, await checkOne(wec, await open(wec))];
    } catch (error) {
      const failure = failureOf(error);
      // Its labels are on the ITS.
      const isAway = registered && failure.exitCode === ExitCode.unreachable;
      const note = `The cluster of ${wec.name} was not checked: ${failure.why}.`;
      return [wec.name, isAway ? { note } : { error: failure }];
    }
  });
  return new Map(checked);
}

export const knownEndpoints = ({ external, internal }: HubAccess): Endpoint[] =>
  internal === undefined ? [external] : [external, { ...internal, published: true }];

/** Whether a context leads to the WEC of its name. */
async function checkRegistered(
  hub: Kube,
  access: HubAccess,
  { name, kube, uid }: JoiningWec & { uid: string | undefined },
  cluster: ManagedCluster | undefined,
  uidOfHub: () => Promise<string | undefined>,
): Promise<Checked> {
  const recorded = recordedUid(cluster);
  const unsent = await unsentObjects(hub, kube, name);
  const unsentWorks = unsent === undefined ? {} : { unsent };
  if (recorded !== undefined && recorded === uid) return unsentWorks;
  const known = { name, endpoints: knownEndpoints(access), recordedUid: recorded, uidOfHub };
  const identity = await proveIdentity(hub, kube, await readWec(kube), known);
  if (identity.state === 'proven') return unsentWorks;
  if (identity.state === 'unseen')
    return { note: `Whether ${kube.cluster.context} is ${name} was not proven: ${identity.found}.` };
  return { error: otherCluster(name, kube, identity.found) };
}

/** Whether a cluster can join, and what runs there that another hub, or a lost one, has sent. */
async function checkNew(
  access: HubAccess,
  wec: JoiningWec,
  options: JoinOptions,
  checks: JoinProbes,
  replacesHub: boolean,
): Promise<Checked> {
  // The user is asked about the plan of all WECs.
  const replaceHub = replacesHub ? async () => false : undefined;
  const { notes, former, wecBefore } = await planJoin(access, wec, { ...options, replaceHub }, checks);
  const works = await readRemainingWorks(wec.kube, wecBefore);
  return {
    ...(notes.length > 0 && { note: notes.join(' ') }),
    ...(former && { from: former.server }),
    ...((former || works?.evicted.length) && { works: works ?? null }),
  };
}

const withoutContext = (name: string): StellarError =>
  new StellarError('context-unknown', `${name} is not registered, and the file gives no context of it.`);

const sameCluster = (name: string, other: string): StellarError =>
  new StellarError('same-cluster', `${name} and ${other} are the same cluster.`);

function otherCluster(name: string, { cluster }: Kube, found: string): StellarError {
  const message = `The context ${cluster.context} does not lead to the WEC ${name}: ${found}.`;
  return new StellarError('registered-elsewhere', message);
}

/** The labels of a WEC before and after, if some of them change, which policies may select by. */
function wecChange(wec: FleetWec, plans: readonly WecPlan[], { clusters }: Present): WecChange[] {
  const cluster = clusters.get(wec.name);
  const plan = plans.find(({ name }) => name === wec.name);
  const changed = plan?.changes.flatMap(({ kind, key, to }) => (kind === 'label' ? [[key, to] as const] : [])) ?? [];
  if (cluster === undefined || changed.length === 0 || plan?.error !== undefined) return [];
  const before = cluster.metadata.labels ?? {};
  return [{ name: wec.name, before, after: withChanges(before, Object.fromEntries(changed)) }];
}
