import { labelValueProblem } from '../core/changes.ts';
import { mapConcurrently } from '../core/concurrency.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { isLiving, type KubeObject, resources } from '../kube/client/objects.ts';
import { discoverKinds } from '../kube/discovery.ts';
import { listServed } from '../kube/served.ts';
import { propertiesAskedBy } from '../ocm/model/customization.ts';
import {
  type BoundObject,
  isEmptyBinding,
  objectsOf,
  originBindingLabel,
  originWdsLabel,
  type Policy,
  resourceOfBound,
  type Unread,
} from '../ocm/model/kubestellar-names.ts';
import type { ManifestWork } from '../ocm/model/manifest-works.ts';
import { keyOf, type ObjectOnWec } from '../ocm/model/object-ref.ts';
import { findUnapplied } from '../ocm/work-origins.ts';
import { trimmer } from '../workloads/delivery/works.ts';
import { kindNames } from '../workloads/selection/wds-contents.ts';
import { type Forecast, forecast } from './forecast.ts';
import { type Reach, reachesOf } from './reach.ts';
import { allWdses, type PolicySources, readPolicies } from './read-policies.ts';
import type { WecChange } from './wec-change.ts';
import {
  type BoundView,
  boundObjects,
  boundView,
  type PolicyState,
  type SentWork,
  sentWork,
  type World,
} from './world.ts';

/** Opens a WEC, where objects may be that no work has applied. @returns undefined if no context is proven to lead there */
export type LookOn = (wec: string) => Promise<Kube | undefined>;

export type ForecastSources = Omit<PolicySources, 'mailboxes'> & { lookOn?: LookOn | undefined };

/** A world in which nothing has been read. */
export const emptyWorld: World = { policies: [], works: new Map(), foreign: [], unread: [] };

/** The forecast of a change that changes nothing, or of an ITS that does not exist yet. */
export const noForecast: Forecast = forecast(emptyWorld, {});

/**
 * Reads what a change depends on, and says what it does. The mailboxes of the WECs that change are read, and those of others only for
 * policies that are no longer sent to any WEC, or whose Binding lists nothing.
 */
export async function readForecast(
  changes: readonly WecChange[],
  sources: ForecastSources,
): Promise<Forecast> {
  if (changes.length === 0) return noForecast;
  const { kube: hub } = sources.its;
  const own = await tryRead(() =>
    readMailboxes(
      hub,
      changes.map(({ name }) => name),
    ),
  );
  const found = await readPolicies({ ...sources, mailboxes: own });
  const works = new Map(ifSeen(own));
  const { policies, unread } = await withContents(found, works, changes);
  const reaches = reachesOf({ policies, works }, { wecs: changes });
  const elsewhere = await tryRead(() => readElsewhere(hub, reaches, works));
  const foreign = await lookFor(reaches, sources.lookOn);
  const world = {
    policies,
    works: ifSeen(elsewhere) ?? works,
    foreign,
    unread: [
      ...found.unread,
      ...unread,
      ...(elsewhere.state === 'seen' ? [] : [{ wds: allWdses, why: elsewhere.why }]),
    ],
  };
  return forecast(world, { wecs: changes });
}

/** More mailboxes than so many are read with one list of all. */
const readOneByOne = 10;

/**
 * The works in the mailboxes of some WECs, by WEC.
 * @param options.labelSelector only these works @param options.metadataOnly without their objects
 */
export async function readMailboxes(
  hub: Kube,
  wecs: readonly string[],
  { labelSelector, metadataOnly }: { labelSelector?: string; metadataOnly?: boolean } = {},
): Promise<Map<string, SentWork[]>> {
  const how = { labelSelector, ...(metadataOnly ? { metadataOnly } : { trim: trimmer() }) };
  const list = (namespace?: string) =>
    listServed<ManifestWork>(hub, resources.manifestWorks, { namespace, ...how });
  const lists = await (wecs.length > readOneByOne
    ? list().then((all) => [all])
    : mapConcurrently(wecs, (wec) => list(wec)));
  const named = new Set(wecs);
  const works = lists.flat().map(sentWork);
  return Map.groupBy(
    works.filter(({ wec }) => named.has(wec)),
    ({ wec }) => wec,
  );
}

