import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeEffect } from '../../../../src/lib/core/read-confirmed.ts';
import { takenBy, unforeseenIn } from '../../../../src/lib/forecast/losses.ts';
import { readPolicyForecast } from '../../../../src/lib/forecast/read-policy-forecast.ts';
import { hidden } from '../../../../src/lib/kube/access.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import {
  applyPolicy,
  type PolicyChange,
  unforeseenBy,
} from '../../../../src/lib/policies/create-policy.ts';
import type { Wds } from '../../../../src/lib/spaces/choose/open-wds.ts';
import { evaluate } from '../../../../src/lib/workloads/selection/policy-subject.ts';
import { joinedCluster } from '../../support/builders.ts';
import { binding, policy, uidOf, workOf } from '../../support/policy-builders.ts';
import { MemoryCluster, soon } from '../../support/space-builders.ts';
import { WorkloadCluster } from '../../support/workload-cluster.ts';
import { openWds } from '../workloads/open-wds.ts';

type Typed = KubeObject & { kind: string };
const edge = [{ matchLabels: { env: 'edge' } }];
const clause = (apiGroup: string, resource: string) => ({
  apiGroup,
  resources: [resource],
  objectNames: ['*'],
});
const both = {
  clusterSelectors: edge,
  downsync: [clause('', 'configmaps'), clause('apps', 'deployments')],
};
const narrow = { clusterSelectors: edge, downsync: [clause('', 'configmaps')] };
const objects = [
  { kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'shop' } },
  { kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' } },
] as Typed[];
const bound = [
  { group: '', version: 'v1', resource: 'configmaps', namespace: 'shop', name: 'settings' },
  { group: 'apps', version: 'v1', resource: 'deployments', namespace: 'shop', name: 'web' },
];
const wec = (name: string, env: string) => joinedCluster({ name, labels: { env } });
const wecEdge = (name: string) => wec(name, 'edge');

const policyWith = (spec: object, metadata: object = {}) =>
  ({ kind: 'BindingPolicy', metadata: { name: 'shop', uid: 'u', ...metadata }, spec }) as Typed;

/** The spec that a merge patch says: null takes a field away. */
const patchedSpec = (patch: { spec?: object }) =>
  Object.fromEntries(Object.entries(patch.spec ?? {}).filter(([, value]) => value !== null));

const readPolicies = async () => ({ policies: [], unread: [] });

/** What a WEC has of the policy as it is. */
const sentTo = (wec: string, uid = uidOf('shop')) => ({
  ...workOf('shop', 'wds1', wec, uid),
  spec: {
    workload: {
      manifests: bound.map(({ group, version, namespace, name, resource }) => ({
        apiVersion: group ? `${group}/${version}` : version,
        kind: resource === 'configmaps' ? 'ConfigMap' : 'Deployment',
        metadata: { namespace, name },
      })),
    },
  },
});

/** The loss of a change, as it is shown, and the writes. @param hide changes what the WDS answers */
async function change(
  spec: object,
  hide: (inWds: WorkloadCluster) => void = () => {},
  wecs = [wec('w1', 'edge'), wec('w2', 'edge')],
  contextsNamed: NonNullable<Wds['contextsNamed']> = async () => [],
  works: KubeObject[] = ['w1', 'w2'].map((each) => sentTo(each)),
  its?: Wds['its'],
) {
  const stored = policyWith(both);
  const sent = binding('shop', { destinations: ['w1', 'w2'], objects: bound });
  const inWds = new WorkloadCluster([...objects, sent, stored]);
  const merge = async (_kind: object, _name: string, patch: object) =>
    Object.assign(stored, { spec: patchedSpec(patch) });
  Object.assign(inWds.kube, { merge });
  hide(inWds);
  let shown: PolicyChange | undefined;
  const confirm = async (seenNow: PolicyChange) => {
    shown = seenNow;
    return false;
  };
  const wds = openWds(inWds.kube, new MemoryCluster([...wecs, ...works]).kube, {
    contextsNamed,
    ...(its && { its }),
  });
  const { error } = await applyPolicy({ name: 'shop', spec, wds, readPolicies }, confirm, soon());
  assert.ok(shown);
  return {
    code: error?.code,
    lost: takenBy(shown.effects).map(describeEffect),
    sentTo: shown.effects.sentTo,
    unforeseen: unforeseenBy(shown),
  };
}

