import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { ApiError } from '../../../../../src/lib/kube/client/errors.ts';
import type { Condition, KubeObject } from '../../../../../src/lib/kube/client/objects.ts';
import { originWdsLabel } from '../../../../../src/lib/ocm/model/kubestellar-names.ts';
import type { ManifestWork } from '../../../../../src/lib/ocm/model/manifest-works.ts';
import { clusterNameLabel } from '../../../../../src/lib/ocm/model/ocm-names.ts';
import type { ManagedCluster } from '../../../../../src/lib/ocm/model/ocm-objects.ts';
import { makeOrphans } from '../../../../../src/lib/ocm/orphan-works.ts';
import { deleteCluster, forceOf } from '../../../../../src/lib/wecs/deregister/delete-cluster.ts';
import { deregisterOne } from '../../../../../src/lib/wecs/deregister/deregister.ts';
import {
  readHubState,
  refuseReregistered,
  removeLateRequests,
} from '../../../../../src/lib/wecs/deregister/leftovers.ts';
import {
  fakeKube,
  foreseenKube,
  hubState,
  inspectedWec,
  joinedCluster,
  listsWhatItGets,
  proof,
  recordingProgress,
  run,
} from '../../../support/builders.ts';
import { discoveryOf } from '../../../support/discovery.ts';
import { fakeTime, hurry, realTime } from '../../../support/fake-time.ts';

const condition = (type: string, observedGeneration: number): Condition => ({
  type,
  status: 'True',
  observedGeneration,
});

/** A work with option Orphan at generation 2, as OCM 1.3.1 shows it. */
function orphanedWork(conditions: Condition[]): ManifestWork {
  const resourceMeta = {
    group: '',
    version: 'v1',
    resource: 'configmaps',
    name: 'web',
    namespace: 'default',
  };
  return {
    metadata: { name: 'w1', namespace: 'wec1', uid: 'u1', generation: 2 },
    spec: { deleteOption: { propagationPolicy: 'Orphan' } },
    status: {
      conditions,
      resourceStatus: { manifests: [{ resourceMeta, conditions: [condition('Applied', 1)] }] },
    },
  } as ManifestWork;
}

const hubWith = (work: ManifestWork): Kube => fakeKube({ get: async () => work });

/** A WEC that policies may select by a label. */
function joined(): ManagedCluster {
  const cluster = joinedCluster({ name: 'wec1', labels: { env: 'edge' } });
  cluster.metadata.uid = 'm1';
  return cluster;
}

/** How the state of that WEC is read from a hub. */
const rereadOf = (hub: Kube) => () => readHubState(listsWhatItGets(hub), 'wec1');

const deregistered = async (hub: Kube, keepWorkloads: boolean, permit?: () => Promise<void>) =>
  deregisterOne(
    hub,
    inspectedWec({ name: 'wec1', hubState: await rereadOf(hub)() }),
    { keepWorkloads, cleanup: false, force: false, ...(permit && { permit }) },
    async () => assert.fail('asked'),
    run(10_000),
  );

test('a WEC that policies select by ordinary labels loses them, and then its works, before it is deleted', async (t) => {
  hurry(t);
  let cluster: ManagedCluster | undefined = joined();
  // A work of a WDS, which its transport removes once it has seen that the policy no longer selects the WEC.
  const work = {
    metadata: { name: 'w1', namespace: 'wec1', uid: 'u1', labels: { [originWdsLabel]: 'wds1' } },
  };
  let works: KubeObject[] = [work];
  const written: string[] = [];
  const hub = fakeKube({
    get: async ({ kind }) => (kind === 'ManagedCluster' ? cluster : undefined),
    list: async ({ kind }) => {
      if (kind !== 'ManifestWork') return [];
      const seen = works;
      if (written.length > 0) works = [];
      return seen;
    },
    read: discoveryOf(),
    merge: (async (_, name, { metadata }: { metadata: { labels: object } }) => {
      written.push(`patch ${name} ${JSON.stringify(metadata.labels)}`);
    }) as Kube['merge'],
    delete: async ({ kind }, { metadata: { name, uid } }) => {
      written.push(`delete ${kind} ${name} ${uid} with ${works.length} works`);
      cluster = undefined;
      return true;
    },
  });
  const result = await deregistered(hub, false);
  assert.deepEqual(result, { name: 'wec1', changed: true });
  assert.deepEqual(written, [
    'patch wec1 {"env":null}',
    'delete ManagedCluster wec1 m1 with 0 works',
  ]);
});

