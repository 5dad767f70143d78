import { isNotable, runChecks } from '../../core/checks.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, stepLines } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import { inRegistry, versionOf } from '../../kube/image.ts';
import {
  loadKubeconfig,
  type SelectedContext,
  selectContext,
  withoutCredentials,
} from '../../kube/kubeconfig/kubeconfig.ts';
import { safeOcm } from '../../ocm/model/ocm-versions.ts';
import { coreChart } from '../hosting/core-chart.ts';
import { hostingContext, markHostingContext } from '../hosting/hosting.ts';
import { createLocalCluster, type LocalTools, withCluster } from '../local/create-local-cluster.ts';
import { localNames, type ProviderName } from '../local/local-cluster-names.ts';
import {
  chartOfVcluster,
  imagesOfKubeFlex,
  imagesOfOcm,
  imagesOfStatusAddon,
  ocmOfClusteradm,
} from '../space/space-images.ts';
import { chooseChart, fetchChart, type InitInput } from './chart.ts';
import { reachedCheck } from './entrance-checks.ts';
import { Helm } from './helm.ts';
import { type InitResult, type InitTools, initHosting } from './init.ts';
import { ensureIngress, fetchIngressChart, ingressImage, ingressRelease } from './local-ingress.ts';

/** The future hosting cluster, and what to install there. */
export interface HostingRequest {
  /** Default: the current context. */
  context: string | undefined;
  /** A local cluster to create first, instead of an existing cluster. */
  create: NewHostingCluster | undefined;
  init: InitInput;
}

interface NewHostingCluster {
  provider: ProviderName;
  name: string;
  /** The image of its nodes. */
  image: string;
  /** Whether to install an ingress. */
  withIngress: boolean;
  /** Replaces the default chart of the ingress. */
  ingressChart: string | undefined;
}

/** In a dry run for a cluster that does not exist yet, only its name is known. */
type HostingResult = Pick<InitResult, 'name' | 'changed'> & Partial<InitResult>;

/**
 * Makes a cluster the hosting cluster, and records it in the kubeconfig.
 * @throws StellarError `usage`, `context-unknown`, `program-missing`, and what createLocalCluster, ensureIngress and initHosting throw
 */
export async function makeHosting(
  { context, create, init }: HostingRequest,
  tools: LocalTools,
): Promise<HostingResult> {
  const result =
    create === undefined
      ? await usePresent(context, init, tools)
      : await useNew(create, init, tools);
  if (result.release !== undefined) await markHosting(result.name, tools);
  return result;
}

async function usePresent(
  given: string | undefined,
  init: InitInput,
  tools: LocalTools,
): Promise<InitResult> {
  const context = await chooseContext(given, tools);
  return withHelm(context.name, tools, (helm) =>
    installHosting(init, { ...tools, kube: tools.connect(context), helm }),
  );
}

/**
 * Ensures a local cluster with what a hosting cluster needs: a local port is mapped to its ingress, and the ingress passes TLS
 * through. Charts and values are checked before the cluster is created.
 */
function useNew(
  cluster: NewHostingCluster,
  init: InitInput,
  tools: LocalTools,
): Promise<HostingResult> {
  const { provider, name, image, withIngress, ingressChart } = cluster;
  const { record, run, target } = tools;
  const { context } = localNames(provider, name);
  return withHelm(context, tools, async (helm) => {
    run.progress.note(
      `Hosting cluster ${context}, the ${provider} cluster ${name} on this machine`,
    );
    if (ingressChart !== undefined) await helm.local(ingressChart);
    const { externalPort } = init;
    const wanted = {
      provider,
      name,
      image,
      role: 'hosting',
      externalPort,
      beforeCreation: () => readCharts(cluster, init, helm, tools),
    } as const;
    const made = await createLocalCluster(wanted, tools);
    if (record !== undefined && made.created) {
      for (const release of [withIngress ? ingressRelease : [], coreChart.release].flat())
        record({ verb: 'create', cluster: context, kind: 'Release', ...release });
      return { name: context, changed: false };
    }
    const kube = tools.connect(
      selectContext(await loadKubeconfig(target.file, target.env), context),
    );
    try {
      const inCluster = { ...tools, kube, helm };
      const port = externalPort ?? made.ingressPort;
      const input = { provider, port, chart: ingressChart, imageRegistry: init.imageRegistry };
      const hasIngressChanged = withIngress && (await ensureIngress(input, inCluster));
      const hasChanged = made.changed || (hasIngressChanged && !kube.dryRun);
      const hosting = { ...init, externalPort: port };
      return await installHosting(hosting, inCluster, hasChanged);
    } catch (error) {
      throw made.created ? withCluster(error, wanted) : error;
    }
  });
}

/** Fetches the charts, and checks that they can be rendered; a dry run fetches nothing. */
async function readCharts(
  { provider, name, withIngress, ingressChart }: NewHostingCluster,
  init: InitInput,
  helm: Helm,
  { record, run }: LocalTools,
) {
  const choice = await chooseChart(init, helm);
  if (record !== undefined) return;
  run.progress.waiting(localNames(provider, name).context, 'reading the charts');
  const chart = await fetchChart(
    helm,
    choice,
    choice.version ?? coreChart.version,
    init.imageRegistry,
  );
  // This validates the values.
  await helm.render(chart, choice.values);
  if (withIngress) await fetchIngressChart(helm, ingressChart);
}

