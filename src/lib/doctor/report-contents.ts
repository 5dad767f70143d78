import { stripVTControlCharacters } from 'node:util';
import { isObject } from '../core/text/formats.ts';
import { isSecretFlag, isSecretName, redactText, removed } from '../core/text/redact.ts';
import type { Installation } from '../installation/installation.ts';
import { errorOf, hidden, ifSeen, whyUnseen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { namesOf } from '../kube/client/objects.ts';
import { namespaceOf, type SpaceRole, systemNamespace } from '../ocm/model/kubeflex-names.ts';
import {
  addonNamespace,
  agentNamespace,
  hubNamespace,
  operatorNamespace,
} from '../ocm/model/ocm-names.ts';
import type { DoctorInput } from './doctor.ts';

/** A file of the archive. */
export interface ReportFile {
  path: string;
  content: string;
}

/** For a log, in characters: its end is what matters. */
const longestReportedLog = 256 * 1024;

/** The contents of an archive. Everything is added through this class, which redacts secrets. */
export class Contents {
  readonly files: ReportFile[] = [];
  /** The paths of the files: unique, whatever their names are, also on file systems that ignore the case of letters. */
  readonly #taken = new Set<string>();

  /** @param names of folders, and of the file without its extension */
  addDocument(names: readonly string[], document: unknown): void {
    this.#add(names, '.json', JSON.stringify(redact(document), null, 2));
  }

  addLog(names: readonly string[], lines: readonly string[]): void {
    // Colours separate a name from its value.
    const plain = lines.map((line) => redactJson(stripVTControlCharacters(line)));
    this.#add(names, '.log', redactText(plain.join('\n')).slice(-longestReportedLog));
  }

  #add(names: readonly string[], extension: string, text: string): void {
    const plain = names.map(segment).join('/');
    let path = `${plain}${extension}`;
    for (let count = 2; this.#taken.has(path.toLowerCase()); count++)
      path = `${plain}-${count}${extension}`;
    this.#taken.add(path.toLowerCase());
    this.files.push({ path, content: `${text}\n` });
  }
}

/** Longer names are cut: file systems allow 255 bytes. */
const longestValue = 120;

/** A name as a path segment: it comes from a cluster, and must not leave the folder. */
function segment(name: string) {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, longestValue);
  return plain === '' || plain.startsWith('.') ? `_${plain}` : plain;
}

/** The fields of a secret that say where it is, not what it is. */
const isAboutSecret =
  /^(?:valueFrom|\w*Ref|secretName|name|namespace|path|kind|apiVersion|type|defaultMode|items|audience|expirationSeconds)$/;
const isEnvironment = /^env(?:ironment)?$/i;
/** Environment variables whose values are shown. */
const harmlessVariable =
  /^(?:(?:https?|no|all)_proxy|kubernetes_service_\w+|(?:\w+_)?(?:name|namespace))$/i;
/** Copies of an object, who wrote its fields, and what WECs return of the objects in works. */
const isLeftOut =
  /^(?:managedFields|statusFeedback|rows|kubectl\.kubernetes\.io\/last-applied-configuration)$/;

const isArguments = /^(?:args|command)$/;
/** What anybody may write, and what an installation itself writes of that. */
const isNotes = /^(?:annotations|extra)$/;
const isKnownNote =
  /^(?:[\w-]+\.)*(?:kubernetes|k8s|open-cluster-management|kubestellar|helm)\.(?:io|org|sh)\//;

type JsonObject = Record<string, unknown>;

/**
 * Redacts everything secret in an object: values that look like a secret (core/text/redact.ts), the contents, but not the keys, of
 * Secrets and ConfigMaps at any depth, kubectl's copies of the object, values of fields named like a token, a password or a key,
 * those of environment variables and arguments that are not known to be harmless, and annotations of others.
 */
export function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactText(redactJson(value));
  if (Array.isArray(value)) return value.map((item) => redact(item));
  return isObject(value) ? redactFields(value) : value;
}

/** Redacts a text that is JSON, as in annotations and logs: the fields show what is secret. */
function redactJson(text: string) {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.stringify(redact(JSON.parse(text)));
  } catch {
    return text;
  }
}

/** Flags without a value, words such as subcommands, programs: all else in the arguments of a program may be a secret. */
const isPlainArgument = /^(?:[a-z][a-z-]*|\/[\w./-]+|-[A-Za-z]|--[\w.-]+)$/;
const isPlainValue = /^(?:\d+|true|false)$/;

