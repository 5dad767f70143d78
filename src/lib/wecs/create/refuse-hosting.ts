import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords, type NextStep, run } from '../../engine/next-step.ts';
import { controlPlaneOf, hostingContext, hostingOf } from '../../hosting/kubeconfig-extension.ts';
import { tryRead, whyUnseen } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { Kubeconfig } from '../../kube/kubeconfig/kubeconfig.ts';
import { listIfDefined } from '../../kube/served.ts';
import type { FoundCluster } from '../../local-clusters/delete.ts';
import { startCommand } from '../../local-clusters/names.ts';
import { roleOf } from '../../spaces/spaces.ts';
import { readRole } from '../identity/other-role.ts';

/**
 * Refuses to delete a cluster that hosts ITSes and WDSes or is one of them, or that cannot be read: it may host some, or be a WEC of any ITS. The
 * kubeconfig's record counts only if the cluster does not answer.
 * @param cluster undefined if no connection is possible
 * @returns the client of the cluster, which has answered
 * @throws StellarError `has-dependents`, with their names; `unreachable`
 */
export async function refuseHosting(
  { name, provider, contexts }: FoundCluster,
  cluster: Kube | undefined,
  kubeconfig: Kubeconfig,
): Promise<Kube> {
  const asked = cluster && (await tryRead(() => readRole(cluster, [], (kind) => listIfDefined(cluster, kind))));
  if (cluster !== undefined && asked?.state === 'seen') {
    const { kind, found, spaces = [] } = asked.value ?? {};
    const named = spaces.map((space) => `${space.metadata.name} (${roleOf(space)?.toUpperCase() ?? 'control plane'})`);
    if (kind === 'hosting') throw isHosting(name, contexts[0], named.sort());
    if (kind === 'hub' || kind === 'wds') throw isNeeded(name, `is not a WEC: ${found}`);
    return cluster;
  }
  const noted = [...kubeconfig.contexts.values()]
    .filter((context) => contexts.includes(hostingOf(context) ?? ''))
    .flatMap((context) => controlPlaneOf(context) ?? []);
  if (noted.length > 0 || contexts.includes(hostingContext(kubeconfig) ?? ''))
    throw isHosting(name, contexts[0], noted, ', according to the kubeconfig; it does not answer');
  const why = asked === undefined ? 'it is stopped, or was never completed' : whyUnseen(asked);
  throw new StellarError(
    'unreachable',
    `${name} cannot be read (${why}), so whether it is a WEC or a hosting cluster is unknown. It was not deleted.`,
    {
      next: [
        ...(provider === undefined ? [] : [run(startCommand(provider, name), 'If it was stopped')]),
        inWords('Delete it anyway: --force'),
      ],
    },
  );
}

function isHosting(name: string, context: string | undefined, spaces: readonly string[], source = ''): StellarError {
  const lost = spaces.length === 0 ? '' : ` With it would be lost: ${spaces.join(', ')}.`;
  const inspectSteps =
    context === undefined ? [] : [run(command`stellarctl status --hosting-context ${context}`, 'See what exists')];
  return isNeeded(name, `is a hosting cluster${source}`, lost, inspectSteps);
}

const isNeeded = (name: string, what: string, lost = '', steps: NextStep[] = []): StellarError =>
  new StellarError('has-dependents', `${name} ${what}. It was not deleted.${lost}`, {
    next: [...steps, inWords('Delete it anyway: --force')],
  });
