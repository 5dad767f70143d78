/** The guard of a WDS of type k8s, whose API server serves ValidatingAdmissionPolicies only with further flags. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyObject, type Plane, resources, until } from '../../../testbed/index.ts';
import { inRelease, isRelease } from '../support/in-release.ts';
import { runKilled, type WatchedWrites, watchWrites } from '../support/killed-runs.ts';
import { deletePods } from '../support/registration.ts';
import { type HostingBed, type SpaceCli, sendFrom, startHosting } from '../support/spaces.ts';
import { workloadOn } from '../support/workloads.ts';

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let cluster1: Plane;
let watched: WatchedWrites;
let kubeconfig: string;

before(async () => {
  all = await startHosting([{ name: 'cluster1' }]);
  ({ cli, hosting } = all);
  cluster1 = all.bed.plane('cluster1');
  watched = await watchWrites([hosting], cluster1);
  ({ kubeconfig } = watched);
  await type('its create its1 --type host');
  await type('wec join cluster1 --its its1 --accept --label location-group=edge');
});

after(async () => {
  watched?.stop();
  await all?.stop();
});

const type = (line: string) => cli.type(line, { kubeconfig });

/** A start of the controller manager takes less. */
const untilStarted = () => sleep(15_000);

it('is written with the WDS, which the API server does not serve by itself', async () => {
  const { stdout } = await type('wds create wds1 --guard');
  assert.match(stdout, /^wds1: guarded/m);
  const { wdses } = (await cli.run('status -o json'.split(' '), { kubeconfig })).json();
  assert.deepEqual(
    wdses.map(({ guarded }: { guarded: boolean }) => guarded),
    [true],
  );
  assert.match((await type('wds guard wds1')).stdout, /^wds1: has its guard; nothing to do/);
  // The bed's Kubernetes has v1 as well, which 1.29 has not: only the bed itself sees that.
  const wds1 = await all.bed.nested('wds1');
  const beta = {
    apiVersion: 'admissionregistration.k8s.io/v1beta1',
    kind: 'x',
    plural: 'validatingadmissionpolicies',
  };
  const { items } = await wds1.list<AnyObject>(beta);
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['stellarctl-keep-workloads'],
  );
});

const controller = (name: string) => `wds1-system/${name}`;
const scale = (name: string, replicas: number) =>
  hosting.admin.patch(resources.deployments, controller(name), { spec: { replicas } });
type RunningPod = AnyObject & {
  spec: { containers: { image: string }[] };
  status?: { containerStatuses?: { restartCount: number }[] };
};
const podsOf = async (name: string) => {
  const { items } = await hosting.admin.list<AnyObject>(resources.pods, {
    namespace: 'wds1-system',
  });
  return items.filter(({ metadata }) => metadata.name.startsWith(`${name}-`));
};

it('without its guard keeps workloads if one types the step for a controller that is scaled to zero', async () => {
  await type('wds unguard wds1 --yes --hosting-context hosting');
  const wds1 = await all.bed.nested('wds1');
  await sendFrom(wds1, cluster1, {
    policy: 'kept',
    matchLabels: { 'location-group': 'edge' },
    hasPods: true,
  });
  const { uids } = await workloadOn(cluster1, 'kept');
  const scaled = ['transport-controller', 'kubestellar-controller-manager'];
  for (const name of isRelease ? scaled : scaled.slice(0, 1)) {
    await scale(name, 0);
    await until(async () => (await podsOf(name)).length === 0, `${name} has ended`);
    await wds1.patch(resources.configMaps, 'kept/hello', { data: { changed: name } });
    const step = 'stellarctl wds restart wds1 --hosting-context hosting';
    const get = 'workload get configmap/hello -n kept --wds wds1 -o json'.split(' ');
    const isNext = async () =>
      (await cli.run(get, { kubeconfig })).json().deliveries[0].next === step;
    await until(isNext, `${step} is the next step`);
    await type(step.replace('stellarctl ', ''));
    assert.deepEqual((await workloadOn(cluster1, 'kept')).uids, uids);
    assert.match(
      (await type('workload wait configmap/hello -n kept --wds wds1')).stdout,
      /cluster1/,
    );
  }
});