/** `['--token', 'abc', '--password=of several words']` */
function redactArgument(argument: unknown, before: unknown) {
  const text = String(argument);
  const [, flag, value] = /^(--?[\w.-]+)=(.*)$/s.exec(text) ?? [];
  if (flag !== undefined) return `${flag}=${isSecretFlag.test(flag) ? removed : redact(value)}`;
  const isValue = /^-[^=]*$/.test(String(before)) && !text.startsWith('-');
  return isPlainValue.test(text) || (!isValue && isPlainArgument.test(text)) ? text : removed;
}

function redactFields(object: JsonObject): JsonObject {
  const holdsContents = object.kind === 'Secret' || object.kind === 'ConfigMap';
  return mapFields(object, (key, value) => {
    if (holdsContents && /^(?:data|stringData|binaryData)$/.test(key))
      return isObject(value) ? mapFields(value, () => removed) : removed;
    if (isArguments.test(key) && Array.isArray(value))
      return value.map((item, index) => redactArgument(item, value[index - 1]));
    if (isNotes.test(key) && isObject(value))
      return mapFields(value, (name, text) => (isKnownNote.test(name) ? redact(text) : removed));
    if (isSecretName.test(key)) return withoutSecret(value);
    if (isEnvironment.test(key))
      return Array.isArray(value) ? value.map(withoutVariable) : withoutSecret(value);
    return key === 'value' && isSecretName.test(String(object.name)) ? removed : redact(value);
  });
}

/** Everything in a secret, but booleans and what says where it is. */
function withoutSecret(value: unknown): unknown {
  if (isObject(value))
    return mapFields(value, (key, field) =>
      isAboutSecret.test(key) ? redact(field) : withoutSecret(field),
    );
  if (Array.isArray(value)) return value.map(withoutSecret);
  return typeof value === 'boolean' || value === null ? value : removed;
}

const withoutVariable = (variable: unknown): unknown =>
  isObject(variable) && harmlessVariable.test(String(variable.name))
    ? redact(variable)
    : withoutSecret(variable);

function mapFields(object: JsonObject, map: (key: string, value: unknown) => unknown): JsonObject {
  const fields = Object.entries(object).filter(([key]) => !isLeftOut.test(key));
  return Object.fromEntries(fields.map(([key, value]) => [redactText(key), map(key, value)]));
}

/** The role of a cluster in an installation. */
export type Role = 'hosting' | SpaceRole | 'wec';

/** A cluster to read from. */
export interface Target {
  /** Its name for people. */
  name: string;
  kube: Kube;
  /** One cluster may have several roles. */
  roles: Set<Role>;
  /** The namespaces of its programs. */
  namespaces: Set<string>;
}

/** A part that is not available, and why. */
export interface Missing {
  cluster: string;
  what: string;
  why: string;
}

const programNamespaces: Record<Role, readonly string[]> = {
  hosting: [systemNamespace],
  its: [operatorNamespace, hubNamespace],
  wds: [],
  wec: [operatorNamespace, agentNamespace, addonNamespace],
};

/** The clusters of an installation that have a known access, each once. */
export function findTargets(
  { hosting, spaces, elsewhere }: Installation,
  { spaces: tools, wecs }: DoctorInput,
) {
  const cluster = ifSeen(hosting);
  const missing: Missing[] = [];
  const byServer = new Map<string, Target>();
  const add = (name: string, role: Role, kube: Kube, namespaces: readonly string[] = []) => {
    const { server } = kube.cluster;
    const target = byServer.get(server) ?? { name, kube, roles: new Set(), namespaces: new Set() };
    byServer.set(server, target);
    target.roles.add(role);
    for (const namespace of [...programNamespaces[role], ...namespaces])
      target.namespaces.add(namespace);
  };
  // Errors are recorded when the cluster itself is read.
  if (tools !== undefined && (cluster !== undefined || errorOf(hosting) !== undefined)) {
    const namespaces = namesOf(cluster?.all ?? []).map(namespaceOf);
    add(tools.hosting.cluster.context, 'hosting', tools.hosting, namespaces);
  }
  for (const { name, role, reading, opened } of spaces)
    if (opened !== undefined) add(name, role, opened.kube);
    else {
      const inside = ifSeen(reading)?.space.inside ?? hidden('it was just deleted');
      const why = whyUnseen(reading) ?? whyUnseen(inside) ?? '';
      missing.push({ cluster: name, what: 'everything', why });
    }
  if (elsewhere !== undefined) add(elsewhere.context.name, 'its', elsewhere.kube);
  for (const { name, kube } of wecs)
    if (kube !== undefined) add(name, 'wec', kube);
    else
      missing.push({ cluster: name, what: 'everything', why: 'no context of the WEC was given' });
  return { targets: [...byServer.values()], missing };
}
