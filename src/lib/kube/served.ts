import { StellarError } from '../core/errors.ts';
import { command, run } from '../core/next-step.ts';
import type { Kube, Reader, Selection } from './client/client.ts';
import { describeCluster } from './client/errors.ts';
import {
  groupOf,
  groupResourceOf,
  type KubeObject,
  type PathOptions,
  type Resource,
  resources,
} from './client/objects.ts';

/**
 * Lists a kind that this cluster must serve, for whatever destroys or relies on there being none: an answer of 404 is not an empty
 * list.
 * @throws StellarError `api-error` if the kind is not found: whether there are such objects is then unknown
 */
export async function listServed<T extends KubeObject>(
  kube: Pick<Reader, 'cluster' | 'list'>,
  resource: Resource,
  selection?: Selection,
): Promise<T[]> {
  const found = await kube.list<T>(resource, selection);
  if (found === undefined) throw notServed(kube, groupResourceOf(kindOf(resource)));
  return found;
}

/**
 * Reads an object of such a kind. That it is not found is believed only if a list does not have it.
 * @throws StellarError `api-error` if the kind is not found
 */
export async function getServed<T extends KubeObject>(
  kube: Reader,
  resource: Resource,
  name: string,
  { namespace }: Pick<PathOptions, 'namespace'> = {},
): Promise<T | undefined> {
  const found = await kube.get<T>(resource, name, { namespace });
  if (found !== undefined) return found;
  const listed = await listServed<T>(kube, resource, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
  });
  return listed.find(({ metadata }) => metadata.name === name);
}

/**
 * Lists a kind that a CustomResourceDefinition adds. @returns undefined only if the cluster has no such definition
 * @throws StellarError `api-error` if it has one and does not serve the kind
 */
export async function listIfDefined<T extends KubeObject>(
  kube: Pick<Reader, 'cluster' | 'get' | 'list'>,
  resource: Resource,
  selection?: Selection,
): Promise<T[] | undefined> {
  const objects = await kube.list<T>(resource, selection);
  if (objects === undefined) await requireUndefined(kube, kindOf(resource));
  return objects;
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
  const why = `${describeCluster(cluster)} does not serve ${what}: it is unknown which objects of it exist.`;
  const next = [
    run(command`kubectl --context ${cluster.context} get apiservices`, 'See which fail'),
  ];
  return new StellarError('api-error', why, { passing: true, next });
}
