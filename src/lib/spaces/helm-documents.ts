import { type Document, isNode, parseAllDocuments } from 'yaml';
import { StellarError } from '../core/errors.ts';
import { isObject } from '../core/is-object.ts';
import { yamlOfPrograms } from '../core/yaml-of-go.ts';

/** An object of a chart. */
export interface ChartObject {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
}

/** An object of a chart, with its source file in the chart, if helm reports it. */
export interface SourcedObject {
  source: string;
  object: ChartObject;
}

/** Parses helm's YAML output: a sequence of documents, empty ones left out. @throws StellarError `program-failed` */
export function parseObjects(text: string): ChartObject[] {
  return parseSourced(text).map(({ object }) => object);
}

/** Like parseObjects, with the source files: a comment `# Source: FILE` precedes the first document of each file. */
export function parseSourced(text: string): SourcedObject[] {
  const documents = parseAllDocuments(text, yamlOfPrograms);
  if (!Array.isArray(documents)) return [];
  let source = '';
  return documents.flatMap((document) => {
    source = /^ ?Source: (.+)$/m.exec(commentOf(document))?.[1] ?? source;
    const [{ code, linePos } = {}] = document.errors;
    // The parser's message quotes the text, which may contain confidential values.
    if (code)
      throw new StellarError('program-failed', `helm printed invalid YAML: ${code}, line ${linePos?.[0].line}.`);
    const object: unknown = document.toJS();
    if (object === null) return [];
    if (!isObject(object)) throw new StellarError('program-failed', 'helm printed something other than objects.');
    return [{ source, object: object as unknown as ChartObject }];
  });
}

function commentOf({ commentBefore, contents }: Document): string {
  return [commentBefore, isNode(contents) ? contents.commentBefore : ''].join('\n');
}
