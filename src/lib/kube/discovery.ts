import { StellarError } from '../core/errors.ts';
import type { Kube, Reader } from './client/client.ts';
import {
  groupOf,
  isTrue,
  type PlainResource,
  resources,
  type WithConditions,
} from './client/objects.ts';

/** apidiscovery.k8s.io: all kinds in two answers, from Kubernetes 1.27 on (v2beta1). Older servers answer in another form. */
const aggregated = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(', ');

/** A kind, in the version to use. */
export interface DiscoveredKind extends PlainResource {
  /** All versions that serve it. */
  versions: string[];
  /** Its other names on a command line: singular and short names. */
  aliases: string[];
}

/** What a server says about its kinds. */
export interface Discovery {
  kinds: DiscoveredKind[];
  /** APIs that it has, and whose kinds it does not say, such as `metrics.k8s.io/v1beta1` behind an APIService. */
  unseen: string[];
}

/** A group of the answer. */
interface GroupVersions {
  metadata?: { name?: string };
  /** The preferred one first. */
  versions: {
    version: string;
    /** `Stale` if its own server did not answer. */
    freshness?: string;
    resources?: {
      resource: string;
      responseKind?: { kind?: string };
      scope: string;
      verbs: string[];
      singularResource?: string;
      shortNames?: string[];
    }[];
  }[];
}

/** The kinds of a server that can be listed and watched. An API that does not answer has none. */
export const discoverKinds = async (kube: Pick<Kube, 'read'>): Promise<DiscoveredKind[]> =>
  (await discover(kube, ['list', 'watch'])).kinds;

/**
 * The kinds of a server that have these verbs, each in the version that its group prefers, or the first version that has it
 * (client-go, ServerPreferredResources).
 * @throws StellarError `api-error` for a server that does not list its kinds in this form: it is not taken for one without kinds
 */
export async function discover(
  kube: Pick<Kube, 'read'>,
  needed: readonly string[],
): Promise<Discovery> {
  const answers = await Promise.all(
    ['/api', '/apis'].map((root) => kube.read<{ items?: GroupVersions[] }>(root, aggregated)),
  );
  const kinds: DiscoveredKind[] = [];
  const unseen: string[] = [];
  for (const { metadata, versions } of answers.flatMap(groupsOf)) {
    const found = new Map<string, DiscoveredKind>();
    for (const { version, freshness, resources = [] } of versions) {
      const apiVersion = metadata?.name ? `${metadata.name}/${version}` : version;
      if (freshness === 'Stale') unseen.push(apiVersion);
      for (const each of resources) {
        const {
          resource: plural,
          responseKind,
          scope,
          verbs,
          singularResource = '',
          shortNames = [],
        } = each;
        if (!needed.every((verb) => verbs.includes(verb))) continue;
        const kind = responseKind?.kind ?? plural;
        const namespaced = scope === 'Namespaced';
        const aliases = [singularResource, ...shortNames];
        const known = found.get(plural);
        if (known !== undefined) known.versions.push(apiVersion);
        else
          found.set(plural, {
            apiVersion,
            kind,
            plural,
            namespaced,
            versions: [apiVersion],
            aliases,
          });
      }
    }
    kinds.push(...found.values());
  }
  return { kinds, unseen };
}

function groupsOf(answer: { items?: GroupVersions[] } | undefined): GroupVersions[] {
  if (answer?.items !== undefined) return answer.items;
  throw new StellarError(
    'api-error',
    'The API server does not list its kinds as Kubernetes 1.27 and later do.',
  );
}

/** Whether a kind of a CustomResourceDefinition can be used: the Established condition follows shortly after the definition. */
export async function isCrdServed(kube: Pick<Reader, 'get'>, crd: string): Promise<boolean> {
  return isTrue(
    await kube.get<WithConditions>(resources.customResourceDefinitions, crd),
    'Established',
  );
}

/** Finds a kind by its plural, singular or short name, or by its name, as kubectl does. `deployments.apps` includes the group. */
export function findKind(
  text: string,
  kinds: readonly DiscoveredKind[],
): DiscoveredKind | undefined {
  const wanted = text.toLowerCase();
  // A server may leave the singular of a kind empty.
  if (wanted === '') return undefined;
  const namesOf = ({ plural, kind, aliases }: DiscoveredKind) => [
    plural,
    kind.toLowerCase(),
    ...aliases,
  ];
  return (
    kinds.find((kind) => namesOf(kind).includes(wanted)) ??
    kinds.find((kind) =>
      namesOf(kind).some((name) => `${name}.${groupOf(kind.apiVersion)}` === wanted),
    )
  );
}
