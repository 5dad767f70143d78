import { StellarError } from '../core/errors.ts';
import type { Kube, Permission } from './client/client.ts';
import { describeCluster, toSeeRights } from './client/errors.ts';
import { groupOf, type Resource } from './client/objects.ts';

export const may = (
  verb: string,
  { apiVersion, plural }: Resource,
  rest: Partial<Permission> = {},
): Permission => ({ verb, group: groupOf(apiVersion), resource: plural, ...rest });

/** What answers access reviews. */
export type AccessReviewer = Pick<Kube, 'cluster' | 'mayI'>;

/**
 * Asks each question once, and first about all objects of a kind: a user who may do something with all of them may do it with each.
 */
export function askOnce(kube: AccessReviewer): AccessReviewer {
  const answers = new Map<string, Promise<boolean>>();
  const once = (permission: Permission) => {
    const key = JSON.stringify(permission);
    const answer = answers.get(key) ?? kube.mayI(permission);
    answers.set(key, answer);
    return answer;
  };
  return {
    cluster: kube.cluster,
    async mayI(permission) {
      const { name, namespace, ...everything } = permission;
      if (await once(everything)) return true;
      return name || namespace ? once(permission) : false;
    },
  };
}

/** Checks all permissions at once. @returns the ones that this user lacks, in words */
export const missingPermissions = async (
  kube: Pick<Kube, 'mayI'>,
  permissions: readonly Permission[],
) => (await lacking(kube, permissions)).map(describePermission);

async function lacking(
  kube: Pick<Kube, 'mayI'>,
  permissions: readonly Permission[],
): Promise<Permission[]> {
  const answers = await Promise.all(permissions.map((permission) => kube.mayI(permission)));
  return permissions.filter((_, index) => !answers[index]);
}

/** A right that a user lacks: the cause of an error. */
export interface LackedRight extends Permission {
  /** Of the token, if it says so. */
  user: string | undefined;
}

/** Checks all permissions before a write. @throws StellarError `forbidden`, naming the missing ones */
export async function requirePermissions(
  kube: AccessReviewer,
  permissions: readonly Permission[],
): Promise<void> {
  const missing = await lacking(kube, permissions);
  const [first] = missing;
  if (first === undefined) return;
  const cause: LackedRight = { ...first, user: kube.cluster.token?.user };
  const words = missing.map(describePermission).join(', ');
  throw new StellarError(
    'forbidden',
    `Not allowed on ${describeCluster(kube.cluster)}: ${words}.`,
    toSeeRights(kube.cluster),
  ).with({ cause });
}

/** A permission in words: `create secrets in NAMESPACE`. */
export function describePermission({
  verb,
  group,
  resource,
  subresource,
  namespace,
}: Permission): string {
  const what = `${resource}${subresource ? `/${subresource}` : ''}${group ? `.${group}` : ''}`;
  return `${verb} ${what}${namespace ? ` in ${namespace}` : ''}`;
}
