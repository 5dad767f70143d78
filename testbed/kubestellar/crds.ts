import type { AnyObject } from '../kube/objects.ts';
import { crd } from '../ocm/crds.ts';
import { controlGroup } from './names.ts';

const text = { type: 'string' };
const list = (items: object) => ({ type: 'array', items });
const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const flag = { type: 'boolean' };

const labelValue = '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$';
const operator = { type: 'string', pattern: '^(In|NotIn|Exists|DoesNotExist)$' };

/** Of clusters; the API server looks into these only. */
const clusterSelector = {
  type: 'object',
  properties: {
    matchLabels: { type: 'object', additionalProperties: { type: 'string', pattern: labelValue } },
    matchExpressions: list({ type: 'object', properties: { key: text, operator, values: list(text) } }),
  },
};

/** The fields of a BindingPolicy (kubestellar api/control/v1alpha1); others are pruned, as by the real one. */
const bindingPolicySpec = {
  type: 'object',
  properties: {
    clusterSelectors: list(clusterSelector),
    downsync: list({
      type: 'object',
      properties: {
        apiGroup: text,
        resources: list(text),
        namespaces: list(text),
        namespaceSelectors: list(anything),
        objectSelectors: list(anything),
        objectNames: list(text),
        createOnly: flag,
        statusCollectors: list(text),
        wantSingletonReportedState: flag,
        wantMultiWECReportedState: flag,
      },
    }),
  },
};

const versions = ['v1alpha1'];

/** The kinds that KubeStellar's controller-manager defines in a WDS. */
export const wdsCrds: AnyObject[] = [
  crd({
    group: controlGroup,
    versions,
    kind: 'BindingPolicy',
    scope: 'Cluster',
    shortNames: ['bp'],
    spec: bindingPolicySpec,
  }),
  crd({ group: controlGroup, versions, kind: 'Binding', scope: 'Cluster', shortNames: ['bdg'] }),
  crd({ group: controlGroup, versions, kind: 'CustomTransform', scope: 'Cluster', shortNames: ['ct'] }),
  crd({ group: controlGroup, versions, kind: 'StatusCollector', scope: 'Cluster', shortNames: ['sc'] }),
  crd({ group: controlGroup, versions, kind: 'CombinedStatus', shortNames: ['cs'] }),
];

/** The kind that the status add-on's chart defines in an ITS. */
export const workStatusCrd: AnyObject = crd({
  group: controlGroup,
  versions,
  kind: 'WorkStatus',
  shortNames: ['ws', 'wss'],
});
