import type { KubeObject } from '../../kube/objects.ts';
import { templateKeysOf } from '../policies/template-keys.ts';
import { type FieldPath, hasField } from '../transforms/path.ts';

/** What the content of a work is held against. */
export interface ContentSources {
  /** Properties of the WEC, by key. */
  properties: ReadonlyMap<string, string>;
  /** What CustomTransforms remove, as far as it can be read. */
  removed: readonly FieldPath[];
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
  const left = removed.find((path) => hasField(sent, path));
  if (left !== undefined) return ['$', ...left].join('.');
  return templateKeysOf(object).size === 0 ? undefined : staleTemplate(object, sent, properties, '$');
}

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
