import { mapConcurrently, requestsAtOnce } from '../engine/concurrency.ts';
import { ifSeen, tryRead } from './access.ts';
import type { Kube, Reader } from './client/client.ts';
import { isTrue, type WithConditions } from './objects.ts';
import { type Resource, resources } from './resources.ts';

/** apidiscovery.k8s.io: all kinds in two answers. Older servers answer both paths in their own form. */
const aggregated = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(', ');

/** A kind, in the version to use. */
export interface DiscoveredKind extends Resource {
  /** All versions that serve it. */
  versions: string[];
  /** Its other names on a command line: singular and short names. */
  aliases: string[];
}

interface DiscoveredVersion {
  apiVersion: string;
  resources: { plural: string; kind: string; namespaced: boolean; verbs: string[]; aliases: string[] }[];
}

interface AggregatedGroups {
  items?: {
    metadata?: { name?: string };
    versions: {
      version: string;
      resources?: {
        resource: string;
        responseKind?: { kind?: string };
        scope: string;
        verbs: string[];
        singularResource?: string;
        shortNames?: string[];
      }[];
    }[];
  }[];
}

interface ListedGroups {
  versions?: string[];
  groups?: { preferredVersion?: { groupVersion: string }; versions: { groupVersion: string }[] }[];
}

interface ListedResources {
  resources?: {
    name: string;
    kind: string;
    namespaced: boolean;
    verbs: string[];
    singularName?: string;
    shortNames?: string[];
  }[];
}

/**
 * The kinds of a server that can be listed and watched, each in the version that its group prefers, or the first version that has
 * it (client-go, ServerPreferredResources). An API that does not answer, such as one behind an APIService, has none.
 */
export async function discoverKinds(kube: Pick<Kube, 'read'>): Promise<DiscoveredKind[]> {
  const [core, others] = await Promise.all(
    ['/api', '/apis'].map((root) => kube.read<AggregatedGroups & ListedGroups>(root, aggregated)),
  );
  const groups = [...fromAggregated(core), ...fromAggregated(others), ...(await fromLists(kube, core, others))];
  return groups.flatMap((versions) => {
    const found = new Map<string, DiscoveredKind>();
    for (const { apiVersion, resources } of versions)
      for (const { plural, kind, namespaced, verbs, aliases } of resources) {
        if (!verbs.includes('list') || !verbs.includes('watch')) continue;
        const known = found.get(plural);
        if (known === undefined)
          found.set(plural, { apiVersion, kind, plural, namespaced, versions: [apiVersion], aliases });
        else known.versions.push(apiVersion);
      }
    return [...found.values()];
  });
}

/** Each group's versions, the preferred one first. */
const fromAggregated = (answer: AggregatedGroups | undefined): DiscoveredVersion[][] =>
  (answer?.items ?? []).map(({ metadata, versions }) =>
    versions.map(({ version, resources = [] }) => ({
      apiVersion: metadata?.name ? `${metadata.name}/${version}` : version,
      resources: resources.map(({ resource, responseKind, scope, verbs, singularResource = '', shortNames = [] }) => ({
        ...{
          plural: resource,
          kind: responseKind?.kind ?? resource,
          verbs,
          aliases: [singularResource, ...shortNames],
        },
        namespaced: scope === 'Namespaced',
      })),
    })),
  );

/** The same from a server that answers with resource lists: one request per version. */
async function fromLists(
  kube: Pick<Kube, 'read'>,
  core: ListedGroups | undefined,
  others: ListedGroups | undefined,
): Promise<DiscoveredVersion[][]> {
  const groups = [
    (core?.versions ?? []).map((version) => ({ apiVersion: version, path: `/api/${version}` })),
    ...(others?.groups ?? []).map(({ preferredVersion, versions }) => {
      const names = versions.map(({ groupVersion }) => groupVersion);
      const preferred = preferredVersion?.groupVersion;
      return [...new Set([...(preferred === undefined ? [] : [preferred]), ...names])].map((apiVersion) => ({
        apiVersion,
        path: `/apis/${apiVersion}`,
      }));
    }),
  ];
  return Promise.all(
    groups.map((versions) =>
      mapConcurrently(versions, requestsAtOnce, async ({ apiVersion, path }) => {
        const found = ifSeen(await tryRead(() => kube.read<ListedResources>(path)));
        const resources = (found?.resources ?? [])
          .filter(({ name }) => !name.includes('/'))
          .map(({ name, kind, namespaced, verbs, singularName = '', shortNames = [] }) => ({
            ...{ plural: name, kind, namespaced, verbs },
            aliases: [singularName, ...shortNames],
          }));
        return { apiVersion, resources };
      }),
    ),
  );
}

/** Whether a kind of a CustomResourceDefinition can be used: the Established condition follows shortly after the definition. */
export async function isCrdServed(kube: Pick<Reader, 'get'>, crd: string): Promise<boolean> {
  return isTrue(await kube.get<WithConditions>(resources.customResourceDefinitions, crd), 'Established');
}
