import { type Access, ifSeen, seenOrThrow, through, tryRead } from '../kube/access.ts';
import type { Connect, Kube } from '../kube/client/client.ts';
import {
  byName,
  isLiving,
  namesOf,
  type ObjectMeta,
  resources,
  writtenAt,
} from '../kube/client/objects.ts';
import { type Kubeconfig, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { isRead } from '../kube/pods.ts';
import { listServed } from '../kube/served.ts';
import type { Its } from '../ocm/hub/its.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import type {
  Binding,
  BindingPolicy,
  PoliciesOfIts,
  Policy,
  Unread,
} from '../ocm/model/kubestellar-names.ts';
import { isFrom, type Origin, readOrigins } from '../ocm/work-origins.ts';
import { controlPlaneOf, type SpaceTools } from '../spaces/hosting/hosting.ts';
import { contextFor, isSameCluster, reachSpace } from '../spaces/space/space-access.ts';
import { itsOfWds, roleOf } from '../spaces/space/spaces.ts';
import type { SentWork } from './world.ts';

export interface PolicySources {
  its: Pick<Its, 'kube'> & { context: Pick<Its['context'], 'name'> };
  /** Only works in these mailboxes name further WDSes; all by default. */
  wecs?: readonly string[] | undefined;
  /** The hosting cluster; undefined if none is selected. */
  hosting: Access<SpaceTools> | undefined;
  kubeconfig: Kubeconfig;
  /** Opens a client for a kubeconfig context. */
  connect: Connect;
  /** The works in the mailboxes of some WECs. Without them, all mailboxes show which WDSes send something. */
  mailboxes?: Access<ReadonlyMap<string, readonly SentWork[]>> | undefined;
}

/** The policies that could be read, with a client for each WDS that has some. */
export interface ReadPolicies extends PoliciesOfIts {
  kubes: ReadonlyMap<string, Kube>;
}

/**
 * Reads every BindingPolicy that sends workloads through an ITS: from the WDSes of its hosting cluster, and from those that its works
 * name besides and that have a context, since another hosting cluster may use this ITS as well. A WDS that cannot be read is
 * reported with the reason. An ITS without any WDS has no policies, and nothing of it is unread.
 */
export async function readPolicies(sources: PolicySources): Promise<ReadPolicies> {
  const hosted = await hostedOf(sources);
  const read = await tryRead(() => originsFor(sources, hosted.found));
  const origins = ifSeen(read) ?? [];
  const ofHosted = await Promise.all(
    hosted.found.map((wds) => readFirst(wds.name, [wds], origins)),
  );
  const others = origins.filter(
    (origin) =>
      (sources.wecs?.includes(origin.wec) ?? true) &&
      !ofHosted.some(
        ({ wds, bindings }) => wds === origin.wds && bindings.some((each) => isFrom(origin, each)),
      ),
  );
  const known = new Set([...hosted.unread, ...ofHosted].map(({ wds }) => wds));
  const named = Map.groupBy(others, ({ wds }) => wds);
  const ofOthers = await Promise.all(
    [...named].map(([wds, works]) =>
      known.has(wds)
        ? { ...nothingOf(wds), unread: whyForeign(wds, works, ofHosted, sources) }
        : readFirst(wds, contextsFor(wds, sources), origins),
    ),
  );
  const results = [...ofHosted, ...ofOthers];
  return {
    policies: results.flatMap(({ policies }) => policies),
    kubes: new Map(results.flatMap(({ wds, kube }) => (kube ? [[wds, kube] as const] : []))),
    unread: [
      ...hosted.unread,
      ...results.flatMap(({ unread }) => unread),
      ...(read.state === 'seen' ? [] : [{ wds: allWdses, why: read.why }]),
    ],
  };
}

/** Other WDSes than those that the hosting cluster proves are looked for in all mailboxes. */
async function originsFor({ its, mailboxes }: PolicySources, found: readonly FoundWds[]) {
  if (mailboxes === undefined) return readOrigins(its.kube);
  const proven = found.flatMap(({ name, itsUnknown }) => (itsUnknown === undefined ? name : []));
  const own = [...(seenOrThrow(mailboxes)?.values() ?? [])].flat();
  return [
    ...own.flatMap(({ origin, isLeaving }) =>
      origin !== undefined && !isLeaving && proven.includes(origin.wds) ? origin : [],
    ),
    ...(await readOrigins(its.kube, proven)),
  ];
}

/** Works that carry the name of a WDS that was read, and come from none of its Bindings. */
function whyForeign(
  wds: string,
  works: readonly Origin[],
  read: readonly PoliciesOfWds[],
  { its }: PolicySources,
): Unread[] {
  const own = read.find((each) => each.wds === wds);
  if (own === undefined || own.unread.length > 0) return [];
  // Where its Binding is missing, the policy says that.
  const isOfPolicy = (work: Origin) =>
    own.policies.some(({ name, binding }) => name === work.binding && binding === undefined);
  const [foreign] = works.filter((work) => !isOfPolicy(work));
  if (foreign === undefined) return [];
  const why = `${its.context.name} has works of a ${foreign.binding} that come from none of its Bindings: another hosting cluster may have a ${wds}`;
  return [{ wds, why }];
}

/** What was read of a WDS. */
interface PoliciesOfWds extends PoliciesOfIts {
  wds: string;
  /** Undefined if it could not be read. */
  kube?: Kube;
  bindings: readonly Binding[];
}

const nothingOf = (wds: string): PoliciesOfWds => ({ wds, bindings: [], policies: [], unread: [] });

