import { StellarError } from '../../core/errors.ts';
import { type Followed, followOne } from '../../core/follow.ts';
import { advice, command, run as nextStep } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import type { BlockedReport } from '../../core/stages.ts';
import type { Kube } from '../../kube/client/client.ts';
import { failureLog, firstPodFailure } from '../../kube/pods.ts';
import {
  type Hosting,
  hostingStages,
  type Installing,
  readHosting,
} from '../hosting/hosting-stages.ts';

/** How long a failure that may be transient must persist before it is reported. */
export const failureGraceMs = 5000;

/**
 * Waits until a cluster is a hosting cluster, while helm runs and after it ends. Permanent failures are reported immediately: an
 * image that cannot be pulled, a crash loop, a failed Job. helm itself would wait for these without output.
 * @param helm the running one, if any
 * @throws StellarError `hosting-failed`, `timeout`, and helm's failure
 */
export async function followHosting(
  kube: Kube,
  installing: Installing,
  run: Run,
  helm?: Promise<unknown>,
): Promise<void> {
  const { context } = kube.cluster;
  let helmAtWork = helm !== undefined;
  let failed: { error: unknown } | undefined;
  helm?.then(
    () => {
      helmAtWork = false;
    },
    (error: unknown) => {
      // At the deadline the stages show better than helm what was missing.
      if (!(error instanceof StellarError && error.code === 'timeout')) failed = { error };
    },
  );
  const read = async () => {
    if (failed !== undefined) throw failed.error;
    return {
      stages: hostingStages,
      snapshot: await readHosting(kube, { ...installing, helmAtWork }),
    };
  };
  const subject: Followed<Hosting, true> = {
    graceMs: failureGraceMs,
    async act({ snapshot: hosting, reached, blocking, state }) {
      for (const { title } of reached) run.progress.reached(context, title, true);
      if (blocking === undefined && !hosting.helmAtWork) return true;
      if (blocking !== undefined && state === 'failed')
        throw await installFailure(kube, hosting, blocking);
      run.progress.waiting(context, blocking?.verdict.why ?? 'helm is finishing');
      return undefined;
    },
    late(last) {
      const why = last?.blocking?.verdict.why ?? 'helm is still running';
      throw new StellarError(
        'timeout',
        `Timed out waiting for ${context} to become a hosting cluster: ${why}.`,
        advice('To resume, rerun the command with a longer --timeout'),
      );
    },
  };
  await followOne(subject, read, run);
}

async function installFailure(kube: Kube, hosting: Hosting, { id, verdict }: BlockedReport) {
  const pods = hostingStages.find((stage) => stage.id === id)?.podsOf?.(hosting) ?? [];
  const failure = firstPodFailure(pods);
  const log = failure === undefined ? [] : await failureLog(kube, failure);
  const { context } = kube.cluster;
  return new StellarError(
    'hosting-failed',
    `${context} is not a hosting cluster yet: ${verdict.why}.`,
    ...(verdict.next ?? [
      nextStep(command`kubectl --context ${context} -n kubeflex-system get pods,jobs`, 'See more'),
    ]),
  ).with({ details: log });
}
