import { mapConcurrently } from '../core/concurrency.ts';
import {
  blockingStage,
  judge,
  type StageReport,
  type Standing,
  standingOf,
} from '../core/stages.ts';
import { conditionOf, createdAt, isTrue } from '../kube/client/objects.ts';
import type { Kubeconfig } from '../kube/kubeconfig/kubeconfig.ts';
import type { SpaceRole } from '../ocm/model/kubeflex-names.ts';
import { requireHosting, type SpaceTools } from './hosting/hosting.ts';
import { contextsOf } from './space/space-access.ts';
import type { SpaceEvidence } from './space/space-evidence.ts';
import { SpaceWatcher } from './space/space-watcher.ts';
import { itsOfWds, listControlPlanes, roleOf, typeOf } from './space/spaces.ts';

/** One space as the hosting cluster shows it. The fields are a public interface: docs/output.md. */
export interface SpaceListItem extends Standing {
  name: string;
  type: string;
  ready: boolean;
  /** Whether the user must act. */
  problem: boolean;
  /** What the space waits for, or the problem; empty if there is none. */
  reason: string;
  /** Its context. */
  context: string | null;
  /** RFC 3339 */
  created: string;
  /** For a WDS: the ITS that it sends its workloads through. */
  its?: string | null;
}

const spacesAtOnce = 8;

/**
 * Lists the spaces of one role on a hosting cluster, judged as `get` does, which shows more of each.
 * @throws StellarError `not-a-hosting-cluster`
 */
export async function listSpaces(role: SpaceRole, tools: SpaceTools): Promise<SpaceListItem[]> {
  const { hosting, kubeconfig } = tools;
  const watcher = new SpaceWatcher(tools);
  await requireHosting(hosting);
  const all = await listControlPlanes(hosting);
  const ofRole = all.filter((controlPlane) => roleOf(controlPlane) === role);
  const items = await mapConcurrently(ofRole, spacesAtOnce, async ({ metadata: { name } }) => {
    const reading = await watcher.read(name, role, { all });
    const its = role === 'wds' ? { its: itsOfWds(name, all)?.metadata.name ?? null } : {};
    // One may have been deleted since.
    if (reading === undefined) return undefined;
    const { space, stages } = reading;
    return { ...describeSpace(space, judge(stages, space), kubeconfig), ...its };
  });
  return items.filter((item) => item !== undefined);
}

/** Describes a space by the evidence of its hosting cluster and the reports of its stages. */
export function describeSpace(
  { name, hosting, controlPlane }: SpaceEvidence,
  reports: readonly StageReport[],
  kubeconfig: Kubeconfig,
): SpaceListItem {
  const { verdict } = blockingStage(reports) ?? {};
  const isDeleted = controlPlane.metadata.deletionTimestamp !== undefined;
  return {
    name,
    type: typeOf(controlPlane),
    ready: isTrue(controlPlane, 'Ready') && verdict === undefined && !isDeleted,
    ...(isDeleted ? { stage: 'deleting', blockedAt: null } : standingOf(reports)),
    problem: verdict?.state === 'failed',
    reason: isDeleted
      ? 'it is being deleted'
      : verdict?.state === 'waiting' || verdict?.state === 'failed'
        ? verdict.why
        : (conditionOf(controlPlane, 'Ready')?.status === 'False' &&
            conditionOf(controlPlane, 'Ready')?.message) ||
          '',
    context: contextsOf(kubeconfig, name, hosting)[0] ?? null,
    created: new Date(createdAt(controlPlane)).toISOString(),
  };
}
