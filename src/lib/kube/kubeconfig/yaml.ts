import { type Document, parseDocument, type Tags } from 'yaml';
import { invalidKubeconfig } from './invalid.ts';

/**
 * YAML as kubectl and kflex read it (sigs.k8s.io/yaml): 1.1, in which a bare `no` or `on` is a boolean, but without its dates and
 * base 60. Written text has the same meaning for them, and a name such as `no` is quoted. Exponents are strings, because the yaml
 * package takes the name `e1` for a number.
 */
const yamlOfGo = {
  version: '1.1',
  customTags: (tags: Tags): Tags =>
    tags.filter(
      (tag) =>
        typeof tag === 'string' ||
        (tag.tag !== 'tag:yaml.org,2002:timestamp' && tag.format !== 'TIME' && tag.format !== 'EXP'),
    ),
} as const;

/**
 * Parses a kubeconfig in YAML or JSON.
 * @throws StellarError `kubeconfig-invalid`, never quoting the file: it may hold credentials
 */
export function parseYaml(file: string, text: string): { document: Document; content: unknown } {
  const document = parseDocument(text, { ...yamlOfGo, logLevel: 'error' });
  const line = document.errors[0]?.linePos?.[0].line;
  if (document.errors.length > 0)
    throw invalidKubeconfig(file, line === undefined ? 'it is not YAML' : `it is not YAML (line ${line})`);
  try {
    return { document: document as Document, content: document.toJS() };
  } catch {
    // An alias without its anchor.
    throw invalidKubeconfig(file, 'it is not YAML');
  }
}
