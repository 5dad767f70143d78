import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { StellarError } from '../../core/errors.ts';
import { advice, type NextStep } from '../../core/next-step.ts';
import { isServerAddress, isToken } from '../../core/object-names.ts';
import { isObject } from '../../core/text/formats.ts';
import { invalidKubeconfig, namedEntries, parseContent, toGiveKubeconfig } from './entries.ts';

/** A cluster entry, keys as in the file, with unknown keys. File names are absolute after loading. */
export interface ClusterEntry {
  server?: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'insecure-skip-tls-verify'?: boolean;
  'tls-server-name'?: string;
  'proxy-url'?: string;
  [key: string]: unknown;
}

export interface ExecEntry {
  apiVersion?: string;
  command?: string;
  args?: string[] | null;
  env?: { name: string; value: string }[] | null;
  installHint?: string;
  interactiveMode?: string;
  provideClusterInfo?: boolean;
  [key: string]: unknown;
}

export interface UserEntry {
  'client-certificate'?: string;
  'client-certificate-data'?: string | undefined;
  'client-key'?: string;
  'client-key-data'?: string | undefined;
  token?: string | undefined;
  tokenFile?: string;
  username?: string;
  password?: string;
  exec?: ExecEntry;
  /** The token source in kubeconfigs from before exec plugins. */
  'auth-provider'?: { name?: string; config?: Record<string, string> } | null;
  as?: string;
  'as-groups'?: string[];
  'as-uid'?: string;
  'as-user-extra'?: Record<string, string[]>;
  [key: string]: unknown;
}

export interface ContextEntry {
  cluster?: string;
  user?: string;
  namespace?: string;
  /** Extensions that programs keep beside a context, by name. */
  extensions?: NamedExtension[] | null;
  [key: string]: unknown;
}

interface NamedExtension {
  name?: string;
  extension?: unknown;
}

/** The result of kubectl's merge of the same files: the first definition of a name wins. */
export interface Kubeconfig {
  /** The files that were read, in order. */
  files: string[];
  /** Files that KUBECONFIG names and that do not exist. */
  missing?: string[];
  currentContext: string | undefined;
  contexts: Map<string, ContextEntry>;
  clusters: Map<string, ClusterEntry>;
  users: Map<string, UserEntry>;
  /** Extensions of the whole kubeconfig, by name. */
  extensions: Map<string, unknown>;
}

/** A context with everything needed to connect, and the step that writes its entries again, if they have a source. */
export interface SelectedContext {
  name: string;
  server: string;
  cluster: ClusterEntry;
  user: UserEntry;
  inspection?: NextStep | undefined;
  start?: NextStep | undefined;
  renewal?: NextStep | undefined;
  writing?: string | undefined;
}

/** The environment variables that locate kubeconfigs. */
export interface Environment {
  KUBECONFIG?: string | undefined;
}

/**
 * Reads kubeconfigs as kubectl does (client-go's ClientConfigLoadingRules): only `file` if given, else the list in KUBECONFIG
 * (ignoring empty and repeated names, skipping missing files), else ~/.kube/config.
 * @throws StellarError `kubeconfig-invalid` for a named file that is missing, and for any file that cannot be parsed
 */
export async function loadKubeconfig(
  file: string | undefined,
  env: Environment = process.env,
): Promise<Kubeconfig> {
  const merged = emptyKubeconfig();
  for (const name of candidateFiles(file, env)) {
    if (await addFile(merged, name)) continue;
    if (name === file) throw invalidKubeconfig(name, 'no such file');
    if (env.KUBECONFIG) merged.missing = [...(merged.missing ?? []), name];
  }
  return merged;
}

/**
 * Parses a kubeconfig that is not one of the user's files, such as one in a Secret.
 * @param source names it in errors
 * @throws StellarError `kubeconfig-invalid`
 */
export async function parseKubeconfig(text: string, source: string): Promise<Kubeconfig> {
  return kubeconfigOf(await parseContent(source, text, false), source);
}

/** The same for its parsed content. */
export function kubeconfigOf(content: unknown, source: string): Kubeconfig {
  const config = emptyKubeconfig();
  readInto(config, source, content);
  return config;
}

function emptyKubeconfig(): Kubeconfig {
  return {
    files: [],
    currentContext: undefined,
    contexts: new Map(),
    clusters: new Map(),
    users: new Map(),
    extensions: new Map(),
  };
}

/** The possible files of a kubeconfig, existing or not, in order of precedence. */
export function candidateFiles(file: string | undefined, env: Environment): string[] {
  if (file !== undefined) return [file];
  if (!env.KUBECONFIG) return [path.join(homedir(), '.kube', 'config')];
  return [...new Set(env.KUBECONFIG.split(path.delimiter).filter((name) => name !== ''))];
}

