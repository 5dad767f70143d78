import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords, run as nextStep } from '../../engine/next-step.ts';
import { poll } from '../../engine/poll.ts';
import type { Run } from '../../engine/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { Secret } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import type { Helm, ReleaseName, Revision } from '../../programs/helm/helm.ts';
import type { Situation } from './cluster-state.ts';

/**
 * How long helm waits by itself before it gives up (its --timeout). A revision that has been pending for longer, with nothing said
 * about it since, belongs to a helm that died: a living one would have noted how it ended.
 */
const abandonedAfterMs = 300_000;

const isPending = (revision: Revision | undefined): boolean => revision?.status.startsWith('pending-') === true;

/** The Secret in which helm keeps a revision (helm 3 and 4, pkg/storage/driver/secrets.go). */
const recordOf = (release: ReleaseName, revision: number): string => `sh.helm.release.v1.${release.name}.v${revision}`;

/**
 * Makes sure that no helm is at work on a release, which would refuse a second one. A living one is waited for. The record of an
 * upgrade whose helm has died is removed, so that the release is what it was before; that of an installation stays for whoever
 * installs again (forgetRevisions), with the values in it.
 * @returns whether the release may be another than before
 * @throws StellarError `release-pending` where it cannot be told, or `timeout`
 */
export async function settleRelease(
  kube: Kube,
  helm: Helm,
  { release, revisions }: Pick<Situation, 'release' | 'revisions'>,
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

/** When helm last wrote a record; it notes that in labels, in seconds since the epoch. */
function lastWritten({ metadata }: Secret): number {
  const { modifiedAt, createdAt } = metadata.labels ?? {};
  const seconds = Number(modifiedAt ?? createdAt);
  return Number.isFinite(seconds) ? seconds * 1000 : Date.parse(metadata.creationTimestamp ?? '');
}

/**
 * Forgets a release that was never deployed, so that it is installed and not upgraded: the chart's own Job that installs
 * PostgreSQL belongs to installations only. The objects stay, and are adopted.
 * @throws StellarError `release-pending` where another helm has begun with it since the revisions were read: its record is left alone
 */
export async function forgetRevisions(kube: Kube, release: ReleaseName, revisions: readonly Revision[]): Promise<void> {
  const { namespace } = release;
  for (const { revision, status } of revisions) {
    const name = recordOf(release, revision);
    const record = await kube.get<Secret>(resources.secrets, name, { namespace });
    if (record === undefined) continue;
    const now = record.metadata.labels?.status;
    const isAtWork = now?.startsWith('pending-') === true && idleTime(kube, record) <= abandonedAfterMs;
    if (isAtWork || now !== status) throw overtaken(kube.cluster.context, release);
    await kube.delete(resources.secrets, name, { namespace, uid: record.metadata.uid });
  }
}

/** The error of whoever wanted to do what another helm is doing already. */
export function overtaken(context: string, { name, namespace }: ReleaseName): StellarError {
  return new StellarError(
    'release-pending',
    `Another helm operation on release ${name} in namespace ${namespace} on ${context} started first.`,
    { next: [inWords('When it has ended, rerun the command')] },
  );
}
