import { StellarError } from '../../errors.ts';
import type { Kube } from '../../kube/client.ts';
import { firstTrouble, logOfTrouble } from '../../kube/pods.ts';
import { Patience, poll } from '../../poll.ts';
import type { Run } from '../../run.ts';
import { blockingStage, judge, type StageReport } from '../../stages.ts';
import type { HelmWork } from './helm-work.ts';
import { type Hosting, hostingStages, readHosting } from './stages.ts';

/** How long a failure that might pass is watched before it is believed. */
const troubleGraceMs = 5000;

export interface Followed {
  release: string;
  /** Whether KubeFlex is to have a database. */
  needsPostgres: boolean;
  /** helm's work, if there is any. Whatever it ends with is looked at here. */
  helm: HelmWork | undefined;
  started: number;
}

/**
 * Waits until a cluster is a hosting cluster, while helm is still at it and after. Told at once is what will not pass by itself: an
 * image that cannot be pulled, a crash loop, a Job that has failed; helm itself would wait for it in silence.
 * @throws StellarError `hosting-failed`, `timeout`, and helm's failure
 */
export async function followHosting(kube: Kube, followed: Followed, run: Run): Promise<void> {
  const { context } = kube.cluster;
  const patience = new Patience(troubleGraceMs);
  const told = new Set<string>();
  let last: { hosting: Hosting; reports: StageReport[] } | undefined;
  const isReady = await poll(async () => {
    const isHelmDone = followed.helm?.isDone ?? true;
    if (hasFailed(followed.helm)) throw followed.helm?.failure;
    const seen = await readHosting(kube, followed.release);
    const hosting: Hosting = { ...seen, helmAtWork: !isHelmDone, needsPostgres: followed.needsPostgres };
    const reports = judge(hostingStages, hosting);
    const isFirst = last === undefined;
    last = { hosting, reports };
    for (const { id, title, verdict } of reports.filter(({ verdict: { state } }) => state === 'met')) {
      if (!told.has(id) && verdict.state === 'met' && !isFirst)
        run.progress.reached(context, title, Date.now() - followed.started);
      told.add(id);
    }
    const blocking = blockingStage(reports);
    if (blocking === undefined) {
      if (isHelmDone) return true;
      run.progress.waiting(context, 'helm is finishing');
      return undefined;
    }
    const { verdict } = blocking;
    if (verdict.state !== 'failed') patience.believes(undefined, run.deadline);
    else if (
      verdict.final ||
      (patience.believes(`${blocking.id}: ${verdict.why}`, run.deadline) && !run.deadline.passed)
    )
      throw await failure(kube, hosting, blocking);
    if (verdict.state === 'waiting' || verdict.state === 'failed') run.progress.waiting(context, verdict.why);
    return undefined;
  }, run);
  if (isReady) return;
  const verdict = last && blockingStage(last.reports)?.verdict;
  const why = verdict?.state === 'waiting' || verdict?.state === 'failed' ? verdict.why : 'helm has not ended';
  throw new StellarError('timeout', `${context} was not a hosting cluster in time: ${why}.`, {
    hint: 'Go on: run the same command again, with a longer --timeout',
  });
}

/** At the deadline the stages tell better than helm what was awaited. */
function hasFailed(helm: HelmWork | undefined): boolean {
  const failure = helm?.failure;
  return failure !== undefined && !(failure instanceof StellarError && failure.code === 'timeout');
}

async function failure(kube: Kube, hosting: Hosting, { id, verdict }: StageReport): Promise<StellarError> {
  if (verdict.state !== 'failed') throw new Error(`the stage ${id} has not failed`);
  const pods = hostingStages.find((stage) => stage.id === id)?.podsOf?.(hosting) ?? [];
  const trouble = firstTrouble(pods);
  const log = trouble === undefined ? [] : await logOfTrouble(kube, trouble);
  return new StellarError(
    'hosting-failed',
    `${kube.cluster.context} is kept from being a hosting cluster: ${verdict.why}.`,
    {
      details: log,
      hint: verdict.hint ?? `See more: kubectl --context ${kube.cluster.context} -n kubeflex-system get pods,jobs`,
    },
  );
}
