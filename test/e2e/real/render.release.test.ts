/** What `workload render` prints before an object is sent is what KubeStellar's transport then sends: 51 objects of 18 kinds. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { parse } from 'yaml';
import { type AnyObject, type ManifestWork, resources, until } from '../../../testbed/index.ts';
import { resourceOf } from '../support/golden/workload-acts.ts';
import type { Cli } from '../support/harness.ts';
import { startWds, type WdsBed } from '../support/wds-bed.ts';

let all: WdsBed;
let cli: Cli;
const at = ['--wds', 'wds1', '--its', 'its1'];
const labels = { app: 'shop' };
const run = { run: 'web' };
const template = {
  metadata: { labels: run },
  spec: { containers: [{ name: 'web', image: 'nginx', resources: { requests: { cpu: '0.5' } } }] },
};
const selector = { matchLabels: run };
const ports = [{ port: 80, targetPort: 8080 }];
const preserve = { annotations: { 'control.kubestellar.io/preserve': 'nodeport' } };

/** The fields of three objects of each kind, with more metadata in the last place. */
const kinds: Record<string, [apiVersion: string, fields: object[], metadata?: object]> = {
  ConfigMap: ['v1', [{ data: { a: 'b' } }, { binaryData: { a: 'AAEC' } }, { immutable: true }]],
  Secret: ['v1', [{ stringData: { a: 'b' } }, { type: 'Opaque' }, { data: { a: 'Yg==' } }]],
  ServiceAccount: ['v1', [{}, { imagePullSecrets: [{ name: 'x' }] }, { secrets: [] }]],
  Service: [
    'v1',
    [
      { spec: { selector: run, ports } },
      { spec: { selector: run, ports, clusterIP: 'None' } },
      { spec: { selector: run, ports, type: 'NodePort' } },
    ],
    preserve,
  ],
  PersistentVolumeClaim: [
    'v1',
    [1, 2, 3].map((size) => ({
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: `${size}Gi` } } },
    })),
  ],
  Deployment: [
    'apps/v1',
    [{}, { replicas: 2 }, { paused: true }].map((more) => ({
      spec: { selector, template, ...more },
    })),
  ],
  StatefulSet: [
    'apps/v1',
    [{}, { replicas: 0 }, { podManagementPolicy: 'Parallel' }].map((more) => ({
      spec: { selector, template, serviceName: 'web', ...more },
    })),
  ],
  DaemonSet: [
    'apps/v1',
    [{}, {}, { minReadySeconds: 5 }].map((more) => ({ spec: { selector, template, ...more } })),
  ],
  Job: [
    'batch/v1',
    [{}, { suspend: true }, { completions: 2 }].map((more) => ({
      spec: {
        template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } },
        ...more,
      },
    })),
  ],
  CronJob: [
    'batch/v1',
    ['* * * * *', '0 0 * * *', '@daily'].map((schedule) => ({
      spec: {
        schedule,
        suspend: true,
        jobTemplate: {
          spec: { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
        },
      },
    })),
  ],
  Ingress: [
    'networking.k8s.io/v1',
    ['a', 'b', 'c'].map((host) => ({
      spec: { defaultBackend: { service: { name: host, port: { number: 80 } } } },
    })),
  ],
  NetworkPolicy: [
    'networking.k8s.io/v1',
    [{}, { ingress: [{}] }, { policyTypes: ['Egress'] }].map((more) => ({
      spec: { podSelector: selector, ...more },
    })),
  ],
  PodDisruptionBudget: [
    'policy/v1',
    [1, 2, '50%'].map((minAvailable) => ({ spec: { selector, minAvailable } })),
  ],
  HorizontalPodAutoscaler: [
    'autoscaling/v2',
    [2, 3, 4].map((maxReplicas) => ({
      spec: {
        maxReplicas,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      },
    })),
  ],
  Role: [
    'rbac.authorization.k8s.io/v1',
    ['get', 'list', 'watch'].map((verb) => ({
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: [verb] }],
    })),
  ],
  RoleBinding: [
    'rbac.authorization.k8s.io/v1',
    ['a', 'b', 'c'].map((name) => ({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: 'shop' }],
    })),
  ],
};
const objects: AnyObject[] = Object.entries(kinds).flatMap(([kind, [apiVersion, all, more]]) =>
  all.map((fields, index) => ({
    apiVersion,
    kind,
    metadata: {
      name: `${kind.toLowerCase()}-${index}`,
      namespace: 'shop',
      labels,
      finalizers: index === 1 ? ['example.com/hold'] : [],
      ...(index === 2 && more),
    },
    ...fields,
  })),
);
objects.push(
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      ...{ name: 'filled', namespace: 'shop', labels },
      annotations: { 'control.kubestellar.io/expand-templates': 'true' },
    },
    data: { where: 'in {{.clusterName}}, {{ .tier }}', note: '{{.tier}}{{.tier}}' },
  } as AnyObject,
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels } },
  {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'shop', labels },
    value: 7,
  } as AnyObject,
);
const pluralOf: Record<string, string> = {
  Ingress: 'ingresses',
  NetworkPolicy: 'networkpolicies',
  PriorityClass: 'priorityclasses',
};
const resourceFor = (object: AnyObject) => {
  const plural = pluralOf[object.kind ?? ''];
  return { ...resourceOf(object), ...(plural && { plural }) };
};

before(async () => {
  all = await startWds(['w1'], { type: 'host' });
  ({ cli } = all);
  for (const object of objects.toSorted(
    (a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'),
  ))
    await all.wds1.admin.create(resourceFor(object), object);
  const transform = ['transform', 'create', 'scaled', '--select', 'deploy'];
  await cli.succeed([...transform, '--remove', '$.spec.replicas', ...at]);
});

after(() => all?.stop());

const render = async ({ kind = '', metadata: { name, namespace } }: AnyObject) => {
  const object = [`${kind.toLowerCase()}/${name}`, ...(namespace ? ['-n', namespace] : [])];
  const { stdout } = await cli.succeed(['workload', 'render', ...object, '--wec', 'w1', ...at]);
  return parse(stdout) as AnyObject;
};

it('renders each object as the transport sends it', async () => {
  const before = new Map<string, AnyObject>();
  for (const object of objects)
    before.set(`${object.kind} ${object.metadata.name}`, await render(object));
  await cli.type('policy create shop --clusters tier=web -l app=shop --yes --wds wds1 --its its1');
  const sent = await until(async () => {
    const { items } = await all.its1.admin.list<ManifestWork>(resources.manifestWorks);
    const manifests = items.flatMap(({ spec }) => (spec?.workload?.manifests ?? []) as AnyObject[]);
    const found = manifests.filter(({ kind, metadata }) => before.has(`${kind} ${metadata.name}`));
    return found.length === objects.length && found;
  }, 'all works');
  for (const manifest of sent as AnyObject[])
    assert.deepEqual(before.get(`${manifest.kind} ${manifest.metadata.name}`), manifest);
  const [first = assert.fail()] = objects;
  assert.deepEqual(await render(first), before.get(`${first.kind} ${first.metadata.name}`));
});
