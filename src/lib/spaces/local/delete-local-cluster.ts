import { failureOf, StellarError } from '../../core/errors.ts';
import { advice } from '../../core/next-step.ts';
import type { Kube } from '../../kube/client/client.ts';
import { hostOf } from '../../kube/client/proxy.ts';
import { removeContext } from '../../kube/kubeconfig/contexts.ts';
import { type Kubeconfig, loadKubeconfig } from '../../kube/kubeconfig/kubeconfig.ts';
import { isThisMachine } from '../../ocm/hub/endpoint.ts';
import { controlPlaneOf, hostingOf } from '../hosting/hosting.ts';
import type { LocalTools } from './create-local-cluster.ts';
import {
  clusterOfContainer,
  localNames,
  type ProviderName,
  providerNames,
} from './local-cluster-names.ts';
import { presentProviders, readEntries, withProvider } from './provider.ts';

/** What was found of a local cluster. */
export type FoundCluster = Awaited<ReturnType<typeof findLocalCluster>>;

/**
 * Finds a cluster with exactly this name.
 * @param provider if undefined, all installed providers are searched
 * @returns without a provider if none has the cluster
 * @throws StellarError `usage` if two providers have one, `program-missing` if no provider is installed
 */
export async function findLocalCluster(
  name: string,
  provider: ProviderName | undefined,
  { programs, target }: LocalTools,
) {
  const found = await providerOf(name, provider, programs);
  const wanted = found ?? provider;
  const clusters = (wanted === undefined ? providerNames : [wanted]).map(
    (each) => localNames(each, name).cluster,
  );
  const kubeconfig = await loadKubeconfig(target.file, target.env);
  return { name, provider: found, ...(await contextsOfCluster(name, clusters, kubeconfig)) };
}

/** The only provider that has the cluster. @param given the only one to ask */
async function providerOf(
  name: string,
  given: ProviderName | undefined,
  programs: LocalTools['programs'],
): Promise<ProviderName | undefined> {
  const present = given === undefined ? await presentProviders(programs) : [given];
  const having: ProviderName[] = [];
  for (const each of present.length > 0 ? present : providerNames.slice(0, 1))
    if ((await withProvider(each, programs, (opened) => opened.clusters())).includes(name))
      having.push(each);
  if (having.length > 1)
    throw new StellarError(
      'usage',
      `${having.join(' and ')} both have a cluster ${name}.`,
      advice(`Choose one: --provider ${having.join('|')}`),
    );
  return having[0];
}

/** @param entries the names that providers give to the entries of the cluster */
async function contextsOfCluster(
  name: string,
  entries: readonly string[],
  { contexts, clusters }: Kubeconfig,
) {
  const clusterOf = (context: string) => contexts.get(context)?.cluster ?? '';
  const named = [name, ...entries].filter((context) => entries.includes(clusterOf(context)));
  const own: string[] = [];
  /** Contexts of these names that lead elsewhere, each with its server: they stay. */
  const elsewhere: string[] = [];
  for (const context of named) {
    const server = String(clusters.get(clusterOf(context))?.server);
    if (await leadsToContainer(server)) own.push(context);
    else elsewhere.push(`${context} (${server})`);
  }
  // An ITS of type external has a context of the user's own.
  const ofSpaces = [...contexts].filter(
    ([, entry]) =>
      own.includes(hostingOf(entry) ?? '') &&
      [`${controlPlaneOf(entry)}-cluster`, ...entries].includes(entry.cluster ?? ''),
  );
  return {
    /** Present or former contexts of the cluster, under the names that its provider and `wec create` use, and those of its spaces. */
    contexts: [...own, ...ofSpaces.map(([context]) => context)],
    elsewhere,
  };
}

/** Whether a server is a container of this machine: anybody may give a cluster of their own such a name. */
async function leadsToContainer(server: string) {
  if (!URL.canParse(server)) return false;
  const host = hostOf(new URL(server));
  return clusterOfContainer(host) !== undefined || (await isThisMachine(host));
}

/**
 * Connects to a cluster with its provider's kubeconfig, because contexts may be missing or outdated.
 * @returns undefined if there is no such cluster, or if it is incomplete or stopped
 */
export async function connectLocal(
  { name, provider, contexts }: FoundCluster,
  { programs, connect }: LocalTools,
): Promise<Kube | undefined> {
  if (provider === undefined) return undefined;
  try {
    const entries = await withProvider(provider, programs, (opened) => readEntries(opened, name));
    return connect({ ...entries, name: contexts[0] ?? entries.name });
  } catch (error) {
    if (failureOf(error).code === 'program-failed') return undefined;
    throw error;
  }
}

/**
 * Deletes a local cluster and its contexts. Anything already deleted is no error.
 * @returns whether anything was deleted
 * @throws StellarError `program-failed`, with what remains
 */
export async function deleteLocalCluster(found: FoundCluster, tools: LocalTools): Promise<boolean> {
  const { name, provider, contexts } = found;
  const { run, programs, target, record } = tools;
  if (record !== undefined) {
    if (provider !== undefined)
      record({ verb: 'delete', cluster: 'this machine', kind: `${provider} cluster`, name });
    for (const context of contexts)
      record({ verb: 'delete', cluster: 'the kubeconfig', kind: 'context', name: context });
    return false;
  }
  if (provider !== undefined) {
    run.progress.waiting(name, `${provider} is deleting the cluster`);
    await withProvider(provider, programs, (opened) => opened.remove(name));
    run.progress.reached(name, `${provider} cluster deleted`);
  }
  for (const context of contexts) await removeContext(target, context, run);
  if (contexts.length > 0)
    run.progress.changed(name, `removed from the kubeconfig: ${contexts.join(', ')}`);
  return provider !== undefined || contexts.length > 0;
}
