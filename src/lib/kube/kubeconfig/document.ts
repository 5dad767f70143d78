import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, parseDocument, visit, type YAMLMap, type YAMLSeq } from 'yaml';
import { StellarError } from '../../core/errors.ts';
import { isObject, yamlOfGo, yamlOfPrograms } from '../../core/formats.ts';
import { advice, type NextStep } from '../../core/next-step.ts';

/** The content of a list entry, keys as in the file. */
export type Entry = Record<string, unknown>;

/** The lists of a kubeconfig, each with the key of an entry's content beside its name. */
const contentKeys = { clusters: 'cluster', contexts: 'context', users: 'user', extensions: 'extension' } as const;

export type ListName = keyof typeof contentKeys;

/**
 * One kubeconfig as a document with in-place edits: keeps comments, order, unknown fields and, as far as the yaml package does, the
 * formatting of everything else. YAML and JSON.
 */
export class KubeconfigDocument {
  readonly #file: string;
  readonly #document: Document;
  #changed = false;

  /** @param text undefined for a file that does not exist yet @throws StellarError `kubeconfig-invalid`, never quoting the file */
  constructor(file: string, text: string | undefined) {
    this.#file = file;
    const { document, content } = parseYaml(file, text ?? '');
    this.#document = document;
    if (document.contents === null || content === null)
      this.#document.contents = this.#document.createNode({ apiVersion: 'v1', kind: 'Config' });
    else if (!isMap(document.contents)) throw invalidKubeconfig(file, 'it is not a kubeconfig');
  }

  get changed(): boolean {
    return this.#changed;
  }

  /** The entries of a list by name. @throws StellarError `kubeconfig-invalid` */
  entries(list: ListName): Map<string, Entry> {
    const plain = (this.#document.toJS() ?? {}) as Entry;
    return new Map(namedEntries(this.#file, plain, list, contentKeys[list]));
  }

  /** @returns the list, and where it has an entry; -1 if it has none */
  #find(list: ListName, name: string): [sequence: YAMLSeq<YAMLMap> | undefined, index: number] {
    const index = [...this.entries(list).keys()].indexOf(name);
    return [(this.#document.get(list) ?? undefined) as YAMLSeq<YAMLMap> | undefined, index];
  }

  /** Sets an entry: one that differs is replaced as a whole. @throws StellarError `kubeconfig-invalid` */
  set(list: ListName, name: string, content: Entry): void {
    const [sequence = this.#addList(list), index] = this.#find(list, name);
    const before = sequence.items[index];
    const present = before?.toJS(this.#document) as Entry | undefined;
    const wanted = { ...present, [contentKeys[list]]: content, name };
    if (isDeepStrictEqual(present, wanted)) return;
    // `[]` is an empty list in flow style; added entries use block style.
    if (sequence.items.length === 0) sequence.flow = false;
    const node = this.#document.createNode(wanted, { aliasDuplicateObjects: false }) as YAMLMap;
    // What is above the entry stays.
    const { commentBefore = null, spaceBefore = false } = before ?? {};
    Object.assign(node, { commentBefore, spaceBefore });
    sequence.items[before === undefined ? sequence.items.length : index] = node;
    this.#noteChange();
  }

  /** @throws StellarError `kubeconfig-invalid` */
  remove(list: ListName, name: string): boolean {
    const [sequence, index] = this.#find(list, name);
    if (sequence === undefined || index === -1) return false;
    sequence.delete(index);
    // Comments before the first entry belong to the list, and have no place in an empty one.
    if (sequence.items.length === 0) this.#addList(list);
    this.#noteChange();
    return true;
  }

  /** `current-context`; undefined if it is missing or empty. */
  get currentContext(): string | undefined {
    const current = this.#document.get('current-context');
    return typeof current === 'string' && current !== '' ? current : undefined;
  }

  set currentContext(name: string | undefined) {
    if (name === this.currentContext) return;
    this.#document.set('current-context', name ?? '');
    this.#noteChange();
  }

  /** The file's new content. */
  toText(): string {
    // As kubectl writes lists; most flow maps are written without padding.
    return this.#document.toString({ lineWidth: 0, indentSeq: false, flowCollectionPadding: false });
  }

  /** An edit of content that entries share by an alias would change, or break, all of them. */
  #noteChange(): void {
    const refuse = () => {
      throw invalidKubeconfig(this.#file, 'it has YAML aliases, so it cannot be edited; write them out');
    };
    visit(this.#document, { Alias: refuse });
    this.#changed = true;
  }

  #addList(list: ListName): YAMLSeq<YAMLMap> {
    const created = this.#document.createNode([]) as YAMLSeq<YAMLMap>;
    this.#document.set(list, created);
    return created;
  }
}

/**
 * Parses a kubeconfig in YAML or JSON.
 * @param isUsers false for a text of a cluster or a program, which may have a key twice
 * @throws StellarError `kubeconfig-invalid`, never quoting the file: it may hold credentials
 */
export function parseYaml(file: string, text: string, isUsers = true): { document: Document; content: unknown } {
  const document = parseDocument(text, isUsers ? yamlOfGo : yamlOfPrograms);
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

/** @param why never quotes the file: it may hold credentials */
export function invalidKubeconfig(file: string, why: string): StellarError {
  return new StellarError('kubeconfig-invalid', `The kubeconfig ${file} cannot be used: ${why}.`);
}

/** The named entries of one list in a file. A duplicate name in one file is an error, as for kubectl. */
export function namedEntries(
  file: string,
  document: Record<string, unknown>,
  list: string,
  key: string,
): [string, Record<string, unknown>][] {
  const items = document[list] ?? [];
  if (!Array.isArray(items)) throw invalidKubeconfig(file, `"${list}" is not a list`);
  const names = new Set<string>();
  return items.map((item): [string, Record<string, unknown>] => {
    if (!isObject(item)) throw invalidKubeconfig(file, `"${list}" has an entry that is not an object`);
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
  return new StellarError('usage', `${none} was given, and there is no current context.`, {
    next:
      contexts.size === 0
        ? [toGiveKubeconfig(missing)]
        : [advice(`Give one: ${option} CONTEXT`), advice(`Contexts: ${[...contexts.keys()].join(', ')}`)],
  });
}

/** The step for a user without any context. @param missing files that KUBECONFIG names */
export const toGiveKubeconfig = (missing: readonly string[] = []): NextStep =>
  advice(
    `${missing.length > 0 ? `KUBECONFIG names ${missing.join(', ')}, which does not exist. ` : ''}Give a kubeconfig: --kubeconfig FILE, or the variable KUBECONFIG`,
  );