/** Adds the works of policies that other WECs lose or may lose, with the mailboxes that they are in: another work may keep an object. */
async function readElsewhere(
  hub: Kube,
  reaches: readonly Reach[],
  known: ReadonlyMap<string, readonly SentWork[]>,
): Promise<World['works']> {
  // A name that no label can hold has no works.
  const concerned = reaches.filter(
    ({ policy, lacking, interrupted, isReleased }) =>
      ((lacking ?? interrupted) !== undefined || isReleased || isEmptyBinding(policy.binding)) &&
      labelValueProblem(policy.name) === undefined,
  );
  const byWds = Map.groupBy(concerned, ({ policy }) => policy.wds);
  const lists = await mapConcurrently([...byWds], ([wds, of]) => {
    const names = of.map(({ policy: { name } }) => name);
    const labelSelector = `${originWdsLabel}=${wds},${originBindingLabel} in (${names.join()})`;
    return listServed(hub, resources.manifestWorks, { labelSelector, metadataOnly: true });
  });
  const wecs = new Set(
    lists.flat().flatMap((work) => (isLiving(work) ? (work.metadata.namespace ?? []) : [])),
  );
  const more = [...wecs].filter((wec) => !known.has(wec));
  return more.length === 0 ? known : new Map([...known, ...(await readMailboxes(hub, more))]);
}

/** Reads the objects of the policies that start to select WECs, or whose templates may ask for properties that change. */
async function withContents(
  { policies, kubes }: Awaited<ReturnType<typeof readPolicies>>,
  works: ReadonlyMap<string, readonly SentWork[]>,
  changes: readonly WecChange[],
): Promise<{ policies: PolicyState[]; unread: Unread[] }> {
  const changing = changes.filter(({ lacks, stale }) => lacks.length + stale.length > 0);
  const concerned = reachesOf({ policies, works }, { wecs: changes }).flatMap(
    ({ policy, starting, sentTo, isReleased }) =>
      starting.length > 0 || isReleased || changing.some(({ name }) => sentTo.includes(name))
        ? policy
        : [],
  );
  const read = await mapConcurrently(
    [...Map.groupBy(concerned, ({ wds }) => wds)],
    async ([wds, some]) => {
      const kube = kubes.get(wds);
      const contents = kube === undefined ? undefined : await tryRead(() => readBound(kube, some));
      return { wds, contents };
    },
  );
  const bound = new Map(read.flatMap(({ contents }) => [...(ifSeen(contents) ?? [])]));
  return {
    policies: policies.map((policy) => ({ ...policy, bound: bound.get(policy) })),
    unread: read.flatMap(({ wds, contents }) =>
      contents === undefined || contents.state === 'seen' ? [] : [{ wds, why: contents.why }],
    ),
  };
}

/** The objects that policies of a WDS send: one list for each kind, of which a digest is kept. */
async function readBound(
  kube: Kube,
  policies: readonly Policy[],
): Promise<Map<Policy, BoundView[]>> {
  const bound = policies.flatMap(({ binding }) =>
    binding === undefined ? [] : objectsOf(binding),
  );
  if (bound.length === 0) return new Map();
  const kindOf = kindNames(await discoverKinds(kube));
  const asks = new Map<string, ReadonlySet<string>>();
  const kinds = Map.groupBy(bound, ({ group = '', version, resource }) =>
    [group, version, resource].join('/'),
  );
  await mapConcurrently([...kinds.values()], async ([first]) => {
    if (first === undefined) return;
    const trim = (object: KubeObject) => {
      const { name, namespace } = object.metadata;
      return { metadata: { name, namespace }, asks: propertiesAskedBy(object) } as KubeObject;
    };
    const all = await listServed<KubeObject & { asks: Set<string> }>(kube, resourceOfBound(first), {
      trim,
    });
    for (const { metadata, asks: keys } of all) asks.set(keyOf({ ...first, ...metadata }), keys);
  });
  const view = (of: BoundObject) => boundView(of, kindOf(of) ?? of.resource, asks.get(keyOf(of)));
  return new Map(
    policies.map((policy) => [policy, policy.binding ? objectsOf(policy.binding).map(view) : []]),
  );
}

async function lookFor(
  reaches: readonly Reach[],
  lookOn: LookOn | undefined,
): Promise<ObjectOnWec[]> {
  if (lookOn === undefined) return [];
  const found = await mapConcurrently(reaches, ({ policy, starting }) => {
    const sought = boundObjects(policy).map(({ of, object }) => ({
      resource: resourceOfBound(of),
      object,
    }));
    return findUnapplied(starting, sought, lookOn);
  });
  return found.flat();
}
