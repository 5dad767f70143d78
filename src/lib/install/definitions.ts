import type { Kube } from '../kube/client/client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';

/**
 * Updates KubeFlex's CustomResourceDefinitions to those of a chart. helm installs the contents of `crds/` once and never upgrades
 * them.
 * @param absent whether to also create missing definitions; the first installation leaves those to helm
 * @returns whether any definition has changed
 */
export async function updateDefinitions(
  kube: Kube,
  definitions: readonly KubeObject[],
  { absent }: { absent: boolean },
): Promise<boolean> {
  let hasChanged = false;
  for (const definition of definitions) {
    const present = await kube.get(resources.customResourceDefinitions, definition.metadata.name);
    if (present === undefined && !absent) continue;
    const change = await kube.apply(withoutStatus(definition));
    hasChanged ||= change !== 'unchanged';
  }
  return hasChanged;
}

/** Generated definitions contain an empty status, which only the API server may write. */
function withoutStatus(definition: KubeObject): KubeObject {
  const { status: _, ...rest } = definition as KubeObject & { status?: unknown };
  return rest;
}
