import { mapConcurrently } from '../../core/concurrency.ts';
import { type Access, ifSeen, through, tryRead } from '../../kube/access.ts';
import type { Connect, Kube } from '../../kube/client/client.ts';
import {
  byName,
  isLiving,
  type KubeObject,
  namesOf,
  type ObjectMeta,
  resources,
} from '../../kube/client/objects.ts';
import { type Kubeconfig, selectContext } from '../../kube/kubeconfig/kubeconfig.ts';
import { listServed } from '../../kube/served.ts';
import type { Its } from '../../ocm/hub/its.ts';
import { propertiesAskedBy } from '../../ocm/model/customization.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import {
  type Binding,
  type BindingPolicy,
  objectsOf,
  type PoliciesOfIts,
  type Policy,
  resourceOfBound,
  type Unread,
} from '../../ocm/model/kubestellar-names.ts';
import { isOriginOf, type Origin, readOrigins } from '../../ocm/work-origins.ts';
import { controlPlaneOf, type SpaceTools } from '../../spaces/hosting/hosting.ts';
import { contextFor, isSameCluster, reachSpace } from '../../spaces/space/space-access.ts';
import { itsOfWds, roleOf } from '../../spaces/space/spaces.ts';

export interface PolicySources {
  its: Its;
  /** The WECs to check: their works name WDSes that no hosting cluster shows. */
  wecs: readonly string[];
  /** The hosting cluster; undefined if none is selected. */
  hosting: Access<SpaceTools> | undefined;
  kubeconfig: Kubeconfig;
  /** Opens a client for a kubeconfig context. */
  connect: Connect;
  /** Whether the objects of the policies are read for the properties that they ask for. */
  withTemplates?: boolean | undefined;
}

/**
 * Reads every BindingPolicy that sends workloads through an ITS, from the WDSes of its hosting cluster. If that cluster cannot be
 * read, reads the WDSes that works in the mailboxes of these WECs name and that have a context. A WDS that cannot be read is
 * reported with the reason. An ITS without any WDS has no policies, and nothing of it is unread.
 */
export async function readPolicies(sources: PolicySources): Promise<PoliciesOfIts> {
  const hosted = await hostedOf(sources);
  // An ITS and its WDSes share a hosting cluster: if a WDS there proves to send through the ITS, skip the search for others.
  const isSettled =
    hosted.found.length > 0 && hosted.found.every(({ itsUnknown }) => itsUnknown === undefined);
  const named = isSettled ? { origins: [], unread: [] } : await originsOf(sources);
  const known = new Set([
    ...hosted.found.map(({ name }) => name),
    ...hosted.unread.map(({ wds }) => wds),
  ]);
  const others = [...new Set(named.origins.map(({ wds }) => wds))].filter((wds) => !known.has(wds));
  const results = await Promise.all([
    ...hosted.found.map((wds) => readFirst(wds.name, [wds], named.origins, sources)),
    ...others.map((wds) => readFirst(wds, contextsFor(wds, sources), named.origins, sources)),
  ]);
  return {
    policies: results.flatMap(({ policies }) => policies),
    unread: [
      ...hosted.unread,
      ...results.flatMap(({ unread }) => unread),
      ...(hosted.isSeen ? [] : named.unread),
    ],
  };
}

/** A user who selects no hosting cluster may have none. */
async function hostedOf({ its, hosting }: PolicySources) {
  const none = { found: [], unread: [], isSeen: false };
  if (hosting === undefined) return none;
  const hosted = await through(hosting, (tools) => hostedWdses(its, tools));
  if (hosted.state === 'seen') return { ...hosted.value, isSeen: true };
  const isGuess = ifSeen(hosting)?.hostingSource === 'current context';
  return isGuess ? none : { ...none, unread: [{ wds: allWdses, why: hosted.why }] };
}

const allWdses = 'all WDSes';

async function originsOf({ its, wecs }: PolicySources) {
  const origins = await tryRead(() => readOrigins(its.kube, wecs));
  if (origins.state === 'seen') return { origins: origins.value, unread: [] };
  return { origins: [], unread: [{ wds: allWdses, why: origins.why }] };
}

