import { requireTime } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { waitWhile } from '../../core/follow.ts';
import { advice, command, rerun, run as runCommand } from '../../core/next-step.ts';
import type { ProgramRun } from '../../core/program.ts';
import type { Run } from '../../core/run.ts';
import type { Connect, Kube } from '../../kube/client/client.ts';
import { shownList } from '../../kube/client/missing.ts';
import { isTrue, resources, type WithConditions } from '../../kube/client/objects.ts';
import { setContext } from '../../kube/kubeconfig/contexts.ts';
import type { KubeconfigTarget } from '../../kube/kubeconfig/edit.ts';
import type { SelectedContext } from '../../kube/kubeconfig/kubeconfig.ts';
import type { WriteRecorder } from '../../kube/writes.ts';
import { defaultPort, localNames, type ProviderName, startCommand } from './local-cluster-names.ts';
import { findIngressPort } from './local-network.ts';
import { type LocalProvider, readEntries, requireProvider, withProvider } from './provider.ts';

interface NamedCluster {
  provider: ProviderName;
  name: string;
  /** The context of a hosting cluster keeps the provider's name (kind-NAME); that of a WEC is NAME. */
  role: 'hosting' | 'wec';
}

/** The desired local cluster. */
export interface LocalClusterInput extends NamedCluster {
  /** The node image. */
  image: string;
  /** The container network. */
  network?: string | undefined;
  /** For a hosting cluster: the local port to map to its ingress. */
  externalPort?: number | undefined;
  /** Runs before a cluster is created, to check its purpose. If it throws, the cluster is not created. */
  beforeCreation?: () => Promise<void>;
}

/** The dependencies of commands that manage local clusters. */
export interface LocalTools {
  run: Run;
  programs: ProgramRun;
  /** The kubeconfig of their contexts. */
  target: KubeconfigTarget;
  connect: Connect;
  /** In a dry run, records the skipped writes; undefined otherwise. */
  record?: WriteRecorder | undefined;
}

export type LocalCluster = Awaited<ReturnType<typeof createLocalCluster>>;

/**
 * Ensures that the cluster exists and is ready, and that the kubeconfig has a context for it. An existing cluster with exactly this
 * name is used as it is, including one that an interrupted run left, if it is usable.
 * @throws StellarError `program-missing`, `program-too-old`, `docker-unreachable`, `program-failed`, `context-taken`,
 *   `cluster-unusable`, `timeout`; the error names whatever remains
 */
export function createLocalCluster(input: LocalClusterInput, tools: LocalTools) {
  return withProvider(input.provider, tools.programs, (provider) => ensure(provider, input, tools));
}

async function ensure(provider: LocalProvider, input: LocalClusterInput, tools: LocalTools) {
  const { name, role, externalPort } = input;
  const exists = (await provider.clusters()).includes(name);
  if (!exists) await requireProvider(provider.name, tools.programs);
  // The name of the context must be free before minutes are spent on a cluster.
  const wanted = localContext(input, { cluster: {}, user: {} });
  const { context } = wanted;
  await setContext({ ...tools.target, dryRun: true }, wanted, tools.run);
  const isHosting = exists && role === 'hosting';
  const ingressPort = isHosting
    ? await findIngressPort(provider.name, name, externalPort, tools.programs)
    : undefined;
  if (!exists) requireTime(tools.run, `There is no ${provider.name} cluster ${name} yet`);
  if (!exists) await input.beforeCreation?.();
  const result = {
    context,
    /** In a dry run: whether it would be created. */
    created: !exists,
    /** For an existing hosting cluster: the local port mapped to its ingress; absent if unknown. */
    ...(ingressPort === undefined ? {} : { ingressPort }),
  };
  const { record } = tools;
  if (record !== undefined) {
    const made = {
      verb: 'create',
      cluster: 'this machine',
      kind: `${provider.name} cluster`,
    } as const;
    if (!exists) record({ ...made, name });
    if (!exists) record({ ...made, cluster: 'the kubeconfig', kind: 'context', name: context });
    return { ...result, changed: false };
  }
  if (!exists) await createCluster(provider, input, context, tools);
  try {
    const isWritten = await connectCluster(provider, input, tools);
    return { ...result, changed: !exists || isWritten };
  } catch (error) {
    throw exists ? error : withCluster(error, input);
  }
}