it('without its guard keeps workloads if the controller manager has crashed while the transport was down', async () => {
  const wds1 = await all.bed.nested('wds1');
  const { uids } = await workloadOn(cluster1, 'kept');
  await scale('transport-controller', 0);
  await until(
    async () => (await podsOf('transport-controller')).length === 0,
    'the transport has ended',
  );
  await deletePods(hosting, 'wds1-system', 'kubestellar-controller-manager-');
  const generation = async () =>
    (await wds1.list<AnyObject>(resources.bindings)).items.find(
      ({ metadata }) => metadata.name === 'kept',
    )?.metadata.generation ?? 0;
  const before = await generation();
  await until(async () => (await generation()) > before, 'the Binding has been emptied');
  await type('wds restart wds1');
  assert.deepEqual((await workloadOn(cluster1, 'kept')).uids, uids);
  assert.match((await type('workload wait configmap/hello -n kept --wds wds1')).stdout, /cluster1/);
});

it(
  'without its guard keeps workloads when its hooks name a registry, which reading it leaves to a repair',
  inRelease,
  async () => {
    const foreign = await cluster1.admin.create(resources.configMaps, {
      metadata: { namespace: 'kept', name: 'of-somebody-else' },
    });
    const { uids } = await workloadOn(cluster1, 'kept');
    const { items } = await hosting.admin.list<AnyObject>(resources.postCreateHooks);
    for (const { metadata, spec } of items) {
      const inRegistry = JSON.stringify(spec).replace(
        /"image":"[^/"]+\//g,
        '"image":"registry.example/',
      );
      await hosting.admin.patch(resources.postCreateHooks, metadata.name, {
        spec: JSON.parse(inRegistry),
      });
    }
    const running = async () =>
      (
        await hosting.admin.list<RunningPod>(resources.pods, { namespace: 'wds1-system' })
      ).items.flatMap(({ metadata, spec, status }) =>
        spec.containers.map(
          ({ image }, index) =>
            `${metadata.uid} ${image} ${status?.containerStatuses?.[index]?.restartCount}`,
        ),
      );
    const before = await running();
    const create = await type('wds create wds1');
    assert.match(create.stderr, /images of .*kube-apiserver.* are not from registry\.example/);
    const repair = 'wds repair wds1 --its its1 --hosting-context hosting';
    const refused = await cli.run(repair.split(' '), { kubeconfig });
    assert.equal(refused.exitCode, 1, refused.stderr);
    assert.match(refused.stderr, /Repair wds1\? This needs confirmation/);
    await untilStarted();
    assert.deepEqual(await running(), before);

    await type(`${repair} --yes`);
    await untilStarted();
    const images = (await running()).map((line) => line.split(' ')[1]);
    assert.deepEqual(
      images.filter((image) => !image?.startsWith('registry.example/')),
      [],
    );
    assert.deepEqual((await workloadOn(cluster1, 'kept')).uids, uids);
    const still = await cluster1.admin.find<AnyObject>(
      resources.configMaps,
      'kept/of-somebody-else',
    );
    assert.equal(still?.metadata.uid, foreign.metadata.uid);
    assert.match((await type('wds repair wds1 --its its1')).stdout, /nothing to do/);
    await type('policy delete kept --wds wds1 --yes');
  },
);

it(
  'keeps workloads when its API server is changed, killed after each write, and with it afterwards',
  inRelease,
  async () => {
    await type('wds delete wds1 --yes --hosting-context hosting');
    await type('wds create wds1');
    const wds1 = await all.bed.nested('wds1');
    await sendFrom(wds1, cluster1, {
      policy: 'shop',
      matchLabels: { 'location-group': 'edge' },
      hasPods: true,
    });
    const { uids } = await workloadOn(cluster1, 'shop');
    const refused = await cli.run('wds guard wds1'.split(' '), { kubeconfig });
    assert.match(refused.stderr, /Restart wds1\? This needs confirmation/);
    const line = 'wds guard wds1 --yes --hosting-context hosting';
    // While its API server restarts, the WDS cannot be reached.
    const isExpected = /cannot be reached|connection refused/;
    const { writes } = await runKilled(cli, line, watched, { isExpected });
    assert.ok(writes.includes('PATCH deployments/kube-apiserver'), writes.join(', '));
    assert.deepEqual((await workloadOn(cluster1, 'shop')).uids, uids);
    await deletePods(hosting, 'wds1-system', 'kubestellar-controller-manager-');
    await untilStarted();
    assert.deepEqual((await workloadOn(cluster1, 'shop')).uids, uids);
  },
);
