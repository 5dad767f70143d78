import { isDeepStrictEqual } from 'node:util';
import { type Document, isNode, parseAllDocuments } from 'yaml';
import { StellarError } from '../../core/errors.ts';
import { isObject, yamlOfPrograms } from '../../core/text/formats.ts';
import type { KubeObject } from '../../kube/client/objects.ts';

/** Values of a chart, as JSON. A null removes a default of the chart. */
export type Values = Record<string, unknown>;

/** In the order in which helm applies them. */
const valueOptions = ['values', 'setJson', 'set'] as const;

/** helm's command-line options for values, each in the order given. */
export type ValueOptions = Partial<Record<(typeof valueOptions)[number], readonly string[]>>;

/** Converts value options to arguments of helm: `setJson` is `--set-json`. */
export const valueArguments = (options: ValueOptions) =>
  valueOptions.flatMap((option) => {
    const flag = `--${option.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}`;
    return (options[option] ?? []).flatMap((value) => [flag, value]);
  });

/** Merges values over others, as helm does: objects key by key, anything else as a whole. */
export function mergeValues(under: Values, over: Values): Values {
  const merged = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const present = merged[key];
    merged[key] = isObject(present) && isObject(value) ? mergeValues(present, value) : value;
  }
  return merged;
}

/** Whether the present values contain all requested ones. A number equals its digits, because helm's --set produces numbers. */
export function holds(present: Values, asked: Values): boolean {
  return Object.entries(asked).every(([key, value]) => {
    const there = present[key];
    if (value === null) return there === null || there === undefined;
    if (isObject(value))
      return isObject(there) ? holds(there, value) : Object.keys(value).length === 0;
    if (isScalar(value) && isScalar(there)) return String(value) === String(there);
    return isDeepStrictEqual(there, value);
  });
}

const isScalar = (value: unknown) => typeof value === 'string' || typeof value === 'number';

/** An object of a chart, with its source file in the chart, if helm reports it. */
export interface SourcedObject {
  source: string;
  object: KubeObject;
}

/** Parses helm's YAML output: a sequence of documents, empty ones left out. @throws StellarError `program-failed` */
export function parseObjects(text: string): KubeObject[] {
  return parseSourced(text).map(({ object }) => object);
}

/** Like parseObjects, with the source files: a comment `# Source: FILE` precedes the first document of each file. */
export function parseSourced(text: string): SourcedObject[] {
  const documents = parseAllDocuments(text, yamlOfPrograms);
  let source = '';
  return documents.flatMap((document) => {
    source = /^ ?Source: (.+)$/m.exec(commentOf(document))?.[1] ?? source;
    const [{ code, linePos } = {}] = document.errors;
    // The parser's message quotes the text, which may contain confidential values.
    if (code)
      throw new StellarError(
        'program-failed',
        `helm printed invalid YAML: ${code}, line ${linePos?.[0].line}.`,
      );
    const object: unknown = document.toJS();
    if (object === null) return [];
    if (!isObject(object))
      throw new StellarError('program-failed', 'helm printed something other than objects.');
    return [{ source, object: object as unknown as KubeObject }];
  });
}

function commentOf({ commentBefore, contents }: Document) {
  return [commentBefore, isNode(contents) ? contents.commentBefore : ''].join('\n');
}
