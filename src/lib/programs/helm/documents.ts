import { type Document, isNode, parseAllDocuments } from 'yaml';
import { StellarError } from '../../engine/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { isValues } from './values.ts';

/** An object of a chart, with the file of the chart that it comes from, where helm tells. */
interface SourcedObject {
  source: string;
  object: KubeObject;
}

/** Reads what helm prints as YAML: documents one after the other, empty ones left out. @throws StellarError `program-failed` */
export function parseObjects(text: string): KubeObject[] {
  return parseSourced(text).map(({ object }) => object);
}

/** The same with the files: a comment `# Source: FILE` stands before the first document of each. */
export function parseSourced(text: string): SourcedObject[] {
  const documents = parseAllDocuments(text, { logLevel: 'error' });
  if (!Array.isArray(documents)) return [];
  let source = '';
  return documents.flatMap((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) {
      // The parser's message goes on to quote the text, which may hold values that are nobody's business.
      const [what] = problem.message.split(/ at line |:?\n/);
      throw new StellarError(
        'program-failed',
        `helm printed what is not YAML: ${what} (line ${problem.linePos?.[0].line})`,
      );
    }
    source = /^ ?Source: (.+)$/m.exec(commentOf(document))?.[1] ?? source;
    const object: unknown = document.toJS();
    if (object === null) return [];
    if (!isValues(object)) throw new StellarError('program-failed', 'helm printed something other than objects.');
    return [{ source, object: object as unknown as KubeObject }];
  });
}

function commentOf({ commentBefore, contents }: Document): string {
  return [commentBefore, isNode(contents) ? contents.commentBefore : ''].join('\n');
}
