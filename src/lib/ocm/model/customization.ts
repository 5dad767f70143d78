import { type Changes, parseChanges } from '../../core/changes.ts';
import { by } from '../../core/text/words.ts';
import type { ConfigMap, KubeObject } from '../../kube/client/objects.ts';
import type { KindRef } from './kubestellar-names.ts';
import type { ManagedCluster } from './ocm-objects.ts';

/**
 * The sources of a WEC's customization properties; the last one wins: KubeStellar collects them in this order, each over the ones
 * before (kubestellar pkg/transport, collectPropertiesForDestination).
 */
type PropertySource = 'built-in' | 'label' | 'annotation' | 'ConfigMap';

/** A property as KubeStellar expands it, with the values that it hides. */
export interface EffectiveProperty {
  key: string;
  value: string;
  source: PropertySource;
  /** The values of other sources, the nearest first. */
  shadows: { source: PropertySource; value: string }[];
}

/** The properties of a WEC that KubeStellar uses, by key. */
export function effectiveProperties(
  name: string,
  managedCluster: KubeObject | undefined,
  configMap: ConfigMap | undefined,
): EffectiveProperty[] {
  const { labels = {}, annotations = {} } = managedCluster?.metadata ?? {};
  const sources: [PropertySource, Record<string, string>][] = [
    ['built-in', { clusterName: name }],
    ['label', labels],
    ['annotation', annotations],
    ['ConfigMap', configMap?.data ?? {}],
  ];
  const found = new Map<string, EffectiveProperty>();
  for (const [source, values] of sources) {
    for (const [key, value] of Object.entries(values)) {
      if (!isGoIdentifier(key)) continue;
      const hidden = found.get(key);
      const shadows =
        hidden === undefined
          ? []
          : [{ source: hidden.source, value: hidden.value }, ...hidden.shadows];
      found.set(key, { key, value, source, shadows });
    }
  }
  return [...found.values()].sort(by(({ key }) => key));
}

/** Keys in a WEC's ConfigMap that KubeStellar ignores. */
export function ignoredKeys(configMap: ConfigMap | undefined): string[] {
  return Object.keys(configMap?.data ?? {}).filter((key) => !isGoIdentifier(key));
}

/**
 * Reads changes of properties: `key=value` sets, with any text as value; `key-` removes. What KubeStellar would ignore is not set,
 * but can be removed.
 * @throws StellarError `usage`
 */
export function parsePropertyChanges(arguments_: readonly string[]): Changes {
  return parseChanges(arguments_, {
    what: 'property',
    problemOf: (key, value) => (value === null && key !== '' ? undefined : propertyKeyProblem(key)),
  });
}

/** What is wrong with the key of a property that is to be set. */
export const propertyKeyProblem = (key: string) =>
  key === ''
    ? 'the key is empty'
    : isGoIdentifier(key)
      ? undefined
      : `KubeStellar would ignore "${key}", which is not a Go identifier (letters, digits and "_", no digit first, no word of Go)`;

/** As Go's token.IsIdentifier, for the characters that keys of ConfigMaps, labels and annotations can have. */
function isGoIdentifier(key: string) {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && !goKeywords.has(key);
}

const keywords =
  'break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var';
const goKeywords = new Set(keywords.split(' '));

/** A WEC with its ConfigMap, if it has one. */
export interface WecProperties {
  cluster: ManagedCluster;
  configMap: ConfigMap | undefined;
}

/** An object without the fields that the transport removes of every kind (kubestellar v0.30.0, pkg/transport/generic, TransformObject). */
export function sentObject(object: KubeObject): KubeObject {
  const { status, ...kept } = object as KubeObject & { status?: unknown };
  const {
    managedFields,
    finalizers,
    generation,
    ownerReferences,
    selfLink,
    resourceVersion,
    uid,
    generateName,
    ...metadata
  } = kept.metadata as KubeObject['metadata'] & Record<'selfLink' | 'generateName', unknown>;
  if (metadata.annotations !== undefined) {
    const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...rest } = metadata.annotations;
    metadata.annotations = rest;
  }
  return { ...kept, metadata };
}

/** As the transport counts its size. */
const sentText = (object: KubeObject) => JSON.stringify(sentObject(object));

/** In bytes. */
export const sentSize = (object: KubeObject) => Buffer.byteLength(sentText(object));

/** KubeStellar expands templates only in objects that have this annotation with the value "true". */
const expandAnnotation = 'control.kubestellar.io/expand-templates';

export const isExpanded = ({ metadata }: KubeObject) =>
  metadata.annotations?.[expandAnnotation] === 'true';

/** The properties that the templates in an object may use. */
export const propertiesAskedBy = (object: KubeObject): Set<string> =>
  new Set(isExpanded(object) ? keysInTemplates(sentText(object)) : []);

/**
 * Returns the properties that the Go templates in a JSON text may use: a key that a WEC lacks is an error, also in a condition
 * (kubestellar v0.30.0, pkg/customize, missingkey=error).
 */
export function keysInTemplates(json: string): string[] {
  const text = json.replace(/\\[nt]/g, ' ').replaceAll('\\"', '"');
  const actions = [...text.matchAll(/\{\{(.*?)\}\}/gs)].map(([, action = '']) => action);
  return actions
    .map((action) => action.replace(/"[^"]*"|`[^`]*`|\/\*.*?\*\//gs, ''))
    .flatMap((action) =>
      [...action.matchAll(/(?<![\w.])\.([A-Za-z_]\w*)/g)].flatMap(([, key]) => key ?? []),
    );
}

/** Selects the CustomTransforms of the objects of a kind. */
export const isTransformOf =
  ({ group, resource }: Pick<KindRef, 'group' | 'resource'>) =>
  ({ spec }: { spec?: { apiGroup?: string; resource?: string } }) =>
    spec?.resource === resource && (spec.apiGroup ?? '') === group;
