import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { advice, run as nextStep } from '../core/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import type { Secret } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import type { ClusterState } from './cluster-state.ts';
import type { ReleaseName, Revision } from './helm.ts';

const isPending = (status: string | undefined): boolean => status?.startsWith('pending-') === true;

/** The Secret in which helm stores a revision (helm 3 and 4, pkg/storage/driver/secrets.go). */
const recordOf = (release: ReleaseName, revision: number): string => `sh.helm.release.v1.${release.name}.v${revision}`;

/**
 * helm refuses a second operation on a release. The record of a helm that may have been killed is not deleted: nothing on the cluster
 * shows whether it still runs.
 * @throws StellarError `release-pending`
 */
export function refusePending(context: string, { release, revisions }: Pick<ClusterState, 'release' | 'revisions'>) {
  const last = revisions.at(-1);
  if (last !== undefined && isPending(last.status)) throw pendingRelease(context, release, last);
}

function pendingRelease(context: string, { name, namespace }: ReleaseName, { revision, status }: Revision) {
  const record = recordOf({ name, namespace }, revision);
  const forget = command`kubectl --context ${context} -n ${namespace} delete secret ${record}`;
  return new StellarError(
    'release-pending',
    `Another helm operation is in progress on ${context}: release ${name} in namespace ${namespace} is at ${status}.`,
    {
      next: [
        advice('When it has ended, rerun the command'),
        nextStep(forget, 'If helm runs on no machine where it may have been started'),
      ],
    },
  );
}

/**
 * Deletes the records of a release that was never deployed, to install it and not upgrade it: the chart's Job that installs
 * PostgreSQL runs only on installation. The objects are kept and adopted.
 * @throws StellarError `release-pending` if another helm has started on it since the revisions were read; its record is kept
 */
export async function forgetRevisions(kube: Kube, release: ReleaseName, revisions: readonly Revision[]): Promise<void> {
  const { namespace } = release;
  for (const each of revisions) {
    const name = recordOf(release, each.revision);
    const record = await kube.get<Secret>(resources.secrets, name, { namespace });
    if (record === undefined) continue;
    const { status = '' } = record.metadata.labels ?? {};
    if (isPending(status) || status !== each.status)
      throw pendingRelease(kube.cluster.context, release, { ...each, status });
    await kube.delete(resources.secrets, name, { namespace, uid: record.metadata.uid });
  }
}
