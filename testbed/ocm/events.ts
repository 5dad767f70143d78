import { randomBytes } from 'node:crypto';
import type { Api } from '../kube/api.ts';
import { microNow } from '../kube/conditions.ts';
import type { KubeObject, ManagedCluster } from '../kube/objects.ts';
import { clusterEvents, managedClusters } from '../kube/resources.ts';

interface ClusterEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  note: string;
  reporter: string;
}

/**
 * One of the few real Events of registration: in the cluster's namespace on the hub (most of what ocm calls events are
 * log lines).
 */
export async function recordEvent(
  hub: Api,
  { metadata }: ManagedCluster,
  { type, reason, note, reporter }: ClusterEvent,
): Promise<void> {
  const { name, uid } = metadata;
  const event = {
    metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace: name },
    eventTime: microNow(),
    reportingController: reporter,
    reportingInstance: reporter,
    action: reason,
    regarding: { apiVersion: managedClusters.apiVersion, kind: managedClusters.kind, namespace: name, name, uid },
    type,
    reason,
    note,
  };
  await hub.create<KubeObject>(clusterEvents, event);
}
