import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StellarError } from '../../../../src/lib/core/errors.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { ApiError } from '../../../../src/lib/kube/client/errors.ts';
import {
  type Condition,
  type KubeObject,
  type Pod,
  type Resource,
  resources,
} from '../../../../src/lib/kube/client/objects.ts';
import { withoutFinalizers } from '../../../../src/lib/kube/writes.ts';
import type { ManifestWork } from '../../../../src/lib/ocm/model/manifest-works.ts';
import { managedBy, managedByLabel } from '../../../../src/lib/ocm/model/ocm-names.ts';
import type { ManagedCluster } from '../../../../src/lib/ocm/model/ocm-objects.ts';
import { whyOperatorStays } from '../../../../src/lib/wecs/deregister/clean-up.ts';
import { controllerState, forceOf } from '../../../../src/lib/wecs/deregister/delete-cluster.ts';
import { keepWorkloads } from '../../../../src/lib/wecs/deregister/detach-from-policies.ts';
import {
  foreignObjectsIn,
  othersIn,
  refuseForeignObjects,
} from '../../../../src/lib/wecs/deregister/foreign-objects.ts';
import {
  hasNoRegistration,
  whyDead,
  workAgentPods,
} from '../../../../src/lib/wecs/deregister/inspect-wec.ts';
import {
  mailboxOf,
  readHubState,
  readHubStates,
  refuseReregistered,
  removeLeftovers,
} from '../../../../src/lib/wecs/deregister/leftovers.ts';
import { removeLabels, restoreLabels } from '../../../../src/lib/wecs/registration/saved-labels.ts';
import { appliedWorksOf, hubHash } from '../../../../src/lib/workloads/delivery/applied-works.ts';
import {
  fakeKube,
  foreseenKube,
  hubEvidence,
  hubState,
  inspectedWec,
  joinedCluster,
  lease,
  listsWhatItGets,
  managedCluster,
  now,
  recordingProgress,
  run,
  secondsAgo,
  wecPod,
} from '../../support/builders.ts';
import { discoveryOf } from '../../support/discovery.ts';
import { realTime } from '../../support/fake-time.ts';
import { matches } from '../../support/steps.ts';

const conflict = () => new ApiError(409, {}, 'conflict', 'changed');

const pod = (app: string, ready: boolean, waiting?: string): Pod => ({
  metadata: { name: `${app}-1`, labels: { app } },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    ...(waiting
      ? { containerStatuses: [{ name: 'agent', state: { waiting: { reason: waiting } } }] }
      : {}),
  },
});

it('many WECs are read with one list of each kind, and again together', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `cluster${index}`);
  const asked: string[] = [];
  const objects: Record<string, KubeObject[]> = {
    ManagedCluster: names.map((name) => joinedCluster({ name })),
    Namespace: names.map((name) => ({
      metadata: { name, labels: { 'open-cluster-management.io/cluster-name': name } },
    })),
    ManifestWork: [{ metadata: { name: 'w1', namespace: 'cluster1' } }],
    Lease: names.map((namespace) => ({ metadata: { name: 'managed-cluster-lease', namespace } })),
  };
  const its = (mayList: boolean) =>
    fakeKube({
      async list({ kind }, { namespace } = {}) {
        asked.push(`list ${kind}`);
        if (!mayList && kind === 'ManifestWork' && namespace === undefined)
          throw new ApiError(403, {}, 'forbidden', '');
        return objects[kind] ?? [];
      },
      async get({ kind }, name) {
        asked.push(`get ${kind}`);
        return objects[kind]?.find(({ metadata }) => metadata.name === name);
      },
      read: discoveryOf(),
    });
  const states = await readHubStates(its(true), names);
  assert.equal(asked.length, 7);
  assert.deepEqual(states[1]?.works.length, 1);
  assert.deepEqual(
    states.map((state) => [
      state.managedCluster.object,
      mailboxOf(state)?.metadata.name,
      state.lease?.metadata.namespace,
    ]),
    names.map((name, index) => [objects.ManagedCluster?.[index], name, name]),
  );
  await Promise.all(states.map(({ reread }) => reread()));
  assert.equal(asked.length, 14);
  const single = await readHubStates(its(false), names);
  assert.deepEqual(single[1] && mailboxOf(single[1])?.metadata.name, 'cluster1');
});

