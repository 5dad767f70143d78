import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError } from '../../../../src/lib/kube/client/errors.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { getWec } from '../../../../src/lib/wecs/get.ts';
import { listWecs } from '../../../../src/lib/wecs/list.ts';
import { removeLabels } from '../../../../src/lib/wecs/registration/saved-labels.ts';
import {
  fakeKube,
  foreseenKube,
  joinedCluster,
  lease,
  type ManagedClusterOptions,
  now,
} from '../../support/builders.ts';
import { discoveryOf } from '../../support/discovery.ts';
import { matches } from '../../support/steps.ts';

const forbidden = () => new ApiError(403, {}, 'forbidden', 'Not allowed on its1');

/** An ITS with one WEC. @param age of its lease in seconds; undefined where this user may not read leases */
function hubWith(cluster: ManagedClusterOptions, age: number | undefined) {
  const objects: Record<string, KubeObject[]> = { ManagedCluster: [joinedCluster(cluster)] };
  const of = (kind: string): KubeObject[] => {
    if (kind !== 'Lease') return objects[kind] ?? [];
    if (age === undefined) throw forbidden();
    return [lease(age)];
  };
  return fakeKube({
    read: discoveryOf(),
    list: async ({ kind }) => of(kind),
    get: async ({ kind }, name) => of(kind).find(({ metadata }) => metadata.name === name),
    now: () => now,
  });
}

const listed = async (cluster: ManagedClusterOptions, age: number | undefined) => {
  const [item] = await listWecs(hubWith(cluster, age), { pending: false });
  assert.ok(item);
  return item;
};

describe('the list and the view of one WEC agree', () => {
  const cases: [what: string, cluster: ManagedClusterOptions, age: number | undefined][] = [
    ['of a WEC that is well', {}, 20],
    ['of an agent that has just been stopped', {}, 150],
    ['of a lease that has stopped, before the hub says so', {}, 301],
    ['of a lease that has stopped, after the hub has said so', { available: 'unknown' }, 312],
    ['to those who may not read leases', { available: 'unknown' }, undefined],
  ];
  for (const [what, cluster, age] of cases) {
    test(what, async () => {
      const item = await listed(cluster, age);
      const view = await getWec(hubWith(cluster, age), 'cluster1', undefined, async () => []);
      assert.deepEqual([item.stage, item.blockedAt], [view.stage, view.blockedAt]);
      const reason = item.reason.replaceAll(/[()]/g, (sign) => `\\${sign}`);
      if (reason !== '') matches(view.diagnosis?.problem, new RegExp(reason));
      else assert.equal(view.diagnosis, null);
    });
  }
});

test('a dead cluster is never shown as available, and its lease has one age', async () => {
  const { stage, available, blockedAt, reason } = await listed({ available: 'unknown' }, 312);
  assert.deepEqual([stage, available], ['joined', null]);
  assert.deepEqual(blockedAt, { stage: 'available', state: 'failed', why: reason });
  assert.equal(reason, 'lease stopped 5m12s ago');
});

test('a user who may not read leases still gets the list', async () => {
  const { available, stage, blockedAt, leaseRenewed } = await listed({}, undefined);
  assert.deepEqual([available, stage, blockedAt, leaseRenewed], [true, 'available', null, null]);
});

test('an agent that misses renewals is reported before the hub calls it unavailable', async () => {
  const { stage, blockedAt, problem, reason } = await listed({}, 150);
  assert.deepEqual([stage, blockedAt, problem], ['available', null, false]);
  assert.equal(reason, 'lease not renewed for 2m30s (due every 60s)');
  assert.equal((await listed({}, 119)).reason, '');
});

test('an interrupted deregistration is shown wherever the WEC is', async () => {
  const cluster = joinedCluster({ labels: { region: 'east' } });
  const hub = fakeKube({
    read: discoveryOf(),
    list: async ({ kind }) => (kind === 'ManagedCluster' ? [cluster] : []),
    get: async ({ kind }) => (kind === 'ManagedCluster' ? cluster : undefined),
    async merge(_resource, _name, patch) {
      const { annotations } = (patch as { metadata: { annotations: Record<string, string> } })
        .metadata;
      cluster.metadata.annotations = { ...cluster.metadata.annotations, ...annotations };
      return cluster;
    },
    now: () => now,
  });
  await removeLabels(foreseenKube(hub), cluster);
  const [item] = await listWecs(hub, { pending: false });
  matches(item?.reason, /deregistration is unfinished; its labels are removed/);
  const { diagnosis } = await getWec(hub, 'cluster1', undefined, async () => []);
  matches(diagnosis?.problem, /^The deregistration of cluster1 is unfinished/);
  assert.equal(diagnosis?.next, 'stellarctl deregister cluster1 --its its1');
});

describe('to a user who may not list requests', () => {
  const kube = (cluster: object) =>
    fakeKube({
      list: async ({ kind }) => {
        if (kind === 'CertificateSigningRequest') throw forbidden();
        return kind === 'ManagedCluster' ? [cluster] : [];
      },
      now: () => now,
    });
  test('a joined WEC is shown, and what is not visible is said', async () => {
    const notes: string[] = [];
    const [item] = await listWecs(kube(joinedCluster()), { pending: false }, (note) =>
      notes.push(note),
    );
    assert.deepEqual([item?.state, item?.requests], ['available', null]);
    assert.deepEqual(notes, [
      'Clusters that only ask to join are not visible: this user may not read certificatesigningrequests.',
    ]);
  });
  test('the stage of a WEC that has not joined is not visible', async () => {
    const [item] = await listWecs(kube({ metadata: { name: 'cluster1' } }), { pending: false });
    assert.equal(item?.state, 'not visible');
  });
  test('an unreadable list of pending requests is not empty', () =>
    assert.rejects(listWecs(kube(joinedCluster()), { pending: true }), { code: 'forbidden' }));
});
