/**
 * The observed behaviour of the real programs for a work with one object, without times, UIDs and versions: the ManifestWork, its
 * AppliedManifestWork, and the ManagedCluster that is deleted while such a work exists.
 */

const binding = {
  'transport.kubestellar.io/originOwnerReferenceBindingKey': 'demo',
  'transport.kubestellar.io/originWdsName': 'wds1',
};

/** By binding, WDS and object: UID-wds1-UID. */
export const workName = /^[0-9a-f-]{36}-wds1-[0-9a-f-]{36}$/;

export const work = {
  annotations: { 'transport.kubestellar.io/originOwnerReferenceBindingGeneration': '1' },
  finalizers: ['cluster.open-cluster-management.io/manifest-work-cleanup'],
  generation: 1,
  labels: binding,
  status: {
    conditions: [
      {
        message: 'Apply manifest work complete',
        observedGeneration: 1,
        reason: 'AppliedManifestWorkComplete',
        status: 'True',
        type: 'Applied',
      },
      {
        message: 'All resources are available',
        observedGeneration: 1,
        reason: 'ResourcesAvailable',
        status: 'True',
        type: 'Available',
      },
    ],
    resourceStatus: {
      manifests: [
        {
          conditions: [
            {
              // Agents since OCM 1.2 add observedGeneration: 1. KubeStellar 0.30 installs 1.0.0, whose agent does not.
              message: 'Apply manifest complete',
              reason: 'AppliedManifestComplete',
              status: 'True',
              type: 'Applied',
            },
            { message: 'Resource is available', reason: 'ResourceAvailable', status: 'True', type: 'Available' },
            { message: '', reason: 'NoStatusFeedbackSynced', status: 'True', type: 'StatusFeedbackSynced' },
          ],
          resourceMeta: {
            group: '',
            kind: 'ConfigMap',
            name: 'hello',
            namespace: 'default',
            ordinal: 0,
            resource: 'configmaps',
            version: 'v1',
          },
          statusFeedback: {},
        },
      ],
    },
  },
};

export const appliedWork = {
  finalizers: ['cluster.open-cluster-management.io/applied-manifest-work-cleanup'],
  generation: 1,
  labels: binding,
  resource: { group: '', name: 'hello', namespace: 'default', resource: 'configmaps', version: 'v1' },
};

/** While an agent, dead or running, has not removed the work. */
export const remaining = {
  type: 'Deleting',
  status: 'False',
  reason: 'ResourceRemaining',
  message: 'The resource manifestworks is remaning, the remaining count is 1, the finalizer pending count is 1',
};
