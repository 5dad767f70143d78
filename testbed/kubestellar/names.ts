import type { AnyObject, ManifestWork } from '../kube/objects.ts';

/** Names of KubeStellar that several stand-ins share (kubestellar pkg/transport/generic, v0.30.0). */
export const controlGroup = 'control.kubestellar.io';

export const propertyNamespace = 'customization-properties';

export const finalizers = {
  bindingPolicy: 'bindingpolicy.kubestellar.io/kscontroller',
  binding: 'transport.kubestellar.io/object-cleanup',
} as const;

export const workLabel = {
  binding: 'transport.kubestellar.io/originOwnerReferenceBindingKey',
  wds: 'transport.kubestellar.io/originWdsName',
} as const;

export const generationAnnotation = 'transport.kubestellar.io/originOwnerReferenceBindingGeneration';

/** The Binding that a work comes of. */
interface Origin {
  binding: { name: string; uid: string; generation: number };
  wds: string;
}

/** The work that brings one object of a WDS to one cluster: its name says which object, by the UID that it has there. */
export function workOf(
  { binding, wds }: Origin,
  cluster: string,
  objectUid: string,
  manifest: AnyObject,
): ManifestWork {
  return {
    metadata: {
      name: `${binding.uid}-${wds}-${objectUid}`,
      namespace: cluster,
      labels: { [workLabel.binding]: binding.name, [workLabel.wds]: wds },
      annotations: { [generationAnnotation]: String(binding.generation) },
    },
    spec: { workload: { manifests: [manifest] } },
  };
}
