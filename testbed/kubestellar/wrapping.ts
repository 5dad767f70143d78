import { isDeepStrictEqual } from 'node:util';
import type { AnyObject, ManifestWork } from '../kube/objects.ts';
import { groupOf } from './matching.ts';
import { generationAnnotation, workLabel } from './names.ts';

/** The Binding that a work comes from. */
interface Origin {
  binding: { name: string; uid: string; generation: number };
  wds: string;
}

/** An object of a WDS to be sent, with its UID there. */
export interface Wrapee {
  uid: string;
  manifest: AnyObject;
  /** The plural name of its kind, if agents must create it and never change it. */
  createOnly?: string | undefined;
}

/** The maximum contents of one work; 1 object and 512,000 bytes in the chart of KubeStellar. */
export interface WrapLimits {
  objects: number;
  bytes: number;
}

export const chartLimits: WrapLimits = { objects: 1, bytes: 512_000 };

/**
 * The works that bring objects to one cluster (kubestellar pkg/transport/generic, wrap). Works of one object are named after it;
 * works of several are numbered.
 */
export function worksOf(
  origin: Origin,
  cluster: string,
  wrapees: readonly Wrapee[],
  limits = chartLimits,
): ManifestWork[] {
  const batches: Wrapee[][] = [];
  let size = 0;
  for (const wrapee of wrapees) {
    const bytes = Buffer.byteLength(JSON.stringify(wrapee.manifest));
    if (bytes > limits.bytes) throw new Error('failed to wrap object that is larger than max size');
    const last = batches.at(-1);
    if (last && last.length < limits.objects && size + bytes < limits.bytes) {
      last.push(wrapee);
      size += bytes;
    } else {
      batches.push([wrapee]);
      size = bytes;
    }
  }
  return batches.map((batch, number) => workOf(origin, cluster, batch, limits.objects === 1 ? undefined : number));
}

function workOf({ binding, wds }: Origin, cluster: string, batch: Wrapee[], number: number | undefined): ManifestWork {
  const manifestConfigs = batch.flatMap(({ manifest, createOnly }) => {
    if (createOnly === undefined) return [];
    const { namespace = '', name } = manifest.metadata;
    const resourceIdentifier = { group: groupOf(manifest.apiVersion ?? ''), resource: createOnly, namespace, name };
    return [{ resourceIdentifier, updateStrategy: { type: 'CreateOnly' as const } }];
  });
  return {
    metadata: {
      name: number === undefined ? `${binding.uid}-${wds}-${batch[0]?.uid}` : `${binding.name}-${wds}-${number}`,
      namespace: cluster,
      labels: { [workLabel.binding]: binding.name, [workLabel.wds]: wds },
      annotations: { [generationAnnotation]: String(binding.generation) },
    },
    spec: {
      workload: { manifests: batch.map(({ manifest }) => manifest) },
      ...(manifestConfigs.length > 0 && { manifestConfigs }),
    },
  };
}

/** Whether an existing work need not be written: it is of the same generation and holds the same objects. */
export function isCurrent(present: ManifestWork, wanted: ManifestWork): boolean {
  const generation = ({ metadata }: ManifestWork) => metadata.annotations?.[generationAnnotation];
  const objects = ({ spec }: ManifestWork) =>
    spec.workload.manifests
      .map(({ apiVersion = '', kind, metadata }) =>
        [groupOf(apiVersion), kind, metadata.namespace, metadata.name].join(),
      )
      .sort();
  return generation(present) === generation(wanted) && isDeepStrictEqual(objects(present), objects(wanted));
}
