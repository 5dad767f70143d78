import type { AnyObject } from '../../../testbed/index.ts';
import type { Step } from './workload-traps.ts';

export type Labels = Record<string, string>;

/** Each trap has a Namespace and a policy of one name, which is the value of label app as well. */
export interface Scene {
  name: string;
  wds?: string;
  /** Labels of the Namespace, and of ConfigMap c in it. */
  space?: Labels;
  labels?: Labels;
  annotations?: Labels;
  data?: Labels;
  /** Other objects. */
  objects?: AnyObject[];
  clusters?: Labels;
  /** The name of the policy, if it differs. */
  policy?: string;
  clause?: object;
}

export interface Trap extends Scene {
  title: string;
  steps: Step[];
  /** What arrives then; by default the ConfigMap. False if the user decides. */
  arrives?: string | false;
}

const get = (name: string) => `workload get cm/c -n ${name}`;
const explain = (name: string) => `policy explain ${name}`;
const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' } };
const expanded = { 'control.kubestellar.io/expand-templates': 'true' };
const long = `long-${'x'.repeat(60)}`;

/** @param name its label, and in the scenes its Namespace @param own its own name: statuses of namesakes cannot be combined */
export const deployment = (name: string, run: Labels, image = 'nginx', own = 'web') => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: own } },
  spec: {
    replicas: 1,
    selector: { matchLabels: { run: name } },
    template: {
      metadata: { labels: { run: name, ...run } },
      spec: { containers: [{ name: 'c', image }] },
    },
  },
});

const job: AnyObject = {
  ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'run' } },
  spec: {
    template: {
      spec: {
        restartPolicy: 'Never',
        containers: [{ name: 'c', image: 'example.com/workloads/done:1' }],
      },
    },
  },
};

