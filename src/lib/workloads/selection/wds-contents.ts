import { mapConcurrently } from '../../core/concurrency.ts';
import { StellarError } from '../../core/errors.ts';
import { hiddenBy, ifSeen, seen, tryRead } from '../../kube/access.ts';
import type { Kube, Reader } from '../../kube/client/client.ts';
import { groupOf, groupResourceOf, type KubeObject, resources } from '../../kube/client/objects.ts';
import {
  type DiscoveredKind,
  type Discovery,
  discoverKinds,
  findKind,
} from '../../kube/discovery.ts';
import { listIfDefined, notServed, requireUndefined } from '../../kube/served.ts';
import {
  type BoundObject,
  type Candidate,
  type DownsyncClause,
  isExcludedKind,
  type KindRef,
} from '../../ocm/model/kubestellar-names.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import type { NamespaceLabels } from './select-objects.ts';
import { allows } from './select-objects.ts';
import { type Unseen, unseenOf } from './unseen.ts';

/** An object of a WDS: its metadata, and the kind that it is read as. */
export interface WdsObject extends Candidate {
  of: DiscoveredKind;
}

/** The objects of a WDS that some clauses may select. */
export interface WdsContents {
  objects: WdsObject[];
  namespaces: NamespaceLabels;
  /** Kinds that could not be listed, for example `secrets`. */
  unread: Unseen[];
}

/** Returns the kinds of a WDS that can be sent to WECs. @param apiGroups those that its controllers watch; undefined means all */
export const sendableKinds = (
  kinds: readonly DiscoveredKind[],
  apiGroups: readonly string[],
): DiscoveredKind[] =>
  kinds.filter((kind) => {
    const of = candidateKind(kind);
    return isWatched(of, apiGroups) && !isExcludedKind(of);
  });

/** Whether the controllers of a WDS watch the group of a kind. @param apiGroups those that it was created for; none means all */
export const isWatched = ({ group }: Pick<KindRef, 'group'>, apiGroups: readonly string[]) =>
  apiGroups.length === 0 || apiGroups.includes(group) || group === 'apiextensions.k8s.io';

/** Discovers them. */
export const discoverSendable = async ({ kube, apiGroups }: Wds): Promise<DiscoveredKind[]> =>
  sendableKinds(await discoverKinds(kube), apiGroups);

/**
 * Lists the metadata of every kind that one of the clauses may select, with one list per kind, and of the Namespaces. A kind has no
 * objects if its list says so, or no CustomResourceDefinition adds it; any other one is unread.
 */
export async function readContents(
  wds: Pick<Reader, 'cluster' | 'get' | 'list'>,
  clauses: readonly DownsyncClause[],
  kinds: readonly DiscoveredKind[],
): Promise<WdsContents> {
  const lists = await mapConcurrently(kinds, async (kind) => {
    const isNamespace = kind.apiVersion === 'v1' && kind.plural === 'namespaces';
    const { group, resource } = candidateKind(kind);
    const isWanted = clauses.some(
      ({ apiGroup = group, resources: plurals }) => apiGroup === group && allows(plurals, resource),
    );
    const list = () => listIfDefined(wds, kind, { metadataOnly: true });
    const read = isWanted || isNamespace ? await tryRead(list) : seen(undefined);
    // A kind whose definition was just deleted has no objects.
    const found = ifSeen(read) ?? [];
    return {
      objects: isWanted ? found.map((object) => toObject(kind, object)) : [],
      namespaces: isNamespace ? found : [],
      unread: unseenOf(kind.plural, read),
    };
  });
  return {
    objects: lists.flatMap(({ objects }) => objects),
    namespaces: new Map(
      lists.flatMap(({ namespaces }) =>
        namespaces.map(({ metadata: { name, labels = {} } }) => [name, labels] as const),
      ),
    ),
    unread: lists.flatMap(({ unread }) => unread),
  };
}

/** What some clauses may select, and a WDS does not serve: kinds that they name with their group, and APIs that do not answer. */
export async function unservedBy(
  wds: Pick<Reader, 'cluster' | 'get' | 'list'>,
  clauses: readonly DownsyncClause[],
  { kinds, unseen }: Discovery,
): Promise<Unseen[]> {
  const served = new Set(kinds.map((kind) => groupResourceOf(candidateKind(kind))));
  const named = clauses.flatMap(({ apiGroup: group, resources: plurals = [] }) =>
    group === undefined ? [] : plurals.map((resource) => ({ group, resource })),
  );
  const absent = named.filter(
    (kind) => kind.resource !== '*' && !served.has(groupResourceOf(kind)),
  );
  const missing = new Map(absent.map((kind) => [groupResourceOf(kind), kind]));
  const undefinedKinds = await mapConcurrently([...missing.values()], async (kind) =>
    unseenOf(kind.resource, await tryRead(() => requireUndefined(wds, kind))),
  );
  // A clause without a group may select the kinds of any API.
  const hiddenApis = unseen.filter((api) =>
    clauses.some(({ apiGroup }) => [undefined, groupOf(api)].includes(apiGroup)),
  );
  return [
    ...undefinedKinds.flat(),
    ...hiddenApis.flatMap((api) => unseenOf(api, hiddenBy(notServed(wds, api)))),
  ];
}

/** Clauses that select all objects of the kinds of these. */
export const clausesFor = (bound: readonly BoundObject[]): DownsyncClause[] =>
  [...Map.groupBy(bound, ({ group = '' }) => group)].map(([apiGroup, all]) => ({
    apiGroup,
    resources: [...new Set(all.map(({ resource }) => resource))],
  }));

export function candidateKind({ apiVersion, plural: resource, kind }: DiscoveredKind): KindRef {
  const version = apiVersion.split('/').at(-1) ?? apiVersion;
  return { group: groupOf(apiVersion), version, resource, kind };
}

/** managedFields are larger than all other metadata, and only their times are needed. */
function toObject(kind: DiscoveredKind, { metadata }: KubeObject): WdsObject {
  const { managedFields, ...kept } = metadata;
  const times = managedFields?.map(({ time, subresource }) => ({
    ...(time && { time }),
    ...(subresource && { subresource }),
  }));
  const ownMetadata = times === undefined ? kept : { ...kept, managedFields: times };
  return { ...candidateKind(kind), of: kind, metadata: ownMetadata };
}

/**
 * Whether two served versions of a kind make its objects count twice. The Binding of a policy that selects such an object is not
 * accepted.
 */
export async function countsTwice(wds: Pick<Kube, 'get'>, kind: DiscoveredKind): Promise<boolean> {
  if (kind.versions.length < 2) return false;
  // Only the controller's handling of definitions does this: built-in kinds count once, regardless of their number of versions.
  const definition = await wds.get(
    resources.customResourceDefinitions,
    groupResourceOf(candidateKind(kind)),
  );
  return definition !== undefined;
}

/** Returns the names of kinds by their plurals. */
export function kindNames(kinds: readonly DiscoveredKind[]) {
  const names = new Map(
    kinds.map(({ apiVersion, plural, kind }) => [`${groupOf(apiVersion)}/${plural}`, kind]),
  );
  return ({ group = '', resource }: { group?: string; resource: string }) =>
    names.get(`${group}/${resource}`);
}

/** @param kinds those that are sent to WECs @throws StellarError `usage` */
export function requireKind(text: string, kinds: readonly DiscoveredKind[]): DiscoveredKind {
  const kind = findKind(text, kinds);
  if (kind !== undefined) return kind;
  throw new StellarError('usage', `The WDS has no kind "${text}" that is sent to WECs.`);
}