describe('an agent', () => {
  const started = (seconds: number, restartCount = 0): Pod => ({
    metadata: { name: 'klusterlet-agent-1' },
    status: {
      phase: 'Running',
      containerStatuses: [
        { name: 'agent', restartCount, state: { running: { startedAt: secondsAgo(seconds) } } },
      ],
    },
  });
  const ready = pod('klusterlet-agent', true);
  const crashing = pod('klusterlet-agent', false, 'CrashLoopBackOff');
  /** By its pods, which may be unseen, by the age of its lease, and by the interval that the ITS wants. */
  const cases: [
    what: string,
    pods: Pod[] | undefined,
    leaseAge: number,
    why?: RegExp | undefined,
    leaseDurationSeconds?: number,
  ][] = [
    ['works if its pod is ready', [ready], 10],
    ['does not work without a pod, however fresh its lease is', [], 10, /^it has no pod$/],
    ['does not work if its pod crashes', [crashing], 10, /CrashLoop/],
    ['that runs and does not reach the ITS does not work either', [ready], 600, /lease/],
    ['that has just started is alive before its first probe', [started(10)], 10],
    ['that has just started needs a lease as well', [started(10)], 600, /lease/],
    ['that is not ready after a while does not work', [started(90)], 10, /is not ready$/],
    ['that was restarted and is not ready does not work', [started(10, 1)], 10, /is not ready$/],
    ['is judged by its lease if its pods cannot be seen', undefined, 10],
    ['renews its lease every minute, and may miss some', undefined, 220],
    ['that misses too many does not work', undefined, 600, /last renewed 10m ago/],
    ['may renew it more rarely if the ITS says so', undefined, 600, undefined, 300],
    ['must renew it more often if the ITS says so', undefined, 60, /last renewed 60s ago/, 10],
  ];
  const why = (managedCluster: ManagedCluster, pods: Pod[] | undefined, leaseAge: number) =>
    whyDead(hubEvidence({ managedCluster, lease: lease(leaseAge) }), pods, now);
  for (const [what, pods, leaseAge, expected = /^works$/, leaseDurationSeconds] of cases)
    it(what, () => {
      const spec = leaseDurationSeconds === undefined ? {} : { leaseDurationSeconds };
      matches(why({ ...joinedCluster(), spec }, pods, leaseAge) ?? 'works', expected);
    });

  it('that never joined does nothing', () =>
    matches(why(managedCluster(), undefined, 10), /never joined/));
});

/** A hub that holds one ManagedCluster and applies merge patches to its labels and annotations. */
function hubWith(cluster: ManagedCluster, conflicts = 0): Kube {
  let left = conflicts;
  const merged = (
    present: Record<string, string> = {},
    patch: Record<string, string | null> = {},
  ) =>
    Object.fromEntries(
      Object.entries({ ...present, ...patch }).filter(([, value]) => value !== null),
    ) as Record<string, string>;
  return fakeKube({
    get: async () => cluster,
    merge: (async (_: unknown, __: string, patch: { metadata: ManagedCluster['metadata'] }) => {
      if (left-- > 0) throw conflict();
      assert.equal(patch.metadata.uid, cluster.metadata.uid);
      assert.ok(patch.metadata.resourceVersion, 'guarded by the resourceVersion');
      cluster.metadata.labels = merged(cluster.metadata.labels, patch.metadata.labels as never);
      cluster.metadata.annotations = merged(
        cluster.metadata.annotations,
        patch.metadata.annotations as never,
      );
      return cluster;
    }) as never,
  });
}

