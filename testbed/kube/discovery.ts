import type { Api } from './api.ts';
import { ApiError } from './errors.ts';
import type { Resource } from './resources.ts';

export interface DiscoveredResource extends Resource {
  readonly namespaced: boolean;
}

interface Group {
  name: string;
  versions: { groupVersion: string }[];
}

interface ResourceList {
  groupVersion: string;
  resources: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
}

/** Every kind of object that allows these verbs, once, in the version that its API server prefers. */
export async function discover(
  api: Api,
  wanted: readonly string[] = ['list', 'delete'],
): Promise<DiscoveredResource[]> {
  const { groups } = await api.send<{ groups: Group[] }>('GET', '/apis');
  const paths = [
    '/api/v1',
    ...groups.flatMap(({ versions }) =>
      versions.map(({ groupVersion }) => `/apis/${groupVersion}`),
    ),
  ];
  // APIs of an aggregated server may be unreachable; the API server still answers.
  const refused = (error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    return undefined;
  };
  const lists = await Promise.all(
    paths.map((path) => api.send<ResourceList>('GET', path).catch(refused)),
  );
  const found = new Map<string, DiscoveredResource>();
  for (const list of lists) {
    for (const { name, kind, namespaced, verbs } of list?.resources ?? []) {
      const apiVersion = list?.groupVersion ?? '';
      const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
      if (!wanted.every((verb) => verbs.includes(verb)) || found.has(`${group}/${name}`)) continue;
      found.set(`${group}/${name}`, { apiVersion, kind, plural: name, namespaced });
    }
  }
  return [...found.values()];
}
