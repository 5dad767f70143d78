import type { Document } from 'yaml';
import { StellarError } from '../../core/errors.ts';
import { advice } from '../../core/next-step.ts';
import { breaksOfGo, isObject, yamlOfGo, yamlOfPrograms } from '../../core/text/formats.ts';

/** The content of a list entry, keys as in the file. */
export type Entry = Record<string, unknown>;

/**
 * Parses a kubeconfig in YAML or JSON.
 * @param isUsers false for a text of a cluster or a program, which may have a key twice
 * @throws StellarError `kubeconfig-invalid`, never quoting the file: it may hold credentials
 */
export async function parseContent(file: string, text: string, isUsers: boolean): Promise<unknown> {
  // CommonJS: a bundled dynamic import does not see its named exports.
  const { parseDocument } = (await import('yaml')).default;
  // The rest of a comment would be an entry for kubectl.
  if (isUsers && text.replaceAll('\r\n', '\n').search(breaksOfGo) !== -1)
    throw invalidKubeconfig(file, 'a CR, NEL, LS or PS in it ends a line for kubectl only');
  return contentIn(file, parseDocument(text, isUsers ? yamlOfGo : yamlOfPrograms));
}

/** @throws StellarError `kubeconfig-invalid`, never quoting the file */
export function contentIn(file: string, document: Pick<Document, 'errors' | 'toJS'>): unknown {
  const line = document.errors[0]?.linePos?.[0].line;
  if (document.errors.length > 0)
    throw invalidKubeconfig(
      file,
      line === undefined ? 'it is not YAML' : `it is not YAML (line ${line})`,
    );
  try {
    return document.toJS();
  } catch {
    // An alias without its anchor.
    throw invalidKubeconfig(file, 'it is not YAML');
  }
}

/** @param why never quotes the file: it may hold credentials */
export function invalidKubeconfig(file: string, why: string): StellarError {
  return new StellarError('kubeconfig-invalid', `The kubeconfig ${file} cannot be used: ${why}.`);
}

/** The named entries of one list in a file. A duplicate name in one file is an error, as for kubectl. */
export function namedEntries(
  file: string,
  document: Entry,
  list: string,
  key: string,
): [string, Entry][] {
  const items = document[list] ?? [];
  if (!Array.isArray(items)) throw invalidKubeconfig(file, `"${list}" is not a list`);
  const names = new Set<string>();
  return items.map((item): [string, Entry] => {
    if (!isObject(item))
      throw invalidKubeconfig(file, `"${list}" has an entry that is not an object`);
    const name = typeof item.name === 'string' ? item.name : '';
    if (names.has(name)) throw invalidKubeconfig(file, `"${list}" has the name "${name}" twice`);
    names.add(name);
    const entry = item[key] ?? {};
    if (!isObject(entry)) throw invalidKubeconfig(file, `"${key}" of "${name}" is not an object`);
    return [name, entry];
  });
}

/** The error if neither an option nor anything else selects a cluster. */
export function noneGiven(
  none: string,
  option: string,
  { contexts, missing }: { contexts: ReadonlyMap<string, unknown>; missing?: string[] | undefined },
): StellarError {
  return new StellarError(
    'usage',
    `${none} was given, and there is no current context.`,
    ...(contexts.size === 0
      ? [toGiveKubeconfig(missing)]
      : [
          advice(`Give one: ${option} CONTEXT`),
          advice(`Contexts: ${[...contexts.keys()].join(', ')}`),
        ]),
  );
}

/** The step for a user without any context. @param missing files that KUBECONFIG names */
export const toGiveKubeconfig = (missing: readonly string[] = []) =>
  advice(
    `${missing.length > 0 ? `KUBECONFIG names ${missing.join(', ')}, which does not exist. ` : ''}Give a kubeconfig: --kubeconfig FILE, or the variable KUBECONFIG`,
  );