test('a WEC that another writer has taken is not deleted, neither at first nor once its works are gone', async () => {
  for (const takenAt of [1, 2]) {
    const cluster = joined();
    const hub = fakeKube({
      get: async ({ kind }) => (kind === 'ManagedCluster' ? cluster : undefined),
      list: async () => [],
      read: discoveryOf(),
      delete: async () => assert.fail('deleted'),
      fork: () => ({ ...hub, close: () => {} }),
    });
    let asked = 0;
    const permit = async () => {
      asked += 1;
      if (asked === takenAt) throw new StellarError('conflict', 'taken');
    };
    const { error } = await deregistered(hub, false, permit);
    assert.equal(error?.code, 'conflict');
  }
});

test('works that are recreated right after an interrupted run are orphaned before the WEC is deleted, with --keep-workloads', async (t) => {
  hurry(t);
  let cluster: ManagedCluster | undefined = joined();
  const labels = { [originWdsLabel]: 'wds1' };
  // KubeStellar recreates it, because the labels were restored; its agent answers at once.
  const work = orphanedWork([condition('Applied', 2)]);
  let works: ManifestWork[] = [];
  const written: string[] = [];
  const hub = fakeKube({
    get: async ({ kind }) =>
      kind === 'ManagedCluster' ? cluster : kind === 'ManifestWork' ? work : undefined,
    list: async ({ kind }) => (kind === 'ManifestWork' ? works : []),
    read: discoveryOf(),
    merge: async ({ kind }, name) => {
      written.push(`patch ${kind} ${name}`);
      works =
        kind === 'ManagedCluster'
          ? [{ ...work, metadata: { ...work.metadata, labels }, spec: {} }]
          : [];
    },
    delete: async ({ kind }, { metadata: { name } }) => {
      written.push(`delete ${kind} ${name}`);
      cluster = undefined;
      return true;
    },
  });
  await deregistered(hub, true);
  assert.deepEqual(written, [
    'patch ManagedCluster wec1',
    'patch ManifestWork w1',
    'delete ManagedCluster wec1',
  ]);
});

test('a Complete work, which its agent no longer applies, is released on the WEC', async () => {
  const work = orphanedWork([condition('Applied', 1), condition('Complete', 2)]);
  const released: string[] = [];
  await makeOrphans(foreseenKube(hubWith(work)), [work], run(2000), {
    release: async (_, manifests) => {
      released.push(...manifests.map(({ resourceMeta }) => resourceMeta?.name ?? ''));
    },
  });
  assert.deepEqual(released, ['web']);
});

test('a work is not taken for gone, and so for orphaned, if the ITS does not serve ManifestWork', async () => {
  const work = orphanedWork([condition('Applied', 2)]);
  const hub = fakeKube({ get: async () => undefined, list: async () => undefined });
  await assert.rejects(
    makeOrphans(foreseenKube(hub), [work], run(50)),
    /does not serve manifestworks/,
  );
  await makeOrphans(foreseenKube({ ...hub, list: async () => [] }), [work], run(50));
});

test('a work that has not got option Orphan, because another write came first, is not taken for orphaned', async (t) => {
  hurry(t);
  const orphan = orphanedWork([condition('Applied', 2)]);
  let now: ManifestWork = { ...orphan, spec: {} };
  let conflicts = 2;
  const hub = fakeKube({
    get: async () => now,
    merge: async () => {
      conflicts -= 1;
      if (conflicts >= 0) throw new ApiError(409, {}, 'conflict', 'modified');
      now = orphan;
    },
  });
  await makeOrphans(foreseenKube(hub), [now], run(5000));
  assert.deepEqual([conflicts, now], [-1, orphan]);
});

test('a work that its agent has not processed yet is not released on the WEC', async () => {
  const work = orphanedWork([condition('Applied', 1), condition('Complete', 1)]);
  const released: unknown[] = [];
  await assert.rejects(
    makeOrphans(foreseenKube(hubWith(work)), [work], run(500), {
      release: async (...args) => {
        released.push(args);
      },
    }),
    { code: 'timeout' },
  );
  assert.deepEqual(released, []);
});

