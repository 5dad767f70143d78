import { isDeepStrictEqual } from 'node:util';
import type { AnyObject, ManifestWork } from '../kube/objects.ts';
import { groupOf } from '../kube/resources.ts';

/** The Binding that a work comes from. */
interface Origin {
  binding: { name: string; uid: string; generation: number };
  wds: string;
}

/** An object of a WDS to be sent, with its UID there. */
interface Wrapee {
  uid: string;
  manifest: AnyObject;
}

export const workLabel = {
  binding: 'transport.kubestellar.io/originOwnerReferenceBindingKey',
  wds: 'transport.kubestellar.io/originWdsName',
} as const;

const generationAnnotation = 'transport.kubestellar.io/originOwnerReferenceBindingGeneration';

/** The works that bring objects to one cluster, one for each, as in the chart (kubestellar pkg/transport/generic, wrap). */
export function worksOf({ binding, wds }: Origin, cluster: string, wrapees: readonly Wrapee[]): ManifestWork[] {
  return wrapees.map(({ uid, manifest }) => ({
    metadata: {
      name: `${binding.uid}-${wds}-${uid}`,
      namespace: cluster,
      labels: { [workLabel.binding]: binding.name, [workLabel.wds]: wds },
      annotations: { [generationAnnotation]: String(binding.generation) },
    },
    spec: { workload: { manifests: [manifest] } },
  }));
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
