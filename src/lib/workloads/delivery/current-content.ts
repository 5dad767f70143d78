import { effectiveProperties } from '../../hub/customization.ts';
import { ifSeen } from '../../kube/access.ts';
import type { DiscoveredKind } from '../../kube/discovery.ts';
import type { ConfigMap, KubeObject } from '../../kube/objects.ts';
import { groupOf, resources } from '../../kube/resources.ts';
import { propertiesNamespace } from '../../model/kubestellar-names.ts';
import type { ManagedCluster } from '../../model/ocm-objects.ts';
import { type Binding, objectsOf } from '../../model/policies.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import { templateKeysOf } from '../policies/template-keys.ts';
import { type FieldPath, parsePath, readable } from '../transforms/path.ts';
import type { CustomTransform } from '../transforms/transforms.ts';
import { kindNames } from '../wds/find-kind.ts';
import { digestObjects } from '../wds/full-objects.ts';
import { objectKey, type Removals, type WorksOfWds } from './works.ts';

/**
 * What works are compared with: KubeStellar does not rewrite them when CustomTransforms or properties change. Covers only what can
 * be decided without KubeStellar's template engine: strings whose actions all are `{{.key}}`, and paths of names.
 */

/** @param kinds those of the WDS: transforms name resources, works name kinds */
export function removalsOf(transforms: readonly CustomTransform[], kinds: readonly DiscoveredKind[]): Removals {
  const removals = new Map<string, FieldPath[]>();
  for (const { spec } of transforms)
    for (const { apiVersion, kind, plural } of kinds) {
      const group = groupOf(apiVersion);
      if (group !== (spec?.apiGroup ?? '') || plural !== spec?.resource) continue;
      const paths = readable(spec.remove ?? []).map(parsePath);
      removals.set(`${group}/${kind}`, [...(removals.get(`${group}/${kind}`) ?? []), ...paths]);
    }
  return removals;
}

/** Objects that are templates, and the properties that they are expanded with. */
export interface Templates {
  /** Complete objects, by `objectKey`. */
  objects: ReadonlyMap<string, KubeObject>;
  configMaps: ReadonlyMap<string, ConfigMap>;
}

/** Reads the objects that works were expanded from, and the properties of WECs. Reads nothing if no work was expanded. */
export async function readTemplates(
  { kube, its }: OpenWds,
  bindings: readonly Binding[],
  works: WorksOfWds,
  kinds: readonly DiscoveredKind[],
): Promise<Templates> {
  const hub = ifSeen(its)?.kube;
  if (hub === undefined || works.expanded.size === 0) return { objects: new Map(), configMaps: new Map() };
  const kindOf = kindNames(kinds);
  const keyed = bindings.flatMap(objectsOf).map((bound) => ({
    ...bound,
    key: objectKey({ ...bound, group: bound.group ?? '', kind: kindOf(bound) ?? '' }),
  }));
  const expanded = new Map(keyed.filter(({ key }) => works.expanded.has(key)).map((bound) => [bound.key, bound]));
  const [objects, configMaps] = await Promise.all([
    digestObjects(kube, [...expanded.values()], ({ key }, object) =>
      templateKeysOf(object).size === 0 ? undefined : ([key, object] as const),
    ),
    hub.list<ConfigMap>(resources.configMaps, { namespace: propertiesNamespace }),
  ]);
  return {
    objects: new Map(objects),
    configMaps: new Map((configMaps ?? []).map((configMap) => [configMap.metadata.name, configMap])),
  };
}

/** Returns the properties of a WEC that templates are expanded with today, by key. */
export const propertiesOf = (
  wec: string,
  cluster: ManagedCluster | undefined,
  { configMaps }: Templates,
): Map<string, string> =>
  new Map(effectiveProperties(wec, cluster, configMaps.get(wec)).map(({ key, value }) => [key, value]));

const action = /\{\{-?\s*\.([A-Za-z_]\w*)\s*-?\}\}/g;

/**
 * Compares expanded strings with today's properties.
 * @returns the path of the first string that would be expanded differently today; undefined if none is found
 */
export function staleTemplate(
  template: unknown,
  sent: unknown,
  properties: ReadonlyMap<string, string>,
  path = '$',
): string | undefined {
  if (typeof template === 'string') return isStale(template, sent, properties) ? path : undefined;
  if (typeof template !== 'object' || template === null || typeof sent !== 'object' || sent === null) return undefined;
  for (const [key, part] of Object.entries(template)) {
    // Fields that the transport removes, such as status and managedFields, are not sent.
    const found = staleTemplate(part, (sent as Record<string, unknown>)[key], properties, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isStale(template: string, sent: unknown, properties: ReadonlyMap<string, string>): boolean {
  const keys = [...template.matchAll(action)].map(([, key = '']) => key);
  const isKnown = keys.length > 0 && keys.every((key) => properties.has(key));
  // Trimming by {{- and other actions need the real engine.
  if (
    !isKnown ||
    typeof sent !== 'string' ||
    template.replace(action, '').includes('{{') ||
    /\{\{-|-\}\}/.test(template)
  )
    return false;
  return sent !== template.replace(action, (_, key: string) => properties.get(key) ?? '');
}
