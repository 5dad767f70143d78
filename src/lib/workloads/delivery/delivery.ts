import { StellarError } from '../../core/errors.ts';
import { command, run } from '../../core/next-step.ts';
import type { BlockedVerdict } from '../../core/stages.ts';
import { type Access, errorOf, ifSeen, seen, through, tryRead } from '../../kube/access.ts';
import type { Kube, Selection } from '../../kube/client/client.ts';
import { missing, shownList } from '../../kube/client/missing.ts';
import {
  byName,
  conditionOf,
  isLiving,
  type KubeObject,
  namesOf,
  type Resource,
  resources,
  type WithConditions,
} from '../../kube/client/objects.ts';
import type { DiscoveredKind } from '../../kube/discovery.ts';
import { listIfDefined } from '../../kube/served.ts';
import {
  type Binding,
  type BindingPolicy,
  type BoundObject,
  combinedStatusLabels,
  destinationsOf,
  type KindRef,
  type Modulation,
  objectsOf,
} from '../../ocm/model/kubestellar-names.ts';
import type { ManifestWork } from '../../ocm/model/manifest-works.ts';
import { keyOf, keyOfCandidate } from '../../ocm/model/object-ref.ts';
import { statusAddon } from '../../ocm/model/ocm-names.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { selectorOfSent } from '../../ocm/sender.ts';
import { toSeeWds, type Wds } from '../../spaces/choose/open-wds.ts';
import { hasGuard, readGuard } from '../../spaces/guard.ts';
import { readControllers } from '../../spaces/space/controllers-run.ts';
import { selectsLabels } from '../selection/label-selectors.ts';
import { type NamespaceLabels, selectObjects } from '../selection/select-objects.ts';
import { readInventory, type Unseen, unseenOf } from '../selection/unseen.ts';
import type { WdsContents } from '../selection/wds-contents.ts';
import {
  type StatusCollector,
  statusesByPlace,
  statusKey,
  trimStatus,
  type WorkStatus,
} from '../status/returned-status.ts';
import type { WorkloadDifference } from './difference.ts';
import type { CustomTransform } from './transforms.ts';
import { readStops } from './what-stops.ts';
import { trimmer, WorksOfWds } from './works.ts';

/** The object of a WDS whose delivery is judged. */
export interface FollowedObject extends KindRef {
  namespace?: string | undefined;
  name: string;
  /** Undefined if the WDS does not have it. */
  object: KubeObject | undefined;
  /** Why it could not be read; undefined if it was read or not found. */
  unread?: string | undefined;
  /** The policies that select it now, with the modulation that they request. */
  selectedBy: ReadonlyMap<string, Modulation>;
  /** The labels of Namespaces, including its own. */
  namespaces: NamespaceLabels;
}

/** The delivery of an object by one policy to one WEC, with the evidence of each stage. */
export type Delivery = ReturnType<typeof deliveryOf> & {
  /** The context that is proven to lead to the WEC, and the generation of the object there. */
  context?: string | undefined;
  generation?: number | undefined;
  /** How the object there differs from its work, if that was compared. */
  difference?: WorkloadDifference | undefined;
};

/** Returns the deliveries of an object: one for each policy and WEC, or one that shows where delivery stops before that. */
export function deliveriesOf(of: FollowedObject, evidence: DeliveryEvidence): Delivery[] {
  const deliveries = policiesFor(of, evidence).flatMap((policyName) => {
    const wecs = wecsOfPolicy(policyName, evidence);
    return (wecs.length === 0 ? [undefined] : wecs).map((wec) =>
      deliveryOf(of, evidence, policyName, wec),
    );
  });
  return deliveries.length === 0 ? [deliveryOf(of, evidence)] : deliveries;
}

/** The policies that select an object, or whose Bindings name it. */
export const policiesFor = (of: FollowedObject, { bound }: Pick<WdsSide, 'bound'>) =>
  [...new Set([...of.selectedBy.keys(), ...(bound.get(keyOf(of))?.keys() ?? [])])].sort();

/** Returns the WECs that a Binding names and those that its policy selects now: KubeStellar can miss label changes of WECs. */
function wecsOfPolicy(name: string, { bindings, policies, inventory }: DeliveryEvidence) {
  const binding = bindings.get(name);
  const policy = policies.filter(isLiving).find(({ metadata }) => metadata.name === name);
  const named = destinationsOf(binding);
  if (binding === undefined || policy === undefined) return named;
  const selected = [...(ifSeen(inventory) ?? new Map<string, ManagedCluster>())].flatMap(
    ([wec, { metadata }]) =>
      selectsLabels(policy.spec?.clusterSelectors ?? [], metadata.labels ?? {}) ? wec : [],
  );
  return [...new Set([...named, ...selected])].sort();
}

