import { StellarError } from '../../engine/errors.ts';
import { KubeconfigDocument, type ListName } from './document.ts';
import type { Entry } from './entry.ts';
import { candidateFiles, type Environment } from './kubeconfig.ts';
import { type Waiting, whileLocked } from './lock.ts';
import {
  makeFolderOf,
  readFileIfPresent,
  replaceFile,
  requireFiles,
  requireReplaceable,
  statIfPresent,
  targetOf,
} from './replace.ts';

/** Which kubeconfig to change: the files that `loadKubeconfig(file, env)` reads. */
export interface KubeconfigTarget {
  /** `--kubeconfig` */
  file?: string | undefined;
  env: Environment;
  /** Finds out what would change, and whether it could be written; writes nothing. */
  dryRun?: boolean | undefined;
}

/** What a change came to. */
export interface Edited<T> {
  /** What the edit has returned. */
  result: T;
  /** The files that were written, or would be in a dry run. */
  written: string[];
}

/**
 * Changes a kubeconfig as kubectl does (client-go's tools/clientcmd/config.go, ModifyConfig): an entry that exists is changed in
 * the file that defines it; a new one goes to the first file of the list that exists, else to the last of the list, else to
 * ~/.kube/config. The files are read again under kubectl's own locks, replaced in one step, for their owner only, and not touched
 * where nothing differs.
 *
 * @param edit changes the draft, at once and without waiting; may be called more than once
 * @throws StellarError `kubeconfig-invalid`, `file-error`, `timeout` (somebody else keeps the lock), `interrupted`, and what edit throws
 */
export async function editKubeconfig<T>(
  target: KubeconfigTarget,
  edit: (draft: KubeconfigDraft) => T,
  waiting: Waiting,
): Promise<Edited<T>> {
  const files = withoutAliases(candidateFiles(target.file, target.env));
  if (files.length === 0) throw new StellarError('file-error', 'The variable KUBECONFIG names no file.');
  for (;;) {
    const edited = await whileLocked(files, waiting, () => attempt(files, edit, target.dryRun));
    if (edited !== undefined) return edited;
  }
}

/** A file that a list has under two names is one: what is removed from it must not be found in it again. */
function withoutAliases(files: readonly string[]): string[] {
  const targets = files.map(targetOf);
  return files.filter((_, index) => targets.indexOf(targets[index] as string) === index);
}

/** @returns undefined where it has to be tried again: a folder was missing, so that the lock was, or somebody wrote without locks */
function attempt<T>(
  files: readonly string[],
  edit: (draft: KubeconfigDraft) => T,
  dryRun: boolean | undefined,
): Edited<T> | undefined {
  const texts = new Map(files.map((file) => [file, readFileIfPresent(file)]));
  const documents = new Map([...texts].map(([file, text]) => [file, new KubeconfigDocument(file, text)]));
  const draft = new KubeconfigDraft(documents, defaultFile(files));
  const result = edit(draft);
  const changed = [...documents].filter(([, document]) => document.changed);
  const written = changed.map(([file]) => file);
  if (dryRun) {
    written.forEach(requireReplaceable);
    return { result, written };
  }

  const newFolders = written.filter(makeFolderOf);
  // Others (kflex, k3d) write without locks.
  const isStale = written.some((file) => readFileIfPresent(file) !== texts.get(file));
  if (newFolders.length > 0 || isStale) return undefined;
  for (const [file, document] of changed) replaceFile(file, document.toText());
  return { result, written };
}

/** Where new entries go (client-go's PathOptions.GetDefaultFilename). */
function defaultFile(files: readonly string[]): string {
  return files.find((file) => statIfPresent(file) !== undefined) ?? (files.at(-1) as string);
}

/** The files of a kubeconfig while they are changed, seen as one: the first definition of a name is the one that counts. */
export class KubeconfigDraft {
  readonly #documents: ReadonlyMap<string, KubeconfigDocument>;
  readonly #default: KubeconfigDocument;

  constructor(documents: ReadonlyMap<string, KubeconfigDocument>, defaultFile: string) {
    this.#documents = documents;
    this.#default = documents.get(defaultFile) as KubeconfigDocument;
  }

  /** What an entry holds, as the file has it: unknown fields included, file names relative to the file. */
  get(list: ListName, name: string): Entry | undefined {
    return this.#definer(list, name)?.entries(list).get(name);
  }

  /** The entries of a list by name. */
  entries(list: ListName): Map<string, Entry> {
    return new Map(this.definitions(list).reverse());
  }

  /** All definitions in order of precedence, also those that an earlier one of the same name hides. */
  definitions(list: ListName): [name: string, entry: Entry][] {
    return [...this.#documents.values()].flatMap((document) => [...document.entries(list)]);
  }

  /** The file that defines an entry. */
  fileOf(list: ListName, name: string): string | undefined {
    return [...this.#documents].find(([, document]) => document.entries(list).has(name))?.[0];
  }

  /** Makes an entry be this. What of it is so already keeps its place and its comments. */
  set(list: ListName, name: string, entry: Entry): void {
    (this.#definer(list, name) ?? this.#default).set(list, name, entry);
  }

  /** Removes the definition that counts. @returns whether there was one */
  remove(list: ListName, name: string): boolean {
    return this.#definer(list, name)?.remove(list, name) ?? false;
  }

  /** Refuses to say that something is missing which may have been in a pipe. @throws StellarError `file-error` */
  requireFiles(): void {
    requireFiles([...this.#documents.keys()]);
  }

  get currentContext(): string | undefined {
    return this.#chooser()?.currentContext;
  }

  /** Undefined leaves none chosen in the file that has chosen. */
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
