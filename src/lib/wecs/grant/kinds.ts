import { StellarError } from '../../engine/errors.ts';
import type { Kube } from '../../kube/client/client.ts';
import { mayAccount } from '../../kube/service-accounts.ts';
import type { ManifestWork } from '../../workloads/manifest-works.ts';
import { agentNamespace, klusterletName } from '../names.ts';
import type { Klusterlet } from '../objects.ts';

/** A kind of object as rules write it. */
export interface RuleKind {
  group: string;
  /** Plural and lower case. */
  resource: string;
}

/** The verbs of a work agent: it applies, watches and deletes an object. */
const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

export const ruleFor = ({ group, resource }: RuleKind) => ({ apiGroups: [group], resources: [resource], verbs });

/** As kubectl spells it: `widgets.example.com`, or `secrets` of the core group. */
export const groupResourceOf = ({ group, resource }: RuleKind): string =>
  group === '' ? resource : `${resource}.${group}`;

/** @throws StellarError `usage` */
export function parseKind(text: string): RuleKind {
  if (!/^[a-z0-9]+(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text))
    throw new StellarError('usage', `"${text}" is not RESOURCE[.GROUP], such as deployments.apps or secrets.`);
  const [resource = '', ...group] = text.split('.');
  return { resource, group: group.join('.') };
}

/** Each kind once, sorted by name. */
export function distinct(kinds: readonly RuleKind[]): RuleKind[] {
  const byName = new Map(kinds.map((kind) => [groupResourceOf(kind), kind]));
  return [...byName.keys()].sort().map((name) => byName.get(name) as RuleKind);
}

/** The kinds of objects that works have not applied; a kind that the cluster does not know has no resource. */
export const failedKinds = (works: readonly ManifestWork[]): RuleKind[] =>
  distinct(
    works
      .flatMap(({ status }) => status?.resourceStatus?.manifests ?? [])
      .filter(({ conditions }) => conditions?.some(({ type, status }) => type === 'Applied' && status === 'False'))
      .flatMap(({ resourceMeta: { group = '', resource = '' } = {} }) =>
        resource === '' ? [] : [{ group, resource }],
      ),
  );

/** The service account of a WEC's work agent (ocm pkg/operator/helpers, WorkServiceAccountName). */
export const workAccount = (klusterlet: Klusterlet | undefined) => ({
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
      const answers = await Promise.all(verbs.map((verb) => mayAccount(wec, account, { verb, ...kind })));
      return answers.includes(false);
    }),
  );
  return kinds.filter((_, index) => isRefused[index]);
}
