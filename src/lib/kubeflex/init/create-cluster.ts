import type { Helm } from '../../helm/helm.ts';
import type { Kube } from '../../kube/client.ts';
import { loadKubeconfig, selectContext } from '../../kube/kubeconfig.ts';
import { createLocalCluster, type LocalTools } from '../../local-clusters/create.ts';
import { ensureIngress } from '../../local-clusters/ingress.ts';
import type { ProviderName } from '../../local-clusters/names.ts';

export interface NewHostingCluster {
  provider: ProviderName;
  name: string;
  /** The port of this machine at which its control planes are reached. */
  externalPort: number | undefined;
  /** Instead of the chart of ingress-nginx at its own place. */
  ingressChart: string | undefined;
}

export interface CreatedHostingCluster {
  /** Undefined in a dry run for a cluster that would have to be made first. */
  kube: Kube | undefined;
  context: string;
  /** Whether anything was written on this machine or the cluster. */
  changed: boolean;
}

/**
 * Makes sure that there is a local cluster that can be a hosting cluster: with a port of this machine that leads to its ingress,
 * and an ingress that passes TLS through.
 * @throws what createLocalCluster and ensureIngress throw
 */
export async function createHostingCluster(
  { provider, name, externalPort, ingressChart }: NewHostingCluster,
  helm: Helm,
  tools: LocalTools,
): Promise<CreatedHostingCluster> {
  const { context, created, changed } = await createLocalCluster(
    { provider, name, role: 'hosting', externalPort },
    tools,
  );
  if (tools.record !== undefined && created) return { kube: undefined, context, changed: false };
  const { file, env } = tools.target;
  const kube = tools.connect(selectContext(await loadKubeconfig(file, env), context));
  const hasIngressChanged = await ensureIngress(kube, helm, { provider, chart: ingressChart }, tools.run);
  return { kube, context, changed: changed || (hasIngressChanged && !kube.dryRun) };
}