describe('labels', () => {
  const labels = {
    env: 'edge',
    'topology.kubernetes.io/region': 'eu',
    'cluster.open-cluster-management.io/clusterset': 'default',
    'feature.open-cluster-management.io/addon-x': 'available',
  };
  const annotated = () => {
    const cluster = managedCluster({ labels: { ...labels } });
    cluster.metadata.uid = 'u1';
    cluster.metadata.annotations = { env: 'annotated', other: 'kept' };
    return cluster;
  };

  it('are replaced by annotations of the same keys, and both are undone together', async () => {
    const cluster = annotated();
    const hub = hubWith(cluster, 1);
    await removeLabels(foreseenKube(hub), cluster);
    assert.deepEqual(Object.keys(cluster.metadata.labels ?? {}), [
      'cluster.open-cluster-management.io/clusterset',
      'feature.open-cluster-management.io/addon-x',
    ]);
    const {
      env,
      other,
      'topology.kubernetes.io/region': region,
    } = cluster.metadata.annotations ?? {};
    assert.deepEqual({ env, other, region }, { env: 'annotated', other: 'kept', region: 'eu' });
    // Rerun after an interruption: no record of the first run is lost.
    cluster.metadata.labels = { ...cluster.metadata.labels, late: 'x' };
    await removeLabels(foreseenKube(hub), cluster);
    assert.deepEqual(await restoreLabels(foreseenKube(hub), 'cluster1'), {
      env: 'edge',
      'topology.kubernetes.io/region': 'eu',
      late: 'x',
    });
    assert.deepEqual(cluster.metadata.labels, { ...labels, late: 'x' });
    assert.deepEqual(cluster.metadata.annotations, { env: 'annotated', other: 'kept' });
  });

  it('that were set meanwhile keep their new values', async () => {
    const cluster = annotated();
    const hub = hubWith(cluster);
    await removeLabels(foreseenKube(hub), cluster);
    cluster.metadata.labels = { ...cluster.metadata.labels, env: 'core' };
    await restoreLabels(foreseenKube(hub), 'cluster1');
    assert.equal(cluster.metadata.labels?.env, 'core');
  });

  it('of a cluster that is being deleted stay removed', async () => {
    const cluster = annotated();
    const hub = hubWith(cluster);
    await removeLabels(foreseenKube(hub), cluster);
    cluster.metadata.deletionTimestamp = secondsAgo(1);
    assert.equal(await restoreLabels(foreseenKube(hub), 'cluster1'), undefined);
  });
});

describe('finalizers', () => {
  const object = (finalizers: string[], uid = 'u1'): KubeObject => ({
    metadata: { name: 'w', namespace: 'cluster1', uid, resourceVersion: '1', finalizers },
  });
  /** Which of some finalizers are taken out of a work with others. */
  const taken = (kube: Kube, present: string[], ...unwanted: string[]) =>
    withoutFinalizers(
      foreseenKube(kube),
      resources.manifestWorks,
      object(present).metadata,
      unwanted,
    );

  it('of other owners stay', async () => {
    const patches: unknown[] = [];
    const kube = fakeKube({ merge: async (_, __, patch) => patches.push(patch) });
    assert.deepEqual(await taken(kube, ['a', 'b'], 'a', 'c'), ['a']);
    const patch = { metadata: { uid: 'u1', resourceVersion: '1', finalizers: ['b'] } };
    assert.deepEqual(patches, [patch]);
    assert.deepEqual(await taken(kube, ['b'], 'a'), []);
    assert.equal(patches.length, 1);
  });

  it('that were added meanwhile are seen, and another object of the name is not changed', async () => {
    const patched: unknown[] = [];
    const conflictingOnce = (then: KubeObject) => {
      let tries = 0;
      return fakeKube({
        merge: async (_, __, patch) => {
          if (tries++ === 0) throw conflict();
          patched.push((patch as KubeObject).metadata.finalizers);
        },
        get: async () => then,
      });
    };
    assert.deepEqual(await taken(conflictingOnce(object(['a', 'new'])), ['a'], 'a'), ['a']);
    assert.deepEqual(patched, [['new']]);
    assert.deepEqual(await taken(conflictingOnce(object(['a'], 'u2')), ['a'], 'a'), []);
  });
});