test('what works have and the new policy does not select is lost', async () => {
  const lost = ['Deployment shop/web on w1', 'Deployment shop/web on w2'];
  assert.deepEqual(await change(narrow), { code: undefined, lost, sentTo: 2, unforeseen: [] });
  assert.deepEqual((await change({ ...both, clusterSelectors: [] })).lost, [
    'ConfigMap shop/settings on w1',
    'Deployment shop/web on w1',
    'ConfigMap shop/settings on w2',
    'Deployment shop/web on w2',
  ]);
  assert.deepEqual((await change(both)).lost, []);
});

test('an empty Binding does not hide what its works show, and works of a namesake are not its own', async () => {
  const changing = (hide: (inWds: WorkloadCluster) => void, uid = uidOf('shop')) =>
    change(narrow, hide, undefined, undefined, [sentTo('w1', uid)]);
  const isBinding = ({ kind }: { kind?: string }) => kind === 'Binding';
  const empty = (inWds: WorkloadCluster) =>
    Object.assign(inWds.objects.find(isBinding) ?? {}, { spec: {} });
  const without = (inWds: WorkloadCluster) =>
    Object.assign(inWds.objects.find(isBinding)?.metadata ?? {}, { name: 'another' });
  for (const hide of [empty, without]) {
    const { lost, unforeseen } = await changing(hide);
    assert.deepEqual([lost, unforeseen], [['Deployment shop/web on w1'], []]);
  }
  assert.deepEqual((await changing(() => {})).unforeseen, []);
  const unread = await change(narrow, empty, undefined, undefined, [], hidden('no route'));
  assert.deepEqual(unread.unforeseen, ['its works could not be read: no route']);
  const foreign = await changing(() => {}, uidOf('foreign'));
  assert.match(String(foreign.unforeseen), /has works of a shop of another wds1, on w1/);
});

test('a policy that is not what was applied is no success', async () => {
  const refuse = (inWds: WorkloadCluster) =>
    Object.assign(inWds.kube, { merge: async () => ({ metadata: { name: 'shop' } }) });
  assert.equal((await change(narrow, refuse)).code, 'conflict');
});

test('a WEC that leaves counts beside one that stays', async () => {
  const found = await change(narrow, undefined, [wec('w1', 'edge'), wec('w2', 'other')]);
  assert.deepEqual(found.lost, [
    'Deployment shop/web on w1',
    'ConfigMap shop/settings on w2',
    'Deployment shop/web on w2',
  ]);
});

test('a kind that the old policy selects and cannot be listed is lost all the same', async () => {
  const forbid = (inWds: WorkloadCluster) => inWds.forbidden.add('deployments');
  assert.deepEqual((await change(narrow, forbid)).lost, [
    'Deployment shop/web on w1',
    'Deployment shop/web on w2',
  ]);
});

test('what the new policy may select and cannot be listed is unknown', async () => {
  const wider = { ...both, downsync: [...both.downsync, clause('', 'services')] };
  const forbid = (inWds: WorkloadCluster) => inWds.forbidden.add('deployments');
  const { lost, unforeseen } = await change(wider, forbid);
  assert.equal(lost.length, 0);
  assert.match(String(unforeseen), /^deployments could not be read: /);
  const starting = (inWds: WorkloadCluster) => {
    const { read } = inWds.kube;
    Object.assign(inWds.kube, {
      read: async (path: string) => {
        if (path === '/apis') throw apiError(inWds.kube.cluster, 503, '{}');
        return read(path);
      },
    });
  };
  await assert.rejects(change(wider, starting), { code: 'api-error' });
});

