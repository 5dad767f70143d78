import type { ScalarTag, Tags } from 'yaml';

/**
 * What Go's YAML and JSON take for the end of a line, and the yaml package for text: CR, NEL, LS, PS. Written plain, the rest of a value
 * would be further lines.
 */
export const breaksOfGo = /[\r\u0085\u2028\u2029]/g;
/** What Go's YAML takes for a number, a merge or wrong indentation, and the yaml package for text. */
const otherForGo = /^(?:<<$|[-+]?0o[0-7_]+$|[-+]?[\d.]+e[-+]?\d+$|\s*\t)/i;

/** Text, quoted and with these characters escaped where it needs it: a JSON string is a double-quoted scalar. */
const asText = (tag: ScalarTag): ScalarTag => ({
  ...tag,
  stringify(item, ...of) {
    const text = String(item.value);
    if (text.search(breaksOfGo) === -1 && !otherForGo.test(text))
      return tag.stringify?.(item, ...of) ?? JSON.stringify(text);
    const escaped = (each: string) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`;
    return JSON.stringify(text).replace(breaksOfGo, escaped);
  },
});

/**
 * YAML as helm, kubectl and kflex read it (sigs.k8s.io/yaml): 1.1, in which a bare `no` or `on` is a boolean, but without its dates and
 * base 60. Written text has the same meaning for them, and a name such as `no` is quoted. Exponents are strings, because the yaml
 * package takes the name `e1` for a number.
 */
export const yamlOfGo = {
  version: '1.1',
  customTags: (tags: Tags): Tags =>
    tags.flatMap((tag): Tags => {
      if (typeof tag === 'string') return [tag];
      if (tag.tag === 'tag:yaml.org,2002:str') return [asText(tag as ScalarTag)];
      const isGos =
        tag.tag !== 'tag:yaml.org,2002:timestamp' && tag.format !== 'TIME' && tag.format !== 'EXP';
      return isGos ? [tag] : [];
    }),
  logLevel: 'error',
} as const;

/** The same for text of programs and clusters: of a key that a mapping has twice, the last one counts, as in goyaml.v2's Unmarshal. */
export const yamlOfPrograms = { ...yamlOfGo, uniqueKeys: false } as const;

/** Whether something that was read is an object with fields: neither null nor a list. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object with fields that a text is as JSON. @returns undefined for anything else */
export function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
