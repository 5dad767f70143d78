import { mapConcurrently } from '../core/concurrency.ts';
import { judge } from '../core/stages.ts';
import { missing } from '../kube/client/missing.ts';
import { resources } from '../kube/client/objects.ts';
import type { SpaceRole } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import { describeSpace } from './get-space.ts';
import { notHosting, type SpaceTools } from './hosting/hosting.ts';
import { SpaceWatcher } from './space/space-watcher.ts';
import { inOrder, itsOfWds } from './space/spaces.ts';

/** One space as the hosting cluster shows it; a WDS with the ITS that it sends its workloads through. */
export type SpaceListItem = Awaited<ReturnType<typeof listSpaces>>[number];

/**
 * Lists the spaces of one role on a hosting cluster, judged as `get` does, which shows more of each.
 * @throws StellarError `not-a-hosting-cluster`
 */
export async function listSpaces(role: SpaceRole, tools: SpaceTools) {
  const { hosting, kubeconfig } = tools;
  const watcher = new SpaceWatcher(tools);
  const all = await hosting.list<ControlPlane>(resources.controlPlanes);
  if (all === missing) throw notHosting(hosting);
  const ofRole = inOrder(all, role);
  const items = await mapConcurrently(ofRole, async ({ metadata: { name } }) => {
    const reading = await watcher.read(name, role, { all });
    const its = role === 'wds' ? { its: itsOfWds(name, all)?.metadata.name ?? null } : {};
    // One may have been deleted since.
    if (reading === undefined) return undefined;
    const { space, stages } = reading;
    return { ...describeSpace(space, judge(stages, space), kubeconfig), ...its };
  });
  return items.filter((item) => item !== undefined);
}
