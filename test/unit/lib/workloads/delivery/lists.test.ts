import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seen } from '../../../../../src/lib/kube/access.ts';
import type { KubeObject } from '../../../../../src/lib/kube/objects.ts';
import type { OpenWds } from '../../../../../src/lib/spaces/open-wds.ts';
import { listPolicies } from '../../../../../src/lib/workloads/delivery/policy-list.ts';
import { getPolicyView } from '../../../../../src/lib/workloads/delivery/policy-view.ts';
import { type WorkloadGoal, waitForWorkload } from '../../../../../src/lib/workloads/delivery/wait-workload.ts';
import { getWorkload } from '../../../../../src/lib/workloads/delivery/workload.ts';
import { listWorkloads } from '../../../../../src/lib/workloads/delivery/workload-list.ts';
import { soon } from '../../../support/space-builders.ts';
import { WorkloadCluster } from '../../../support/workload-cluster.ts';

const labels = { app: 'shop' };
const bound = (resource: string, name: string, namespace?: string) => ({
  ...{ group: '', version: 'v1', resource, name, resourceVersion: '1' },
  ...(namespace === undefined ? {} : { namespace }),
});
const inWds: KubeObject[] = [
  { kind: 'Namespace', metadata: { name: 'shop', labels, resourceVersion: '1' } },
  { kind: 'ConfigMap', metadata: { name: 'c', namespace: 'shop', labels, resourceVersion: '1' } },
  {
    kind: 'BindingPolicy',
    metadata: { name: 'p', generation: 1 },
    spec: { clusterSelectors: [{}], downsync: [{ objectSelectors: [{ matchLabels: labels }] }] },
    status: { observedGeneration: 1 },
  } as KubeObject,
  {
    kind: 'Binding',
    metadata: {
      name: 'p',
      generation: 1,
      ownerReferences: [{ apiVersion: 'x', kind: 'BindingPolicy', name: 'p', uid: 'u' }],
    },
    spec: {
      workload: { clusterScope: [bound('namespaces', 'shop')], namespaceScope: [bound('configmaps', 'c', 'shop')] },
      destinations: [{ clusterId: 'w1' }, { clusterId: 'w2' }],
    },
    status: { observedGeneration: 1 },
  } as KubeObject,
];
const wec = (name: string): KubeObject & { kind: string } =>
  ({
    kind: 'ManagedCluster',
    metadata: { name },
    spec: { hubAcceptsClient: true },
    status: { conditions: [{ type: 'ManagedClusterConditionAvailable', status: 'True' }] },
  }) as never;

/** A work of both objects. @param applied what the agent says of the ConfigMap */
function work(on: string, applied: 'True' | 'False', generation = 1): KubeObject & { kind: string } {
  const conditions = (status: string) => [
    { type: 'Applied', status, observedGeneration: 1, message: status === 'True' ? '' : 'refused' },
    { type: 'Available', status },
  ];
  return {
    kind: 'ManifestWork',
    metadata: {
      ...{ name: 'p-wds1-0', namespace: on, generation },
      labels: {
        'transport.kubestellar.io/originOwnerReferenceBindingKey': 'p',
        'transport.kubestellar.io/originWdsName': 'wds1',
      },
      annotations: { 'transport.kubestellar.io/originOwnerReferenceBindingGeneration': '1' },
    },
    spec: {
      workload: {
        manifests: [
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'shop' } },
        ],
      },
    },
    status: {
      conditions: [{ type: 'Applied', status: applied, observedGeneration: 1 }],
      resourceStatus: {
        manifests: [
          { resourceMeta: { ordinal: 0, kind: 'Namespace' }, conditions: conditions('True') },
          { resourceMeta: { ordinal: 1, kind: 'ConfigMap' }, conditions: conditions(applied) },
        ],
      },
    },
  } as never;
}

const wds = (works: (KubeObject & { kind: string })[], more: KubeObject[] = inWds): OpenWds => ({
  ...{ name: 'wds1', isGiven: true, context: 'wds1', type: 'k8s', apiGroups: [], kube: new WorkloadCluster(more).kube },
  its: seen({ name: 'its1', kube: new WorkloadCluster([wec('w1'), wec('w2'), ...works]).kube }),
});
const good = () => wds([work('w1', 'True'), work('w2', 'True')]);
const half = () => wds([work('w1', 'True'), work('w2', 'False')]);
const hidden = { state: 'hidden', why: 'no route', error: undefined } as const;