/** The first one concerns a WEC that has not been accepted yet. */
export const traps: Trap[] = [
  {
    ...{ title: 'the WEC is not accepted', name: 'early-bird' },
    steps: [
      {
        ask: get('early-bird'),
        code: 'wec-not-accepted',
        offers: /^stellarctl accept w1 --its its1$/,
      },
    ],
  },
  {
    ...{ title: 'no policy selects the object', name: 'unselected', labels: {} },
    steps: [
      {
        ask: get('unselected'),
        code: 'not-selected',
        offers: /label configmaps c app=unselected$/,
      },
    ],
  },
  {
    ...{ title: 'no clause selects its kind', name: 'kind', arrives: false },
    clause: { resources: ['secrets'], objectSelectors: [{ matchLabels: { app: 'kind' } }] },
    steps: [
      {
        ask: get('kind'),
        code: 'not-selected',
        offers: /^kubectl --context wds1 edit bindingpolicy kind$/,
      },
    ],
  },
  {
    ...{ title: 'the object is not in the WDS', name: 'absent', arrives: false },
    steps: [
      {
        ask: 'workload get cm/none -n absent',
        code: 'object-missing',
        offers: /get configmaps -A$/,
      },
    ],
  },
  {
    ...{ title: 'the policy selects no WEC', name: 'nowhere', clusters: { only: 'nowhere' } },
    steps: [
      {
        ...{
          ask: get('nowhere'),
          code: 'no-wec-matches',
          offers: /^stellarctl label NAME only=nowhere/,
        },
        fill: { NAME: 'w1' },
      },
    ],
  },
  {
    ...{ title: 'the Namespace is not selected', name: 'bare', space: {} },
    steps: [
      {
        ask: 'policy get bare',
        code: 'namespace-missing-on-wec',
        offers: /label namespace bare app=bare$/,
      },
    ],
  },
  {
    ...{ title: 'the Namespace is not selected, which is seen before', name: 'early', space: {} },
    steps: [
      {
        ask: explain('early'),
        code: 'namespace-not-selected',
        offers: /label namespace early app=early$/,
      },
    ],
  },
  {
    ...{ title: 'the policy selects no Namespaces at all', name: 'unspaced', arrives: false },
    clause: { resources: ['configmaps'], objectSelectors: [{ matchLabels: { app: 'unspaced' } }] },
    steps: [
      {
        ask: explain('unspaced'),
        code: 'namespace-not-selected',
        offers: /by a clause with resources: \[namespaces\]/,
      },
      {
        ask: get('unspaced'),
        code: 'namespace-missing-on-wec',
        offers: /edit bindingpolicy unspaced$/,
      },
    ],
  },
  {
    ...{ title: 'the WEC has neither the kind nor the rights', name: 'widget', objects: [widget] },
    steps: [
      {
        ask: 'workload get widget/w -n widget',
        code: 'kind-unknown-on-wec',
        offers: /label customresourcedefinition widgets.example.com app=widget$/,
      },
      {
        ...{ ask: 'workload get widget/w -n widget', code: 'forbidden-on-wec', add: '--yes' },
        offers: /^stellarctl wec grant w1=w1 --from-errors --its its1$/,
      },
    ],
    arrives: 'widget/w -n widget',
  },
  {
    ...{ title: 'a Job would be updated after it was created', name: 'migrate', objects: [job] },
    steps: [
      {
        ask: 'workload get job/run -n migrate',
        code: 'job-needs-create-only',
        offers: /^kubectl --context wds1 patch bindingpolicy migrate --type json /,
      },
    ],
    arrives: 'job/run -n migrate',
  },
  {
    ...{
      title: 'a template asks for a property that the WEC lacks',
      name: 'lacking',
      annotations: expanded,
    },
    data: { region: '{{.region}}' },
    steps: [
      {
        ...{ ask: get('lacking'), code: 'property-missing', fill: { VALUE: 'eu' } },
        offers: /^stellarctl wec properties w1 region=VALUE --its its1$/,
      },
    ],
  },
  {
    ...{
      title: 'an object is too large',
      name: 'large',
      data: { a: 'x'.repeat(600_000) },
      arrives: false,
    },
    steps: [
      {
        ask: get('large'),
        code: 'object-too-large',
        offers: /^Divide it, or raise --max-size-wrapped/,
      },
    ],
  },
  {
    ...{ title: 'the name of the policy is too long', name: 'long', policy: long, arrives: false },
    steps: [{ ask: get('long'), code: 'policy-name-too-long', offers: /shorter name/ }],
  },
  {
    ...{ title: 'a kind is served in two versions', name: 'twice', arrives: false },
    objects: [{ apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name: 'g' } }],
    steps: [
      { ask: get('twice'), code: 'policy-unobserved', offers: /^stellarctl policy explain twice/ },
      {
        ask: explain('twice'),
        code: 'two-served-versions',
        offers: /^Serve one version of .* gadgets/,
      },
    ],
  },
  {
    ...{
      title: 'the WEC has never joined',
      name: 'silence',
      clusters: { silent: 'true' },
      arrives: false,
    },
    steps: [
      {
        ask: get('silence'),
        code: 'wec-unavailable',
        offers: /^stellarctl wec get silent --its its1$/,
      },
    ],
  },
  {
    ...{
      title: 'status is asked of one WEC, and there are two',
      name: 'single',
      clusters: { pair: 'true' },
    },
    clause: {
      objectSelectors: [{ matchLabels: { app: 'single' } }],
      wantSingletonReportedState: true,
    },
    steps: [
      { ask: explain('single'), code: 'singleton-needs-one-wec', offers: /^Select one WEC, or/ },
    ],
    arrives: false,
  },
  {
    ...{
      title: 'a StatusCollector is missing',
      name: 'collected',
      objects: [deployment('collected', {}, 'nginx', 'till')],
    },
    clause: {
      // Every scene has a ConfigMap of one name.
      resources: ['namespaces', 'deployments'],
      objectSelectors: [{ matchLabels: { app: 'collected' } }],
      statusCollectors: ['replicas'],
    },
    steps: [
      {
        ...{ ask: 'workload get deploy/till -n collected', code: 'status-collector-missing' },
        offers: /^stellarctl collector create replicas --preset replicas --wds wds1/,
      },
    ],
    arrives: 'deploy/till -n collected',
  },
  {
    ...{ title: 'a StatusCollector is broken', name: 'uncollected', arrives: false },
    objects: [deployment('uncollected', {}, 'nginx', 'desk')],
    clause: {
      objectSelectors: [{ matchLabels: { app: 'uncollected' } }],
      statusCollectors: ['broken'],
    },
    steps: [
      {
        ...{ ask: 'workload get deploy/desk -n uncollected', code: 'status-collector-broken' },
        offers: /^stellarctl collector get broken --wds wds1/,
      },
    ],
  },
  {
    ...{ title: 'several objects in one work', name: 'shop', wds: 'wds2', space: {} },
    steps: [
      {
        ask: get('shop'),
        code: 'namespace-missing-on-wec',
        offers: /^kubectl --context wds2 label namespace/,
      },
    ],
  },
];
