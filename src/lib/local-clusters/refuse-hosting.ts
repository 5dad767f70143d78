import { command } from '../engine/command-line.ts';
import { StellarError } from '../engine/errors.ts';
import { inWords, run } from '../engine/next-step.ts';
import { tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import type { Kubeconfig } from '../kube/kubeconfig/kubeconfig.ts';
import { controlPlaneOf, hostingContext, hostingOf } from '../spaces/kubeconfig-extension.ts';
import { listControlPlanes, roleOf } from '../spaces/spaces.ts';
import type { FoundCluster } from './delete.ts';

/**
 * Refuses to delete a cluster that hosts ITSes and WDSes. The cluster itself is read; the kubeconfig's record counts only if the
 * cluster does not answer.
 * @param cluster undefined if no connection is possible
 * @returns whether the cluster answered
 * @throws StellarError `has-dependents`, with their names
 */
export async function refuseHosting(
  { name, contexts }: FoundCluster,
  cluster: Kube | undefined,
  kubeconfig: Kubeconfig,
): Promise<boolean> {
  const asked = cluster && (await tryRead(() => listControlPlanes(cluster)));
  if (asked?.state === 'seen') {
    const spaces = asked.value?.map(
      (space) => `${space.metadata.name} (${roleOf(space)?.toUpperCase() ?? 'control plane'})`,
    );
    if (spaces !== undefined) throw isHosting(name, contexts[0], spaces);
    return true;
  }
  const noted = [...kubeconfig.contexts.values()]
    .filter((context) => contexts.includes(hostingOf(context) ?? ''))
    .flatMap((context) => controlPlaneOf(context) ?? []);
  if (noted.length > 0 || contexts.includes(hostingContext(kubeconfig) ?? ''))
    throw isHosting(name, contexts[0], noted, ', according to the kubeconfig; it does not answer');
  return false;
}

function isHosting(name: string, context: string | undefined, spaces: readonly string[], source = ''): StellarError {
  const lost = spaces.length === 0 ? '' : ` With it would be lost: ${spaces.join(', ')}.`;
  const inspectSteps =
    context === undefined ? [] : [run(command`stellarctl status --hosting-context ${context}`, 'See what exists')];
  return new StellarError('has-dependents', `${name} is a hosting cluster${source}. It was not deleted.${lost}`, {
    next: [...inspectSteps, inWords('Delete it anyway: --force')],
  });
}