test('a policy that somebody else has created meanwhile is not overwritten; a lost answer is no other policy', async () => {
  const created = async (spec: object) => {
    const inWds = new WorkloadCluster([]);
    const policies: Typed[] = [];
    Object.assign(inWds.kube, {
      get: async () => policies[0],
      create: async () => {
        policies.push(policyWith(spec));
        throw apiError(inWds.kube.cluster, 409, '{"message":"exists"}');
      },
    });
    const wds = openWds(inWds.kube);
    const { error } = await applyPolicy(
      { name: 'shop', spec: narrow, wds, readPolicies },
      async () => false,
      soon(),
    );
    assert.deepEqual(inWds.writes, []);
    return error?.code;
  };
  assert.equal(await created(both), 'name-taken');
  assert.equal(await created(narrow), undefined);
});

test('a policy whose status KubeStellar writes meanwhile is changed; one that somebody has changed is not', async () => {
  const changed = async (generation: number) => {
    const inWds = new WorkloadCluster([]);
    let policy = policyWith(narrow, { generation: 1, resourceVersion: '1' });
    Object.assign(inWds.kube, {
      pause: async () => {},
      get: async () => policy,
      merge: async (_kind: object, _name: string, patch: Typed) => {
        const { resourceVersion } = patch.metadata;
        if (resourceVersion !== '2') {
          policy = policyWith(narrow, { generation, resourceVersion: '2' });
          throw apiError(inWds.kube.cluster, 409, '{"message":"modified"}');
        }
        policy = policyWith(both);
      },
    });
    const wds = openWds(inWds.kube);
    const { error } = await applyPolicy(
      { name: 'shop', spec: both, wds, readPolicies },
      async () => false,
      soon(),
    );
    return error?.message;
  };
  assert.equal(await changed(1), undefined);
  assert.equal(await changed(2), 'Policy shop has changed since it was shown.');
});

test('a change shows what it overwrites on WECs that a context is proven to lead to', async () => {
  const system = { kind: 'Namespace', metadata: { name: 'kube-system', uid: 'uid-of-w1' } };
  const recorded = wec('w1', 'edge');
  recorded.metadata.annotations = { 'stellarctl.kubestellar.io/kube-system-uid': 'uid-of-w1' };
  const shownWith = async (owners: object[], wecs = [recorded]) => {
    const settings = structuredClone(objects[0]) as Typed;
    Object.assign(settings.metadata, { ownerReferences: owners });
    const onWec = new MemoryCluster([system as Typed, settings]);
    return (
      await change(
        narrow,
        () => {},
        wecs,
        async () => [onWec.kube],
        [],
      )
    ).lost;
  };
  const taken = 'overwritten: ConfigMap shop/settings on w1';
  assert.ok((await shownWith([])).includes(taken));
  assert.ok(!(await shownWith([{ kind: 'AppliedManifestWork', name: 'x' }])).includes(taken));
  assert.ok(!(await shownWith([], [wec('w1', 'edge')])).includes(taken));
});

test('namesakes that another WDS sends are unknown unless its Bindings show that they are not combined', async () => {
  const like = { group: 'apps', resource: 'deployments', namespace: 'pay', name: 'web' };
  const foreign = (wec: string) => {
    const { metadata } = workOf('pay', 'wds2', wec);
    const manifest = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: like };
    return { kind: 'ManifestWork', metadata, spec: { workload: { manifests: [manifest] } } };
  };
  const beside = async (wec: string, statusCollectors?: string[]) => {
    const inWds = new WorkloadCluster([...objects]);
    const its = new MemoryCluster([wecEdge(wec === 'w9' ? 'w1' : wec), foreign(wec)]);
    const other = policy('pay', {
      wds: 'wds2',
      objects: [{ ...like, ...(statusCollectors && { statusCollectors }) }],
    });
    const read = async () => ({ policies: statusCollectors ? [other] : [], unread: [] });
    const subject = await evaluate('shop', both, openWds(inWds.kube, its.kube));
    const asked = { subject, present: undefined, stops: undefined, overwritten: [] };
    return unforeseenIn(await readPolicyForecast({ ...asked, readPolicies: read }));
  };
  const says =
    'KubeStellar would confuse the statuses of Deployment shop/web and Deployment pay/web, and crash';
  assert.deepEqual(await beside('w1'), [`${says}, if WDS wds2 combines them`]);
  assert.deepEqual(await beside('w1', ['replicas']), [`on w1, ${says}`]);
  assert.deepEqual(await beside('w1', []), []);
  assert.deepEqual(await beside('w9'), []);
});