/** @returns false for a file that does not exist */
async function addFile(merged: Kubeconfig, name: string) {
  try {
    readInto(merged, name, await parseContent(name, readFileSync(name, 'utf8'), true));
    return true;
  } catch (error) {
    if (error instanceof StellarError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw invalidKubeconfig(name, code === 'EISDIR' ? 'it is a folder' : message);
  }
}

/** Adds the entries of a file that are not defined yet. */
function readInto(config: Kubeconfig, file: string, document: unknown) {
  config.files.push(file);
  if (document === null || document === undefined) return;
  if (!isObject(document)) throw invalidKubeconfig(file, 'it is not a kubeconfig');

  const directory = path.dirname(path.resolve(file));
  for (const [name, entry] of namedEntries(file, document, 'clusters', 'cluster')) {
    addFirst(config.clusters, name, withAbsolutePaths(entry, ['certificate-authority'], directory));
  }
  for (const [name, entry] of namedEntries(file, document, 'users', 'user')) {
    const user: UserEntry = withAbsolutePaths(
      entry,
      ['client-certificate', 'client-key', 'tokenFile'],
      directory,
    );
    // As in client-go: a plugin's relative path with a separator is relative to the file; a bare name is looked up on PATH.
    if (typeof user.exec?.command === 'string' && /[\\/]/.test(user.exec.command)) {
      user.exec = { ...user.exec, command: path.resolve(directory, user.exec.command) };
    }
    addFirst(config.users, name, user);
  }
  for (const [name, entry] of namedEntries(file, document, 'contexts', 'context'))
    addFirst(config.contexts, name, entry);
  addExtensions(config.extensions, document.extensions);

  const current = document['current-context'];
  if (typeof current === 'string' && current !== '') config.currentContext ??= current;
}

function addFirst<T>(map: Map<string, T>, name: string, entry: T) {
  if (!map.has(name)) map.set(name, entry);
}

/** Unknown extensions are not our concern: a value that is not a list of named items is ignored. */
function addExtensions(map: Map<string, unknown>, list: unknown) {
  if (!Array.isArray(list)) return;
  for (const item of list)
    if (isObject(item) && typeof item.name === 'string') addFirst(map, item.name, item.extension);
}

function withAbsolutePaths<T extends Record<string, unknown>>(
  entry: T,
  keys: string[],
  directory: string,
): T {
  const copy: Record<string, unknown> = { ...entry };
  for (const key of keys) {
    const value = copy[key];
    if (typeof value === 'string' && value !== '') copy[key] = path.resolve(directory, value);
  }
  return copy as T;
}

/**
 * Finds a context and its cluster and user.
 * @throws StellarError `context-unknown` or `kubeconfig-invalid`, with the existing names.
 */
export function selectContext(config: Kubeconfig, name: string): SelectedContext {
  const context = config.contexts.get(name);
  if (context === undefined) throw unknownContext(config, name);
  const invalid = (why: string) =>
    new StellarError('kubeconfig-invalid', `Context ${name} ${why}.`);
  const cluster = config.clusters.get(context.cluster ?? '');
  if (cluster?.server === undefined || cluster.server === '')
    throw invalid(
      `names the cluster "${context.cluster ?? ''}", which has no server in ${where(config)}`,
    );
  if (!URL.canParse(cluster.server))
    throw invalid(`has the server "${cluster.server}", which is not a URL`);
  const user = context.user ? config.users.get(context.user) : {};
  if (user === undefined)
    throw invalid(`names the user "${context.user}", who is not defined in ${where(config)}`);
  return { name, server: cluster.server.replace(/\/+$/, ''), cluster, user };
}

/** A server's address for people: without a user and password, which old kubeconfigs may contain. */
export function withoutCredentials(address: string): string {
  const url = new URL(address);
  if (url.username === '' && url.password === '') return address;
  url.username = '';
  url.password = '';
  return url.href.replace(/\/$/, '');
}

/** The error for a name that no context has, with the names that there are. */
export function unknownContext(config: Kubeconfig, name: string): StellarError {
  const known = [...config.contexts.keys()];
  return new StellarError(
    'context-unknown',
    `There is no context "${name}" in ${where(config)}.`,
    known.length === 0
      ? toGiveKubeconfig(config.missing)
      : advice(`Contexts there: ${known.join(', ')}`),
  );
}

function where(config: Kubeconfig) {
  return config.files.length === 0 ? 'any kubeconfig (no file was found)' : config.files.join(', ');
}

/** What a kubeconfig of a cluster may give, and the grammar of each. */
const isBase64 = (text: string) => /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text);
const isHostName = (text: string) => /^[\w.:-]+$/.test(text);
const clusterFields = { 'certificate-authority-data': isBase64, 'tls-server-name': isHostName };
const userFields = {
  token: isToken,
  'client-certificate-data': isBase64,
  'client-key-data': isBase64,
};

/**
 * Reads a kubeconfig from a cluster, such as one in a Secret: its current context, or its first one. Its author is not the user of
 * this machine. It therefore takes only an address and data from it, each of its own grammar: nothing that runs a program, reads a file,
 * uses a proxy, impersonates a user or skips the verification of the server.
 * @param source names it in errors @param given the name of the context instead
 * @throws StellarError `kubeconfig-invalid`, never quoting a value
 */
export async function contextFromCluster(
  text: string,
  source: string,
  given?: string,
): Promise<SelectedContext> {
  const config = await parseKubeconfig(text, source);
  const [first] = config.contexts.keys();
  const { name, server, cluster, user } = selectContext(
    config,
    given ?? config.currentContext ?? first ?? '',
  );
  if (!isServerAddress(server)) {
    throw invalidKubeconfig(
      source,
      'its server is not an https address without user, password, query and fragment',
    );
  }
  const kept = { server, ...fieldsOf(cluster, clusterFields, source) };
  return { name, server, cluster: kept, user: fieldsOf(user, userFields, source) };
}

function fieldsOf(
  entry: Record<string, unknown>,
  fields: Readonly<Record<string, (text: string) => boolean>>,
  source: string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([field, isValid]) => {
      const value = entry[field];
      if (typeof value !== 'string' || value === '') return [];
      if (!isValid(value))
        throw invalidKubeconfig(source, `its ${field} has characters that no such value has`);
      return [[field, value]];
    }),
  );
}
