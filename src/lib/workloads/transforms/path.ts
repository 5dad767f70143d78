import { StellarError } from '../../engine/errors.ts';

/** The names of fields from the root of an object to one of them. */
export type FieldPath = readonly string[];

const segment = /\.([\p{L}_][\p{L}\p{N}_]*)|\[("(?:[^"\\]|\\.)*")\]/uy;

/**
 * Reads as much of JSONPath as CustomTransforms have: `$`, then `.name` and `["any name"]` (kubestellar v0.30.0, pkg/jsonpath).
 * @throws StellarError `usage`
 */
export function parsePath(text: string): FieldPath {
  const fields: string[] = [];
  let at = 1;
  while (text.startsWith('$') && at < text.length) {
    segment.lastIndex = at;
    const found = segment.exec(text);
    if (found === null) break;
    fields.push(found[1] ?? nameIn(found[2] ?? ''));
    at = segment.lastIndex;
  }
  if (fields.length > 0 && at === text.length) return fields;
  const what = text === '$' ? 'the whole object' : 'no field';
  throw new StellarError(
    'usage',
    `"${text}" names ${what}: a path is $.spec.replicas, or $.metadata.labels["any name"].`,
  );
}

/** Those that can be read: KubeStellar leaves the others out. */
export const readable = (paths: readonly string[]): string[] =>
  paths.filter((text) => {
    try {
      return parsePath(text).length > 0;
    } catch {
      return false;
    }
  });

function nameIn(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted.slice(1, -1);
  }
}

/** Whether an object has a field. */
export function hasField(object: unknown, path: FieldPath): boolean {
  let holder = object;
  for (const field of path) {
    if (typeof holder !== 'object' || holder === null || Array.isArray(holder) || !Object.hasOwn(holder, field))
      return false;
    holder = (holder as Record<string, unknown>)[field];
  }
  return true;
}
