import { blockingStage, judge } from '../engine/stages.ts';
import { coreChart } from '../hosting/core-chart.ts';
import { hostingStages, readHosting } from '../hosting/stages.ts';
import type { Kube } from '../kube/client/client.ts';
import { lenient } from '../kube/permissive-reader.ts';
import type { HookVersions } from '../versions/hooks.ts';
import { kubeFlexPrograms, products } from '../versions/programs.ts';
import { blindness, runningVersions } from '../versions/running.ts';
import { versionOfProduct } from '../versions/words.ts';
import type { HostingStatus } from './view.ts';

/** Looks at the hosting cluster itself. What this user may not read there is unknown, and no problem. */
export async function lookAtHosting(kube: Kube, hooks: Promise<HookVersions>): Promise<HostingStatus> {
  const reader = lenient(kube);
  const [seen, { controllerManager }] = await Promise.all([readHosting(reader, coreChart.release.name), hooks]);
  const isSeen = reader.forbidden.size === 0;
  const { verdict } =
    (isSeen && blockingStage(judge(hostingStages, { ...seen, helmAtWork: false, needsPostgres: false }))) || {};
  const versions = runningVersions(kubeFlexPrograms, seen.pods, blindness(reader));
  return {
    name: kube.cluster.context,
    server: kube.cluster.server,
    kubeflexVersion: versionOfProduct(products.kubeFlex, versions),
    hooksVersion: controllerManager?.version ?? null,
    versions,
    problem: verdict?.state === 'failed',
    reason: verdict?.why ?? '',
  };
}
