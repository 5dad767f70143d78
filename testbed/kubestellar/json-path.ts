/** The names of fields from the root of an object to one field. */
export type FieldPath = readonly string[];

/**
 * Parses the part of JSONPath that CustomTransforms support: `$`, then `.name` and `["any name"]` (kubestellar pkg/jsonpath).
 * Throws an Error in its words, with the position in bytes.
 */
export function parsePath(text: string): FieldPath {
  if (text === '') throw new Error('EOF');
  const fields: string[] = [];
  const characters = [...text];
  let at = 0;
  const here = () => characters[at] ?? '\0';
  const fail = (what: string, withCharacter = true): never => {
    const place = Buffer.byteLength(characters.slice(0, at).join(''));
    throw new Error(`syntax error at ${place}: ${what}${withCharacter ? `got ${quoted(here())}` : ''}`);
  };
  if (here() !== '$') fail('missing root identifier (dollar sign)', false);
  at += 1;
  while (at < characters.length && (here() === '.' || here() === '[')) {
    const isBracket = here() === '[';
    at += 1;
    const start = at;
    if (!isBracket) {
      if (!nameFirst.test(here())) fail('expected member-name-shorthand, ');
      while (at < characters.length && nameNext.test(here())) at += 1;
      fields.push(characters.slice(start, at).join(''));
      continue;
    }
    if (here() !== '"') fail('expected open quote, ');
    at += 1;
    while (at < characters.length && here() !== '"') at += here() === '\\' ? 2 : 1;
    if (at >= characters.length) fail('missing close quote', false);
    at += 1;
    fields.push(JSON.parse(characters.slice(start, at).join('')) as string);
    if (here() !== ']') fail('missing close bracket, ');
    at += 1;
  }
  if (at < characters.length) fail(`extra junk ${quoted(here())} after last segment`, false);
  return fields;
}

/** Removes a field from an object, if present. */
export function removeField(object: object, path: FieldPath): void {
  let holder: unknown = object;
  for (const field of path.slice(0, -1)) holder = isRecord(holder) ? holder[field] : undefined;
  if (isRecord(holder)) delete holder[path.at(-1) ?? ''];
}

const nameFirst = /^[A-Za-z_\u0080-\u{10FFFF}]$/u;
const nameNext = /^[A-Za-z0-9_\u0080-\u{10FFFF}]$/u;

/** As Go's %q has it. */
function quoted(character: string): string {
  return character === '\0' ? "'\\x00'" : `'${character === "'" ? "\\'" : character}'`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