/**
 * Reads a WDS in the first of some places that leads to it. A place that nothing else proves must have a Binding that the works come
 * from.
 */
async function readFirst(
  wds: string,
  places: readonly FoundWds[],
  origins: readonly Origin[],
  sources: PolicySources,
): Promise<PoliciesOfIts> {
  const reasons: string[] = [];
  for (const place of places) {
    const { itsUnknown } = place;
    const read = await tryRead(() => readPoliciesOf(place, sources));
    if (read.state !== 'seen') reasons.push(read.why);
    else if (itsUnknown === undefined || isOriginOf(read.value.bindings, wds, origins))
      return { policies: read.value.policies, unread: [] };
    else reasons.push(itsUnknown);
  }
  const none = 'no context of the kubeconfig is known to lead to it';
  return { policies: [], unread: [{ wds, why: reasons.join('; ') || none }] };
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

/** A policy that is being deleted no longer selects anything. */
async function readPoliciesOf(
  { name: wds, open, context }: FoundWds,
  { withTemplates }: PolicySources,
) {
  const kube = open();
  const [policies, bindings] = await Promise.all([
    listServed<BindingPolicy>(kube, resources.bindingPolicies),
    listServed<Binding>(kube, resources.bindings),
  ]);
  const named = new Set(namesOf(policies));
  const bindingOf = byName(bindings);
  const asked = withTemplates ? await askedByBindings(kube, bindings) : undefined;
  const current = policies.filter(isLiving);
  const orphans = bindings.filter(({ metadata }) => !named.has(metadata.name) && isKept(metadata));
  const found = [...current, ...orphans.map(({ metadata }): BindingPolicy => ({ metadata }))].map(
    ({ metadata: { name }, spec: { clusterSelectors = [] } = {} }): Policy => {
      const binding = bindingOf.get(name);
      const orphaned = !named.has(name);
      return { wds, context, name, clusterSelectors, binding, orphaned, asked: asked?.get(name) };
    },
  );
  return { bindings, policies: found };
}

/** The properties that the objects of Bindings ask for, by Binding: one list for each kind. */
async function askedByBindings(
  kube: Kube,
  bindings: readonly Binding[],
): Promise<Map<string, Set<string>>> {
  const bound = bindings.flatMap((binding) =>
    objectsOf(binding).map((object) => ({ ...object, binding })),
  );
  const kinds = [
    ...Map.groupBy(bound, ({ group, version, resource }) =>
      [group, version, resource].join('/'),
    ).values(),
  ];
  const asked = new Map<string, Set<string>>();
  await mapConcurrently(kinds, async (ofKind) => {
    const [first] = ofKind as [(typeof bound)[number]];
    const trim = (object: KubeObject) => {
      const { name, namespace } = object.metadata;
      return { metadata: { name, namespace }, asked: propertiesAskedBy(object) } as KubeObject;
    };
    const all = await listServed<KubeObject & { asked: Set<string> }>(
      kube,
      resourceOfBound(first),
      { trim },
    );
    const askedBy = new Map(
      all.map((object) => [
        `${object.metadata.namespace ?? ''}/${object.metadata.name}`,
        object.asked,
      ]),
    );
    for (const { name, namespace = '', binding } of ofKind) {
      const policy = binding.metadata.name;
      const keys = askedBy.get(`${namespace}/${name}`) ?? [];
      asked.set(policy, new Set([...(asked.get(policy) ?? []), ...keys]));
    }
  });
  return asked;
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
async function hostedWdses(its: Its, tools: SpaceTools) {
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
async function compareWithIts(its: Its, controlPlane: ControlPlane, tools: SpaceTools) {
  const isSame = await isSameCluster(its.kube, controlPlane, tools);
  if (isSame.state === 'seen') return isSame.value ? undefined : false;
  return `whether its ITS ${controlPlane.metadata.name} is ${its.context.name} is not known: ${isSame.why}`;
}
