import type { ScalarTag, Tags } from 'yaml';

/**
 * What Go's YAML and JSON take for the end of a line, and the yaml package for text: CR, NEL, LS, PS. Written plain, the rest of a value
 * would be further lines.
 */
const breaksOfGo = /[\r\u0085\u2028\u2029]/g;

/** Text, with these characters escaped: a JSON string is a double-quoted scalar. */
const inOneLine = (tag: ScalarTag): ScalarTag => ({
  ...tag,
  stringify(item, ...of) {
    const text = String(item.value);
    if (text.search(breaksOfGo) === -1) return tag.stringify?.(item, ...of) ?? JSON.stringify(text);
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
      if (tag.tag === 'tag:yaml.org,2002:str') return [inOneLine(tag as ScalarTag)];
      const isGos = tag.tag !== 'tag:yaml.org,2002:timestamp' && tag.format !== 'TIME' && tag.format !== 'EXP';
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

/**
 * Parses the part of YAML in which programs write kubeconfigs: blocks of keys, lists, and values of one line. For a kubeconfig of a
 * hundred contexts the yaml package takes longer than all else that a short command does.
 * @returns undefined for any other text, which the yaml package has to parse
 */
export function parsePlainYaml(text: string): unknown {
  const lines = text.split('\n').filter((line) => !/^ *(?:#|$)/.test(line));
  let next = 0;
  const indentation = () => lines[next]?.search(/[^ ]/) ?? -1;
  const isItem = (at: number) => indentation() === at && lines[next]?.startsWith('- ', at) === true;
  const block = (at: number): unknown => {
    const [items, entries, isList] = [[] as unknown[], new Map<string, unknown>(), isItem(at)];
    while (indentation() === at && isItem(at) === isList) {
      const line = lines[next]?.slice(isList ? at + 2 : at) ?? '';
      const [, key, value = ''] = /^([A-Za-z][\w./-]*):(?: (.*))?$/.exec(line) ?? [];
      const isMappingInList = isList && key !== undefined;
      if (isMappingInList) lines[next] = ' '.repeat(at + 2) + line;
      else next += 1;
      if (isMappingInList) items.push(block(at + 2));
      else if (isList) items.push(plainScalar(line));
      else if (key === undefined || plainScalar(key) !== key || entries.has(key)) throw notPlain;
      else if (value !== '') entries.set(key, plainScalar(value));
      else entries.set(key, indentation() > at || isItem(at) ? block(indentation()) : null);
    }
    return isList ? items : Object.fromEntries(entries);
  };
  try {
    const content = block(0);
    return next === lines.length && next > 0 ? content : undefined;
  } catch (error) {
    if (error !== notPlain) throw error;
    return undefined;
  }
}

const notPlain = new Error('The yaml package has to parse it.');

/** @throws notPlain for what may be a number, a date or anything that is not one text */
function plainScalar(text: string): unknown {
  if (/^(?:null|true|false|\{\}|\[\]|"[ !#-[\]-~]*")$/.test(text)) return JSON.parse(text);
  // YAML 1.1 takes more words for booleans, in any case.
  const isSpecial = /^(?:y|yes|n|no|on|off|true|false|null)$/i.test(text);
  // kflex and stellarctl write such times into contexts.
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text);
  const isText = /^(?:\/|-{0,2}[A-Za-z])[\w+=/.,@%~-]*(?:[: ][\w+=/.,@%~-]+)*$/.test(text);
  if (isSpecial || !(isTime || isText)) throw notPlain;
  return text;
}
