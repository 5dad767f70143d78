import type { Api } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import type { KubeObject, Pod } from '../kube/objects.ts';
import { events } from '../kube/resources.ts';

interface Told {
  type?: 'Warning' | 'Normal';
  /** What it is about besides. */
  related?: { kind: string; namespace?: string | undefined; name: string; uid?: string };
  reason: string;
  message: string;
  /** The source: the kubelet by default. */
  component?: string;
}

/** Creates an Event about a pod, by default a Warning. Ignores errors. */
export async function tell(
  api: Api,
  pod: Pod,
  { reason, message, component = 'kubelet', type = 'Warning', related }: Told,
): Promise<void> {
  const { namespace = '', name, uid } = pod.metadata;
  const event = {
    metadata: { generateName: `${name}.`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    ...(related && { related }),
    type,
    reason,
    message,
    source: { component },
    firstTimestamp: now(),
    lastTimestamp: now(),
    count: 1,
  };
  await api.create<KubeObject>(events, event).catch(() => {});
}
