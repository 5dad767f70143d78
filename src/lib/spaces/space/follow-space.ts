import { monotonic, rfc3339 } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { followOne, type JudgedReading } from '../../core/follow.ts';
import { type Problem, rerun, stepLines } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import {
  type BlockedReport,
  type StageReport,
  type Standing,
  standingOf,
} from '../../core/stages.ts';
import type { Kube } from '../../kube/client/client.ts';
import { resources } from '../../kube/client/objects.ts';
import type { AnySpace, SpaceReading } from './space-watcher.ts';
import { hookLike } from './spaces.ts';

/**
 * How long a failure that may be transient must persist before it is reported. Failures of images and hooks are usually permanent.
 */
const spaceGraceMs = 5000;

/** After this time at one stage, the user learns where to look. */
const stuckAfterMs = 30_000;

/** Triggers an immediate reconciliation of a control plane, before KubeFlex's next one (every 30 s). */
const reconcileAnnotation = 'stellarctl.kubestellar.io/reconcile-requested-at';

export interface FollowedSpace {
  name: string;
  hosting: Kube;
  /** Reads the space once. Undefined: the control plane no longer exists. */
  read: () => Promise<SpaceReading | undefined>;
}

/** The outcome of following a space. */
export interface SpaceOutcome extends Standing {
  /** Whether it was at its last stage at the first reading. */
  atOnce?: boolean;
  error?: StellarError;
}

/**
 * Follows a space to its last stage. Reports each stage as it completes, and stops at a permanent failure, with its reason and the
 * end of the failed pod's log. KubeFlex reports none of this.
 */
export function followSpace(followed: FollowedSpace, run: Run): Promise<SpaceOutcome> {
  const { name, hosting } = followed;
  let lastNews = '';
  let waits = { at: '', since: 0 };
  let kube: Kube | undefined;
  const read = async () => {
    const reading = await followed.read();
    if (reading === undefined) throw gone(followed);
    kube = reading.kube;
    return { stages: reading.stages, snapshot: reading.space };
  };
  return followOne<AnySpace, SpaceOutcome>(
    {
      graceMs: spaceGraceMs,
      async act({ snapshot: space, stages, reports, reached, blocking, state, isFirst }) {
        // The last stage is reported with the result.
        for (const { id, title } of reached)
          if (id !== reports.at(-1)?.id) run.progress.reached(name, title, true);
        const standing = standingOf(reports);
        if (blocking === undefined) return { ...standing, atOnce: isFirst };
        if (state === 'failed') {
          const error = await spaceFailure(followed, { space, stages, kube }, blocking);
          return { ...standing, error };
        }
        const news = unnoticed(space, reports, blocking);
        // Optional, once per change: users without the permission wait slightly longer.
        if (news && news !== lastNews) await triggerReconcile(hosting, name).catch(() => {});
        lastNews = news;
        run.progress.waiting(name, blocking.verdict.why, blocking.id);
        if (waits.at !== blocking.id) waits = { at: blocking.id, since: monotonic() };
        if (monotonic() - waits.since < stuckAfterMs) return undefined;
        // Once for each stage.
        waits.since = Number.POSITIVE_INFINITY;
        for (const step of stepLines(blocking.verdict.next ?? []))
          run.progress.note(`${name}: ${step}`);
        return undefined;
      },
      late: (last) => tooLate(followed, last),
    },
    read,
    run,
  );
}

/** The changes that KubeFlex has not observed yet; empty if there are none. */
function unnoticed(
  { controlPlane }: AnySpace,
  reports: readonly StageReport[],
  blocking: StageReport,
) {
  const isUnnoticedHook = (id: string) => {
    const hook = hookLike(controlPlane, id);
    return hook !== undefined && controlPlane.status?.postCreateHooks?.[hook] !== true;
  };
  const hooks = reports.filter(({ id, verdict }) => verdict.state === 'met' && isUnnoticedHook(id));
  const onlyKubeFlexIsLeft = blocking === reports.at(-1);
  return [...hooks.map(({ id }) => id), ...(onlyKubeFlexIsLeft ? ['all'] : [])].join();
}

/** Makes KubeFlex reconcile a control plane, which any change triggers. */
export async function triggerReconcile(hosting: Kube, name: string): Promise<void> {
  await hosting.merge(resources.controlPlanes, name, {
    metadata: { annotations: { [reconcileAnnotation]: rfc3339(hosting.now()) } },
  });
}

async function spaceFailure(
  { name, hosting }: FollowedSpace,
  reading: SpaceReading,
  { id, verdict }: BlockedReport,
) {
  const { failureOfStage } = await import('./space-watcher.ts');
  const { failure, log, next: seeMore } = await failureOfStage(id, reading, hosting);
  const isHook = hookLike(reading.space.controlPlane, id) !== undefined;
  const where = failure?.kind === 'exit' ? [failure.why] : [];
  return new StellarError(
    isHook ? 'hook-failed' : 'space-failed',
    `${name} is not ready: ${verdict.why}.`,
    ...(id === 'reachable' ? [rerun] : []),
    ...(verdict.next ?? seeMore),
  ).with({ details: [...where, ...log] });
}

/** Finds a failure of the hosting cluster, which blocks every space on it. */
async function hostingFailure(hosting: Kube): Promise<Problem | undefined> {
  const { judgeHosting } = await import('../hosting/hosting-stages.ts');
  const { findings } = await judgeHosting(hosting).catch(() => ({ findings: [] }));
  return findings.flatMap((finding) => (finding.status === 'fail' ? [finding.problem] : []))[0];
}

async function tooLate(
  { name, hosting }: FollowedSpace,
  { reports, blocking }: Partial<JudgedReading<AnySpace>> = {},
): Promise<SpaceOutcome> {
  const hasFailed = blocking?.verdict.state === 'failed';
  const cause = hasFailed ? undefined : await hostingFailure(hosting);
  const { why, next = [] } = blocking?.verdict ?? {};
  const at = blocking === undefined ? '' : `; it is blocked at "${blocking.title}": ${why}`;
  const because = cause === undefined ? '' : ` ${cause.message}`;
  const error = new StellarError(
    'timeout',
    `${name} was not ready in time${at}.${because}`,
    ...(cause === undefined ? [rerun, ...next] : [...cause.next, rerun]),
  );
  return { ...standingOf(reports ?? []), error };
}

function gone({ name, hosting }: FollowedSpace) {
  return new StellarError(
    'not-found',
    `The control plane ${name} was deleted from ${hosting.cluster.context} by someone else.`,
  );
}
