import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, parseDocument, visit, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Waiting } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { yamlOfGo } from '../../core/text/formats.ts';
import { contentIn, type Entry, invalidKubeconfig, namedEntries } from './entries.ts';
import { candidateFiles, type Environment } from './kubeconfig.ts';
import {
  makeFolderOf,
  readFileIfPresent,
  replaceKubeconfig,
  requireReplaceable,
  statIfPresent,
  targetOf,
  whileLocked,
} from './replace.ts';

/** The kubeconfig to change: the files that `loadKubeconfig(file, env)` reads. */
export interface KubeconfigTarget {
  /** `--kubeconfig` */
  file?: string | undefined;
  env: Environment;
  /** Checks what would change, and whether it can be written; writes nothing. */
  dryRun?: boolean | undefined;
  /** It belongs to this user afterwards, whoever has put a file there meanwhile: it gets credentials for others. */
  isExport?: boolean | undefined;
}

/**
 * Changes a kubeconfig as kubectl does (client-go's tools/clientcmd/config.go, ModifyConfig): an existing entry changes in the file
 * that defines it; a new one goes to the first existing file of the list, else to the last file of the list, else to
 * ~/.kube/config. The files are read again under kubectl's own locks, replaced atomically, readable for their owner only, and not
 * touched if nothing differs.
 * @param edit changes the draft synchronously; may be called more than once
 * @returns whether anything differed
 * @throws StellarError `kubeconfig-invalid`, `file-error`, `timeout` (another program holds the lock), `interrupted`, and errors of
 * edit
 */
export async function editKubeconfig(
  target: KubeconfigTarget,
  edit: (draft: KubeconfigDraft) => unknown,
  waiting: Waiting,
): Promise<boolean> {
  const files = withoutAliases(candidateFiles(target.file, target.env));
  if (files.length === 0)
    throw new StellarError('file-error', 'The variable KUBECONFIG names no file.');
  for (;;) {
    const hasChanged = await whileLocked(files, waiting, () => attempt(files, edit, target));
    if (hasChanged !== undefined) return hasChanged;
  }
}

/** A file under two names in a list is one file: an entry removed from it must not be found in it again. */
function withoutAliases(files: readonly string[]): string[] {
  const targets = files.map(targetOf);
  return files.filter((_, index) => targets.indexOf(targets[index] as string) === index);
}

/** @returns undefined if it must be retried: the lock was missing because a folder was, or another program wrote without locks */
function attempt(
  files: readonly string[],
  edit: (draft: KubeconfigDraft) => unknown,
  { dryRun, isExport }: KubeconfigTarget,
): boolean | undefined {
  const texts = new Map(files.map((file) => [file, readFileIfPresent(file)]));
  const documents = new Map(
    [...texts].map(([file, text]) => [file, new KubeconfigDocument(file, text)]),
  );
  const draft = new KubeconfigDraft(documents, defaultFile(files));
  edit(draft);
  const changed = [...documents].filter(([, document]) => document.changed);
  const written = changed.map(([file]) => file);
  if (dryRun) {
    written.forEach(requireReplaceable);
    return written.length > 0;
  }

  const newFolders = written.filter(makeFolderOf);
  // Other programs (kflex, k3d) write without locks.
  const isStale = written.some((file) => readFileIfPresent(file) !== texts.get(file));
  if (newFolders.length > 0 || isStale) return undefined;
  for (const [file, document] of changed) replaceKubeconfig(file, document.toText(), isExport);
  return written.length > 0;
}

/** The file for new entries (client-go's PathOptions.GetDefaultFilename). */
function defaultFile(files: readonly string[]): string {
  return files.find((file) => statIfPresent(file) !== undefined) ?? (files.at(-1) as string);
}

/** The files of a kubeconfig during an edit, merged: the first definition of a name counts. */
export class KubeconfigDraft {
  readonly #documents: ReadonlyMap<string, KubeconfigDocument>;
  readonly #default: KubeconfigDocument;

  constructor(documents: ReadonlyMap<string, KubeconfigDocument>, defaultFile: string) {
    this.#documents = documents;
    this.#default = documents.get(defaultFile) as KubeconfigDocument;
  }