/** A user who selects no hosting cluster may have none. */
async function hostedOf({ its, hosting }: PolicySources) {
  const none = { found: [], unread: [] };
  if (hosting === undefined) return none;
  const hosted = await through(hosting, (tools) => hostedWdses(its, tools));
  if (hosted.state === 'seen') return hosted.value;
  const isGuess = ifSeen(hosting)?.hostingSource === 'current context';
  return isGuess ? none : { ...none, unread: [{ wds: allWdses, why: hosted.why }] };
}

/** What is unread if it is not known which WDSes there are. */
export const allWdses = 'all WDSes';

/**
 * Reads a WDS in the first of some places that leads to it. A place that nothing else proves must have a Binding that the works come
 * from.
 */
async function readFirst(
  wds: string,
  places: readonly FoundWds[],
  origins: readonly Origin[],
): Promise<PoliciesOfWds> {
  const reasons: string[] = [];
  const own = origins.filter((origin) => origin.wds === wds);
  for (const place of places) {
    const { itsUnknown } = place;
    const read = await tryRead(() => readPoliciesOf(place, own));
    if (read.state !== 'seen') reasons.push(read.why);
    else if (itsUnknown === undefined || read.value.isProven)
      return { wds, ...read.value, unread: [] };
    else reasons.push(itsUnknown);
  }
  const none = 'no context of the kubeconfig is known to lead to it';
  return { ...nothingOf(wds), unread: [{ wds, why: reasons.join('; ') || none }] };
}

/** The contexts that may lead to a WDS that only works name: those with its name, and those that are marked as its contexts. */
const contextsFor = (name: string, { kubeconfig, connect }: PolicySources): FoundWds[] =>
  [...kubeconfig.contexts].flatMap(([context, entry]) =>
    context === name || controlPlaneOf(entry) === name
      ? {
          name,
          context,
          open: () => connect(selectContext(kubeconfig, context)),
          itsUnknown: `context ${context} has no Binding that its works come from`,
        }
      : [],
  );

/** The garbage collector deletes a Binding that still names its policy as its owner. */
const isKept = ({ deletionTimestamp, ownerReferences }: ObjectMeta) =>
  deletionTimestamp === undefined && !ownerReferences?.length;

/** KubeStellar writes a Binding two seconds after it has got its policy, if it is not busy (kubestellar v0.30.0, seen). */
const bindingMs = 10_000;

/** A policy that is being deleted no longer selects anything. */
async function readPoliciesOf({ name: wds, open, context }: FoundWds, works: readonly Origin[]) {
  const kube = open();
  const [policies, bindings] = await Promise.all([
    listServed<BindingPolicy>(kube, resources.bindingPolicies),
    listServed<Binding>(kube, resources.bindings),
  ]);
  const named = new Set(namesOf(policies));
  const bindingOf = byName(bindings);
  const current = policies.filter(isLiving);
  const orphans = bindings.filter(({ metadata }) => !named.has(metadata.name) && isKept(metadata));
  const found = [...current, ...orphans.map(({ metadata }): BindingPolicy => ({ metadata }))].map(
    (policy): Policy => {
      const { metadata, spec: { clusterSelectors = [] } = {} } = policy;
      const { name } = metadata;
      const binding = bindingOf.get(name);
      const isFresh =
        binding === undefined && (!isRead(policy) || kube.now() - writtenAt(policy) < bindingMs);
      const orphaned = !named.has(name);
      return { wds, context, name, clusterSelectors, binding, orphaned, isFresh };
    },
  );
  const isProven = works.some((work) => bindings.some((binding) => isFrom(work, binding)));
  return { kube, bindings, policies: found, isProven };
}

/** A WDS that may send workloads through the ITS. */
interface FoundWds {
  name: string;
  open(): Kube;
  /** The kubeconfig context of the WDS, if there is one. */
  context: string | undefined;
  /** Why only works on this ITS can prove that the WDS sends through it; undefined if the hosting cluster proves it. */
  itsUnknown: string | undefined;
}

/** Returns the WDSes of a hosting cluster that send, or may send, workloads through an ITS. */
async function hostedWdses(its: PolicySources['its'], tools: SpaceTools) {
  const all = await listServed<ControlPlane>(tools.hosting, resources.controlPlanes);
  const answers = new Map<ControlPlane, ReturnType<typeof compareWithIts>>();
  const whyItsUnknown = (controlPlane: ControlPlane) => {
    const known = answers.get(controlPlane) ?? compareWithIts(its, controlPlane, tools);
    answers.set(controlPlane, known);
    return known;
  };
  const wdses = all.filter((controlPlane) => roleOf(controlPlane) === 'wds');
  const reading = wdses.map(async (wds): Promise<FoundWds | Unread | undefined> => {
    const { name } = wds.metadata;
    const sendsThrough = itsOfWds(name, all);
    const itsUnknown = sendsThrough
      ? await whyItsUnknown(sendsThrough)
      : 'which ITS it sends through is unknown';
    if (itsUnknown === false) return undefined;
    const access = await reachSpace(wds, tools);
    if (access.state !== 'seen') return { wds: name, why: access.why };
    const open = () => tools.connect(access.value);
    return { name, open, context: contextFor(wds, tools), itsUnknown };
  });
  const found = (await Promise.all(reading)).filter((wds) => wds !== undefined);
  return {
    found: found.filter((wds) => 'open' in wds),
    unread: found.filter((wds) => 'why' in wds),
  };
}

/** Whether a control plane is this ITS: undefined for yes, false for no, otherwise why this is unknown. */
async function compareWithIts(
  its: PolicySources['its'],
  controlPlane: ControlPlane,
  tools: SpaceTools,
) {
  const isSame = await isSameCluster(its.kube, controlPlane, tools);
  if (isSame.state === 'seen') return isSame.value ? undefined : false;
  return `whether its ITS ${controlPlane.metadata.name} is ${its.context.name} is not known: ${isSame.why}`;
}
