import { type Diagnosis, diagnosisOf } from '../engine/problem.ts';
import {
  blockingStage,
  judge,
  type StageReport,
  type StageView,
  type Standing,
  stageViews,
  standingOf,
} from '../engine/stages.ts';
import { requireHosting } from '../hosting/hosting.ts';
import type { Kube } from '../kube/client/client.ts';
import { createdAt, isTrue } from '../kube/objects.ts';
import { readHookVersions } from '../versions/programs.ts';
import type { RunningVersion } from '../versions/running.ts';
import { contextsOf } from './access.ts';
import { checkSpaceName } from './create/requirements.ts';
import { namespaceOf, type SpaceRole } from './names.ts';
import { noSuchSpace } from './no-such-space.ts';
import { spaceVersions } from './space-versions.ts';
import { hooksOf, itsNameOf, itsOfWds, listControlPlanes, roleOf, typeOf } from './spaces.ts';
import type { ItsInside } from './stages/its-contents.ts';
import type { Space, SpaceStage } from './stages/space-stages.ts';
import { type SpaceReading, SpaceWatcher } from './stages/space-watcher.ts';
import { failureOfStage } from './stages/stage-failure.ts';
import type { WdsInside } from './stages/wds-stages.ts';
import type { SpaceTools } from './tools.ts';

/** One space in full. The fields are a public interface: docs/output.md. */
export interface SpaceView extends Standing {
  name: string;
  role: SpaceRole;
  type: string;
  hosting: string;
  context: string | null;
  server: string | null;
  /** RFC 3339 */
  created: string;
  ready: boolean;
  stages: StageView[];
  hooks: string[];
  namespace: string;
  /** For a WDS: the ITS that it uses, and whether it names it. */
  its?: { name: string | null; named: boolean };
  /** For an ITS: the address that it publishes for other clusters. */
  publishedServer?: string | null;
  versions: RunningVersion[];
  /** The problem and the next command; null if there is no problem. */
  diagnosis: (Diagnosis & { log: string[] }) | null;
}

/** @throws StellarError `not-found`, `not-a-hosting-cluster` */
export async function getSpace(name: string, role: SpaceRole, tools: SpaceTools): Promise<SpaceView> {
  checkSpaceName(name);
  const { hosting, kubeconfig } = tools;
  await requireHosting(hosting);
  const watcher = new SpaceWatcher(tools);
  const seen = role === 'its' ? await watcher.its(name) : await watcher.wds(name);
  if (seen === undefined || roleOf(seen.space.controlPlane) !== role)
    throw noSuchSpace(name, role, hosting, seen?.space.controlPlane, 'get');
  const { space, stages } = seen as SpaceReading<ItsInside | WdsInside>;
  const reports = judge<Space<ItsInside | WdsInside>>(stages, space);
  const { controlPlane } = space;
  const isDeleted = controlPlane.metadata.deletionTimestamp !== undefined;
  return {
    name,
    role,
    type: typeOf(controlPlane),
    hosting: hosting.cluster.context,
    context: contextsOf(kubeconfig, name, hosting.cluster.context)[0] ?? null,
    server: watcher.clientOf(name)?.cluster.server ?? null,
    created: new Date(createdAt(controlPlane)).toISOString(),
    ready: isTrue(controlPlane, 'Ready') && blockingStage(reports) === undefined && !isDeleted,
    ...(isDeleted ? { stage: 'deleting', blockedAt: null } : standingOf(reports)),
    stages: stageViews(reports),
    hooks: hooksOf(controlPlane),
    namespace: namespaceOf(name),
    versions: spaceVersions(space, await readHookVersions(hosting)),
    ...(role === 'wds' ? { its: await itsFor(name, tools) } : itsDetails(seen as SpaceReading<ItsInside>)),
    diagnosis: isDeleted
      ? { ...diagnosisOf({ message: `${name} is being deleted.`, next: [] }), log: [] }
      : await diagnose(reports, { space, stages }, tools, watcher.clientOf(name)),
  };
}

async function itsFor(name: string, { hosting }: SpaceTools): Promise<NonNullable<SpaceView['its']>> {
  const all = (await listControlPlanes(hosting)) ?? [];
  const own = all.find(({ metadata }) => metadata.name === name);
  return { name: itsOfWds(name, all)?.metadata.name ?? null, named: itsNameOf(own) !== undefined };
}

function itsDetails({ space: { inside } }: SpaceReading<ItsInside>): Pick<SpaceView, 'publishedServer'> {
  return inside.state === 'seen' ? { publishedServer: inside.value.clusterInfo?.server ?? null } : {};
}

async function diagnose<Inside>(
  reports: readonly StageReport[],
  seen: { space: Space<Inside>; stages: readonly SpaceStage<Inside>[] },
  { hosting }: SpaceTools,
  inside: Kube | undefined,
): Promise<SpaceView['diagnosis']> {
  const blocking = blockingStage(reports);
  if (blocking?.verdict.state !== 'failed') return null;
  const { log, next: seeMore } = await failureOfStage(blocking.id, seen, hosting, inside);
  const message = `${seen.space.name} is not ready: ${blocking.verdict.why}.`;
  return { ...diagnosisOf({ message, next: blocking.verdict.next ?? seeMore }), log };
}
