import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, parseDocument, visit, type YAMLMap, type YAMLSeq } from 'yaml';
import { type Deadline, monotonic, throwIfInterrupted, type Waiting } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, run } from '../../core/next-step.ts';
import { replaceFile, reporting } from '../../core/private-file.ts';
import { yamlOfGo } from '../../core/text/formats.ts';
import { contentIn, type Entry, invalidKubeconfig, namedEntries } from './entries.ts';
import { candidateFiles, type Environment } from './kubeconfig.ts';

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
function withoutAliases(files: readonly string[]) {
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
function defaultFile(files: readonly string[]) {
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

/**
 * One name for all spellings of a file (`a`, `./a`, `/d//a`, and through links to its folder). Follows the path as the system does:
 * `link/..` is not the folder that contains the link. Does not follow a link in the last segment, or check that the file exists.
 */
function canonicalName(file: string) {
  const folder = path.dirname(file);
  return path.join(
    ifPresent(file, () => realpathSync.native(folder)) ?? path.resolve(folder),
    path.basename(file),
  );
}

/** The target of a name through symbolic links; the name itself if the target does not exist. */
function targetOf(file: string) {
  return ifPresent(file, () => realpathSync.native(file)) ?? canonicalName(file);
}

/**
 * The content of a file that may be replaced. A pipe or another special file counts as empty: it can be read only once, and must
 * not block here.
 * @returns undefined for a file that does not exist
 * @throws StellarError `file-error`
 */
function readFileIfPresent(file: string) {
  const present = statIfPresent(file);
  const isSpecial = present?.isFile() === false && !present.isDirectory();
  return isSpecial ? '' : ifPresent(file, () => readFileSync(file, 'utf8'));
}

/** The same for the status of a file, behind symbolic links. */
export const statIfPresent = (file: string): Stats | undefined =>
  ifPresent(file, () => statSync(file));

function ifPresent<T>(file: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new StellarError('file-error', `${file} cannot be read: ${message}.`).with({
      cause: error,
    });
  }
}

/** Creates the folder of a file, for its owner only. @returns false if it already exists @throws StellarError `file-error` */
export function makeFolderOf(file: string): boolean {
  const folder = path.dirname(targetOf(file));
  return orCannotWrite(
    file,
    () => mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined,
  );
}

/**
 * Checks that a kubeconfig can be replaced, as far as possible without writing: it is a regular file, and it and its folder are
 * writable, if they exist.
 * @throws StellarError `file-error`
 */
export function requireReplaceable(file: string): void {
  orCannotWrite(file, () => {
    const present = statIfPresent(file);
    if (present?.isFile() === false) throw new Error('it is not a regular file');
    if (present !== undefined) accessSync(file, constants.W_OK);
    // The new content is written to a file beside it.
    const folder = path.dirname(targetOf(file));
    ifPresent(folder, () => accessSync(folder, constants.W_OK | constants.X_OK));
  });
}

/**
 * Replaces a kubeconfig atomically; symbolic links and the owner are kept.
 * @param isOwn whether it belongs to this user afterwards
 * @throws StellarError `file-error`
 */
function replaceKubeconfig(file: string, content: string, isOwn = false) {
  requireReplaceable(file);
  const owner = isOwn ? undefined : statIfPresent(file);
  orCannotWrite(file, () => replaceFile(targetOf(file), content, owner));
}

const orCannotWrite = <T>(file: string, write: () => T): T =>
  reporting(file, write, [
    advice('Give a kubeconfig that can be written, for example a copy: --kubeconfig FILE'),
  ]);

/** A lock is held for milliseconds; one that does not change for this long belongs to a process that has ended or hangs. */
const staleLockMs = 10_000;
/** The minimum wait for a lock, even after the deadline: it guards the last step of a long operation. */
const leastWaitMs = 1000;
const pauseMs = 25;

/**
 * Does work while no other program changes these files. The locks are client-go's (tools/clientcmd/loader.go, lockFile): a newly
 * created file `FILE.lock`, respected by kubectl, kind and stellarctl. They are taken in one order, all or none, under any names of
 * the files.
 * The work is synchronous on purpose: a handler of SIGINT or SIGTERM runs after it, so no handled signal leaves a lock behind. A
 * file whose folder is missing or not writable is not locked; the write reports it.
 * @throws StellarError `file-error` for a lock that was left behind, `timeout` for one that is held too long, `interrupted`
 */
async function whileLocked<T>(
  files: readonly string[],
  waiting: Waiting,
  work: () => T,
): Promise<T> {
  const started = monotonic();
  for (;;) {
    throwIfInterrupted(waiting.signal);
    const locks: string[] = [];
    try {
      const heldBy = takeAll(files.flatMap(locksOf), locks);
      if (heldBy === undefined) return work();
      refuseHeld(heldBy, started, waiting.deadline);
    } finally {
      for (const lock of locks) rmSync(lock, { force: true });
    }
    // Waiting processes should not all retry at the same time.
    const { signal } = waiting;
    await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() =>
      throwIfInterrupted(signal),
    );
  }
}

/** kubectl locks the name that it is given; other programs may be given the target of a symbolic link and lock that. */
const locksOf = (file: string) =>
  [canonicalName(file), targetOf(file)].map((name) => `${name}.lock`);

/** @param lockFiles receives the locks that were made @returns a lock that another program holds */
function takeAll(locks: readonly string[], lockFiles: string[]) {
  for (const lock of [...new Set(locks)].sort()) {
    try {
      closeSync(openSync(lock, 'wx', 0));
      lockFiles.push(lock);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return lock;
    }
  }
  return undefined;
}

/** Ends the wait for a lock that was left behind, or is held too long. @param started when the wait began (core/deadline.ts) */
function refuseHeld(lock: string, started: number, deadline: Deadline) {
  const present = statSync(lock, { throwIfNoEntry: false });
  if (present === undefined || monotonic() - started < leastWaitMs) return;
  const ageMs = Date.now() - present.mtimeMs;
  const stale = `A kubeconfig cannot be written: its lock ${lock} has been held for ${Math.round(ageMs / 1000)} s.`;
  const toRemove = run(
    command`rm ${lock}`,
    'If no other program is writing it, remove the stale lock',
  );
  if (ageMs > staleLockMs) throw new StellarError('file-error', stale, toRemove);
  const late = `A kubeconfig could not be written in time: another program is writing it (${lock}).`;
  if (deadline.passed) throw new StellarError('timeout', late, advice('Rerun the command'));
}
