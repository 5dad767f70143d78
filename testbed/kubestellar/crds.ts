import type { AnyObject } from '../kube/objects.ts';
import { crd } from '../ocm/crds.ts';
import { controlGroup } from './names.ts';

const text = { type: 'string' };
const flag = { type: 'boolean' };
const whole = { type: 'integer', format: 'int64' };
const anyValue = { 'x-kubernetes-preserve-unknown-fields': true };

const list = (items: object) => ({ type: 'array', items });
const object = (properties: Record<string, object>, required: string[] = []) => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
});
const keyedList = (items: object, keys: string[]) => ({
  ...list(items),
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
});

const selector = (key: object = text, operator: object = text, value: object = text) =>
  object({
    matchLabels: { type: 'object', additionalProperties: value },
    matchExpressions: list(object({ key, operator, values: list(value) }, ['key', 'operator'])),
  });

/** Of clusters; the API server validates only these, not those of objects and namespaces. */
const clusterSelector = selector(
  {
    type: 'string',
    pattern:
      '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$',
  },
  { type: 'string', pattern: '^(In|NotIn|Exists|DoesNotExist)$' },
  { type: 'string', pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$' },
);

const modulation = {
  createOnly: flag,
  statusCollectors: list(text),
  wantSingletonReportedState: flag,
  wantMultiWECReportedState: flag,
};

const clauseFields = {
  apiGroup: text,
  resources: list(text),
  namespaces: list(text),
  namespaceSelectors: list(selector()),
  objectSelectors: list(selector()),
  objectNames: list(text),
};

const condition = object({ lastTransitionTime: text, message: text, reason: text, status: text, type: text }, [
  'lastTransitionTime',
  'message',
  'reason',
  'status',
  'type',
]);

const status = (fields: Record<string, object> = {}) =>
  object({ errors: list(text), observedGeneration: whole, ...fields }, ['observedGeneration']);

/** Objects of a Binding must have different kinds or names; the version does not matter. */
const boundObjects = (placed: Record<string, object>) => {
  const keys = ['group', 'resource', ...Object.keys(placed), 'name'];
  const fields = { group: text, version: text, resource: text, name: text, resourceVersion: text, ...placed };
  return keyedList(object({ ...fields, ...modulation }, Object.keys(fields)), keys);
};

const expression = object({ name: text, def: text }, ['def', 'name']);
const failure = { columnName: text, error: text };

const result = object(
  {
    name: text,
    columnNames: list(text),
    rows: list(
      object(
        { columns: list(object({ type: text, string: text, float: text, bool: flag, object: anyValue }, ['type'])) },
        ['columns'],
      ),
    ),
    rowErrors: list(object({ ...failure, wec: object({ clusterId: text }, ['clusterId']) }, ['columnName', 'error'])),
    aggregationErrors: list(object(failure, ['columnName', 'error'])),
  },
  ['columnNames', 'name'],
);

const common = { group: controlGroup, versions: ['v1alpha1'] };
const inCluster = { ...common, scope: 'Cluster' as const };

const conditionColumn = (name: string, type: string) => ({
  name,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=='${type}')].status`,
});

/**
 * The kinds that KubeStellar's controller-manager defines in a WDS, with the fields of the real ones (kubestellar
 * api/control/v1alpha1, v0.30.0): other fields are pruned, and what these schemas reject is rejected.
 */
export const wdsCrds: AnyObject[] = [
  crd({
    ...inCluster,
    kind: 'BindingPolicy',
    shortNames: ['bp'],
    spec: object({
      clusterSelectors: list(clusterSelector),
      downsync: list({
        ...object({ ...clauseFields, ...modulation }),
        anyOf: Object.keys(clauseFields).map((field) => ({ required: [field] })),
      }),
    }),
    status: status({ conditions: list(condition) }),
    // No controller sets these conditions, and there is no such field.
    columns: [
      conditionColumn('SYNCED', 'Synced'),
      conditionColumn('READY', 'Ready'),
      { name: 'TYPE', type: 'string', jsonPath: '.spec.type' },
    ],
  }),
  crd({
    ...inCluster,
    kind: 'Binding',
    shortNames: ['bdg'],
    spec: object({
      destinations: keyedList(object({ clusterId: text }, ['clusterId']), ['clusterId']),
      workload: object({ clusterScope: boundObjects({}), namespaceScope: boundObjects({ namespace: text }) }),
    }),
    status: status({ conditions: list(condition) }),
  }),
  crd({
    ...inCluster,
    kind: 'CustomTransform',
    shortNames: ['ct'],
    spec: object({ apiGroup: text, resource: text, remove: list(text) }, ['apiGroup', 'resource']),
    status: status({ warnings: list(text) }),
    columns: [
      { name: 'SUBJECT_GROUP', type: 'string', jsonPath: '.spec.apiGroup' },
      { name: 'SUBJECT_RESOURCE', type: 'string', jsonPath: '.spec.resource' },
    ],
  }),
  crd({
    ...inCluster,
    kind: 'StatusCollector',
    shortNames: ['sc'],
    spec: object(
      {
        filter: text,
        select: list(expression),
        groupBy: list(expression),
        combinedFields: list(object({ name: text, type: text, subject: text }, ['name', 'type'])),
        limit: whole,
      },
      ['limit'],
    ),
    status: status(),
  }),
  crd({
    ...common,
    kind: 'CombinedStatus',
    shortNames: ['cs'],
    fields: { results: list(result) },
    hasStatus: false,
    columns: Object.entries({
      SUBJECT_GROUP: 'api-group',
      SUBJECT_RSC: 'resource',
      SUBJECT_NS: 'namespace',
      SUBJECT_NAME: 'name',
      BINDINGPOLICY: 'binding-policy',
    }).map(([name, label]) => ({
      name,
      type: 'string',
      jsonPath: `.metadata.labels['status\\.kubestellar\\.io/${label}']`,
    })),
  }),
];

/** The kind that the status add-on's chart defines in an ITS. */
export const workStatusCrd: AnyObject = crd({
  ...common,
  kind: 'WorkStatus',
  shortNames: ['ws', 'wss'],
  spec: object({
    sourceRef: object({ group: text, version: text, resource: text, kind: text, namespace: text, name: text }, [
      'group',
      'namespace',
    ]),
  }),
});