  /** The content of an entry as in the file: with unknown fields, and with file names relative to the file. */
  get(list: ListName, name: string): Entry | undefined {
    return this.#definer(list, name)?.entries(list).get(name);
  }

  /** The entries of a list by name. */
  entries(list: ListName): Map<string, Entry> {
    return new Map(this.definitions(list).reverse());
  }

  /** All definitions in order of precedence, including the ones hidden by an earlier one of the same name. */
  definitions(list: ListName): [name: string, entry: Entry][] {
    return [...this.#documents.values()].flatMap((document) => [...document.entries(list)]);
  }

  /** The file that defines an entry. */
  fileOf(list: ListName, name: string): string | undefined {
    return [...this.#documents].find(([, document]) => document.entries(list).has(name))?.[0];
  }

  /** Sets an entry. One that differs is replaced as a whole, in its place: comments inside of it are lost. */
  set(list: ListName, name: string, entry: Entry): void {
    (this.#definer(list, name) ?? this.#default).set(list, name, entry);
  }

  /** Removes the definition that counts, if there is one. */
  remove(list: ListName, name: string): void {
    this.#definer(list, name)?.remove(list, name);
  }

  get currentContext(): string | undefined {
    return this.#chooser()?.currentContext;
  }

  /** Undefined removes the current context from the file that sets it. */
  set currentContext(name: string | undefined) {
    (this.#chooser() ?? this.#default).currentContext = name;
  }

  #definer(list: ListName, name: string): KubeconfigDocument | undefined {
    return this.#documents.get(this.fileOf(list, name) ?? '');
  }

  #chooser(): KubeconfigDocument | undefined {
    return [...this.#documents.values()].find(({ currentContext }) => currentContext !== undefined);
  }
}

/** The lists of a kubeconfig, each with the key of an entry's content beside its name. */
const contentKeys = {
  clusters: 'cluster',
  contexts: 'context',
  users: 'user',
  extensions: 'extension',
} as const;

export type ListName = keyof typeof contentKeys;

/**
 * One kubeconfig as a document with in-place edits: keeps comments, order, unknown fields and, as far as the yaml package does, the
 * formatting of everything else. YAML and JSON.
 */
export class KubeconfigDocument {
  readonly #file: string;
  readonly #document: Document;
  changed = false;

  /** @param text undefined for a file that does not exist yet @throws StellarError `kubeconfig-invalid`, never quoting the file */
  constructor(file: string, text: string | undefined) {
    this.#file = file;
    const document: Document = parseDocument(text ?? '', yamlOfGo);
    const content = contentIn(file, document);
    this.#document = document;
    if (document.contents === null || content === null)
      this.#document.contents = this.#document.createNode({ apiVersion: 'v1', kind: 'Config' });
    else if (!isMap(document.contents)) throw invalidKubeconfig(file, 'it is not a kubeconfig');
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
  remove(list: ListName, name: string): void {
    const [sequence, index] = this.#find(list, name);
    if (sequence === undefined) return;
    sequence.delete(index);
    // Comments before the first entry belong to the list, and have no place in an empty one.
    if (sequence.items.length === 0) this.#addList(list);
    this.#noteChange();
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
    // What is added to JSON is JSON.
    const { flow = false } = this.#document.contents as YAMLMap;
    const quoted = flow
      ? ({ defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE' } as const)
      : {};
    // As kubectl writes lists; most flow maps are written without padding.
    return this.#document.toString({
      lineWidth: 0,
      indentSeq: false,
      flowCollectionPadding: false,
      ...quoted,
    });
  }

  /** An edit of content that entries share by an alias would change, or break, all of them. */
  #noteChange(): void {
    const refuse = () => {
      throw invalidKubeconfig(
        this.#file,
        'it has YAML aliases, so it cannot be edited; write them out',
      );
    };
    visit(this.#document, { Alias: refuse });
    this.changed = true;
  }

  #addList(list: ListName): YAMLSeq<YAMLMap> {
    const created = this.#document.createNode([]) as YAMLSeq<YAMLMap>;
    this.#document.set(list, created);
    return created;
  }
}
