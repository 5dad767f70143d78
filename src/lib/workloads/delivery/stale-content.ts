import type { KubeObject } from '../../kube/objects.ts';
import { templateKeysOf } from '../policies/template-keys.ts';

/** control.kubestellar.io/v1alpha1 CustomTransform: what is removed from objects of a kind on their way. */
export interface CustomTransform extends KubeObject {
  spec?: { apiGroup?: string; resource?: string; remove?: string[] };
}

/** What the content of a work is held against. */
export interface ContentSources {
  /** Properties of the WEC, by key. */
  properties: ReadonlyMap<string, string>;
  /** JSONPaths that CustomTransforms remove. */
  removed: readonly string[];
}

/**
 * Where a work does not have what templates and transforms give of its object today: KubeStellar does not rewrite works when they, or
 * properties, change. Only what can be told without its template engine is held against it: strings whose actions all are `{{.key}}`, and
 * paths of names.
 * @returns the path of the first difference; undefined where none is found
 */
export function staleContent(
  object: KubeObject,
  sent: object,
  { properties, removed }: ContentSources,
): string | undefined {
  const left = removed.find((path) => {
    const names = simplePath.exec(path)?.[1]?.split('.');
    return names !== undefined && valueAt(sent, names) !== undefined;
  });
  if (left !== undefined) return left;
  return templateKeysOf(object).size === 0 ? undefined : staleTemplate(object, sent, properties, '$');
}

/** `$.spec.replicas` */
const simplePath = /^\$\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)$/;
const action = /\{\{-?\s*\.([A-Za-z_]\w*)\s*-?\}\}/g;

function staleTemplate(
  template: unknown,
  sent: unknown,
  properties: ReadonlyMap<string, string>,
  path: string,
): string | undefined {
  if (typeof template === 'string') return isStale(template, sent, properties) ? path : undefined;
  if (typeof template !== 'object' || template === null || typeof sent !== 'object' || sent === null) return undefined;
  for (const [key, part] of Object.entries(template)) {
    // What is removed on the way, as status and managedFields, is not sent.
    const found = staleTemplate(part, (sent as Record<string, unknown>)[key], properties, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isStale(template: string, sent: unknown, properties: ReadonlyMap<string, string>): boolean {
  const keys = [...template.matchAll(action)].map(([, key = '']) => key);
  const isKnown = keys.length > 0 && keys.every((key) => properties.has(key));
  // Trimming by {{- and other actions are left to the real engine.
  if (
    !isKnown ||
    typeof sent !== 'string' ||
    template.replace(action, '').includes('{{') ||
    /\{\{-|-\}\}/.test(template)
  )
    return false;
  return sent !== template.replace(action, (_, key: string) => properties.get(key) ?? '');
}

function valueAt(object: object, names: readonly string[]): unknown {
  let value: unknown = object;
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
