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
