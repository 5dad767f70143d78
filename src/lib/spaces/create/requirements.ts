import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { run } from '../../engine/next-step.ts';
import type { Kube, Permission } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { may } from '../../kube/permissions.ts';
import { resourceOf, resources } from '../../kube/resources.ts';
import { namespaceOf, olderHooks } from '../names.ts';
import type { PostCreateHook } from '../objects.ts';

/**
 * Makes sure that the hooks which a control plane is to have exist: KubeFlex would say nothing at all about a missing one, and the
 * control plane would never become ready (facts/live/controlplane-missing-hook.json).
 * @returns the hooks, by name
 * @throws StellarError `hook-missing`, saying whether the hosting cluster has none or those of an older chart
 */
export async function requireHooks(
  hosting: Kube,
  names: readonly string[],
): Promise<ReadonlyMap<string, PostCreateHook>> {
  const present = (await hosting.list<PostCreateHook>(resources.postCreateHooks)) ?? [];
  const byName = new Map(present.map((hook) => [hook.metadata.name, hook]));
  const missing = names.filter((name) => !byName.has(name));
  if (missing.length === 0) return byName;
  const { context } = hosting.cluster;
  const older = [...byName.keys()].filter((name) => name in olderHooks && name !== 'ocm');
  const why =
    older.length > 0
      ? `it has those of a KubeStellar before 0.29 (${older.join(', ')}), which work differently`
      : byName.size === 0
        ? 'it has none: KubeFlex is installed, KubeStellar is not'
        : `it has ${[...byName.keys()].join(', ')}`;
  const install = command`stellarctl init --hosting-context ${context} ${older.length > 0 ? ['--upgrade'] : []}`;
  throw new StellarError(
    'hook-missing',
    `${describeCluster(hosting.cluster)} has no post-create hook ${missing.join(' and no ')}: ${why}.`,
    {
      next: [run(install, 'Install them')],
    },
  );
}

/**
 * What creating and following a space takes on the hosting cluster.
 * @param others objects that are to be made beside the control plane
 */
export function createPermissions(name: string, others: readonly KubeObject[] = []): Permission[] {
  const inSpace = { namespace: namespaceOf(name) };
  return [
    ...others.flatMap((object) => {
      const { name: ofOther, namespace } = object.metadata;
      const place = namespace === undefined ? {} : { namespace };
      return [may('create', resourceOf(object), place), may('patch', resourceOf(object), { name: ofOther, ...place })];
    }),
    may('create', resources.controlPlanes),
    may('patch', resources.controlPlanes, { name }),
    may('get', resources.secrets, inSpace),
    may('list', resources.pods, inSpace),
    may('list', resources.jobs, inSpace),
    may('list', resources.deployments, inSpace),
    may('list', resources.statefulSets, inSpace),
  ];
}
