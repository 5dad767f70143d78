/** Names of KubeStellar. Source: github.com/kubestellar/kubestellar, api/control/v1alpha1 and pkg/transport, as of v0.30.0. */

/** Where an ITS keeps the customization properties: a ConfigMap of each WEC's name (PropertyConfigMapNamespace). */
export const propertiesNamespace = 'customization-properties';

/** Labels of the works that KubeStellar's transport puts into mailboxes: the WDS, and the Binding (of its policy's name) there. */
export const originWdsLabel = 'transport.kubestellar.io/originWdsName';
export const originBindingLabel = 'transport.kubestellar.io/originOwnerReferenceBindingKey';

/** Made in an ITS by the status add-on; KubeStellar's controllers wait for it in silence. */
export const workStatusCrd = 'workstatuses.control.kubestellar.io';

/** What KubeStellar's controller manager defines in a WDS. */
export const wdsCrds = ['bindings', 'bindingpolicies', 'statuscollectors', 'combinedstatuses', 'customtransforms'].map(
  (plural) => `${plural}.control.kubestellar.io`,
);

/** Of a work: the generation of the Binding that it was made of. */
export const originGenerationAnnotation = 'transport.kubestellar.io/originOwnerReferenceBindingGeneration';

/** What a workload object of a WDS carries while its status is returned to it. */
export const returnedStatusLabels = {
  singleton: 'managed-by.kubestellar.io/singletonstatus',
  multi: 'managed-by.kubestellar.io/multiwecstatus',
} as const;

/** Labels of a CombinedStatus, by which it is found. */
export const combinedStatusLabels = {
  group: 'status.kubestellar.io/api-group',
  resource: 'status.kubestellar.io/resource',
  namespace: 'status.kubestellar.io/namespace',
  name: 'status.kubestellar.io/name',
  policy: 'status.kubestellar.io/binding-policy',
} as const;
