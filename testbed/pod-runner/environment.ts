import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../kube/api.ts';
import type { ConfigMap, Container, EnvVar, Pod, Secret } from '../kube/objects.ts';
import { configMaps, secrets } from '../kube/resources.ts';
import type { PodStatus } from './pod-status.ts';

/** A variable refers to an object or key that does not exist: the container cannot be created. The message is the kubelet's. */
class MissingReference extends Error {}

/** The current environment variables of a container. @throws MissingReference */
async function environmentOf(
  api: Api,
  pod: Pod,
  container: Container,
): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const each of container.env ?? []) {
    const value =
      each.value === undefined ? await referred(api, pod, each) : expand(each.value, env);
    if (value !== undefined) env[each.name] = value;
  }
  return env;
}

/** How often the kubelet rechecks the objects that a container's environment variables refer to, in milliseconds. */
const referencePause = 1_000;

/** The environment variables of a container, once every object that they refer to exists; undefined if the signal comes before. */
export async function untilResolved(
  api: Api,
  pod: Pod,
  container: Container,
  status: PodStatus,
  signal: AbortSignal,
): Promise<Record<string, string> | undefined> {
  for (
    let told = '';
    !signal.aborted;
    await sleep(referencePause, undefined, { signal }).catch(() => {})
  ) {
    try {
      return await environmentOf(api, pod, container);
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof MissingReference && message !== told)
        status.waiting(container.name, 'CreateContainerConfigError', message);
      told = message;
    }
  }
  return undefined;
}

/** Expands `$(NAME)`; `$$` is a dollar sign, and an unknown name stays unchanged. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)/g, (whole, name?: string) =>
    name === undefined ? '$' : (env[name] ?? whole),
  );
}

async function referred(api: Api, pod: Pod, { valueFrom }: EnvVar): Promise<string | undefined> {
  const { namespace } = pod.metadata;
  if (valueFrom?.fieldRef) return fieldOf(pod, valueFrom.fieldRef.fieldPath);
  const { secretKeyRef, configMapKeyRef } = valueFrom ?? {};
  if (secretKeyRef) {
    const { name, key } = secretKeyRef;
    const secret = await api.find<Secret>(secrets, `${namespace}/${name}`);
    if (secret?.data?.[key] !== undefined)
      return Buffer.from(secret.data[key], 'base64').toString();
    if (secretKeyRef.optional) return undefined;
    throw missing('secret', 'Secret', `${namespace}/${name}`, key, secret !== undefined);
  }
  if (configMapKeyRef) {
    const { name, key } = configMapKeyRef;
    const configMap = await api.find<ConfigMap>(configMaps, `${namespace}/${name}`);
    if (configMap?.data?.[key] !== undefined) return configMap.data[key];
    if (configMapKeyRef.optional) return undefined;
    throw missing('configmap', 'ConfigMap', `${namespace}/${name}`, key, configMap !== undefined);
  }
  return '';
}

function missing(
  resource: string,
  kind: string,
  path: string,
  key: string,
  isThere: boolean,
): MissingReference {
  const name = path.split('/')[1];
  return new MissingReference(
    isThere ? `couldn't find key ${key} in ${kind} ${path}` : `${resource} "${name}" not found`,
  );
}

/** A field of a pod, as the downward API names it. */
export function fieldOf({ metadata, spec, status }: Pod, path: string): string {
  const fields: Record<string, string | undefined> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName,
    'status.hostIP': status?.hostIP,
    'status.podIP': status?.podIP,
  };
  const [, kind, key = ''] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  const words = kind === 'annotations' ? metadata.annotations : metadata.labels;
  return fields[path] ?? words?.[key] ?? '';
}
