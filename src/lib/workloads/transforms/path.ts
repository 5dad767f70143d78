import { StellarError } from '../../engine/errors.ts';

/** Field names from the root of an object to one of its fields. */
export type FieldPath = readonly string[];

/** A name, or a JavaScript string without octal escapes. */
const segment =
  /\.([A-Za-z_\u0080-\uD7FF\uE000-\u{10FFFF}][\w\u0080-\uD7FF\uE000-\u{10FFFF}]*)|\["((?:[^"\\\n\r\u2028\u2029]|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\[^ux\d\n\r\u2028\u2029])*)"\]/uy;

/**
 * Parses the JSONPath subset that CustomTransforms support: `$`, then `.name` and `["any name"]` (kubestellar v0.30.0,
 * pkg/jsonpath).
 * @throws StellarError `usage`
 */
export function parsePath(text: string): FieldPath {
  const fields: string[] = [];
  let at = 1;
  while (text.startsWith('$') && at < text.length) {
    segment.lastIndex = at;
    const found = segment.exec(text);
    if (found === null) break;
    fields.push(found[1] ?? unescaped(found[2] ?? ''));
    at = segment.lastIndex;
  }
  if (fields.length > 0 && at === text.length) return fields;
  const what = text === '$' ? 'the whole object' : 'no field';
  throw new StellarError(
    'usage',
    `"${text}" names ${what}: a path is $.spec.replicas, or $.metadata.labels["any name"].`,
  );
}

/** Returns the paths that can be parsed. KubeStellar ignores the others. */
export const readable = (paths: readonly string[]): string[] =>
  paths.filter((text) => {
    try {
      return parsePath(text).length > 0;
    } catch {
      return false;
    }
  });

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

const unescaped = (text: string): string =>
  text.replace(/\\(?:u(.{4})|x(.{2})|(.))/gu, (_, unicode?: string, byte?: string, one = '') => {
    const hex = unicode ?? byte;
    return hex === undefined ? (escapes[one] ?? one) : String.fromCharCode(Number.parseInt(hex, 16));
  });

export function hasField(object: unknown, path: FieldPath): boolean {
  let holder = object;
  for (const field of path) {
    if (typeof holder !== 'object' || holder === null || Array.isArray(holder) || !Object.hasOwn(holder, field))
      return false;
    holder = (holder as Record<string, unknown>)[field];
  }
  return true;
}