it('works are distinguished by the hash of their hub', async () => {
  const work = (hash: string) => ({ metadata: { name: hash }, spec: { hubHash: hash } });
  const [own, other] = [hubHash('https://its1'), hubHash('https://its2')];
  const kube = fakeKube({ list: async () => [work(own), work(other)] });
  assert.deepEqual(
    (await appliedWorksOf(kube, own)).map(({ metadata }) => metadata.name),
    [own],
  );
  assert.deepEqual(await appliedWorksOf(kube, undefined), []);
});

describe('the other contents of a namespace', () => {
  const kinds = {
    v1: [
      'configmaps ConfigMap',
      'secrets Secret',
      'pods Pod',
      'events Event',
      'serviceaccounts ServiceAccount',
      'nodes Node Cluster',
    ],
    'apps/v1': ['deployments Deployment', 'replicasets ReplicaSet'],
    'example.com/v1': ['databases Database', 'leases Lease', 'tenants Tenant Cluster'],
  };
  /** @param objects by plural; undefined for a kind that answers 404 */
  const listing = (objects: Record<string, object[] | undefined>, more: Partial<Kube> = {}): Kube =>
    fakeKube({
      read: discoveryOf(kinds),
      list: async ({ plural }) => (plural in objects ? objects[plural] : []),
      ...more,
    });
  const others = (kube: Kube) =>
    othersIn(kube, 'ns', { isExpected: ({ metadata }) => metadata.name === 'expected' });
  type Owner = [apiVersion: string, kind: string, name: string];
  const owned = (name: string, ...owners: Owner[]) => ({
    metadata: {
      name,
      ownerReferences: owners.map(([apiVersion, kind, of]) => ({
        apiVersion,
        kind,
        name: of,
        uid: `uid of ${of}`,
      })),
    },
  });

  it('are everything without another owner that is not created everywhere', async () => {
    const kube = listing({
      configmaps: [
        { metadata: { name: 'kube-root-ca.crt' } },
        { metadata: { name: 'of-somebody' } },
      ],
      replicasets: [owned('expected-1', ['apps/v1', 'Deployment', 'expected'])],
      pods: [owned('expected-1-2', ['apps/v1', 'ReplicaSet', 'expected-1'])],
      events: [{ metadata: { name: 'event' } }],
      deployments: [{ metadata: { name: 'expected' } }],
    });
    assert.deepEqual(await others(kube), ['ConfigMap of-somebody']);
  });

  it('are the service accounts that somebody created, not those of every namespace', async () => {
    const accounts = ['default', 'builder', 'deployer', 'of-somebody'];
    const kube = listing({ serviceaccounts: accounts.map((name) => ({ metadata: { name } })) });
    assert.deepEqual(await others(kube), ['ServiceAccount of-somebody']);
    // The name matters only for that kind.
    assert.deepEqual(await others(listing({ configmaps: [{ metadata: { name: 'default' } }] })), [
      'ConfigMap default',
    ]);
  });

  it('are what an object outside the namespace owns, alone or with others', async () => {
    const tenant: Owner = ['example.com/v1', 'Tenant', 'acme'];
    const kube = listing({
      databases: [owned('orders', tenant)],
      configmaps: [owned('shared', ['apps/v1', 'Deployment', 'expected'], tenant)],
    });
    assert.deepEqual(await others(kube), ['ConfigMap shared', 'Database orders']);
  });

  it('are what the works of another hub have applied, not those of this registration', async () => {
    const [own, other] = [hubHash('https://its1'), hubHash('https://its2')];
    const work = (hash: string): Owner => [
      'work.open-cluster-management.io/v1',
      'AppliedManifestWork',
      `${hash}-addon`,
    ];
    const kube = listing({
      configmaps: [owned('of-its1', work(own)), owned('of-its2', work(other))],
    });
    assert.deepEqual(await foreignObjectsIn(kube, 'ns', own), ['ConfigMap of-its2']);
    assert.deepEqual(await foreignObjectsIn(kube, 'ns', null), [
      'ConfigMap of-its1',
      'ConfigMap of-its2',
    ]);
  });

  it('include kinds of others that are called like one of Kubernetes', async () =>
    assert.deepEqual(await others(listing({ leases: [{ metadata: { name: 'house' } }] })), [
      'Lease house',
    ]));

  for (const status of [403, 405, 503])
    it(`are unknown if a kind answers ${status}`, () => {
      const list = async ({ plural }: Resource) => {
        if (plural === 'databases') throw new ApiError(status, {}, 'api-error', 'no answer');
        return [];
      };
      return assert.rejects(others(listing({}, { list: list as never })), /no answer/);
    });

  it('are unknown if a kind that discovery names answers 404', () =>
    assert.rejects(
      others(listing({ databases: undefined })),
      /does not serve databases\.example\.com: it is unknown/,
    ));

  it('are unknown if discovery is incomplete, except for metrics, which store nothing', async () => {
    const served = { ...kinds, 'metrics.k8s.io/v1beta1': [] };
    const stale = (...versions: string[]) => listing({}, { read: discoveryOf(served, versions) });
    assert.deepEqual(await others(stale('metrics.k8s.io/v1beta1')), []);
    await assert.rejects(others(stale('example.com/v1')), /does not serve example\.com\/v1/);
    for (const answer of [undefined, {}])
      await assert.rejects(others(listing({}, { read: async () => answer as never })), {
        code: 'api-error',
      });
  });
});

