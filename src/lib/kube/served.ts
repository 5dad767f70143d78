import { StellarError } from '../core/errors.ts';
import { command, run } from '../core/next-step.ts';
import type { Kube, Reader, Selection } from './client/client.ts';
import { describeCluster } from './client/errors.ts';
import { missing } from './client/missing.ts';
import {
  byName,
  groupOf,
  groupResourceOf,
  type KubeObject,
  type PathOptions,
  type Resource,
  resources,
} from './client/objects.ts';

declare const proof: unique symbol;

/**
 * An object that was seen, or the proof that there is none (`object` is undefined), for whatever deletes, waits until something is
 * gone, or says that there is nothing to do. Only this file makes one: an answer of 404 is no proof.
 */
export interface Proven<T extends KubeObject> {
  readonly object: T | undefined;
  readonly [proof]: true;
}

/** A list that was answered: what it lacks does not exist, as far as its selectors go. */
export type Served<T extends KubeObject> = T[] & { readonly [proof]: true };

/** A client whose `get` finds nothing only where there is nothing: see proving(). */
export type Proving = Kube & { readonly [proof]: true };

/** What was read through such a client. */
export type Proved<T> = T & { readonly [proof]: true };

const proven = <T extends KubeObject>(object: T | undefined) => ({ object }) as Proven<T>;

/** Finds the object of a name in an answered list without selectors of other fields, or the proof that there is none. */
export function provenIn<T extends KubeObject>(all: Served<T>): (name: string) => Proven<T> {
  const named = byName(all);
  return (name) => proven(named.get(name));
}

/**
 * Reads an object. That it is not found is believed only if a list does not have it.
 * @param options.list listIfDefined for a kind that the cluster may not have
 * @throws StellarError `api-error` if its kind is not found, `forbidden` if this user may not list it
 */
export async function prove<T extends KubeObject>(
  kube: Reader,
  resource: Resource,
  name: string,
  {
    namespace,
    list = listServed,
  }: Pick<PathOptions, 'namespace'> & { list?: typeof listIfDefined } = {},
): Promise<Proven<T>> {
  const found = await kube.get<T>(resource, name, { namespace });
  if (found !== undefined) return proven(found);
  const fieldSelector = `metadata.name=${name}`;
  const all = await list<T>(kube, resource, { namespace, fieldSelector });
  return all === undefined ? proven<T>(undefined) : provenIn(all)(name);
}

/**
 * Lists a kind that this cluster must serve, for whatever destroys or relies on there being none: an answer of 404 is not an empty
 * list.
 * @throws StellarError `api-error` if the kind is not found: whether there are such objects is then unknown
 */
export async function listServed<T extends KubeObject>(
  kube: Pick<Reader, 'cluster' | 'list'>,
  resource: Resource,
  selection?: Selection,
): Promise<Served<T>> {
  const found = await kube.list<T>(resource, selection);
  if (found === missing) throw notServed(kube, groupResourceOf(kindOf(resource)));
  return found as Served<T>;
}

/**
 * Lists a kind that a CustomResourceDefinition adds. @returns undefined only if the cluster has no such definition
 * @throws StellarError `api-error` if it has one and does not serve the kind
 */
export async function listIfDefined<T extends KubeObject>(
  kube: Pick<Reader, 'cluster' | 'get' | 'list'>,
  resource: Resource,
  selection?: Selection,
): Promise<Served<T> | undefined> {
  const objects = await kube.list<T>(resource, selection);
  if (objects !== missing) return objects as Served<T>;
  await requireUndefined(kube, kindOf(resource));
  return undefined;
}

/** The same for a kind that no definition adds. @returns undefined if the cluster's discovery does not name it */
export async function listIfServed<T extends KubeObject>(
  kube: Pick<Kube, 'cluster' | 'list' | 'read'>,
  resource: Resource,
): Promise<Served<T> | undefined> {
  const objects = await kube.list<T>(resource);
  if (objects !== missing) return objects as Served<T>;
  if (await serves(kube, resource)) throw notServed(kube, resource.plural);
  return undefined;
}

/** The groups of Kubernetes itself. No CustomResourceDefinition adds their kinds: an API server always has them. */
const builtIn =
  /^(|apps|autoscaling|batch|policy|(admissionregistration|apiextensions|apiregistration|authentication|authorization|certificates|coordination|discovery|events|flowcontrol\.apiserver|networking|node|rbac\.authorization|resource|scheduling|storage)\.k8s\.io)$/;

/**
 * Proves that there is no object of a kind that is not served: its CustomResourceDefinition is absent.
 * @throws StellarError `api-error` if it has one, or needs none
 */
export async function requireUndefined(
  kube: Pick<Reader, 'cluster' | 'get'>,
  kind: { group: string; resource: string },
): Promise<void> {
  const name = groupResourceOf(kind);
  const isServed =
    builtIn.test(kind.group) ||
    (await kube.get(resources.customResourceDefinitions, name)) !== undefined;
  if (isServed) throw notServed(kube, name);
}

const kindOf = ({ apiVersion, plural }: Resource) => ({
  group: groupOf(apiVersion),
  resource: plural,
});

/** Whether a cluster serves a kind, by its discovery. */
export async function serves(
  kube: Pick<Kube, 'read'>,
  { apiVersion, plural }: Resource,
): Promise<boolean> {
  const served = await kube.read<{ resources?: { name: string }[] }>(`/apis/${apiVersion}`);
  return served?.resources?.some(({ name }) => name === plural) === true;
}

/** The error for kinds or APIs whose objects cannot be seen. A server that is starting or upgraded may serve them again soon. */
export function notServed({ cluster }: Pick<Reader, 'cluster'>, what: string): StellarError {
  return new StellarError(
    'api-error',
    `${describeCluster(cluster)} does not serve ${what}: it is unknown which objects of it exist.`,
    run(command`kubectl --context ${cluster.context} get apiservices`, 'See which fail'),
  ).with({ passing: true });
}
