import type { Api } from '../../kube/api.ts';
import { isAlreadyExists, isRefused } from '../../kube/errors.ts';
import type { ManagedCluster } from '../../kube/objects.ts';
import { managedClusters } from '../../kube/resources.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import type { AgentOptions } from './options.ts';

/** Between 60 and 120 minutes. */
const resync = () => (60 + Math.random() * 60) * 60_000;
const annotationPrefix = 'agent.open-cluster-management.io/';

/**
 * Creates the ManagedCluster, if there is none, without waiting for anything else. An attempt that the hub rejects is not retried
 * before the next resync and reported nowhere; any other failure is retried with back-off (ocm
 * pkg/registration/spoke/registration/creating_controller.go).
 */
export function createCluster(
  hub: Api,
  name: string,
  options: AgentOptions,
  signal: AbortSignal,
  log: (line: string) => void,
): void {
  const annotations = Object.fromEntries(
    Object.entries(options.clusterAnnotations).filter(([key]) => key.startsWith(annotationPrefix)),
  );
  const configs = options.externalServerUrls.map((url) => ({ url }));
  const queue: WorkQueue = new WorkQueue(
    async () => {
      try {
        if (await hub.find(managedClusters, name)) return;
        await hub.create<ManagedCluster>(managedClusters, {
          metadata: { name, ...(Object.keys(annotations).length > 0 && { annotations }) },
          spec: { hubAcceptsClient: false, ...(configs.length > 0 && { managedClusterClientConfigs: configs }) },
        });
      } catch (error) {
        if (!isRefused(error) && !isAlreadyExists(error)) throw error;
      }
      queue.addAfter(name, resync());
    },
    signal,
    (_key, error) => log(`unable to create managed cluster with name ${JSON.stringify(name)}: ${error.message}`),
  );
  queue.add(name);
}