function deliveryOf(
  of: FollowedObject,
  evidence: DeliveryEvidence,
  policyName?: string,
  wec?: string,
) {
  const { policies, bindings, inventory, works, workStatuses } = evidence;
  const name = policyName ?? '';
  const binding = bindings.get(name);
  const wecs = destinationsOf(binding);
  const bound = evidence.bound.get(keyOf(of))?.get(name);
  const known = <T, U>(access: Access<T>, read: (value: T, at: string) => U) =>
    access.state === 'seen'
      ? seen(wec === undefined ? undefined : read(access.value, wec))
      : access;
  return {
    of,
    evidence,
    /** Undefined if no policy selects the object. Also set for a Binding without a policy. */
    policyName,
    binding,
    bound,
    /** Undefined if the policy selects no WEC. */
    wec,
    /** What the policy requests besides sending the object. */
    modulation: bound ?? of.selectedBy.get(name) ?? ({} as Modulation),
    /** Whether the Binding names that WEC. The policy may select others now. */
    isBound: wecs.includes(wec ?? ''),
    policy: policies.find(({ metadata }) => metadata.name === policyName),
    cluster: known(inventory, (clusters, at) => clusters.get(at)),
    sent: known(works, (all, at) => all.find(name, at, of)),
    // An earlier WEC in the Binding that has no mailbox: the transport processes the WECs in the order of the Binding, and stops at
    // the first one for which it cannot write a work (kubestellar v0.30.0, pkg/transport/generic, propagateWrappedObjectToClusters).
    stoppedAt: wecs.slice(0, Math.max(0, wecs.indexOf(wec ?? ''))).find((other) => {
      const cluster = ifSeen(inventory)?.get(other);
      return cluster !== undefined && !hasMailbox(cluster);
    }),
    workStatus: known(workStatuses, (all, at) => all.get(statusKey(at, of))),
  };
}

/**
 * Whether an ITS has created a mailbox for a WEC. The ITS creates it when the WEC is first accepted, and keeps it if the WEC is
 * denied later (ocm v1.3.1, pkg/registration/hub/managedcluster).
 */
export const hasMailbox = (wec: ManagedCluster) =>
  wec.spec?.hubAcceptsClient === true ||
  conditionOf(wec, 'HubAcceptedManagedCluster') !== undefined;

/** One reading of everything that a WDS sends. */
export type DeliveryEvidence = Awaited<ReturnType<typeof readDelivery>>;

/** The evidence in the WDS. */
type WdsSide = Awaited<ReturnType<typeof readWdsSide>>;

type NamesIn = (inWds: WdsSide) => readonly string[];

/** The objects that Bindings name, by `keyOf` and the name of the Binding. */
export function boundObjects(bindings: readonly Binding[]) {
  const bound = new Map<string, Map<string, BoundObject>>();
  for (const binding of bindings)
    for (const object of objectsOf(binding)) {
      const key = keyOf(object);
      const same = bound.get(key) ?? new Map<string, BoundObject>();
      bound.set(key, same.set(binding.metadata.name, object));
    }
  return bound;
}

/**
 * Reads the evidence with one list per kind, regardless of the number of objects and WECs.
 * @param kinds those of the WDS
 * @param only names the policies to read; without it, all
 * @throws StellarError `not-found` if the cluster has no such objects
 */
export async function readDelivery(wds: Wds, kinds: readonly DiscoveredKind[], only?: NamesIn) {
  const its = Promise.all([
    readInventory(wds),
    through(wds.its, async ({ kube }) =>
      shownList(
        await kube.list<WithConditions>(resources.managedClusterAddOns, {
          fieldSelector: `metadata.name=${statusAddon}`,
        }),
      ),
    ),
  ]);
  const [inWds, controllers, transforms] = await Promise.all([
    readWdsSide(wds),
    tryRead(() => readControllers(wds)),
    tryRead(
      async () =>
        (await listIfDefined<CustomTransform>(wds.kube, resources.customTransforms)) ?? [],
    ),
  ]);
  const names = only?.(inWds);
  const [[inventory, addons], works, workStatuses] = await Promise.all([
    its,
    listSent<ManifestWork>(wds, resources.manifestWorks, trimmer(), names),
    listSent<WorkStatus>(wds, resources.workStatuses, trimStatus, names),
  ]);
  const clusters = await through(inventory, byName);
  const problems = ifSeen(controllers) ?? {};
  return {
    /** What keeps its controllers from working, as far as that is visible. */
    controllers: problems,
    /** Why its transport, which works, sends nothing of policies, by their names. */
    stops: problems.transport
      ? new Map<string, BlockedVerdict>()
      : await readStops(
          wds,
          [...inWds.bindings.values()].filter(
            ({ metadata }) => names?.includes(metadata.name) ?? true,
          ),
          kinds,
          ifSeen(clusters) ?? new Map(),
        ),
    wds,
    /** The context of the ITS; undefined if the ITS cannot be read. */
    its: ifSeen(wds.its)?.kube.cluster.context,
    ...inWds,
    works: await through(works, (all) => new WorksOfWds(all)),
    /** By WEC and object. */
    workStatuses: await through(workStatuses, statusesByPlace),
    transforms,
    inventory: clusters,
    /** The policies whose Bindings the guard keeps: none of their objects is selected now. */
    held: new Set<string>(),
    /** What the ITS says of status agents, by WEC, as far as it is visible. */
    statusAgents: new Map(
      (ifSeen(addons) ?? []).map((addon) => [addon.metadata.namespace ?? '', addon]),
    ),
    /** The clock of the WDS, in milliseconds since the epoch. */
    now: wds.kube.now(),
  };
}

