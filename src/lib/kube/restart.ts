import type { Kube } from './client/client.ts';
import type { Deployment } from './objects.ts';
import { resources } from './resources.ts';

/** Where `kubectl rollout restart` notes in a pod template when it was (kubectl pkg/polymorphichelpers). */
const restartedAnnotation = 'kubectl.kubernetes.io/restartedAt';

/** When a Deployment was last restarted so, milliseconds since the epoch; undefined where it never was. */
export function restartedAt({ spec }: Deployment): number | undefined {
  const time = Date.parse(spec?.template?.metadata?.annotations?.[restartedAnnotation] ?? '');
  return Number.isNaN(time) ? undefined : time;
}

/** Replaces the pods of this very Deployment as `kubectl rollout restart` does: the old ones serve until the new ones are ready. */
export async function restartDeployment(kube: Kube, { metadata }: Deployment): Promise<void> {
  const { name, namespace, uid } = metadata;
  const annotations = { [restartedAnnotation]: new Date(kube.now()).toISOString() };
  const patch = { metadata: { uid }, spec: { template: { metadata: { annotations } } } };
  await kube.merge(resources.deployments, name, patch, { namespace });
}
