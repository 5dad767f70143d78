import type { Api } from './api.ts';
import type { DiscoveredResource } from './discovery.ts';
import { isNotFound } from './errors.ts';

interface ResourceList {
  resources: { name: string; kind: string; namespaced: boolean }[];
}

/** Finds the resource of a kind by asking the API server, once for each known kind. */
export class RestMapper {
  readonly #api: Api;
  readonly #known = new Map<string, DiscoveredResource>();

  constructor(api: Api) {
    this.#api = api;
  }

  async resourceFor({
    apiVersion = '',
    kind = '',
  }: {
    apiVersion?: string;
    kind?: string;
  }): Promise<DiscoveredResource> {
    const key = `${apiVersion} ${kind}`;
    const known = this.#known.get(key);
    if (known) return known;
    const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const { resources } = await this.#api.send<ResourceList>('GET', path).catch((error) => {
      if (isNotFound(error)) return { resources: [] };
      throw error;
    });
    const served = resources.find((each) => each.kind === kind && !each.name.includes('/'));
    // In the words of apimachinery's meta.NoKindMatchError.
    if (!served)
      throw new Error(`no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`);
    const found = { apiVersion, kind, plural: served.name, namespaced: served.namespaced };
    this.#known.set(key, found);
    return found;
  }
}
