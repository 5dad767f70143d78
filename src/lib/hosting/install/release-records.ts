import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords, run as nextStep } from '../../engine/next-step.ts';
import { poll } from '../../engine/poll.ts';
import type { Run } from '../../engine/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { Secret } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import type { Helm, ReleaseName, Revision } from '../../programs/helm/helm.ts';
import type { ClusterState } from './cluster-state.ts';

/**
 * helm's default --timeout. A revision that is pending for longer, without a newer record, belongs to a helm that was killed: a
 * running one would have recorded its outcome.
 */
const abandonedAfterMs = 300_000;

const isPending = (revision: Revision | undefined): boolean => revision?.status.startsWith('pending-') === true;

/** The Secret in which helm stores a revision (helm 3 and 4, pkg/storage/driver/secrets.go). */
const recordOf = (release: ReleaseName, revision: number): string => `sh.helm.release.v1.${release.name}.v${revision}`;

/**
 * Ensures that no helm runs on a release, because it would refuse a second one. Waits for a running helm. Removes the record of an
 * upgrade whose helm was killed, which restores the previous revision. Keeps the record of an installation, with its values, for
 * the next installation (forgetRevisions).
 * @returns whether the release may have changed
 * @throws StellarError `release-pending` if it is unknown whether helm still runs, or `timeout`
 */
export async function recoverRelease(
  kube: Kube,
  helm: Helm,
  { release, revisions }: Pick<ClusterState, 'release' | 'revisions'>,
  run: Run,
): Promise<boolean> {
  const last = revisions.at(-1);
  if (last === undefined || !isPending(last)) return false;
  const { namespace } = release;
  const { context } = kube.cluster;
  const record = recordOf(release, last.revision);
  const state = `release ${release.name} in namespace ${namespace} is at ${last.status}`;
  run.progress.changed(context, `another helm operation is in progress: ${state}`);
  const outcome = await poll(async () => {
    const secret = await kube.get<Secret>(resources.secrets, record, { namespace });
    if (secret?.metadata.labels?.status?.startsWith('pending-') !== true) return 'ended';
    const idleMs = idleTime(kube, secret);
    if (idleMs <= abandonedAfterMs) {
      const left = Math.ceil((abandonedAfterMs - idleMs) / 1000);
      run.progress.waiting(context, `another helm operation is in progress; considered stale in ${left}s`);
      return undefined;
    }
    run.progress.changed(context, 'the other helm operation is stale; continuing');
    if (last.status !== 'pending-install')
      await kube.delete(resources.secrets, record, { namespace, uid: secret.metadata.uid });
    return 'dead';
  }, run);
  if (outcome === 'dead' || (outcome === 'ended' && !isPending((await helm.history(release)).at(-1)))) return true;
  const forget = command`kubectl --context ${context} -n ${namespace} delete secret ${record}`;
  throw new StellarError(
    outcome ? 'release-pending' : 'timeout',
    `Another helm operation is in progress on ${context}: ${state}.`,
    {
      next: [nextStep(forget, 'If you know that it is not'), inWords('and rerun the command')],
    },
  );
}

const idleTime = (kube: Kube, record: Secret): number => kube.now() - lastWritten(record);

/** When helm last wrote a record, from its labels, in seconds since the epoch. */
function lastWritten({ metadata }: Secret): number {
  const { modifiedAt, createdAt } = metadata.labels ?? {};
  const seconds = Number(modifiedAt ?? createdAt);
  return Number.isFinite(seconds) ? seconds * 1000 : Date.parse(metadata.creationTimestamp ?? '');
}

/**
 * Deletes the records of a release that was never deployed, to install it and not upgrade it: the chart's Job that installs
 * PostgreSQL runs only on installation. The objects are kept and adopted.
 * @throws StellarError `release-pending` if another helm has started on it since the revisions were read; its record is kept
 */
export async function forgetRevisions(kube: Kube, release: ReleaseName, revisions: readonly Revision[]): Promise<void> {
  const { namespace } = release;
  for (const { revision, status } of revisions) {
    const name = recordOf(release, revision);
    const record = await kube.get<Secret>(resources.secrets, name, { namespace });
    if (record === undefined) continue;
    const now = record.metadata.labels?.status;
    const isAtWork = now?.startsWith('pending-') === true && idleTime(kube, record) <= abandonedAfterMs;
    if (isAtWork || now !== status) throw concurrentRelease(kube.cluster.context, release);
    await kube.delete(resources.secrets, name, { namespace, uid: record.metadata.uid });
  }
}

/** The error of a run that finds another helm at work on the release. */
export function concurrentRelease(context: string, { name, namespace }: ReleaseName): StellarError {
  return new StellarError(
    'release-pending',
    `Another helm operation on release ${name} in namespace ${namespace} on ${context} started first.`,
    { next: [inWords('When it has ended, rerun the command')] },
  );
}
