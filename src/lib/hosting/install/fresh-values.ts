import type { Run } from '../../engine/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { Values } from '../../programs/helm/values.ts';
import { coreChart } from '../core-chart.ts';
import type { Situation } from './cluster-state.ts';
import { findHostContainer } from './host-container.ts';
import type { InitInput } from './input.ts';

/** What a first installation is given beside what was asked for, as the cluster shows it. */
export async function freshValues(
  kube: Kube,
  { isOpenShift, kubeFlex }: Situation,
  input: InitInput,
  run: Run,
): Promise<Values> {
  if (kubeFlex === 'of-others') {
    run.progress.note('The existing KubeFlex is kept.');
    return { [coreChart.kubeFlexValues]: { install: false } };
  }
  if (isOpenShift) {
    run.progress.note('The cluster runs OpenShift: control planes get routes.');
    return { [coreChart.kubeFlexValues]: { isOpenShift: true } };
  }
  if (input.hostContainer !== undefined) return {};
  const hostContainer = await findHostContainer(kube);
  if (hostContainer === undefined) return {};
  run.progress.note(`Other clusters reach it as ${hostContainer}, the name of its node.`);
  return { [coreChart.kubeFlexValues]: { hostContainer } };
}
