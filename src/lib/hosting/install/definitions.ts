import type { Kube } from '../../kube/client/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import type { Helm, LocalChart } from '../../programs/helm/helm.ts';
import type { Values } from '../../programs/helm/values.ts';

/**
 * Brings the definitions of KubeFlex's kinds to what a chart has: helm installs what a chart has in `crds/` once, and never touches
 * it again.
 * @param values of the release
 * @param absent whether to make those too that are not there, which the first installation leaves to helm
 * @returns whether anything has changed
 */
export async function updateDefinitions(
  kube: Kube,
  helm: Helm,
  chart: LocalChart,
  { values, absent }: { values: Values; absent: boolean },
): Promise<boolean> {
  let hasChanged = false;
  for (const definition of await helm.customResourceDefinitions(chart, values)) {
    const present = await kube.get(resources.customResourceDefinitions, definition.metadata.name);
    if (present === undefined && !absent) continue;
    const change = await kube.apply(withoutStatus(definition));
    hasChanged ||= change !== 'unchanged';
  }
  return hasChanged;
}

/** Generators leave an empty status in their output, which is the API server's own. */
function withoutStatus(definition: KubeObject): KubeObject {
  const { status: _, ...rest } = definition as KubeObject & { status?: unknown };
  return rest;
}
