import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stepLines } from '../../../../src/lib/core/next-step.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import type { BindingPolicy } from '../../../../src/lib/ocm/model/kubestellar-names.ts';
import { type PolicyWait, waitForPolicy } from '../../../../src/lib/policies/wait-policy.ts';
import type { Wds } from '../../../../src/lib/spaces/choose/open-wds.ts';
import { hasReached } from '../../../../src/lib/workloads/delivery/judged-objects.ts';
import {
  type WorkloadGoal,
  waitForWorkload,
} from '../../../../src/lib/workloads/delivery/wait-workload.ts';
import { getWorkload } from '../../../../src/lib/workloads/delivery/workload.ts';
import { listPolicies } from '../../../../src/lib/workloads/policy/policy-list.ts';
import { getPolicyView } from '../../../../src/lib/workloads/policy/policy-view.ts';
import { listWorkloads, type Wanted } from '../../../../src/lib/workloads/workload-list.ts';
import { joinedCluster } from '../../support/builders.ts';
import { soon } from '../../support/space-builders.ts';
import { WorkloadCluster } from '../../support/workload-cluster.ts';
import { notedWork, openWds } from './open-wds.ts';

const labels = { app: 'shop' };
type Typed = KubeObject & { kind: string };
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
      workload: {
        clusterScope: [bound('namespaces', 'shop')],
        namespaceScope: [bound('configmaps', 'c', 'shop')],
      },
      destinations: [{ clusterId: 'w1' }, { clusterId: 'w2' }],
    },
    status: { observedGeneration: 1 },
  } as KubeObject,
];
const wec = (name: string) => ({ ...joinedCluster(), metadata: { name } }) as Typed;

