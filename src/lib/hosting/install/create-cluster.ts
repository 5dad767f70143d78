import type { Kube } from '../../kube/client/client.ts';
import { loadKubeconfig, selectContext } from '../../kube/kubeconfig/kubeconfig.ts';
import { createLocalCluster, type LocalTools, withCluster } from '../../local-clusters/create.ts';
import { bringIngressChart, ensureIngress, ingressRelease } from '../../local-clusters/ingress.ts';
import { localNames, type ProviderName } from '../../local-clusters/names.ts';
import type { Helm } from '../../programs/helm/helm.ts';
import { coreChart } from '../core-chart.ts';
import { bringChart, chooseChart } from './chart.ts';
import { type InitInput, kubeFlexValues } from './input.ts';

export interface NewHostingCluster {
  provider: ProviderName;
  name: string;
  /** Instead of the chart of ingress-nginx at its own place. */
  ingressChart: string | undefined;
  /** What it is to be given then. */
  init: InitInput;
}

export interface CreatedHostingCluster {
  /** Undefined in a dry run for a cluster that would have to be made first. */
  kube: Kube | undefined;
  context: string;
  /** Whether it has been made now; in a dry run whether it would be. */
  created: boolean;
  /** The port of this machine that leads to a cluster that was there; undefined where that is not known. */
  ingressPort: number | undefined;
  /** Whether anything was written on this machine or the cluster. */
  changed: boolean;
}

/**
 * Makes sure that there is a local cluster that can be a hosting cluster: with a port of this machine that leads to its ingress,
 * and an ingress that passes TLS through. What can be wrong with charts and values is found out before it is made.
 * @throws what createLocalCluster and ensureIngress throw, and StellarError `usage`, `chart-unusable`
 */
export async function createHostingCluster(
  { provider, name, ingressChart, init }: NewHostingCluster,
  helm: Helm,
  tools: LocalTools,
): Promise<CreatedHostingCluster> {
  const { record, run, target } = tools;
  const choice = await chooseChart(init, helm);
  const values = await helm.valuesOf(kubeFlexValues(init), init.values);
  const beforeCreation = async () => {
    // A dry run looks at what is on this machine, and fetches nothing.
    if (record !== undefined) return;
    run.progress.waiting(localNames(provider, name).context, 'reading the charts');
    const chart = await bringChart(helm, choice, choice.version ?? coreChart.version);
    // That renders all of it: values that the chart cannot do with are noticed.
    await helm.customResourceDefinitions(chart, values);
    await bringIngressChart(helm, ingressChart);
  };
  const { externalPort } = init;
  const made = await createLocalCluster({ provider, name, role: 'hosting', externalPort, beforeCreation }, tools);
  const { context, created, ingressPort } = made;
  if (record !== undefined && created) {
    for (const release of [ingressRelease, coreChart.release])
      record({ verb: 'create', cluster: context, kind: 'Release', ...release });
    return { kube: undefined, context, created, ingressPort, changed: false };
  }
  const kube = tools.connect(selectContext(await loadKubeconfig(target.file, target.env), context));
  const hasIngressChanged = await ensureIngress({ provider, chart: ingressChart }, { kube, helm, record }, run).catch(
    (error: unknown) => {
      throw created ? withCluster(error, { provider, name, role: 'hosting' }) : error;
    },
  );
  return { kube, context, created, ingressPort, changed: made.changed || (hasIngressChanged && !kube.dryRun) };
}
