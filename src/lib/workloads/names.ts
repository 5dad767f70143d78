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