/** A work of both objects. @param applied the agent's condition of the ConfigMap */
function work(on: string, applied: 'True' | 'False', generation = 1): Typed {
  const conditions = (status: string) => [
    { type: 'Applied', status, observedGeneration: 1, message: status === 'True' ? '' : 'refused' },
    { type: 'Available', status },
  ];
  const { metadata, ...sent } = notedWork('p', on, '1');
  return {
    ...{ ...sent, metadata: { ...metadata, generation } },
    spec: {
      workload: {
        manifests: [
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels } },
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name: 'c', namespace: 'shop', labels },
          },
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

const inIts = (...objects: KubeObject[]) =>
  new WorkloadCluster([wec('w1'), wec('w2'), ...objects]).kube;
const wds = (works: Typed[], more: KubeObject[] = inWds): Wds =>
  openWds(new WorkloadCluster(more).kube, inIts(...works));
const good = () => wds([work('w1', 'True'), work('w2', 'True')]);
const half = () => wds([work('w1', 'True'), work('w2', 'False')]);
const hidden = { state: 'hidden', why: 'no route', error: undefined } as const;

describe('the policies of a WDS are listed', () => {
  const told = async (of: Wds) =>
    (await listPolicies(of)).view.map(({ name, wecs, objects, deliveries, state, why }) =>
      [
        name,
        wecs.length,
        objects,
        deliveries && `${deliveries.applied}/${deliveries.total}`,
        state,
        why,
      ].join(' '),
    );
  test('with what is applied', async () => assert.deepEqual(await told(good()), ['p 2 2 4/4 ok ']));
  test('with what has failed', async () => {
    assert.deepEqual(await told(half()), ['p 2 2 3/4 failed ConfigMap shop/c on w2: refused']);
    assert.equal((await listPolicies(half())).view[0]?.object, 'configmap/shop/c');
  });
  test('with what an agent has not processed yet', async () =>
    assert.deepEqual(await told(wds([work('w1', 'True', 2), work('w2', 'True')])), [
      'p 2 2 2/4 waiting Namespace shop, and 1 more: the agent of w1 has not answered',
    ]));
  test('with the error that KubeStellar reports', async () => {
    const more = structuredClone(inWds);
    const policy = more.find(({ metadata }) => metadata.name === 'p');
    Object.assign(policy ?? {}, {
      status: { errors: ['singleton is wrong'], observedGeneration: 1 },
    });
    assert.deepEqual(await told(wds([work('w1', 'True'), work('w2', 'True')], more)), [
      'p 2 2 4/4 failed singleton is wrong',
    ]);
  });
  test('without the ITS', async () =>
    assert.deepEqual(await told({ ...good(), its: hidden }), [
      'p 2 2  waiting what its WECs have received is not visible',
    ]));
  test('with one that selects nothing, for which KubeStellar creates no Binding', async () => {
    const [space, object, policy] = structuredClone(inWds) as [KubeObject, KubeObject, KubeObject];
    assert.deepEqual(await told(wds([], [space, object, policy])), [
      'p 0 0 0/0 failed selects no WEC and no object',
    ]);
    Object.assign(policy, { status: {} });
    assert.deepEqual(await told(wds([], [space, object, policy])), [
      'p 0 0 0/0 waiting KubeStellar has not observed policy p',
    ]);
    policy.metadata.creationTimestamp = '2020-01-01T00:00:00Z';
    const late = [
      'p 0 0 0/0 failed KubeStellar has not observed policy p, for longer than expected',
    ];
    assert.deepEqual(await told(wds([], [space, object, policy])), late);
  });
  const stopped = (object: object, status: object, to = ['w1', 'w2']) => {
    const [space, configMap, policy, binding] = structuredClone(inWds) as (KubeObject & {
      spec: object;
    })[];
    Object.assign(configMap as object, {
      ...object,
      metadata: { ...configMap?.metadata, ...(object as KubeObject).metadata },
    });
    const destinations = to.map((clusterId) => ({ clusterId }));
    Object.assign(binding?.spec ?? {}, { destinations });
    Object.assign(binding as object, { status });
    return wds([], [space, configMap, policy, binding] as KubeObject[]);
  };
  const template = {
    metadata: { annotations: { 'control.kubestellar.io/expand-templates': 'true' } },
    data: { a: '{{.region}}' },
  };
  test('with one of which the transport sends nothing, and why, as soon as it has not', async () => {
    const large = stopped({ data: { a: 'x'.repeat(600 * 1024) } }, {});
    assert.deepEqual(await told(large), [
      'p 2 2 0/4 failed 1 object is larger than the 500 KiB that KubeStellar sends by default: it then sends no object of the policy, and reports no error (ConfigMap shop/c: 601 KiB)',
    ]);
    const error = { observedGeneration: 1, errors: ['map has no entry for key "region"'] };
    const lacking = () => stopped(template, error, ['w2']);
    assert.match(
      (await told(lacking()))[0] ?? '',
      /WEC w2 lacks 1 property .* \(ConfigMap shop\/c asks for region\)$/,
    );
    const named = { kind: 'configmap', name: 'c', namespace: 'shop' };
    const { deliveries } = (await getWorkload(named, lacking())).view;
    const { code, steps } = deliveries[1] ?? {};
    assert.deepEqual(
      [code, steps],
      ['property-missing', ['Set them: stellarctl wec properties w2 region=VALUE --its its1']],
    );
    const read = { observedGeneration: 1 };
    assert.match((await told(stopped(template, read)))[0] ?? '', /has no work for it/);
  });
  test('with one that is deleted, until its works are gone', async () => {
    const silent = { ...wec('w2'), status: {} };
    const its = new WorkloadCluster([wec('w1'), silent, work('w1', 'True'), work('w2', 'True')]);
    const of = openWds(new WorkloadCluster([]).kube, its.kube);
    const why =
      'it is deleted, and 2 works are being removed from w1, w2, of which w2 not available';
    assert.deepEqual(await told(of), [`p 2 0 0/0 waiting ${why}`]);
    const { view } = await getPolicyView('p', of);
    assert.deepEqual([view.code, view.why], ['policy-deleting', why]);
    await assert.rejects(getPolicyView('other', of), { code: 'not-found' });
  });
  test('with a Binding without a policy', async () => {
    const [space, object, , binding] = structuredClone(inWds) as [
      KubeObject,
      KubeObject,
      KubeObject,
      KubeObject,
    ];
    delete binding.metadata.ownerReferences;
    const list = await told(wds([], [space, object, binding]));
    assert.deepEqual(list, [
      'p 2 2 0/4 failed the Binding of p no longer has a policy, and is not updated',
    ]);
  });
});

test('a policy whose WECs have applied what the transport has not updated counts as its objects do', async () => {
  const objects = structuredClone(inWds);
  // The transport has stopped: works of the earlier Binding are applied.
  Object.assign((objects[3] as KubeObject).metadata, {
    generation: 2,
    creationTimestamp: '2020-01-01T00:00:00Z',
  });
  const of = () => wds([work('w1', 'True'), work('w2', 'True')], objects);
  const [policy] = (await listPolicies(of())).view;
  assert.deepEqual(policy?.deliveries, { total: 4, applied: 0, available: 0, failed: 4 });
  assert.match(
    policy?.why ?? '',
    /^the transport has not read the Binding of p, for longer than expected$/,
  );
  assert.deepEqual(
    (await listWorkloads(of())).view.map(({ wecs, applied, failed }) => [wecs, applied, failed]),
    [
      [2, 0, 2],
      [2, 0, 2],
    ],
  );
  const { state, why } = (await getPolicyView('p', of())).view;
  assert.deepEqual([state, why], [policy?.state, policy?.why]);
});

test('a list of objects may be of a Namespace, of a policy, and of WECs', async () => {
  const listed = async (wanted: Wanted) =>
    (await listWorkloads(half(), wanted)).view.map(({ name, wecs }) => `${name} ${wecs}`);
  assert.deepEqual(await listed({ namespace: 'shop' }), ['ConfigMap shop/c 2']);
  assert.deepEqual(await listed({ namespace: 'other' }), []);
  assert.deepEqual(await listed({ wec: ['w1'] }), ['Namespace shop 1', 'ConfigMap shop/c 1']);
  assert.deepEqual(await listed({ wec: ['w9'] }), []);
  assert.deepEqual(await listed({ policy: 'p', wec: ['w2'], namespace: 'shop' }), [
    'ConfigMap shop/c 1',
  ]);
  assert.deepEqual(await listed({ policy: 'other' }), []);
});

test('the objects of a WDS are listed, with the number of WECs that have them', async () => {
  const counts = async (of: Wds) =>
    (await listWorkloads(of)).view.map(({ name, wecs, applied, available, failed }) => [
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
  const cluster = new WorkloadCluster(inWds);
  cluster.forbidden.add('configmaps');
  const unread = { ...half(), kube: cluster.kube };
  assert.deepEqual(await counts(unread), [
    ['Namespace shop', 2, 2, 2, 0],
    ['ConfigMap shop/c', 2, null, null, null],
  ]);
});

test('a policy shows its objects on each WEC, several of them in one work', async () => {
  const {
    view: { objects, binding, wecs },
  } = await getPolicyView('p', half());
  assert.deepEqual([binding, wecs], [{ generation: 1, observed: 1 }, ['w1', 'w2']]);
  assert.deepEqual(
    objects.map(({ kind, deliveries }) => [
      kind,
      ...deliveries.map(({ wec: on, done, code }) => `${on} ${done} ${code}`),
    ]),
    [
      ['Namespace', 'w1 true null', 'w2 true null'],
      ['ConfigMap', 'w1 true null', 'w2 false not-applied'],
    ],
  );
});

test('a work that was written before a transform of its kind changed is reported the same everywhere', async () => {
  const written = (time: string) => ({ managedFields: [{ time, manager: 'm' }] });
  const sent = (on: string, time: string) => {
    const given = work(on, 'True');
    Object.assign(given.metadata, written(time));
    return given;
  };
  const transform = {
    kind: 'CustomTransform',
    metadata: { name: 't', ...written('2026-11-20T15:10:00Z') },
    spec: { apiGroup: '', resource: 'configmaps', remove: ['$.data.a'] },
  } as KubeObject;
  const works = [sent('w1', '2026-11-20T15:10:00Z'), sent('w2', '2026-11-20T15:09:59Z')];
  const of = () => wds(works, [...inWds, transform]);
  const { deliveries } = (
    await getWorkload({ kind: 'configmap', name: 'c', namespace: 'shop' }, of())
  ).view;
  assert.deepEqual(
    deliveries.map(({ wec: on, code, next }) => [on, code, next]),
    [
      ['w1', null, null],
      ['w2', 'work-stale', 'stellarctl policy refresh p --wds wds1'],
    ],
  );
  assert.match(
    deliveries[1]?.blockedAt?.why ?? '',
    /CustomTransform t has changed since it was written$/,
  );
  const { objects } = (await getPolicyView('p', of())).view;
  assert.deepEqual(
    objects.map((object) => object.deliveries.map(({ code }) => code)),
    [
      [null, null],
      [null, 'work-stale'],
    ],
  );
  const [policy] = (await listPolicies(of())).view;
  assert.match(policy?.why ?? '', /^ConfigMap shop\/c: its work in mailbox w2 is outdated/);
});

test('a WEC that a slip in a label leaves out is shown with an object of the policy', async () => {
  const labelled = (name: string, env: string) => ({
    ...wec(name),
    metadata: { name, labels: { env } },
  });
  const objects = structuredClone(inWds);
  Object.assign((objects[2] as BindingPolicy).spec ?? {}, {
    clusterSelectors: [{ matchLabels: { env: 'edge' } }],
  });
  const hub = new WorkloadCluster([
    labelled('w1', 'edge'),
    labelled('w2', 'edge'),
    labelled('w3', 'egde'),
  ]);
  const of = openWds(new WorkloadCluster(objects).kube, hub.kube);
  const { problems } = (await getWorkload({ kind: 'configmap', name: 'c', namespace: 'shop' }, of))
    .view;
  assert.deepEqual(
    problems.map(({ problem, next }) => [problem, next?.replace(/ --its .*/, '')]),
    [
      [
        'WEC w3 is not selected: its label env=egde is nearly env=edge.',
        'stellarctl label w3 env=edge --overwrite',
      ],
    ],
  );
});

describe('what could not be read, or is missing, is reported beside the results', () => {
  const named = { kind: 'configmap', name: 'c', namespace: 'shop' };
  const codes = ({ errors }: { errors: readonly { code: string }[] }) => [
    ...new Set(errors.map(({ code }) => code)),
  ];
  const dead = { ...good(), its: hidden };
  const forbidden = (plural: string): Wds => {
    const cluster = new WorkloadCluster([
      wec('w1'),
      wec('w2'),
      work('w1', 'True'),
      work('w2', 'True'),
    ]);
    cluster.forbidden.add(plural);
    return openWds(new WorkloadCluster(inWds).kube, cluster.kube);
  };
  test('nothing if all is seen', async () => {
    assert.deepEqual(codes(await getWorkload(named, good())), []);
    assert.deepEqual(codes(await getPolicyView('p', good())), []);
    assert.deepEqual(codes(await listPolicies(good())), []);
    assert.deepEqual(codes(await listWorkloads(good())), []);
  });
  test('an ITS that is not visible', async () => {
    const reading = await getWorkload(named, dead);
    assert.deepEqual([codes(reading), reading.view.deliveries.length], [['unreachable'], 2]);
    assert.deepEqual(codes(await getPolicyView('p', dead)), ['unreachable']);
    assert.deepEqual(codes(await listPolicies(dead)), ['unreachable']);
    assert.deepEqual(codes(await listWorkloads(dead)), ['unreachable']);
  });
  test('works that may not be read', async () => {
    const { view, errors } = await getWorkload(named, forbidden('manifestworks'));
    assert.deepEqual(codes({ errors }), ['forbidden']);
    assert.deepEqual(
      view.deliveries.map(({ stage, stages }) => [
        stage,
        stages.find(({ id }) => id === 'work')?.state,
      ]),
      [
        ['wec', 'not-visible'],
        ['wec', 'not-visible'],
      ],
    );
    assert.deepEqual(codes(await listWorkloads(forbidden('manifestworks'))), ['forbidden']);
  });
  test('WECs that may not be read, which nothing else proves', async () => {
    const { view } = await getWorkload(named, forbidden('managedclusters'));
    assert.deepEqual(
      view.deliveries.map(({ done, stages }) => [
        done,
        stages.find(({ id }) => id === 'wec')?.state,
      ]),
      [
        [false, 'not-visible'],
        [false, 'not-visible'],
      ],
    );
  });
  test('an object that does not exist', async () => {
    const { view, errors } = await getWorkload({ ...named, name: 'x' }, good());
    assert.deepEqual(
      [codes({ errors }), errors[0]?.message],
      [['not-found'], 'ConfigMap shop/x is not in wds1.'],
    );
    assert.equal(view.deliveries[0]?.code, 'object-missing');
  });
  test('a cluster that is not a WDS', () =>
    assert.rejects(
      listPolicies(openWds(new WorkloadCluster([], ['bindings', 'bindingpolicies']).kube)),
      { code: 'not-found' },
    ));
});

describe('a policy is waited for', () => {
  const waited = async (of: Wds, goal: PolicyWait['goal'], on?: string[]) => {
    const { wecs, error } = await waitForPolicy({ name: 'p', goal, on }, of, soon(0));
    return [wecs, error?.code, error?.details];
  };
  test('on all WECs', async () =>
    assert.deepEqual(await waited(good(), 'applied'), [['w1', 'w2'], undefined, undefined]));
  test('until a stage has failed', async () =>
    assert.deepEqual(await waited(half(), 'applied'), [
      ['w1', 'w2'],
      'workload-blocked',
      ['ConfigMap shop/c on w2: refused'],
    ]));
  test('until it sends to these WECs and no others', async () => {
    assert.deepEqual((await waited(good(), 'applied', ['w2', 'w1']))[1], undefined);
    assert.deepEqual(await waited(good(), 'applied', ['w1']), [
      ['w1', 'w2'],
      'timeout',
      ['its WECs: w1, w2'],
    ]);
  });
  test('but not if it does not exist', async () =>
    assert.equal((await waited(wds([], inWds.slice(0, 2)), 'applied'))[1], 'not-found'));
  test('but not for a status that it asks of nothing', async () =>
    assert.equal((await waited(good(), 'status'))[1], 'usage'));
  test('until it is gone, with its works', async () => {
    assert.deepEqual((await waited(good(), 'gone'))[1], 'timeout');
    assert.deepEqual((await waited(wds([], inWds.slice(0, 2)), 'gone'))[1], undefined);
  });
});

test('an object of which no status is requested does not keep a wait for the status of others', () => {
  const stages = (...states: ('met' | 'waiting')[]) => ({
    stages: states.map((state, index) => ({
      id: ['applied', 'available', 'status'][index] as string,
      title: '',
      state,
    })),
  });
  assert.equal(hasReached(stages('met', 'met'), 'status'), true);
  assert.equal(hasReached(stages('met', 'waiting'), 'status'), false);
  assert.equal(hasReached(stages('met', 'waiting'), 'applied'), true);
  assert.equal(hasReached(stages('met', 'met', 'waiting'), 'status'), false);
});

describe('an object is waited for', () => {
  const named = { kind: 'configmap', name: 'c', namespace: 'shop' };
  const waited = async (of: Wds, goal: WorkloadGoal, on?: string[]) => {
    const { reached, error } = await waitForWorkload({ named, goal, on }, of, soon(0));
    return { reached, code: error?.code, details: error?.details };
  };
  test('on all WECs', async () =>
    assert.deepEqual(await waited(good(), 'available'), {
      ...{ reached: ['w1', 'w2'], code: undefined, details: undefined },
    }));
  test('on some', async () =>
    assert.deepEqual((await waited(half(), 'applied', ['w1'])).reached, ['w1']));
  test('until a stage has failed, which is reported with its code', async () => {
    const { reached, error } = await waitForWorkload(
      { named, goal: 'applied', on: undefined },
      half(),
      soon(0),
    );
    assert.deepEqual(reached, ['w1']);
    assert.deepEqual(
      [error?.code, error?.problem, error?.details],
      ['workload-blocked', 'not-applied', ['w2: refused']],
    );
    assert.match(
      stepLines(error?.next ?? []).join('\n'),
      /get manifestwork \S+ -o yaml\nOnce that is resolved, .*\nSee what blocks it: /,
    );
  });
  test('on a WEC to which no policy sends it', async () => {
    const others = structuredClone(inWds);
    for (const each of others)
      Object.assign((each as { spec?: object }).spec ?? {}, { clusterSelectors: [] });
    const { details } = await waited(wds([wec('w3')], others), 'applied', ['w3']);
    assert.deepEqual(details, ['w3: no policy sends it there']);
  });
  test('but not on a WEC that does not exist', () =>
    assert.rejects(waited(good(), 'applied', ['w1', 'w9']), {
      code: 'not-found',
      message: /no WEC w9 on/,
    }));
  test('although nothing sends it', async () => {
    const { code, details } = await waited(wds([], inWds.slice(0, 2)), 'applied');
    assert.deepEqual(
      [code, details],
      ['workload-blocked', ['no WEC: no binding policy of wds1 selects any object']],
    );
  });
  test('but not if nothing names the ITS', () =>
    assert.rejects(waited({ ...good(), its: hidden }, 'applied'), { code: 'unreachable' }));
  test('but not on an ITS without permission, which is not a timeout', async () => {
    const cluster = new WorkloadCluster([wec('w1'), wec('w2')]);
    cluster.forbidden.add('manifestworks');
    const of = openWds(new WorkloadCluster(inWds).kube, cluster.kube);
    const { code, details } = await waited(of, 'applied');
    assert.equal(code, 'forbidden');
    assert.match(details?.join('\n') ?? '', /^w1, w2: [^\n]+$/);
  });

  test('but not for a status that is not requested', async () => {
    const [, , policy, binding] = structuredClone(inWds) as never as [0, 0, Typed, Typed];
    const metadata = { name: 'g', namespace: 'shop', labels };
    const downsync = [{ resources: ['gadgets'] }];
    const selected = { ...bound('gadgets', 'g', 'shop'), group: 'example.com' };
    const of = wds(
      [],
      [
        { kind: 'Gadget', metadata } as Typed,
        { ...policy, spec: { clusterSelectors: [{}], downsync } } as Typed,
        {
          ...binding,
          spec: {
            workload: { namespaceScope: [selected] },
            destinations: [{ clusterId: 'w1' }, { clusterId: 'w2' }],
          },
        } as Typed,
      ],
    );
    const at = { kind: 'gadget', name: 'g', namespace: 'shop' };
    const { error } = await waitForWorkload(
      { named: at, goal: 'status', on: undefined },
      of,
      soon(0),
    );
    assert.deepEqual(
      [error?.code, error?.message],
      ['usage', 'No policy asks for a status of this Gadget, or its kind has none.'],
    );
  });
});