/** Writes the context of a cluster, and waits until its nodes are ready. @returns whether the context has changed */
async function connectCluster(
  provider: LocalProvider,
  input: LocalClusterInput,
  { run, target, connect }: LocalTools,
) {
  const entries = await readEntries(provider, input.name).catch((error: unknown) => {
    if (error instanceof StellarError && error.code === 'program-failed')
      throw unusable(input, error);
    throw error;
  });
  const wanted = localContext(input, entries);
  const { context } = wanted;
  const { changed, file } = await setContext(target, wanted, run);
  if (changed) run.progress.changed(context, `context ${context} in ${file}`);
  run.progress.waiting(context, 'its nodes are starting');
  await untilReady(connect({ ...entries, name: context }), input, run);
  return changed;
}

/**
 * The context of a local cluster. Existing contexts that refer to a cluster entry of this name belong to this cluster or to a
 * deleted one, and may be replaced.
 */
function localContext(
  { provider, name, role }: LocalClusterInput,
  { cluster, user }: Pick<SelectedContext, 'cluster' | 'user'>,
) {
  const names = localNames(provider, name);
  return {
    context: role === 'wec' ? name : names.context,
    cluster: { name: names.cluster, entry: { ...cluster } },
    user: { name: names.user, entry: { ...user } },
    // Commands without a named ITS use the current context: a WEC must not become it as a side effect.
    makeCurrent: role === 'hosting',
    isOurs: ({ entry }: { entry: Record<string, unknown> }) => entry.cluster === names.cluster,
  };
}

async function createCluster(
  provider: LocalProvider,
  input: LocalClusterInput,
  context: string,
  { run }: LocalTools,
) {
  const { name, image, network, externalPort } = input;
  const ingressPort = input.role === 'hosting' ? (externalPort ?? defaultPort) : undefined;
  run.progress.waiting(context, `${provider.name} is creating the cluster`);
  // A provider that times out on its own cleans up; one that is stopped does not.
  const limitMs = run.deadline.remaining - 10_000;
  await provider.create({ name, image, network, ingressPort, limitMs }).catch((error: unknown) => {
    if (!(error instanceof StellarError)) throw error;
    const remove = runCommand(removeCommand(input), 'Remove what is left of it');
    throw error.with({ next: [remove, advice('Then rerun the command')] });
  });
  run.progress.reached(context, `${provider.name} cluster created`, true);
}

/** Adds to an error the cluster that the failed command created. */
export function withCluster(error: unknown, cluster: NamedCluster): unknown {
  if (!(error instanceof StellarError)) return error;
  const next = error.next.length > 0 ? error.next : [rerun];
  return error.with({
    details: [`The ${cluster.provider} cluster ${cluster.name} exists.`],
    next: [...next, runCommand(removeCommand(cluster), 'Or remove the cluster')],
  });
}

function removeCommand({ provider, name, role }: NamedCluster) {
  // Such a cluster may not answer, and is not registered yet.
  if (role === 'wec') return command`stellarctl wec delete ${name} --provider ${provider} --force`;
  return provider === 'kind'
    ? command`kind delete cluster --name ${name}`
    : command`k3d cluster delete ${name}`;
}

/** @param why the cause */
function unusable(cluster: NamedCluster, why: StellarError) {
  const { provider, name } = cluster;
  return new StellarError(
    'cluster-unusable',
    `The ${provider} cluster ${name} exists but cannot be used: ${why.message}`,
    runCommand(startCommand(provider, name), 'If it was stopped'),
    runCommand(removeCommand(cluster), 'If it was never finished'),
  ).with({ details: why.details });
}

async function untilReady(kube: Kube, input: LocalClusterInput, run: Run) {
  const blocker = async () => {
    const nodes = shownList(await kube.list<WithConditions>(resources.nodes));
    return nodes.length > 0 && nodes.every((node) => isTrue(node, 'Ready'))
      ? undefined
      : 'its nodes are not ready';
  };
  const see = runCommand(
    command`kubectl --context ${kube.cluster.context} get nodes`,
    'Look at them',
  );
  const next = [see, rerun];
  const late = () =>
    new StellarError('timeout', `The nodes of ${input.name} were not ready in time.`, ...next);
  await waitWhile(blocker, run, late).catch((error: unknown) => {
    if (error instanceof StellarError && error.code === 'unreachable') throw unusable(input, error);
    throw error;
  });
}