test("force counts an agent's time from the deletion", async (t) => {
  fakeTime();
  t.after(realTime);
  const withWork = (deletionTimestamp?: string) =>
    hubState({
      works: [{ metadata: { name: 'w1', uid: 'u1', deletionTimestamp } } as ManifestWork],
      lease: undefined,
    });
  const force = forceOf(
    foreseenKube(fakeKube({ get: async () => undefined })),
    withWork(),
    async () => undefined,
    assert.fail,
  );
  assert.equal(await force.isDue(withWork()), false);
  mock.timers.tick(10_000);
  assert.equal(await force.isDue(withWork('2026-11-20T08:00:10Z')), false);
  mock.timers.tick(10_000);
  assert.equal(await force.isDue(withWork('2026-11-20T08:00:10Z')), false);
  mock.timers.tick(5000);
  assert.equal(await force.isDue(withWork('2026-11-20T08:00:10Z')), true);
});

test('the renewed request of a pending agent is deleted, but never that of a new registration', async () => {
  const deleted: string[] = [];
  const hubOf = (managedCluster?: object): Kube =>
    fakeKube({
      get: async ({ kind }) => (kind === 'ManagedCluster' ? managedCluster : undefined),
      list: async ({ kind }) =>
        kind === 'CertificateSigningRequest'
          ? [{ metadata: { name: 'wec1-x', uid: 'r1', labels: { [clusterNameLabel]: 'wec1' } } }]
          : [],
      read: discoveryOf(),
      delete: async (_, { metadata: { name } }) => deleted.push(name) > 0,
    });
  const anew = hubOf({ metadata: { name: 'wec1', uid: 'm2' } });
  await removeLateRequests(anew, { reread: rereadOf(anew) });
  assert.deepEqual(deleted, []);
  await assert.rejects(refuseReregistered(anew, 'wec1'), { code: 'still-registered' });
  await removeLateRequests(hubOf(), { reread: rereadOf(hubOf()) });
  assert.deepEqual(deleted, ['wec1-x']);
  await refuseReregistered(hubOf(), 'wec1');
});

test('a WEC that gets works while it is being deleted loses the labels that select it', async () => {
  const cluster = {
    metadata: { name: 'wec1', uid: 'm1', labels: { env: 'edge' } as Record<string, string | null> },
  };
  const work = {
    metadata: {
      name: 'w1',
      namespace: 'wec1',
      uid: 'w1',
      labels: { 'transport.kubestellar.io/originWdsName': 'wds1' },
    },
  };
  // KubeStellar recreates the work, and the cluster waits for its deletion, as long as the label exists.
  const isSelected = () => cluster.metadata.labels.env === 'edge';
  const hub = fakeKube({
    get: async ({ kind }) => (kind === 'ManagedCluster' && isSelected() ? cluster : undefined),
    list: async ({ kind }) => (kind === 'ManifestWork' && isSelected() ? [work] : []),
    read: discoveryOf(),
    merge: async (_, __, patch) =>
      Object.assign(cluster.metadata, (patch as typeof cluster).metadata),
    delete: async () => true,
  });
  const before = hubState({
    name: 'wec1',
    managedCluster: proof(structuredClone(cluster) as never),
    reread: rereadOf(hub),
  });
  await deleteCluster(foreseenKube(hub), before, undefined, run(3000));
  assert.deepEqual(cluster.metadata.labels, { env: null });
});

test('a dry run records the deletion of a ManagedCluster, and does not wait for it or report it', async () => {
  const deletedWith = async (dryRun: boolean) => {
    const written: string[] = [];
    const hub = fakeKube({
      dryRun,
      get: async () => undefined,
      list: async () => [],
      read: discoveryOf(),
      delete: async ({ kind }, { metadata: { name, uid } }) =>
        written.push(`delete ${kind} ${name} ${uid}`) > 0,
    });
    const before = hubState({
      name: 'wec1',
      managedCluster: proof(joined()),
      reread: rereadOf(hub),
    });
    const progress = recordingProgress();
    await deleteCluster(foreseenKube(hub), before, undefined, { ...run(2000, progress), dryRun });
    const reported = progress.lines.filter((line) => line.startsWith('changed'));
    return { written, reported };
  };
  const written = ['delete ManagedCluster wec1 m1'];
  assert.deepEqual(await deletedWith(true), { written, reported: [] });
  assert.deepEqual(await deletedWith(false), {
    written,
    reported: ['changed wec1 ManagedCluster deleted'],
  });
});
