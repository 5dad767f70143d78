import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords } from '../../engine/next-step.ts';
import type { Kube } from '../../kube/client/client.ts';
import {
  loadKubeconfig,
  type SelectedContext,
  selectContext,
  withoutCredentials,
} from '../../kube/kubeconfig/kubeconfig.ts';
import { type LocalTools, withCluster } from '../../local-clusters/create.ts';
import { localNames } from '../../local-clusters/names.ts';
import { Helm } from '../../programs/helm/helm.ts';
import { hostingContext, markHostingContext } from '../../spaces/kubeconfig-extension.ts';
import { createHostingCluster, type NewHostingCluster } from './create-cluster.ts';
import { type InitResult, initHosting } from './init.ts';
import type { InitInput } from './input.ts';

/** The cluster that is to be a hosting cluster, and what is to be installed there. */
export interface HostingRequest {
  /** Undefined: the current context. */
  context: string | undefined;
  /** A local cluster to make first, instead of one that is there. */
  create: Omit<NewHostingCluster, 'init'> | undefined;
  init: InitInput;
}

/** In a dry run of a cluster that would have to be made first, its name alone is known. */
type HostingResult = Pick<InitResult, 'name' | 'changed'> & Partial<InitResult>;

/**
 * Makes a cluster the hosting cluster, and notes in the kubeconfig that it is the one.
 * @throws StellarError `usage`, `context-unknown`, `program-missing`, and what createHostingCluster and initHosting throw
 */
export async function makeHosting(
  { context, create, init }: HostingRequest,
  tools: LocalTools,
): Promise<HostingResult> {
  const result =
    create === undefined ? await usePresent(context, init, tools) : await useNew({ ...create, init }, tools);
  if (result.release !== undefined) await mark(result.name, tools);
  return result;
}

async function usePresent(given: string | undefined, init: InitInput, tools: LocalTools): Promise<InitResult> {
  const context = await chooseContext(given, tools);
  return withHelm(context.name, tools, (helm) => install(tools.connect(context), helm, init, tools));
}

function useNew(cluster: NewHostingCluster, tools: LocalTools): Promise<HostingResult> {
  const { provider, name, init } = cluster;
  const { context } = localNames(provider, name);
  return withHelm(context, tools, async (helm) => {
    tools.run.progress.note(`Hosting cluster ${context}, the ${provider} cluster ${name} on this machine`);
    const { kube, created, changed, ingressPort } = await createHostingCluster(cluster, helm, tools);
    if (kube === undefined) return { name: context, changed: false };
    const input = { ...init, externalPort: init.externalPort ?? ingressPort };
    const result = await install(kube, helm, input, tools).catch((error: unknown) => {
      throw created ? withCluster(error, { provider, name, role: 'hosting' }) : error;
    });
    return { ...result, changed: changed || result.changed };
  });
}

/**
 * Which cluster is about to become one: what was given, or the current one. It is said first. Where other commands would mean another
 * one, it has to be given: `kind create cluster` makes every new cluster the current one, WECs as well.
 * @throws StellarError `usage`
 */
async function chooseContext(
  given: string | undefined,
  { target, programs, run }: LocalTools,
): Promise<SelectedContext> {
  const kubeconfig = await loadKubeconfig(target.file, target.env, run);
  const name = given ?? kubeconfig.currentContext;
  if (name === undefined)
    throw new StellarError('usage', 'No cluster was given, and there is no current context.', {
      next: [
        inWords('Give the cluster to install KubeStellar on: --hosting-context CONTEXT'),
        inWords('Or create one: --provider kind'),
      ],
    });
  const noted = programs.env.STELLARCTL_HOSTING_CONTEXT || hostingContext(kubeconfig);
  if (given === undefined && noted !== undefined && noted !== name)
    throw new StellarError('usage', `The hosting cluster is ${noted}, and the current context is ${name}.`, {
      next: [
        inWords(command`To use the hosting cluster: --hosting-context ${noted}`),
        inWords(command`To install KubeStellar on the other one: --hosting-context ${name}`),
      ],
    });
  const context = selectContext(kubeconfig, name);
  run.progress.note(`Hosting cluster ${name} (${withoutCredentials(context.server)})`);
  return context;
}

async function withHelm<T>(
  context: string,
  { target, programs }: LocalTools,
  work: (helm: Helm) => Promise<T>,
): Promise<T> {
  const helm = await Helm.find({ context, kubeconfig: target.file }, "install KubeStellar's chart", programs);
  try {
    return await work(helm);
  } finally {
    await helm.close();
  }
}

async function install(kube: Kube, helm: Helm, init: InitInput, { record, run }: LocalTools): Promise<InitResult> {
  const started = Date.now();
  const result = await initHosting(init, { kube, helm, record }, run);
  const what = `is a hosting cluster of KubeStellar ${result.version}`;
  if (kube.dryRun) return result;
  if (result.changed) run.progress.done(result.name, what, Date.now() - started);
  else run.progress.done(result.name, `${what}; nothing to do`);
  return result;
}

/**
 * As `kflex init` does, so that both know from now on which cluster it is. The cluster is what was asked for: a kubeconfig that cannot
 * be written is worth a line.
 */
async function mark(name: string, { target, run }: LocalTools): Promise<void> {
  try {
    const isNews = await markHostingContext(target, name, run);
    if (isNews && !target.dryRun) run.progress.note(`The kubeconfig now notes ${name} as the hosting cluster.`);
  } catch (error) {
    if (!(error instanceof StellarError) || error.code !== 'file-error') throw error;
    run.progress.note(`That ${name} is the hosting cluster could not be noted: ${error.message}`);
  }
}
