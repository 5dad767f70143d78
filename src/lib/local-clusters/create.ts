import { Deadline } from '../deadline.ts';
import { StellarError } from '../errors.ts';
import type { Connect, Kube } from '../kube/client.ts';
import { setContext } from '../kube/contexts.ts';
import type { WriteRecorder } from '../kube/dry-run.ts';
import { parseKubeconfig, type SelectedContext, selectContext } from '../kube/kubeconfig.ts';
import type { KubeconfigTarget } from '../kube/kubeconfig-edit.ts';
import { isTrue, type WithConditions } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';
import { poll } from '../poll.ts';
import { type ProgramRun, programFailed } from '../programs/program.ts';
import type { Run } from '../run.ts';
import { type LocalNames, localNames, type ProviderName } from './names.ts';
import { withProvider } from './open-provider.ts';
import type { LocalProvider } from './provider.ts';

/** A cluster on this machine that is wanted. */
export interface LocalClusterInput {
  provider: ProviderName;
  name: string;
  /** A hosting cluster keeps the provider's name for its context (kind-NAME); a WEC's context is NAME. */
  role: 'hosting' | 'wec';
  /** The image of its nodes. */
  image?: string | undefined;
  /** The container network. */
  network?: string | undefined;
  /** For a hosting cluster: the port of this machine that leads to its ingress. */
  externalPort?: number | undefined;
}

/** What working with local clusters takes. */
export interface LocalTools {
  run: Run;
  programs: ProgramRun;
  /** The kubeconfig that their contexts are kept in. */
  target: KubeconfigTarget;
  connect: Connect;
  /** Where a dry run notes what it leaves out; undefined for the real thing. */
  record?: WriteRecorder | undefined;
}

export interface LocalCluster {
  name: string;
  provider: ProviderName;
  context: string;
  /** The container of its node: by this name other clusters on its network reach it. */
  hostContainer: string;
  /** Whether it has been made now; in a dry run whether it would be. */
  created: boolean;
  changed: boolean;
}

/**
 * Makes sure that there is such a cluster, that it is ready, and that the kubeconfig has a context for it. One that is there already,
 * by exactly this name, is taken as it is; so is what an interrupted run has left, if it can be used.
 * @throws StellarError `program-missing`, `program-too-old`, `docker-unreachable`, `program-failed`, `context-taken`,
 * `cluster-unusable`, `timeout`; whatever is left behind is named in it
 */
export function createLocalCluster(input: LocalClusterInput, tools: LocalTools): Promise<LocalCluster> {
  return withProvider(input.provider, tools.programs, (provider) => ensure(provider, input, tools));
}

async function ensure(provider: LocalProvider, input: LocalClusterInput, tools: LocalTools): Promise<LocalCluster> {
  const { name, role } = input;
  const names = localNames(provider.name, name);
  const context = role === 'wec' ? name : names.context;
  const result = { name, provider: provider.name, context, hostContainer: names.container };
  const exists = (await provider.clusters()).includes(name);
  await requireContextFree(context, names, tools);
  if (tools.record !== undefined) {
    if (!exists) {
      tools.record({ verb: 'create', cluster: 'this machine', kind: `${provider.name} cluster`, name });
      tools.record({ verb: 'create', cluster: 'the kubeconfig', kind: 'context', name: context });
    }
    return { ...result, created: !exists, changed: false };
  }
  const { progress } = tools.run;
  const started = Date.now();
  if (!exists) {
    progress.waiting(name, `${provider.name} is creating the cluster`);
    await create(provider, input, tools);
    progress.reached(name, `${provider.name} cluster created`, Date.now() - started);
  }
  const entries = await readEntries(provider, input);
  const written = await writeContext(context, names, entries, role, tools);
  if (written.changed) progress.changed(name, `context ${context} in ${written.file}`);
  progress.waiting(name, 'its nodes are starting');
  await untilReady(tools.connect({ ...entries, name: context }), provider, input, tools.run);
  return { ...result, created: !exists, changed: !exists || written.changed };
}

/** Finds out that a name is taken before minutes are spent on a cluster. */
async function requireContextFree(context: string, names: LocalNames, { target, run }: LocalTools): Promise<void> {
  const unknown = { name: context, server: '', cluster: {}, user: {} };
  await setContext({ ...target, dryRun: true }, contextOf(context, names, unknown), run);
}

function writeContext(
  context: string,
  names: LocalNames,
  entries: SelectedContext,
  role: LocalClusterInput['role'],
  { target, run }: LocalTools,
) {
  // The current context is what stands for an ITS that is not named: a WEC must not become it by the way.
  return setContext(target, { ...contextOf(context, names, entries), makeCurrent: role === 'hosting' }, run);
}

