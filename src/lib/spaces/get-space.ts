import { isNotable, runChecks } from '../core/checks.ts';
import { rfc3339 } from '../core/deadline.ts';
import { StellarError } from '../core/errors.ts';
import { command, diagnosisOf, run as nextStep, type Problem } from '../core/next-step.ts';
import { blockingStage, judge, type StageReport, stageViews, standingOf } from '../core/stages.ts';
import { ifSeen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { conditionOf, createdAt, isTrue, resources } from '../kube/client/objects.ts';
import type { Kubeconfig } from '../kube/kubeconfig/kubeconfig.ts';
import { listServed, provenIn } from '../kube/served.ts';
import { namespaceOf, roleWithArticle, type SpaceRole } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import { readHookVersions } from '../ocm/versions/program-versions.ts';
import { requireHosting, type SpaceTools } from './hosting/hosting.ts';
import { credentialChecks } from './space/credentials.ts';
import type { ItsInside } from './space/its-stages.ts';
import { brokenContext, contextsOf, toSeeSpace } from './space/space-access.ts';
import {
  failureOfStage,
  type SpaceReading,
  SpaceWatcher,
  spaceVersions,
} from './space/space-watcher.ts';
import {
  hooksOf,
  itsNameOf,
  itsOfWds,
  listControlPlanes,
  roleOf,
  type SpaceEvidence,
  typeOf,
} from './space/spaces.ts';
import { checkSpaceName } from './space-requirements.ts';

/** One space in full. The fields are a public interface: docs/output.md. */
export type SpaceView = Awaited<ReturnType<typeof getSpace>>;

/** @throws StellarError `not-found`, `not-a-hosting-cluster` */
export async function getSpace(name: string, role: SpaceRole, tools: SpaceTools) {
  const { hosting, kubeconfig } = tools;
  const { all } = await requireSpace(name, role, hosting);
  const reading = await new SpaceWatcher(tools).read(name, role);
  if (reading === undefined) throw noSuchSpace(name, role, hosting, undefined);
  const { space, stages, kube } = reading;
  const reports = judge(stages, space);
  const { controlPlane } = space;
  const seen = ifSeen(space.inside);
  const { type, ready, stage, blockedAt, context, created } = describeSpace(
    space,
    reports,
    kubeconfig,
  );
  const problem =
    stage === 'deleting'
      ? { message: `${name} is being deleted.`, next: [] }
      : ((await problemOf(reading, hosting)) ??
        // Commands use the contexts of the kubeconfig, and the reading did not.
        (seen && (await brokenContext({ space, kube, tools }))));
  return {
    name,
    role,
    type,
    hosting: space.hosting,
    context,
    server: kube?.cluster.server ?? null,
    created,
    ready,
    stage,
    blockedAt,
    stages: stageViews(reports),
    hooks: hooksOf(controlPlane),
    namespace: namespaceOf(name),
    versions: spaceVersions(space, await readHookVersions(hosting)),
    /** For a WDS: the ITS that it uses, and whether it names it. */
    its:
      role === 'wds'
        ? {
            name: itsOfWds(name, all)?.metadata.name ?? null,
            named: itsNameOf(controlPlane) !== undefined,
          }
        : undefined,
    /** For an ITS: the address that it publishes for other clusters. */
    publishedServer:
      role === 'its' ? seen && ((seen as ItsInside).clusterInfo?.server ?? null) : undefined,
    /** The problem and the next command; null if there is no problem. */
    diagnosis:
      problem === undefined ? null : { ...diagnosisOf(problem), log: [...(problem.details ?? [])] },
  };
}

/**
 * Describes a space by the evidence of its hosting cluster and the reports of its stages. The fields are a public interface:
 * docs/output.md.
 */
export function describeSpace(
  { name, hosting, controlPlane }: SpaceEvidence,
  reports: readonly StageReport[],
  kubeconfig: Kubeconfig,
) {
  const { verdict } = blockingStage(reports) ?? {};
  const condition = conditionOf(controlPlane, 'Ready');
  const isDeleted = controlPlane.metadata.deletionTimestamp !== undefined;
  return {
    name,
    type: typeOf(controlPlane),
    ready: isTrue(controlPlane, 'Ready') && verdict === undefined && !isDeleted,
    ...(isDeleted ? { stage: 'deleting', blockedAt: null } : standingOf(reports)),
    /** Whether the user must act. */
    problem: verdict?.state === 'failed',
    /** What the space waits for, or the problem; empty if there is none. */
    reason: isDeleted
      ? 'it is being deleted'
      : (verdict?.why ?? ((condition?.status === 'False' && condition.message) || '')),
    context: contextsOf(kubeconfig, name, hosting)[0] ?? null,
    /** RFC 3339 */
    created: rfc3339(createdAt(controlPlane)),
  };
}

/**
 * What is wrong with a space, with the end of the log of what failed: what blocks it, if not merely its creation is waited for, or
 * credentials that end. Undefined if nothing is.
 */
async function problemOf(
  reading: SpaceReading,
  hosting: Kube,
): Promise<Pick<Problem, 'message' | 'details' | 'next'> | undefined> {
  const { space, stages, kube } = reading;
  const blocking = blockingStage(judge(stages, space));
  const { state, why, next = [] } = blocking?.verdict ?? {};
  if (blocking === undefined || (state === 'waiting' && next.length === 0)) {
    const all = await listControlPlanes(hosting);
    const subject = { space, all, hosting, kube };
    return (await runChecks(credentialChecks(subject), subject)).find(isNotable)?.problem;
  }
  const { log, next: seeMore } = await failureOfStage(blocking.id, reading, hosting);
  return {
    message: `${space.name} is not ready: ${why}.`,
    details: log,
    next: next.length > 0 ? next : seeMore,
  };
}

/**
 * Finds the control plane of a space, if there is one, and lists all control planes.
 * @throws StellarError `usage`, `not-a-hosting-cluster`, and `not-found` if the name belongs to something else
 */
export async function findSpace(name: string, role: SpaceRole, hosting: Kube) {
  checkSpaceName(name);
  await requireHosting(hosting);
  const all = await listServed<ControlPlane>(hosting, resources.controlPlanes);
  const controlPlane = provenIn(all)(name);
  const { object } = controlPlane;
  if (object === undefined || roleOf(object) === role) return { all, controlPlane };
  throw noSuchSpace(name, role, hosting, object);
}

/** Reads the control plane of a space, and all others. @throws StellarError `not-found`, `not-a-hosting-cluster` */
export async function requireSpace(name: string, role: SpaceRole, hosting: Kube) {
  const { all, controlPlane } = await findSpace(name, role, hosting);
  const { object } = controlPlane;
  if (object === undefined) throw noSuchSpace(name, role, hosting, object);
  return { all, controlPlane: object };
}

/** The error for a name without such a space. @param present the control plane of that name, if any */
export function noSuchSpace(
  name: string,
  role: SpaceRole,
  hosting: Kube,
  present: ControlPlane | undefined,
): StellarError {
  const { context } = hosting.cluster;
  const other = present && roleOf(present);
  if (other !== undefined)
    return new StellarError(
      'not-found',
      `${name} is ${roleWithArticle(other)}.`,
      toSeeSpace(other, name, context),
    );
  return new StellarError(
    'not-found',
    `There is no ${role.toUpperCase()} ${name} on ${context}.`,
    nextStep(command`stellarctl ${role} list --hosting-context ${context}`, 'See what exists'),
  );
}
