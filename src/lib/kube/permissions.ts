import { command } from '../engine/command-line.ts';
import { StellarError } from '../engine/errors.ts';
import { run } from '../engine/next-step.ts';
import type { Kube, Permission } from './client/client.ts';
import { describeCluster } from './client/errors.ts';
import { groupOf, type Resource } from './resources.ts';

export const may = (verb: string, { apiVersion, plural }: Resource, rest: Partial<Permission> = {}): Permission => ({
  verb,
  group: groupOf(apiVersion),
  resource: plural,
  ...rest,
});

/** Checks all permissions at once. @returns the ones that this user lacks, in words */
export async function missingPermissions(kube: Kube, permissions: readonly Permission[]): Promise<string[]> {
  const answers = await Promise.all(permissions.map((permission) => kube.mayI(permission)));
  return permissions.filter((_, index) => !answers[index]).map(describePermission);
}

/** Checks all permissions before a write. @throws StellarError `forbidden`, naming the missing ones */
export async function requirePermissions(kube: Kube, permissions: readonly Permission[]): Promise<void> {
  const missing = await missingPermissions(kube, permissions);
  if (missing.length === 0) return;
  throw new StellarError('forbidden', `Not allowed on ${describeCluster(kube.cluster)}: ${missing.join(', ')}.`, {
    next: [run(command`kubectl --context ${kube.cluster.context} auth can-i --list`, 'See what is allowed')],
  });
}

/** A permission in words: `create secrets in NAMESPACE`. */
export function describePermission({ verb, group, resource, subresource, namespace }: Permission): string {
  const what = `${resource}${subresource ? `/${subresource}` : ''}${group ? `.${group}` : ''}`;
  return `${verb} ${what}${namespace ? ` in ${namespace}` : ''}`;
}