describe('the policies of a WDS are listed', () => {
  const told = async (of: OpenWds) =>
    (await listPolicies(of)).map(({ name, wecs, objects, works, state, why }) =>
      [name, wecs.length, objects, works && `${works.applied}/${works.total}`, state, why].join(' '),
    );
  test('with what is applied', async () => assert.deepEqual(await told(good()), ['p 2 2 2/2 ok ']));
  test('with what has failed', async () =>
    assert.deepEqual(await told(half()), ['p 2 2 1/2 failed 1 work not applied']));
  test('with what an agent has not seen yet', async () =>
    assert.deepEqual(await told(wds([work('w1', 'True', 2), work('w2', 'True')])), [
      'p 2 2 1/2 waiting 1 work not applied yet',
    ]));
  test('without the ITS', async () =>
    assert.deepEqual(await told({ ...good(), its: hidden }), ['p 2 2  waiting its works are not visible']));
  test('with a Binding that has lost its policy', async () => {
    const [space, object, , binding] = structuredClone(inWds) as [KubeObject, KubeObject, KubeObject, KubeObject];
    delete binding.metadata.ownerReferences;
    const list = await told(wds([], [space, object, binding]));
    assert.deepEqual(list, ['p 2 2 0/0 failed its policy was deleted, its Binding was not']);
  });
});

test('the objects of a WDS are listed, with how many WECs have them', async () => {
  const counts = async (of: OpenWds) =>
    (await listWorkloads(of)).map(({ name, wecs, applied, available, failed }) => [
      name,
      wecs,
      applied,
      available,
      failed,
    ]);
  assert.deepEqual(await counts(half()), [
    ['Namespace shop', 2, 2, 2, 0],
    ['ConfigMap shop/c', 2, 1, 1, 1],
  ]);
  assert.deepEqual(await counts({ ...half(), its: hidden }), [
    ['Namespace shop', 2, null, null, null],
    ['ConfigMap shop/c', 2, null, null, null],
  ]);
});

test('a policy shows its objects on each WEC, several of them in one work', async () => {
  const { objects, binding, wecs } = await getPolicyView('p', half());
  assert.deepEqual([binding, wecs], [{ generation: 1, observed: 1 }, ['w1', 'w2']]);
  assert.deepEqual(
    objects.map(({ kind, ways }) => [kind, ...ways.map(({ wec: on, done, code }) => `${on} ${done} ${code}`)]),
    [
      ['Namespace', 'w1 true null', 'w2 true null'],
      ['ConfigMap', 'w1 true null', 'w2 false not-applied'],
    ],
  );
});

test('a work that a change of a property has passed by is told, with how to have it rewritten', async () => {
  const objects = structuredClone(inWds);
  const annotations = { 'control.kubestellar.io/expand-templates': 'true' };
  Object.assign(objects[1] as KubeObject, { data: { region: '{{.region}}' } });
  Object.assign((objects[1] as KubeObject).metadata, { annotations });
  const sent = (on: string, region: string) => {
    const given = work(on, 'True') as unknown as { spec: { workload: { manifests: object[] } } };
    Object.assign(given.spec.workload.manifests[1] as object, { data: { region } });
    return given as never as KubeObject & { kind: string };
  };
  const its = [wec('w1'), wec('w2'), sent('w1', 'eu'), sent('w2', 'us')];
  for (const { metadata, kind } of its) if (kind === 'ManagedCluster') metadata.labels = { region: 'eu' };
  const of = { ...wds([], objects), its: seen({ name: 'its1', kube: new WorkloadCluster(its).kube }) };
  const { ways } = await getWorkload({ kind: 'configmap', name: 'c', namespace: 'shop' }, of);
  assert.deepEqual(
    ways.map(({ wec: on, code, next }) => [on, code, next]),
    [
      ['w1', null, null],
      ['w2', 'work-stale', 'stellarctl policy refresh p --wds wds1'],
    ],
  );
});

describe('an object is waited for', () => {
  const named = { kind: 'configmap', name: 'c', namespace: 'shop' };
  const waited = async (of: OpenWds, goal: WorkloadGoal, on?: string[]) => {
    const { reached, error } = await waitForWorkload({ named, goal, on }, of, soon(0));
    return { reached, code: error?.code, details: error?.details };
  };
  test('on all WECs', async () =>
    assert.deepEqual(await waited(good(), 'available'), {
      ...{ reached: ['w1', 'w2'], code: undefined, details: undefined },
    }));
  test('on some', async () => assert.deepEqual((await waited(half(), 'applied', ['w1'])).reached, ['w1']));
  test('until the deadline, which says what keeps it', async () =>
    assert.deepEqual(await waited(half(), 'applied'), { reached: ['w1'], code: 'timeout', details: ['w2: refused'] }));
  test('on a WEC that no policy sends it to', async () =>
    assert.deepEqual((await waited(good(), 'applied', ['w3'])).details, ['w3: no policy sends it there']));
  test('where nothing sends it', async () => {
    const { code, details } = await waited(wds([], inWds.slice(0, 2)), 'applied');
    assert.deepEqual([code, details], ['timeout', ['no WEC: no binding policy of wds1 selects any object']]);
  });
  test('not for a status that nobody asks for', async () =>
    assert.equal((await waited(good(), 'status')).code, 'usage'));
});