describe('a controller of the hub', () => {
  const held = (age: number, holderIdentity = 'me') => ({
    metadata: { name: 'l' },
    spec: { renewTime: secondsAgo(age), holderIdentity, leaseDurationSeconds: 137 },
  });
  /** Of a namespace that has a Deployment with so many running pods, and a Lease. */
  const stateOf = (pods: number | undefined, lease: object | undefined) =>
    controllerState(
      fakeKube({
        get: async ({ plural }) => {
          if (plural === 'leases') return lease;
          return plural === 'deployments' && pods !== undefined ? { metadata: {} } : undefined;
        },
        list: async ({ plural }) =>
          plural === 'pods'
            ? Array.from({ length: pods ?? 0 }, () => ({
                ...pod('clustermanager-registration-controller', true),
                metadata: { name: 'cluster-manager-registration-controller-1' },
              }))
            : [],
      }),
    );

  it('runs according to its pods and its Lease, and is unknown without both', async () => {
    const cases: [pods: number | undefined, lease: object | undefined, runs?: boolean][] = [
      [1, undefined, true],
      [0, held(5), false],
      [1, held(500), false],
      [undefined, held(5), true],
      [undefined, held(500), false],
      [undefined, held(5, ''), false],
      [undefined, undefined],
    ];
    for (const [pods, lease, runs] of cases)
      assert.equal((await stateOf(pods, lease)).runs, runs, JSON.stringify([pods, lease]));
  });

  it('holds its Lease until that has expired, regardless of its pods', async () => {
    assert.equal((await stateOf(0, held(5))).holdsLease, true);
    assert.equal((await stateOf(0, held(500))).holdsLease, false);
  });
});