/** Returns the parts of the evidence that could not be read. */
export const unseenIn = (evidence: DeliveryEvidence): Unseen[] => [
  ...unseenOf('WECs', evidence.inventory),
  // What is no hub has neither.
  ...(errorOf(evidence.inventory)?.code === 'not-a-hub'
    ? []
    : [
        ...unseenOf('works', evidence.works),
        ...unseenOf('statuses of WECs', evidence.workStatuses),
      ]),
  ...unseenOf('transforms', evidence.transforms),
  ...unseenOf('status collectors', evidence.collectors),
  ...unseenOf('combined statuses', evidence.combined),
];

async function readWdsSide(wds: Wds) {
  const { kube } = wds;
  const [policies, bindings, collectors, combined] = await Promise.all([
    kube.list<BindingPolicy>(resources.bindingPolicies),
    kube.list<Binding>(resources.bindings),
    tryRead(() => listIfDefined<StatusCollector>(kube, resources.statusCollectors)),
    tryRead(() => listIfDefined(kube, resources.combinedStatuses, { metadataOnly: true })),
  ]);
  if (policies === missing || bindings === missing) throw noPolicies(wds);
  return {
    policies,
    /** By name, including Bindings without a policy. */
    bindings: byName(bindings),
    bound: boundObjects(bindings),
    collectors: await through(collectors, (all) => byName(all ?? [])),
    /** By object and policy: `keyOf`, followed by the policy. */
    combined: await through(combined, (all) => new Set(all?.map(combinedKey))),
  };
}

/**
 * The policies whose Bindings the guard keeps, by the objects of their kinds. A Binding of which an object is still selected is only
 * about to change. What cannot be read is not known to be held.
 */
export async function heldBindings(
  kube: Pick<Kube, 'cluster' | 'list' | 'read'>,
  { policies, bindings }: Pick<WdsSide, 'policies' | 'bindings'>,
  contents: WdsContents,
): Promise<Set<string>> {
  if (contents.unread.length > 0) return new Set();
  const guardedPolicies = policies.filter(isLiving).filter(({ metadata, spec }) => {
    const binding = bindings.get(metadata.name);
    const bound = new Set((binding === undefined ? [] : objectsOf(binding)).map(keyOf));
    if (bound.size === 0) return false;
    const objects = contents.objects.filter((object) => bound.has(keyOfCandidate(object)));
    return selectObjects(spec?.downsync ?? [], objects, contents.namespaces).length === 0;
  });
  if (guardedPolicies.length === 0) return new Set();
  const guard = ifSeen(await tryRead(() => readGuard(kube)));
  return new Set(guard && hasGuard(guard) ? namesOf(guardedPolicies) : []);
}

export const noPolicies = (wds: Wds) =>
  new StellarError(
    'not-found',
    `${wds.name} has no binding policies: KubeStellar has not defined them there.`,
    ...(wds.isContext
      ? [run(command`kubectl --context ${wds.context} get crd`, 'Is it a WDS?')]
      : toSeeWds(wds, 'Do its controllers run?')),
  );

/**
 * Lists what the ITS holds for some policies, or for all if no names are given.
 * A label cannot hold a longer name, so no work has it.
 */
export const listSent = <T extends KubeObject>(
  wds: Wds,
  resource: Resource,
  trim: NonNullable<Selection['trim']>,
  policies?: readonly string[],
): Promise<Access<T[]>> =>
  through(wds.its, async ({ kube }) => {
    const names = policies?.filter((name) => name.length <= 63);
    if (names?.length === 0) return [];
    const labelSelector = await selectorOfSent(wds, kube, names);
    return (await listIfDefined<T>(kube, resource, { labelSelector, trim })) ?? [];
  });

export function combinedKey({ metadata: { labels = {} } }: KubeObject): string {
  const { group, resource, namespace, name, policy } = combinedStatusLabels;
  const of = {
    group: labels[group] ?? '',
    resource: labels[resource] ?? '',
    name: labels[name] ?? '',
  };
  return `${keyOf({ ...of, namespace: labels[namespace] ?? '' })} ${labels[policy]}`;
}
