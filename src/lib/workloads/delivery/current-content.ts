import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../../engine/is-object.ts';
import { effectiveProperties } from '../../hub/customization.ts';
import { ifSeen } from '../../kube/access.ts';
import type { DiscoveredKind } from '../../kube/discovery.ts';
import type { ConfigMap, KubeObject } from '../../kube/objects.ts';
import { partialReader } from '../../kube/partial-reader.ts';
import { groupOf, resources } from '../../kube/resources.ts';
import { propertiesNamespace } from '../../model/kubestellar-names.ts';
import type { ManagedCluster } from '../../model/ocm-objects.ts';
import type { BoundObject } from '../../model/policies.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import { lastApplied, templateKeysOf } from '../policies/template-keys.ts';
import { type FieldPath, hasField, parsePath, readable } from '../transforms/path.ts';
import type { CustomTransform } from '../transforms/transforms.ts';
import { kindNames } from '../wds/find-kind.ts';
import { digestObjects } from '../wds/full-objects.ts';
import { objectKey, objectOfManifest, type StaleField } from './works.ts';

/**
 * Works compared with what would be sent today: KubeStellar does not rewrite them when CustomTransforms or properties change. Covers
 * only what can be decided without KubeStellar's template engine: fields that are missing or should be, and strings whose actions
 * all are `{{.key}}`.
 */

/** What Bindings send, by `keyOf` and the name of the Binding. */
export type BoundObjects = ReadonlyMap<string, ReadonlyMap<string, BoundObject>>;

/** What the works of a WDS are compared with. */
export interface CurrentContent {
  transforms: readonly CustomTransform[];
  /** Complete objects by `objectKey`, in the version that is sent. */
  objects: ReadonlyMap<string, KubeObject>;
  inventory: ReadonlyMap<string, ManagedCluster>;
  /** The properties of WECs, by WEC. */
  configMaps: ReadonlyMap<string, ConfigMap>;
}

/**
 * Reads what works are compared with. An object that has changed since its Binding, or may not be read, is left out: nothing is
 * known about its works.
 * @param bound the objects to read
 */
export async function readCurrentContent(
  { kube, its }: OpenWds,
  bound: BoundObjects,
  kinds: readonly DiscoveredKind[],
): Promise<Pick<CurrentContent, 'objects' | 'configMaps'>> {
  const kindOf = kindNames(kinds);
  const sent = [...bound.values()].flatMap((byBinding) => {
    const [first, ...others] = byBinding.values();
    return first && others.every(({ resourceVersion }) => resourceVersion === first.resourceVersion) ? first : [];
  });
  const found = await digestObjects(partialReader(kube), sent, (ref, object) =>
    object.metadata.resourceVersion === ref.resourceVersion
      ? ([objectKey({ ...ref, group: ref.group ?? '', kind: kindOf(ref) ?? '' }), object] as const)
      : undefined,
  );
  const hub = found.some(([, object]) => templateKeysOf(object).size > 0) ? ifSeen(its)?.kube : undefined;
  const configMaps = (await hub?.list<ConfigMap>(resources.configMaps, { namespace: propertiesNamespace })) ?? [];
  return { objects: new Map(found), configMaps: new Map(configMaps.map((each) => [each.metadata.name, each])) };
}

/** @param kinds those of the WDS: transforms name resources, works name kinds */
export function comparison(
  { transforms, objects, inventory, configMaps }: CurrentContent,
  kinds: readonly DiscoveredKind[],
): StaleField {
  const removals = removalsOf(transforms, kinds);
  return (manifest, wec) => {
    const { group, kind } = objectOfManifest(manifest);
    const removed = removals.get(`${group}/${kind}`) ?? [];
    const left = removed.find((path) => hasField(manifest, path));
    if (left !== undefined) return ['$', ...left].join('.');
    const object = objects.get(objectKey(objectOfManifest(manifest)));
    if (object === undefined) return undefined;
    const missing = missingField(object, manifest, [...removed, ...(neverSent[`${group}/${kind}`] ?? [])]);
    if (missing !== undefined) return ['$', ...missing].join('.');
    if (templateKeysOf(object).size === 0) return undefined;
    const properties = effectiveProperties(wec, inventory.get(wec), configMaps.get(wec));
    return staleTemplate(object, manifest, new Map(properties.map(({ key, value }) => [key, value])));
  };
}

/** Fields that CustomTransforms remove, by group and kind. */
function removalsOf(
  transforms: readonly CustomTransform[],
  kinds: readonly DiscoveredKind[],
): ReadonlyMap<string, readonly FieldPath[]> {
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

const inSpec = (...names: string[]): FieldPath[] => names.map((name) => ['spec', name]);

/** What KubeStellar removes from objects of a kind (v0.28.0 to v0.30.0, pkg/transport/generic/filtering), by group and kind. */
const neverSent: Readonly<Record<string, readonly FieldPath[]>> = {
  '/Service': [
    ...inSpec('ipFamilies', 'ipFamilyPolicy', 'externalTrafficPolicy', 'internalTrafficPolicy', 'sessionAffinity'),
    ...inSpec('clusterIP', 'clusterIPs'),
  ],
  'batch/Job': [
    ...inSpec('selector', 'suspend'),
    ...[
      ['metadata', 'labels'],
      ['metadata', 'annotations'],
      ['spec', 'template', 'metadata', 'labels'],
    ],
  ],
};

/** What KubeStellar removes from every object (v0.30.0, TransformObject): the status, and most of the metadata. */
const isSent = ([first, second, third]: FieldPath): boolean =>
  first === 'metadata'
    ? second === undefined || second === 'labels' || (second === 'annotations' && third !== lastApplied)
    : first !== 'status';

/** @returns the first field that the object has and its work lacks, although nothing removes it */
function missingField(
  object: object,
  sent: unknown,
  removed: readonly FieldPath[],
  path: FieldPath = [],
): FieldPath | undefined {
  for (const [key, value] of Object.entries(object)) {
    const at = [...path, key];
    if (value === null || !isSent(at) || removed.some((other) => isDeepStrictEqual(other, at))) continue;
    const there = isObject(sent) ? sent[key] : undefined;
    const missing = isObject(value) ? missingField(value, there, removed, at) : at;
    if (there === undefined && missing !== undefined) return at;
    if (isObject(value) && missing !== undefined) return missing;
  }
  return undefined;
}

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