/** What leads to a cluster of this name is of an earlier one that is gone, or of this one. */
function contextOf(context: string, names: LocalNames, { cluster, user }: SelectedContext) {
  return {
    context,
    cluster: { name: names.cluster, entry: { ...cluster } },
    user: { name: names.user, entry: { ...user } },
    makeCurrent: false,
    isOurs: ({ entry }: { entry: Record<string, unknown> }) => entry.cluster === names.cluster,
  };
}

async function create(provider: LocalProvider, input: LocalClusterInput, { run, programs }: LocalTools): Promise<void> {
  const { name, image, network, externalPort } = input;
  const ingressPort = input.role === 'hosting' ? (externalPort ?? 9443) : undefined;
  try {
    // A provider that gives up by itself clears up behind itself; one that is stopped does not.
    const limitMs = run.deadline.remaining - 10_000;
    const attempt = await provider.create({ name, image, network, ingressPort, limitMs });
    if (attempt.exitCode !== 0) throw programFailed(provider.program, attempt.args, attempt);
  } catch (error) {
    if (!(error instanceof StellarError)) throw error;
    throw await withLeftovers(error, provider.name, input, programs);
  }
}

/** The same error, saying what it has left behind. */
async function withLeftovers(
  error: StellarError,
  provider: ProviderName,
  { name, role }: LocalClusterInput,
  programs: ProgramRun,
): Promise<StellarError> {
  // Looked at although the command's own time is up, or Ctrl-C was pressed.
  const anew = { ...programs, deadline: new Deadline(20_000), signal: new AbortController().signal };
  const left = await withProvider(provider, anew, (again) => again.clusters()).catch(() => undefined);
  const { code, message, details, cause } = error;
  const again = (more: { details: string[]; hint: string }) => new StellarError(code, message, { ...more, cause });
  if (left === undefined)
    return again({
      details,
      hint: `Whether something of it is left could not be found out: ${provider} ${listOf[provider]}`,
    });
  if (!left.includes(name))
    return again({ details, hint: 'Nothing of the cluster is left. Run the same command again.' });
  return again({
    details: [...details, `The ${provider} cluster ${name} is there, but perhaps not whole.`],
    hint: `Go on with it: run the same command again    Or remove it: ${removeCommand(provider, name, role)}`,
  });
}

const listOf = { kind: 'get clusters', k3d: 'cluster list' } as const;

function removeCommand(provider: ProviderName, name: string, role: LocalClusterInput['role']): string {
  if (role === 'wec') return `stellarctl wec delete ${name} --provider ${provider}`;
  return provider === 'kind' ? `kind delete cluster --name ${name}` : `k3d cluster delete ${name}`;
}

/** How to connect to a cluster, as its provider tells. @throws StellarError `cluster-unusable` */
async function readEntries(provider: LocalProvider, input: LocalClusterInput): Promise<SelectedContext> {
  const { name } = input;
  const attempt = await provider.kubeconfig(name);
  if (attempt.exitCode !== 0) {
    const { message, details } = programFailed(provider.program, attempt.args, attempt);
    throw unusable(provider, input, message, details);
  }
  const config = parseKubeconfig(attempt.stdout, `of the ${provider.name} cluster ${name}`);
  return selectContext(config, config.currentContext ?? localNames(provider.name, name).context);
}

function unusable(
  provider: LocalProvider,
  { name, role }: LocalClusterInput,
  why: string,
  details: string[] = [],
): StellarError {
  return new StellarError(
    'cluster-unusable',
    `The ${provider.name} cluster ${name} is there, but cannot be used: ${why}`,
    {
      details,
      hint: `If it was stopped: ${provider.startCommand(name)}    If it was never finished: ${removeCommand(provider.name, name, role)}`,
    },
  );
}

async function untilReady(kube: Kube, provider: LocalProvider, input: LocalClusterInput, run: Run): Promise<void> {
  const ready = await poll(async () => {
    const nodes = await kube.list<WithConditions>(resources.nodes);
    return nodes?.length && nodes.every((node) => isTrue(node, 'Ready')) ? true : undefined;
  }, run).catch((error: unknown) => {
    if (error instanceof StellarError && error.code === 'unreachable') throw unusable(provider, input, error.message);
    throw error;
  });
  if (ready) return;
  throw new StellarError('timeout', `The nodes of ${input.name} were not ready in time.`, {
    hint: `Look at them: kubectl --context ${kube.cluster.context} get nodes    Go on: run the same command again`,
  });
}
