import { coreChart } from '../hosting/core-chart.ts';
import type { Kube } from '../kube/client/client.ts';
import { loadKubeconfig, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { createLocalCluster, type LocalTools, withCluster } from '../local-clusters/create.ts';
import { bringIngressChart, ensureIngress, ingressRelease } from '../local-clusters/ingress.ts';
import { localNames, type ProviderName } from '../local-clusters/names.ts';
import type { Helm } from '../programs/helm/helm.ts';
import { bringChart, chooseChart } from './chart.ts';
import { type InitInput, kubeFlexValues } from './input.ts';

export interface NewHostingCluster {
  provider: ProviderName;
  name: string;
  /** Replaces the default chart of ingress-nginx. */
  ingressChart: string | undefined;
  /** The input for the `init` that follows. */
  init: InitInput;
}

export interface CreatedHostingCluster {
  /** Undefined in a dry run if the cluster does not exist yet. */
  kube: Kube | undefined;
  context: string;
  /** Whether this run creates the cluster; in a dry run, whether it would. */
  created: boolean;
  /** The local port mapped to the ingress of an existing cluster; undefined if unknown. */
  ingressPort: number | undefined;
  /** Whether this run changes anything on this machine or the cluster. */
  changed: boolean;
}

/**
 * Ensures a local cluster that can be a hosting cluster: a local port is mapped to its ingress, and the ingress passes TLS through.
 * Charts and values are checked before the cluster is created.
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
    // A dry run fetches nothing.
    if (record !== undefined) return;
    run.progress.waiting(localNames(provider, name).context, 'reading the charts');
    const chart = await bringChart(helm, choice, choice.version ?? coreChart.version);
    // This renders the whole chart, which also validates the values.
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
