import { inRegistry, versionOf } from '../kube/image.ts';
import { chartOfVcluster, imagesOfKubeFlex, imagesOfOcm, imagesOfStatusAddon } from '../ocm/images.ts';
import { bringChart, chooseChart } from './chart.ts';
import { coreChart } from './core-chart.ts';
import type { Helm } from './helm.ts';
import { type InitInput, kubeFlexValues } from './init-input.ts';
import { ingressImage } from './local-ingress.ts';

/** An image or chart that clusters pull. */
export interface PulledReference {
  kind: 'image' | 'chart';
  reference: string;
}

/**
 * Lists all images and charts that the clusters of an installation pull, and those of WECs: what the core chart and its hooks name,
 * and what the programs in them name. Reads no cluster.
 * @param withIngress whether `init --provider` would install an ingress
 * @throws StellarError `chart-unusable`, `usage`, `program-failed`
 */
export async function listImages(input: InitInput, withIngress: boolean, helm: Helm): Promise<PulledReference[]> {
  const choice = await chooseChart(input, helm);
  const chart = await bringChart(helm, choice, choice.version ?? coreChart.version, undefined);
  const objects = await helm.render(chart, await helm.valuesOf(kubeFlexValues(input), input.values));
  const text = JSON.stringify(objects);
  // Hooks that are built into KubeFlex are texts in an object.
  const images = [...text.matchAll(/\bimage(?:: |":")([^\s"\\]+)/g)].map(([, image = '']) => image);
  const charts = [...text.matchAll(/"(oci:[^"]+)","--version","([^"]+)"/g)];
  const tagOf = (name: string) => images.find((image) => image.includes(`/${name}:`))?.replace(/.*:/, '') ?? '';
  const statusAddon = charts.find(([, reference = '']) => reference.endsWith('/ocm-status-addon-chart'))?.[2] ?? '';
  const all = [
    ...images,
    ...imagesOfKubeFlex(tagOf('manager')),
    ...imagesOfOcm(tagOf('clusteradm')),
    ...imagesOfStatusAddon(versionOf(statusAddon)),
    ...(withIngress ? [ingressImage] : []),
  ];
  const taken = (reference: string) =>
    input.imageRegistry === undefined ? reference : inRegistry(reference, input.imageRegistry);
  const inside = charts.map(
    ([, reference = '', version]) => `oci://${taken(reference.slice('oci://'.length))}:${version}`,
  );
  return [
    ...[...new Set(all.map(taken))].sort().map((reference) => ({ kind: 'image' as const, reference })),
    ...[...new Set([...inside, chartOfVcluster])].sort().map((reference) => ({ kind: 'chart' as const, reference })),
  ];
}
