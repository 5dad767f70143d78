import { mapConcurrently } from '../../core/concurrency.ts';
import { StellarError } from '../../core/errors.ts';
import { hiddenBy, ifSeen, tryRead } from '../../kube/access.ts';
import type { Kube, Reader } from '../../kube/client/client.ts';
import { groupOf, groupResourceOf, type KubeObject, resources } from '../../kube/client/objects.ts';
import { type DiscoveredKind, type Discovery, findKind } from '../../kube/discovery.ts';
import { listIfDefined, notServed, requireUndefined } from '../../kube/served.ts';
import {
  type BoundObject,
  type Candidate,
  type DownsyncClause,
  isExcludedKind,
  type KindRef,
} from '../../ocm/model/kubestellar-names.ts';
import type { NamespaceLabels } from './select-objects.ts';
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
    const { group } = candidateKind(kind);
    const isWatched =
      apiGroups.length === 0 || apiGroups.includes(group) || group === 'apiextensions.k8s.io';
    return isWatched && !isExcludedKind(candidateKind(kind));
  });

/**
 * Lists the metadata of every kind that one of the clauses may select, with one list per kind, and of the Namespaces. A kind has no
 * objects if its list says so, or no CustomResourceDefinition adds it; any other one is unread.
 * @param all what the WDS serves, to also find unread what clauses may select and `kinds` lacks
 */
export async function readContents(
  wds: Pick<Reader, 'cluster' | 'get' | 'list'>,
  clauses: readonly DownsyncClause[],
  kinds: readonly DiscoveredKind[],
  all?: Discovery,
): Promise<WdsContents> {
  const isNamespace = ({ apiVersion, plural }: DiscoveredKind) =>
    apiVersion === 'v1' && plural === 'namespaces';
  const isWanted = (kind: DiscoveredKind) =>
    clauses.some((clause) => maySelect(clause, candidateKind(kind)));
  const wanted = kinds.filter((kind) => isWanted(kind) || isNamespace(kind));
  const lists = await mapConcurrently(wanted, async (kind) => ({
    kind,
    read: await tryRead(() => listIfDefined(wds, kind, { metadataOnly: true })),
  }));
  const missing = mapConcurrently(undiscovered(clauses, all?.kinds), async (kind) => ({
    kind,
    read: await tryRead(() => requireUndefined(wds, kind)),
  }));
  const namespaces = new Map<string, Record<string, string>>();
  const contents: WdsContents = { objects: [], namespaces, unread: [] };
  for (const { kind, read } of lists) {
    contents.unread.push(...unseenOf(kind.plural, read));
    // A kind whose definition was just deleted has no objects.
    const found = ifSeen(read) ?? [];
    if (isWanted(kind)) for (const object of found) contents.objects.push(toObject(kind, object));
    if (isNamespace(kind))
      for (const { metadata } of found) namespaces.set(metadata.name, metadata.labels ?? {});
  }
  for (const { kind, read } of await missing)
    contents.unread.push(...unseenOf(kind.resource, read));
  // A clause without a group may select the kinds of any API.
  const mayHave = (api: string) =>
    clauses.some(({ apiGroup }) => [undefined, groupOf(api)].includes(apiGroup));
  const hiddenApis = (all?.unseen ?? []).filter(mayHave);
  for (const api of hiddenApis)
    contents.unread.push(...unseenOf(api, hiddenBy(notServed(wds, api))));
  return contents;
}

/** The kinds that clauses name with their group, and that the WDS does not serve. */
function undiscovered(
  clauses: readonly DownsyncClause[],
  kinds: readonly DiscoveredKind[] | undefined,
) {
  if (kinds === undefined) return [];
  const served = new Set(kinds.map((kind) => groupResourceOf(candidateKind(kind))));
  const named = clauses.flatMap(({ apiGroup: group, resources: plurals = [] }) =>
    group === undefined ? [] : plurals.map((resource) => ({ group, resource })),
  );
  const absent = named.filter(
    (kind) => kind.resource !== '*' && !served.has(groupResourceOf(kind)),
  );
  return [...new Map(absent.map((kind) => [groupResourceOf(kind), kind])).values()];
}

/** Clauses that select all objects of the kinds of these. */
export const clausesFor = (bound: readonly BoundObject[]): DownsyncClause[] =>
  [...Map.groupBy(bound, ({ group = '' }) => group)].map(([apiGroup, all]) => ({
    apiGroup,
    resources: [...new Set(all.map(({ resource }) => resource))],
  }));

/** Whether a clause may select objects of a kind at all. */
const maySelect = (
  { apiGroup, resources: plurals }: DownsyncClause,
  { group, resource }: KindRef,
): boolean =>
  (apiGroup === undefined || apiGroup === group) &&
  (!plurals?.length || plurals.includes('*') || plurals.includes(resource));

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
