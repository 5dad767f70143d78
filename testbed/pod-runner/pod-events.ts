import type { Api } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import type { KubeObject, Pod } from '../kube/objects.ts';
import { events } from '../kube/resources.ts';

interface Warning {
  reason: string;
  message: string;
  /** The source: the kubelet by default. */
  component?: string;
}

/** Creates a Warning Event about a pod. Ignores errors. */
export async function warn(
  api: Api,
  pod: Pod,
  { reason, message, component = 'kubelet' }: Warning,
): Promise<void> {
  const { namespace = '', name, uid } = pod.metadata;
  const event = {
    metadata: { generateName: `${name}.`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    type: 'Warning',
    reason,
    message,
    source: { component },
    firstTimestamp: now(),
    lastTimestamp: now(),
    count: 1,
  };
  await api.create<KubeObject>(events, event).catch(() => {});
}
