import type { Run } from '../core/run.ts';
import type { Kube } from '../kube/client/client.ts';
import type { KubeObject } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { partialReader } from '../kube/partial-reader.ts';
import type { ClusterState } from './cluster-state.ts';
import { coreChart } from './core-chart.ts';
import type { Values } from './helm-values.ts';

/** The values for a first installation that follow from the cluster, in addition to the requested ones. */
export async function freshValues(kube: Kube, { isOpenShift, kubeFlex }: ClusterState, run: Run): Promise<Values> {
  if (kubeFlex === 'of-others') {
    run.progress.note('The existing KubeFlex is kept.');
    return { [coreChart.kubeFlexValues]: { install: false } };
  }
  if (isOpenShift) {
    run.progress.note('The cluster runs OpenShift: control planes get routes.');
    return { [coreChart.kubeFlexValues]: { isOpenShift: true } };
  }
  const hostContainer = await findHostContainer(kube);
  if (hostContainer === undefined) return {};
  run.progress.note(`Other clusters reach it as ${hostContainer}, the name of its node.`);
  return { [coreChart.kubeFlexValues]: { hostContainer } };
}

/** The name that kind and k3d give to the container of a cluster's server, which is also the name of its node. */
const containerForm = /^(?:.+-control-plane|k3d-.+-server-0)$/;

/**
 * Finds the container of a local hosting cluster. Other clusters on the same container network reach the control planes by its
 * name, which KubeFlex publishes in each vcluster.
 * @returns undefined if the cluster is not a kind or k3d cluster, or its nodes are not readable
 */
async function findHostContainer(kube: Kube): Promise<string | undefined> {
  const nodes = (await partialReader(kube).list<KubeObject>(resources.nodes)) ?? [];
  const names = nodes.map(({ metadata }) => metadata.name).filter((name) => containerForm.test(name));
  return names.length === 1 ? names[0] : undefined;
}