describe('--force', () => {
  const work = (uid: string) => ({
    metadata: { name: 'w', uid, finalizers: ['f'], deletionTimestamp: secondsAgo(1) },
  });
  const later = (ms: number) => {
    const at = process.uptime() + ms / 1000;
    process.uptime = () => at;
    return realTime;
  };

  it('counts only after 15 s without progress', async () => {
    const hub = fakeKube({ get: async () => lease(10) });
    const force = forceOf(
      foreseenKube(hub),
      hubState(),
      async () => assert.fail('asked'),
      assert.fail,
    );
    assert.equal(await force.isDue(hubState({ works: [work('u1')] })), false);
    let back = later(16_000);
    assert.equal(
      await force.isDue(hubState({ works: [work('u2')] })),
      false,
      'a work has gone meanwhile',
    );
    back();
    back = later(32_000);
    assert.equal(await force.isDue(hubState({ works: [work('u2')] })), true);
    back();
  });

  it('waits again if the agent has renewed its lease since', async () => {
    const asked: string[] = [];
    const hub = fakeKube({ get: async () => lease(1) });
    const force = forceOf(
      foreseenKube(hub),
      hubState(),
      async (why) => void asked.push(why),
      assert.fail,
    );
    await force.isDue(hubState({ works: [work('u1')] }));
    const back = later(16_000);
    await force.isDue(hubState({ works: [work('u1')] }));
    await force.isDue(hubState({ works: [work('u1')] }));
    back();
    assert.equal(asked.length, 1);
    matches(asked[0], /is running: it has renewed its lease/);
  });
});

describe('a mailbox', () => {
  const label = { 'open-cluster-management.io/cluster-name': 'cluster1' };
  const kinds = {
    v1: ['secrets Secret'],
    'coordination.k8s.io/v1': ['leases Lease'],
    'rbac.authorization.k8s.io/v1': ['rolebindings RoleBinding'],
  };

  let written: string[];
  /** Removes what is left on a hub where a WEC is no longer registered, with these Secrets and works in its mailbox. */
  async function removed(secrets: KubeObject[] | Error, works: KubeObject[] = [], force = false) {
    written = [];
    let isThere = true;
    const namespace = { metadata: { name: 'cluster1', uid: 'u1', labels: label } };
    const inMailbox: Record<string, KubeObject[]> = {
      Lease: [{ metadata: { name: 'managed-cluster-lease' } }],
      RoleBinding: [{ metadata: { name: 'x', namespace: 'cluster1', labels: label } }],
      ManifestWork: works,
    };
    const hub = fakeKube({
      get: async ({ kind }) => (kind === 'Namespace' && isThere ? namespace : undefined),
      list: async ({ kind }) => {
        if (kind === 'Secret' && secrets instanceof Error) throw secrets;
        return kind === 'Secret' ? secrets : (inMailbox[kind] ?? []);
      },
      read: discoveryOf(kinds),
      merge: async (_, name, patch) => {
        written.push(`patch ${name} ${JSON.stringify(patch)}`);
      },
      delete: async ({ kind }, { metadata: { name } }) => {
        written.push(`delete ${kind} ${name}`);
        if (kind === 'Namespace') isThere = false;
        return true;
      },
    });
    const state = {
      name: 'cluster1',
      reread: () => readHubState(listsWhatItGets(hub), 'cluster1'),
    };
    const progress = recordingProgress();
    const left = await removeLeftovers(foreseenKube(hub), state, force, run(5000, progress));
    return { left, said: progress.lines.join('\n') };
  }

  it('is deleted with the WEC if it contains nothing else', async () => {
    const { left } = await removed([]);
    assert.equal(left.removed, true);
    await left.untilGone?.();
    assert.deepEqual(written, ['delete Namespace cluster1']);
  });

  it('is deleted with works of which no agent has applied anything: they came when it had no rights any more', async () => {
    const late = { metadata: { name: 'late', namespace: 'cluster1', uid: 'u2' } };
    await removed([], [late]);
    assert.deepEqual(written, ['delete ManifestWork late', 'delete Namespace cluster1']);
    const finalizers = ['cluster.open-cluster-management.io/manifest-work-cleanup'];
    const applied = { metadata: { ...late.metadata, name: 'applied', finalizers } };
    const why = { code: 'agent-dead', details: ['applied'] };
    await assert.rejects(removed([], [late, applied]), why);
    assert.deepEqual(written, []);
  });

  const stays = { removed: false, untilGone: undefined };
  it('stays with the objects of others, and is no longer a mailbox', async () => {
    const { left, said } = await removed([{ metadata: { name: 'precious' } }], [], true);
    assert.deepEqual([left, written.length], [stays, 1]);
    matches(
      written[0],
      /^patch cluster1 .*"uid":"u1".*"open-cluster-management.io\/cluster-name":null/,
    );
    assert.match(said, /Namespace cluster1 stays on its1: it holds Secret precious\./);
  });

  for (const status of [403, 503])
    it(`stays unchanged if a kind answers ${status}`, async () => {
      const { left, said } = await removed(new ApiError(status, {}, 'api-error', 'no secrets'));
      assert.deepEqual([left, written], [stays, []]);
      assert.match(said, /what else it holds cannot be seen \(no secrets\)/);
    });
});