/**
 * Chooses the future hosting cluster, the given context or the current one, and reports it first. If other commands would select
 * another cluster, the context must be given: `kind create cluster` makes every new cluster the current one, including WECs.
 * @throws StellarError `usage`
 */
async function chooseContext(
  given: string | undefined,
  { target, programs, run }: LocalTools,
): Promise<SelectedContext> {
  const kubeconfig = await loadKubeconfig(target.file, target.env);
  const name = given ?? kubeconfig.currentContext;
  if (name === undefined)
    throw new StellarError(
      'usage',
      'No cluster was given, and there is no current context.',
      advice('Give the cluster to install KubeStellar on: --hosting-context CONTEXT'),
      advice('Or create one: --provider kind'),
    );
  const noted = programs.env.STELLARCTL_HOSTING_CONTEXT || hostingContext(kubeconfig);
  if (given === undefined && noted !== undefined && noted !== name)
    throw new StellarError(
      'usage',
      `The hosting cluster is ${noted}, and the current context is ${name}.`,
      advice(command`To use the hosting cluster: --hosting-context ${noted}`),
      advice(command`To install KubeStellar on the other one: --hosting-context ${name}`),
    );
  const context = selectContext(kubeconfig, name);
  run.progress.note(`Hosting cluster ${name} (${withoutCredentials(context.server)})`);
  return context;
}

async function withHelm<T>(
  context: string,
  { target, programs }: LocalTools,
  work: (helm: Helm) => Promise<T>,
) {
  const helm = await Helm.find(
    { context, kubeconfig: target.file },
    "install KubeStellar's chart",
    programs,
  );
  try {
    return await work(helm);
  } finally {
    await helm.close();
  }
}

async function installHosting(
  init: InitInput,
  tools: InitTools,
  hasChanged = false,
): Promise<InitResult> {
  const { kube, run } = tools;
  const installed = await initHosting(init, tools);
  const result = { ...installed, changed: hasChanged || installed.changed };
  const what = `is a hosting cluster of KubeStellar ${result.version}`;
  if (kube.dryRun) return result;
  await noteEntrance(kube, run);
  run.progress.done(result.name, result.changed ? what : `${what}; nothing to do`, result.changed);
  return result;
}

/** Reports if clients do not reach its spaces, or will not. Spaces of type host need none of it. */
async function noteEntrance(kube: Kube, run: Run) {
  const outcomes = await runChecks([reachedCheck], { kube });
  for (const { problem } of outcomes.filter(isNotable)) {
    run.progress.note(`${kube.cluster.context}: ${problem.message}`);
    for (const step of stepLines(problem.next)) run.progress.note(step);
  }
}

/**
 * Records the hosting cluster in the kubeconfig, as `kflex init` does, for both programs. If the kubeconfig is not writable, it
 * only warns: the cluster itself is ready.
 */
async function markHosting(name: string, { target, run }: LocalTools) {
  try {
    const isNews = await markHostingContext(target, name, run);
    if (isNews && !target.dryRun)
      run.progress.note(`The kubeconfig now notes ${name} as the hosting cluster.`);
  } catch (error) {
    if (!(error instanceof StellarError) || error.code !== 'file-error') throw error;
    run.progress.note(`That ${name} is the hosting cluster could not be noted: ${error.message}`);
  }
}

/**
 * Lists all images and charts that the clusters of an installation pull, and those of WECs: what the core chart and its hooks name,
 * and what the programs in them name. Reads no cluster.
 * helm is given no cluster.
 * @param withIngress whether `init --provider` would install an ingress
 * @throws StellarError `chart-unusable`, `usage`, `program-failed`
 */
export const printedImages = (input: InitInput, withIngress: boolean, tools: LocalTools) =>
  withHelm('', tools, async (helm) => {
    const choice = await chooseChart(input, helm);
    const chart = await fetchChart(helm, choice, choice.version ?? coreChart.version, undefined);
    const objects = await helm.render(chart, choice.values);
    const text = JSON.stringify(objects);
    // Hooks that are built into KubeFlex are texts in an object.
    const images = [...text.matchAll(/\bimage(?:: |":")([^\s"\\]+)/g)].map(
      ([, image = '']) => image,
    );
    const charts = [...text.matchAll(/"(oci:[^"]+)","--version","([^"]+)"/g)];
    const tagOf = (name: string) =>
      images.find((image) => image.includes(`/${name}:`))?.replace(/.*:/, '') ?? '';
    const statusAddon =
      charts.find(([, reference = '']) => reference.endsWith('/ocm-status-addon-chart'))?.[2] ?? '';
    const all = [
      ...images,
      ...imagesOfKubeFlex(tagOf('manager')),
      // Its hook installs one version, and `its create` ends with the other.
      ...imagesOfOcm(ocmOfClusteradm(tagOf('clusteradm'))),
      ...imagesOfOcm(safeOcm),
      ...imagesOfStatusAddon(versionOf(statusAddon)),
      ...(withIngress ? [ingressImage] : []),
    ];
    const rewritten = (reference: string) =>
      input.imageRegistry === undefined ? reference : inRegistry(reference, input.imageRegistry);
    const inside = charts.map(
      ([, reference = '', version]) =>
        `oci://${rewritten(reference.slice('oci://'.length))}:${version}`,
    );
    return [
      ...[...new Set(all.map(rewritten))]
        .sort()
        .map((reference) => ({ kind: 'image' as const, reference })),
      ...[...new Set([...inside, chartOfVcluster])]
        .sort()
        .map((reference) => ({ kind: 'chart' as const, reference })),
    ];
  });
