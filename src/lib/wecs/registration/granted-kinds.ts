import { StellarError } from '../../core/errors.ts';
import type { Kube } from '../../kube/client/client.ts';
import { groupOf, groupResourceOf } from '../../kube/client/objects.ts';
import { discoverKinds } from '../../kube/discovery.ts';
import { mayAccount } from '../../kube/service-accounts.ts';
import { lacksRight, type ManifestWork } from '../../ocm/model/manifest-works.ts';
import { agentNamespace, klusterletName } from '../../ocm/model/ocm-names.ts';
import type { Klusterlet } from '../../ocm/model/ocm-objects.ts';

/** A kind of object as rules write it. */
export interface RuleKind {
  group: string;
  /** Plural and lower case. */
  resource: string;
}

/** The verbs of a work agent: it applies, watches and deletes an object. */
const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

export const ruleFor = ({ group, resource }: RuleKind) => ({
  apiGroups: [group],
  resources: [resource],
  verbs,
});

/** @throws StellarError `usage` */
export function parseKind(text: string): RuleKind {
  if (!/^[a-z0-9]+(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text))
    throw new StellarError(
      'usage',
      `"${text}" is not RESOURCE[.GROUP], such as deployments.apps or secrets.`,
    );
  const [resource = '', ...group] = text.split('.');
  return { resource, group: group.join('.') };
}

/** Each kind once, sorted by name. */
export function distinct(kinds: readonly RuleKind[]): RuleKind[] {
  const byName = new Map(kinds.map((kind) => [groupResourceOf(kind), kind]));
  return [...byName.keys()].sort().map((name) => byName.get(name) as RuleKind);
}

/** Objects of these groups give rights or identities, with which an agent could take more: no status grants them. */
const neverFromStatus =
  /^(?:rbac\.authorization|authorization|authentication|certificates)\.k8s\.io$/;

/**
 * The kinds of objects that the API server has refused to a work agent. A status is only a claim: a kind comes from the work's own
 * manifest, as the WEC serves it.
 */
export async function failedKinds(
  wec: Pick<Kube, 'read'>,
  works: readonly ManifestWork[],
): Promise<RuleKind[]> {
  const refused = works.flatMap(({ spec, status }) =>
    (status?.resourceStatus?.manifests ?? [])
      .filter(lacksRight)
      .flatMap(
        ({ resourceMeta }) => spec?.workload?.manifests?.[resourceMeta?.ordinal ?? -1] ?? [],
      ),
  );
  const served = refused.length === 0 ? [] : await discoverKinds(wec);
  const given = served.flatMap(({ apiVersion, kind, plural: resource }) => {
    const group = groupOf(apiVersion);
    const isRefused = refused.some(
      (manifest) => manifest.kind === kind && groupOf(manifest.apiVersion ?? '') === group,
    );
    return isRefused && !neverFromStatus.test(group) ? { group, resource } : [];
  });
  return distinct(given);
}

/** The service account of a WEC's work agent (ocm pkg/operator/helpers, WorkServiceAccountName). */
const workAccount = (klusterlet: Klusterlet | undefined) => ({
  namespace: klusterlet?.spec?.namespace ?? agentNamespace,
  name: `${klusterletName}-work-sa`,
});

/** The kinds for which the work agent lacks a right. Reads only. */
export async function refusedKinds(
  wec: Kube,
  klusterlet: Klusterlet | undefined,
  kinds: readonly RuleKind[],
): Promise<RuleKind[]> {
  const account = workAccount(klusterlet);
  const isRefused = await Promise.all(
    kinds.map(async (kind) => {
      const answers = await Promise.all(
        verbs.map((verb) => mayAccount(wec, account, { verb, ...kind })),
      );
      return answers.includes(false);
    }),
  );
  return kinds.filter((_, index) => isRefused[index]);
}
