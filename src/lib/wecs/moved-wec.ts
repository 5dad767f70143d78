import { ifSeen, through, tryRead } from '../kube/access.ts';
import { isTrue } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { listServed } from '../kube/served.ts';
import type { ManagedCluster } from '../ocm/ocm-objects.ts';
import { openSpace } from '../spaces/space-access.ts';
import type { SpaceTools } from '../spaces/space-tools.ts';
import { listControlPlanes } from '../spaces/spaces.ts';

/**
 * The names of WECs that are available on ITSes of a hosting cluster, as far as these can be read. A WEC that has just left an ITS
 * and is among them belongs to another one.
 */
export async function availableWecs(tools: SpaceTools): Promise<Set<string>> {
  const itses = await tryRead(async () => (await listControlPlanes(tools.hosting, 'its')) ?? []);
  const lists = (ifSeen(itses) ?? []).map(async (its) => {
    const wecs = await through(await openSpace(its, tools), (kube) =>
      listServed<ManagedCluster>(kube, resources.managedClusters),
    );
    return (ifSeen(wecs) ?? []).filter((wec) => isTrue(wec, 'ManagedClusterConditionAvailable'));
  });
  return new Set((await Promise.all(lists)).flat().map(({ metadata }) => metadata.name));
}
