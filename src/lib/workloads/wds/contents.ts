import { concurrentRequests, mapConcurrently } from '../../engine/concurrency.ts';
import { tryRead } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { DiscoveredKind } from '../../kube/discovery.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { groupOf, resources } from '../../kube/resources.ts';
import type { BoundObject, Candidate, DownsyncClause, KindRef } from '../../model/policies.ts';
import type { NamespaceLabels } from '../selection/clauses.ts';
import { isExcludedKind } from '../selection/excluded-kinds.ts';
import { type Unseen, unseenOf } from '../unseen.ts';

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
export const sendableKinds = (kinds: readonly DiscoveredKind[], apiGroups: readonly string[]): DiscoveredKind[] =>
  kinds.filter((kind) => {
    const { group } = candidateKind(kind);
    const isWatched = apiGroups.length === 0 || apiGroups.includes(group) || group === 'apiextensions.k8s.io';
    return isWatched && !isExcludedKind(candidateKind(kind));
  });

/** Lists the metadata of every kind that one of the clauses may select, with one list per kind, and of the Namespaces. */
export async function readContents(
  wds: Pick<Kube, 'list'>,
  clauses: readonly DownsyncClause[],
  kinds: readonly DiscoveredKind[],
): Promise<WdsContents> {
  const isNamespace = ({ apiVersion, plural }: DiscoveredKind) => apiVersion === 'v1' && plural === 'namespaces';
  const isWanted = (kind: DiscoveredKind) => clauses.some((clause) => maySelect(clause, candidateKind(kind)));
  const wanted = kinds.filter((kind) => isWanted(kind) || isNamespace(kind));
  const lists = await mapConcurrently(wanted, concurrentRequests, async (kind) => ({
    kind,
    read: await tryRead(() => wds.list(kind, { metadataOnly: true })),
  }));
  const contents: WdsContents = { objects: [], namespaces: new Map(), unread: [] };
  const namespaces = new Map<string, Record<string, string>>();
  for (const { kind, read } of lists) {
    contents.unread.push(...unseenOf(kind.plural, read));
    // A kind whose definition was just deleted has no objects.
    const found = read.state === 'seen' ? (read.value ?? []) : [];
    if (isWanted(kind)) for (const object of found) contents.objects.push(toObject(kind, object));
    if (isNamespace(kind)) for (const { metadata } of found) namespaces.set(metadata.name, metadata.labels ?? {});
  }
  return { ...contents, namespaces };
}

/** Clauses that select all objects of the kinds of these. */
export const clausesFor = (bound: readonly BoundObject[]): DownsyncClause[] =>
  [...Map.groupBy(bound, ({ group = '' }) => group)].map(([apiGroup, all]) => ({
    ...{ apiGroup, resources: [...new Set(all.map(({ resource }) => resource))] },
  }));

/** Whether a clause may select objects of a kind at all. */
const maySelect = ({ apiGroup, resources: plurals }: DownsyncClause, { group, resource }: KindRef): boolean =>
  (apiGroup === undefined || apiGroup === group) &&
  (!plurals?.length || plurals.includes('*') || plurals.includes(resource));

export const candidateKind = ({ apiVersion, plural, kind }: DiscoveredKind): KindRef => ({
  group: groupOf(apiVersion),
  version: apiVersion.split('/').at(-1) ?? apiVersion,
  resource: plural,
  kind,
});

/** managedFields are larger than all other metadata, and only their times are needed. */
function toObject(kind: DiscoveredKind, { metadata }: KubeObject): WdsObject {
  const { managedFields, ...kept } = metadata;
  const times = managedFields?.map(({ time, subresource }) => ({
    ...(time === undefined ? {} : { time }),
    ...(subresource === undefined ? {} : { subresource }),
  }));
  const own = times === undefined ? kept : { ...kept, managedFields: times };
  return { ...candidateKind(kind), of: kind, metadata: own };
}

/**
 * Whether two served versions of a kind make its objects count twice. The Binding of a policy that selects such an object is not
 * accepted.
 */
export async function countsTwice(
  wds: Pick<Kube, 'get'>,
  { apiVersion, plural, versions }: DiscoveredKind,
): Promise<boolean> {
  if (versions.length < 2) return false;
  // Only the controller's handling of definitions does this: built-in kinds count once, regardless of their number of versions.
  const definition = await wds.get(resources.customResourceDefinitions, `${plural}.${groupOf(apiVersion)}`);
  return definition !== undefined;
}
