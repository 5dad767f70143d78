import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { advice, run as nextStep } from '../core/next-step.ts';
import { poll } from '../core/poll.ts';
import type { Run } from '../core/run.ts';
import type { Kube } from '../kube/client/client.ts';
import type { Secret } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import type { ClusterState } from './cluster-state.ts';
import type { ReleaseName, Revision } from './helm.ts';

/**
 * helm's default --timeout. Of a helm that records nothing for longer, it is not known whether it still runs: it may have another
 * timeout, or was killed.
 */
const helmTimeoutMs = 300_000;

const isPending = (status: string | undefined): boolean => status?.startsWith('pending-') === true;

/** The Secret in which helm stores a revision (helm 3 and 4, pkg/storage/driver/secrets.go). */
const recordOf = (release: ReleaseName, revision: number): string => `sh.helm.release.v1.${release.name}.v${revision}`;

/**
 * Waits until no helm runs on a release, because it would refuse a second one. The record of a helm that may have been killed is not
 * deleted: nothing on the cluster shows whether it still runs.
 * @returns whether the release may have changed
 * @throws StellarError `hosting-busy` if helm has recorded nothing for its usual timeout, `timeout`
 */
export async function waitForHelm(
  kube: Kube,
  { release, revisions }: Pick<ClusterState, 'release' | 'revisions'>,
  run: Run,
): Promise<boolean> {
  const last = revisions.at(-1);
  if (last === undefined || !isPending(last.status)) return false;
  const { namespace } = release;
  const { context } = kube.cluster;
  const record = recordOf(release, last.revision);
  const state = `release ${release.name} in namespace ${namespace} is at ${last.status}`;
  run.progress.changed(context, `another helm operation is in progress: ${state}`);
  const outcome = await poll(async () => {
    const secret = await kube.get<Secret>(resources.secrets, record, { namespace });
    if (secret === undefined || !isPending(secret.metadata.labels?.status)) return 'ended';
    run.progress.waiting(context, 'another helm operation is in progress');
    return kube.now() - lastWritten(secret) > helmTimeoutMs ? 'unknown' : undefined;
  }, run);
  if (outcome === 'ended') return true;
  const forget = command`kubectl --context ${context} -n ${namespace} delete secret ${record}`;
  throw new StellarError(
    outcome === 'unknown' ? 'hosting-busy' : 'timeout',
    `Another helm operation is in progress on ${context}: ${state}.`,
    {
      next: [
        advice('Check whether helm still runs, on every machine where it may have been started'),
        nextStep(forget, 'If it does not'),
        advice('and rerun the command'),
      ],
    },
  );
}

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
    if (isPending(status) || record.metadata.labels?.status !== status)
      throw concurrentRelease(kube.cluster.context, release);
    await kube.delete(resources.secrets, name, { namespace, uid: record.metadata.uid });
  }
}

/** The error of a run that finds another helm at work on the release. */
export function concurrentRelease(context: string, { name, namespace }: ReleaseName): StellarError {
  return new StellarError(
    'release-pending',
    `Another helm operation on release ${name} in namespace ${namespace} on ${context} started first.`,
    { next: [advice('When it has ended, rerun the command')] },
  );
}
