/**
 * Names that KubeStellar defines. Source: github.com/kubestellar/kubestellar, api/control/v1alpha1 and pkg/transport, as of
 * v0.30.0.
 */

/**
 * Namespace of an ITS that holds the customization properties: one ConfigMap per WEC, with the WEC's name
 * (PropertyConfigMapNamespace).
 */
export const propertiesNamespace = 'customization-properties';

/**
 * Labels of the works that KubeStellar's transport creates in mailboxes: the WDS, and the Binding in it (which has its policy's
 * name).
 */
export const originWdsLabel = 'transport.kubestellar.io/originWdsName';
export const originBindingLabel = 'transport.kubestellar.io/originOwnerReferenceBindingKey';

/** The status add-on creates this CRD in an ITS. KubeStellar's controllers wait for it without logging that they wait. */
export const workStatusCrd = 'workstatuses.control.kubestellar.io';

/** CRDs that KubeStellar's controller manager creates in a WDS. */
export const wdsCrds = ['bindings', 'bindingpolicies', 'statuscollectors', 'combinedstatuses', 'customtransforms'].map(
  (plural) => `${plural}.control.kubestellar.io`,
);

/** Annotation of a work: the generation of the Binding that it was created from. */
export const originGenerationAnnotation = 'transport.kubestellar.io/originOwnerReferenceBindingGeneration';

/** Labels of a workload object in a WDS while its status is returned to it. */
export const returnedStatusLabels = {
  singleton: 'managed-by.kubestellar.io/singletonstatus',
  multi: 'managed-by.kubestellar.io/multiwecstatus',
} as const;

/** Labels of a CombinedStatus that identify its object and policy. */
export const combinedStatusLabels = {
  group: 'status.kubestellar.io/api-group',
  resource: 'status.kubestellar.io/resource',
  namespace: 'status.kubestellar.io/namespace',
  name: 'status.kubestellar.io/name',
  policy: 'status.kubestellar.io/binding-policy',
} as const;
