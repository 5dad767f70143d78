import { command } from '../engine/command-line.ts';
import { StellarError } from '../engine/errors.ts';
import { advice, run as nextStep } from '../engine/next-step.ts';
import { poll } from '../engine/poll.ts';
import type { Run } from '../engine/run.ts';
import { type HostingLease, withHostingLease } from '../hosting/lease.ts';
import type { Kube } from '../kube/client/client.ts';
import type { Secret } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';
import type { Helm, ReleaseName, Revision } from '../programs/helm/helm.ts';
import type { ClusterState } from './cluster-state.ts';

/**
 * helm's default --timeout. Of a helm that records nothing for longer, it is not known whether it still runs: it may have another
 * timeout, or was killed.
 */
const helmTimeoutMs = 300_000;

const isPending = (revision: Revision | undefined): boolean => revision?.status.startsWith('pending-') === true;

/** The Secret in which helm stores a revision (helm 3 and 4, pkg/storage/driver/secrets.go). */
export const recordOf = (release: ReleaseName, revision: number): string =>
  `sh.helm.release.v1.${release.name}.v${revision}`;

/**
 * Ensures that no helm runs on a release, because it would refuse a second one. Waits for a running helm. Removes the record of an
 * upgrade whose helm has ended, as the Lease shows, which restores the previous revision. Keeps the record of an installation, with
 * its values, for the next installation (forgetRevisions).
 * @param ended the UIDs of the records whose helm has ended, as Leases have shown: only the first reading of a Lease shows that
 * @returns whether the release may have changed
 * @throws StellarError `hosting-busy` if it is unknown whether helm still runs, `release-pending` if another one has started, `timeout`
 */
export async function recoverRelease(
  kube: Kube,
  helm: Helm,
  { release, revisions }: Pick<ClusterState, 'release' | 'revisions'>,
  ended: Set<string>,
  run: Run,
): Promise<boolean> {
  const last = revisions.at(-1);
  if (last === undefined || !isPending(last)) return false;
  const { namespace } = release;
  const { context } = kube.cluster;
  const record = recordOf(release, last.revision);
  const state = `release ${release.name} in namespace ${namespace} is at ${last.status}`;
  run.progress.changed(context, `another helm operation is in progress: ${state}`);
  const read = async ({ endedHelm }: HostingLease) => {
    const secret = await kube.get<Secret>(resources.secrets, record, { namespace });
    if (secret?.metadata.labels?.status?.startsWith('pending-') !== true) return 'ended';
    const { uid = '' } = secret.metadata;
    if (record === endedHelm) ended.add(uid);
    if (!ended.has(uid)) {
      run.progress.waiting(context, 'another helm operation is in progress');
      return kube.now() - lastWritten(secret) > helmTimeoutMs ? 'unknown' : undefined;
    }
    run.progress.changed(context, 'the other helm was killed; continuing');
    if (last.status !== 'pending-install') await kube.delete(resources.secrets, record, { namespace, uid });
    return 'dead';
  };
  const outcome = await withHostingLease(kube, 'init', run, (lease) => poll(() => read(lease), run));
  if (outcome === 'dead' || (outcome === 'ended' && !isPending((await helm.history(release)).at(-1)))) return true;
  const forget = command`kubectl --context ${context} -n ${namespace} delete secret ${record}`;
  const code = outcome === 'unknown' ? 'hosting-busy' : outcome === 'ended' ? 'release-pending' : 'timeout';
  throw new StellarError(code, `Another helm operation is in progress on ${context}: ${state}.`, {
    next: [
      advice('Check whether helm still runs, on every machine where it may have been started'),
      nextStep(forget, 'If it does not'),
      advice('and rerun the command'),
    ],
  });
}

/** When helm last wrote a record, from its labels, in seconds since the epoch. */
function lastWritten({ metadata }: Secret): number {
  const { modifiedAt, createdAt } = metadata.labels ?? {};
  const seconds = Number(modifiedAt ?? createdAt);
  return Number.isFinite(seconds) ? seconds * 1000 : Date.parse(metadata.creationTimestamp ?? '');
}

/**
 * Deletes the records of a release that was never deployed, to install it and not upgrade it: the chart's Job that installs
 * PostgreSQL runs only on installation. The objects are kept and adopted. A pending one is of a helm that has ended (recoverRelease).
 * @throws StellarError `release-pending` if another helm has started on it since the revisions were read; its record is kept
 */
export async function forgetRevisions(kube: Kube, release: ReleaseName, revisions: readonly Revision[]): Promise<void> {
  const { namespace } = release;
  for (const { revision, status } of revisions) {
    const name = recordOf(release, revision);
    const record = await kube.get<Secret>(resources.secrets, name, { namespace });
    if (record === undefined) continue;
    if (record.metadata.labels?.status !== status) throw concurrentRelease(kube.cluster.context, release);
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