describe('what a hub does not show is not absent', () => {
  /** A hub where one kind answers 404. */
  const without = (missing: string): Kube =>
    fakeKube({
      get: async () => undefined,
      list: async ({ kind }) => (kind === missing ? undefined : []),
      read: (missing === 'ManagedCluster' ? async () => undefined : discoveryOf()) as never,
      delete: async () => assert.fail('deleted'),
    });
  for (const missing of [
    'ManifestWork',
    'ManagedClusterAddOn',
    'CertificateSigningRequest',
    'ManagedCluster',
  ]) {
    it(`the state of a WEC is unknown if ${missing} answers 404`, () =>
      assert.rejects(readHubState(without(missing), 'cluster1'), /does not serve/));
  }

  it('the klusterlet is not removed while it is unknown whether the WEC was registered again', async () => {
    await assert.rejects(refuseReregistered(without('ManagedCluster'), 'cluster1'), {
      code: 'not-a-hub',
    });
    await refuseReregistered(without('none'), 'cluster1');
  });

  it('a controller without a readable list of pods is not judged', () =>
    assert.rejects(controllerState(without('Pod')), /does not serve pods/));
});

describe('what a cluster does not show is not absent', () => {
  /** @param defined whether the kind has a CustomResourceDefinition */
  const wec = (defined: boolean): Kube =>
    fakeKube({
      get: async ({ kind }) =>
        defined && kind === 'CustomResourceDefinition' ? { metadata: { name: 'x' } } : undefined,
      list: async () => undefined,
    });

  it('AppliedManifestWorks that answer 404 are unknown, unless they are not installed', async () => {
    await assert.rejects(
      appliedWorksOf(wec(true), 'h'),
      /does not serve appliedmanifestworks\.work/,
    );
    assert.deepEqual(await appliedWorksOf(wec(false), 'h'), []);
  });

  it('Klusterlets and ClusterManagers that answer 404 are unknown: the operator is not removed', async () => {
    await assert.rejects(
      whyOperatorStays(wec(true)),
      /does not serve (klusterlets|clustermanagers)\.operator/,
    );
    assert.equal(await whyOperatorStays(wec(false)), undefined);
  });

  it('pods that answer 404 do not show that the agent is gone', () =>
    assert.rejects(workAgentPods(wec(false)), /does not serve pods/));

  it('a Klusterlet is not deleted if its operator would delete a namespace whose contents cannot be read', async () => {
    const operatorPod = { ...pod('klusterlet', true), metadata: wecPod('klusterlet').metadata };
    const kube = fakeKube({
      get: async ({ kind }) => ({ kind, metadata: { name: 'x', labels: {} } }),
      list: async ({ plural }) => {
        if (plural === 'databases')
          throw new ApiError(503, {}, 'api-error', 'the server is unavailable');
        return plural === 'pods' ? [operatorPod] : [];
      },
      read: discoveryOf({ v1: ['configmaps ConfigMap'], 'example.com/v1': ['databases Database'] }),
    });
    await assert.rejects(refuseForeignObjects(kube, null), (error: StellarError) => {
      assert.match(error.message, /the server is unavailable/);
      assert.match(error.details.join(), /could not be read\. Nothing was written/);
      return true;
    });
  });
});

