import { isObject } from '../../core/text/formats.ts';
import type { KubeObject } from '../../kube/client/objects.ts';

/** The steps to a field, as managedFields have them: `f:spec`, or `k:{"name":"web"}` for an item of a list. */
export type Path = readonly string[];

/** A field that is not on a WEC as its work says. */
export interface FieldDifference {
  path: Path;
  work: unknown;
  wec: unknown;
}

/**
 * Whether everything that a manifest says stands in an object as it is spelled there. Another spelling, such as `1000m` for `1`, or another
 * order counts as different: only the API server knows.
 */
export function isWithin(wanted: unknown, present: unknown): boolean {
  if (wanted === null || wanted === undefined) return true;
  if (Array.isArray(wanted))
    return (
      Array.isArray(present) &&
      wanted.length === present.length &&
      wanted.every((item, index) => isWithin(item, present[index]))
    );
  if (!isObject(wanted)) return wanted === present;
  return (
    isObject(present) && Object.keys(wanted).every((key) => isWithin(wanted[key], present[key]))
  );
}

/** The fields in which two readings of an object differ. @param after as it would be with the work @param before as it is */
export function differencesOf(after: unknown, before: unknown, path: Path = []): FieldDifference[] {
  if (isObject(after) && isObject(before)) {
    const keys = new Set([...Object.keys(after), ...Object.keys(before)]);
    return [...keys].flatMap((key) =>
      differencesOf(after[key], before[key], [...path, `f:${key}`]),
    );
  }
  const [items, others] = [itemsOf(after), itemsOf(before)];
  if (items !== undefined && others !== undefined)
    return [...new Set([...items.keys(), ...others.keys()])].flatMap((key) =>
      differencesOf(items.get(key), others.get(key), [...path, key]),
    );
  return JSON.stringify(after) === JSON.stringify(before)
    ? []
    : [{ path, work: after, wec: before }];
}

/** The items of a list of objects that have names, by these. */
function itemsOf(list: unknown): Map<string, unknown> | undefined {
  if (!Array.isArray(list)) return undefined;
  const named = list.filter((item) => isObject(item) && typeof item.name === 'string');
  if (named.length < list.length) return undefined;
  const items = new Map(named.map((item) => [itemKey({ name: item.name }), item]));
  return items.size < list.length ? undefined : items;
}

const itemKey = (by: object) => `k:${JSON.stringify(by)}`;

/** The manager of what OCM's agent has applied. */
export const agentManager = 'work-agent';

/**
 * Labels, annotations and items of lists that the agent has applied, and that its manifest no longer has: OCM takes none of them away
 * (kubestellar/kubestellar#1856).
 */
export function leftOver(manifest: KubeObject, live: KubeObject): Path[] {
  const own = (live.metadata.managedFields ?? []).filter(
    ({ manager, subresource }) => manager === agentManager && !subresource,
  );
  return own.flatMap(({ fieldsV1 = {} }) => leftIn(fieldsV1, manifest, live, []));
}

/** The agent's own note about what it has applied (openshift library-go, resourceapply, ensureGenericSpecHash), and marks of KubeStellar. */
const ownNotes = /^f:(?:operator\.openshift\.io\/spec-hash$|managed-by\.kubestellar\.io\/)/;

function leftIn(fields: object, wanted: unknown, present: unknown, path: Path): Path[] {
  return Object.entries(fields).flatMap(([part, below]): Path[] => {
    const [of, on] = [valueAt(wanted, part), valueAt(present, part)];
    const here = [...path, part];
    if (part === '.' || ownNotes.test(part) || on === undefined) return [];
    // The manifest may have no labels at all.
    if (of !== undefined || isMap(here)) return isObject(below) ? leftIn(below, of, on, here) : [];
    return isMap(path) || !part.startsWith('f:') ? [here] : [];
  });
}

const isMap = (path: Path) => /^f:metadata,f:(?:labels|annotations)$/.test(path.join());

/** What a part leads to. */
function valueAt(value: unknown, part: string): unknown {
  const [kind, text] = [part.slice(0, 2), part.slice(2)];
  if (kind === 'f:') return isObject(value) ? value[text] : undefined;
  if (!Array.isArray(value) || !/^[kv]:/.test(kind)) return undefined;
  const by: unknown = JSON.parse(text);
  return value.find((item) => (kind === 'v:' ? item === by : isWithin(by, item)));
}

/** Who wrote a field last, and when, as far as the API server records it. */
export function writerOf({ metadata: { managedFields = [] } }: KubeObject, path: Path) {
  const has = (fields: unknown) =>
    path.reduce<unknown>((at, part) => (isObject(at) ? at[part] : undefined), fields) !== undefined;
  const writer = managedFields
    .filter(({ fieldsV1 }) => has(fieldsV1))
    .sort((a, b) => Date.parse(b.time ?? '') - Date.parse(a.time ?? ''))[0];
  return writer && { manager: writer.manager ?? '', time: writer.time };
}

/** A path for people: `spec.containers[web].image`. */
export const describePath = (path: Path) =>
  path
    .map((part) => {
      const text = part.slice(2);
      if (part.startsWith('f:')) return /^[\w-]+$/.test(text) ? `.${text}` : `["${text}"]`;
      const by: unknown = JSON.parse(text);
      return `[${isObject(by) ? Object.values(by).join('/') : String(by)}]`;
    })
    .join('')
    .replace(/^\./, '');
