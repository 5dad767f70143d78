import { blockingStage, judge } from '../engine/stages.ts';
import { coreChart } from '../hosting/core-chart.ts';
import { hostingStages, readHosting } from '../hosting/stages.ts';
import type { Kube } from '../kube/client/client.ts';
import type { Deployment } from '../kube/objects.ts';
import { lenient } from '../kube/permissive-reader.ts';
import { resources } from '../kube/resources.ts';
import type { PostCreateHook } from '../spaces/objects.ts';
import { imageVersion, parseImage } from '../wecs/klusterlet/image.ts';
import type { HostingStatus } from './view.ts';

/** Looks at the hosting cluster itself. What this user may not read there is unknown, and no problem. */
export async function lookAtHosting(kube: Kube): Promise<HostingStatus> {
  const reader = lenient(kube);
  const [seen, hooks = []] = await Promise.all([
    readHosting(reader, coreChart.release.name),
    reader.list<PostCreateHook>(resources.postCreateHooks),
  ]);
  const isSeen = reader.forbidden.size === 0;
  const { verdict } =
    (isSeen && blockingStage(judge(hostingStages, { ...seen, helmAtWork: false, needsPostgres: false }))) || {};
  return {
    name: kube.cluster.context,
    server: kube.cluster.server,
    kubeflexVersion: versionIn([seen.manager], 'manager'),
    kubestellarVersion: versionIn(hooks.flatMap(deploymentsOf), 'controller-manager'),
    problem: verdict?.state === 'failed',
    reason: verdict?.why ?? '',
  };
}

/** Hooks of all versions make KubeStellar's controllers by a Deployment. */
const deploymentsOf = ({ spec }: PostCreateHook): Deployment[] =>
  (spec?.templates ?? []).filter(({ kind }) => kind === 'Deployment');

/** The version of the image of this name, wherever it comes from: its tag. */
function versionIn(deployments: readonly (Deployment | undefined)[], repository: string): string | null {
  const images = deployments
    .flatMap((deployment) => deployment?.spec?.template?.spec?.containers ?? [])
    .map(({ image }) => image);
  const found = images.find((image) => image !== undefined && parseImage(image)?.repository === repository);
  return imageVersion(found) ?? null;
}