it('the operator of another owner stays after a cleanup, and is not part of a registration', () => {
  const isNone = (labels: Record<string, string>) => {
    const operator = { metadata: { name: 'klusterlet', labels } };
    return hasNoRegistration({ operator } as Parameters<typeof hasNoRegistration>[0]);
  };
  assert.equal(isNone({ app: 'klusterlet' }), true);
  assert.equal(isNone({ [managedByLabel]: managedBy }), false);
});

const manifestOf = (name: string, applied: Omit<Condition, 'type'> = { status: 'True' }) => ({
  resourceMeta: {
    version: 'v1',
    kind: 'ConfigMap',
    resource: 'configmaps',
    name,
    namespace: 'demo',
  },
  conditions: [{ type: 'Applied', ...applied }],
});

it('workloads are not kept if it cannot be seen which objects belong to the works', async () => {
  const work = {
    metadata: { name: 'w', namespace: 'cluster1', uid: 'u1', generation: 2 },
    spec: { deleteOption: { propagationPolicy: 'Orphan' as const } },
    status: {
      conditions: [{ type: 'Applied', status: 'False' as const, observedGeneration: 2 }],
      resourceStatus: {
        manifests: [manifestOf('fixed', { status: 'False', message: 'field is immutable' })],
      },
    },
  };
  const inspected = inspectedWec({
    kube: fakeKube({ list: async () => [] }),
    record: { name: 'cluster1', hub: 'its1', hubHash: null },
  });
  await assert.rejects(
    keepWorkloads(foreseenKube(fakeKube({ get: async () => work })), inspected, [work], run()),
    /its agent has no kubeconfig\. Nothing was deleted/,
  );
});

it('workloads that are kept without the agent are taken out of their works on the cluster itself, and counted', async () => {
  const manifests = ['listed', 'applied-last', 'of-others'].map((name) => manifestOf(name));
  const work = {
    metadata: { name: 'w', namespace: 'cluster1', uid: 'u1' },
    status: { resourceStatus: { manifests } },
  };
  const applied = {
    metadata: { name: 'hash-w', uid: 'a1' },
    spec: { manifestWorkName: 'w', hubHash: 'hash' },
    status: {
      appliedResources: [
        { group: '', version: 'v1', resource: 'configmaps', namespace: 'demo', name: 'listed' },
      ],
    },
  };
  const ownedBy = (uid: string) => [
    { apiVersion: 'v1', kind: 'AppliedManifestWork', name: 'x', uid },
  ];
  const owners = new Map([
    ['listed', ownedBy('a1')],
    ['applied-last', ownedBy('a1')],
    ['of-others', ownedBy('a2')],
  ]);
  const written: string[] = [];
  const kube = fakeKube({
    list: async ({ kind }) => (kind === 'AppliedManifestWork' ? [applied] : []),
    get: async (_, name) => ({
      metadata: { name, namespace: 'demo', ownerReferences: owners.get(name) },
    }),
    merge: async (_, name, patch) => {
      owners.set(name, (patch as { metadata: { ownerReferences: [] } }).metadata.ownerReferences);
      written.push(`release ${name}`);
    },
  });
  const hub = fakeKube({
    merge: async ({ kind }, name, patch) =>
      written.push(`patch ${kind} ${name} ${JSON.stringify((patch as ManifestWork).spec)}`),
  });
  const inspected = inspectedWec({
    kube,
    record: { name: 'cluster1', hub: 'its1', hubHash: 'hash' },
    agentDead: 'it has no pod',
  });
  const progress = recordingProgress();
  await keepWorkloads(foreseenKube(hub), inspected, [work], run(5000, progress));
  assert.deepEqual(written, [
    'patch ManifestWork w {"deleteOption":{"propagationPolicy":"Orphan"}}',
    'release listed',
    'release applied-last',
  ]);
  assert.deepEqual(progress.lines, ['changed cluster1 2 objects taken out of the works']);
});
