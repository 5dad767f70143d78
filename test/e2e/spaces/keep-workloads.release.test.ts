/**
 * 200 objects of two policies on a WEC: whether they and their works are the same after restarts of KubeStellar's controller manager, after
 * upgrades of KubeStellar and OCM, and on another hub.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyObject, type Plane, resources, until } from '../../../testbed/index.ts';
import { fleetOf, saveFleet } from '../support/fleet-file.ts';
import {
  assertAvailableIn,
  controlPlane,
  type HostingBed,
  type SpaceCli,
  startHosting,
} from '../support/spaces.ts';

const deployment = 'wds1-system/kubestellar-controller-manager';
const policies = ['p1', 'p2'];
const objectsEach = 100;
/** The works and the objects. */
const all400 = 2 * 2 * objectsEach;

const admissionPolicies = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
};

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let cluster1: Plane;

before(async () => {
  all = await startHosting([{ name: 'cluster1' }], { hasNewerOcm: true });
  ({ cli, hosting } = all);
  cluster1 = all.bed.plane('cluster1');
  await cli.type('its create its1 --type host');
  await cli.type('wds create wds1 --type host');
  await cli.type('wec join cluster1 --its its1 --accept --label location-group=edge');
  await assertAvailableIn(hosting.admin, 'cluster1');
  // An upgrade waits for three renewals.
  await hosting.admin.patch(resources.managedClusters, 'cluster1', {
    spec: { leaseDurationSeconds: 20 },
  });
  for (const policy of policies) await send(policy);
  await until(
    async () => (await present()).length === all400,
    '200 objects on cluster1 and their works',
  );
});

after(() => all?.stop());

async function managerPods(): Promise<AnyObject[]> {
  const { items } = await hosting.admin.list<AnyObject>(resources.pods, {
    namespace: 'wds1-system',
  });
  return items.filter(({ metadata }) =>
    metadata.name.startsWith('kubestellar-controller-manager-'),
  );
}

/** A Namespace and ConfigMaps. */
async function send(policy: string) {
  const labels = { app: policy };
  await hosting.admin.ensure(resources.namespaces, { metadata: { name: policy, labels } });
  for (let index = 0; index < objectsEach - 1; index += 1)
    await hosting.admin.ensure(resources.configMaps, {
      metadata: { name: `c${index}`, namespace: policy, labels },
    });
  await hosting.admin.ensure(resources.bindingPolicies, {
    metadata: { name: policy },
    spec: {
      clusterSelectors: [{ matchLabels: { 'location-group': 'edge' } }],
      downsync: [
        { resources: ['namespaces', 'configmaps'], objectSelectors: [{ matchLabels: labels }] },
      ],
    },
  } as AnyObject);
}

/** The works and the objects on the WEC, each with its UID. */
async function present() {
  const [works, namespaces, configMaps] = await Promise.all([
    hosting.admin.list<AnyObject>(resources.manifestWorks, { namespace: 'cluster1' }),
    cluster1.admin.list<AnyObject>(resources.namespaces),
    cluster1.admin.list<AnyObject>(resources.configMaps),
  ]);
  const sent = works.items.filter(
    ({ metadata }) => 'transport.kubestellar.io/originWdsName' in (metadata.labels ?? {}),
  );
  const applied = [...namespaces.items, ...configMaps.items].filter(({ metadata }) =>
    policies.includes(metadata.labels?.app ?? ''),
  );
  return [...sent, ...applied]
    .map(({ metadata }) => `${metadata.namespace} ${metadata.name} ${metadata.uid}`)
    .sort();
}

describe('every work and every object stays', { concurrency: 1 }, () => {
  it('after `wds restart`', async () => {
    const before = await present();
    const { stdout } = await cli.type('wds restart wds1');
    assert.match(stdout, /^wds1: controllers restarted; workloads kept/);
    assert.deepEqual(await present(), before);
    const { metadata } = (await controlPlane(hosting, 'wds1')) ?? {};
    assert.equal(metadata?.annotations?.['stellarctl.kubestellar.io/restart'], undefined);
    const left = await hosting.admin.list<AnyObject>(resources.bindingPolicies);
    assert.deepEqual(left.items.map(({ metadata: { name } }) => name).sort(), policies);
  });

  it('after one that runs out of time, which is shown everywhere with the command that finishes it', async () => {
    const before = await present();
    const late = await cli.run('wds restart wds1 --timeout 6s'.split(' '));
    assert.equal(late.exitCode, 3, late.stderr);
    const finish = /stellarctl wds restart wds1 --hosting-context hosting/;
    assert.match(late.stderr, finish);
    const paused = /its transport is paused since \S+Z by a restart that .* has begun/;
    const get = await cli.run('wds get wds1'.split(' '));
    assert.match(get.stdout + get.stderr, paused);
    assert.match(get.stdout + get.stderr, finish);
    assert.match((await cli.run(['status'])).stdout, paused);
    const doctor = await cli.run('doctor -o json'.split(' '));
    assert.match(doctor.stdout, /"transport-paused"/);
    const { deliveries } = (
      await cli.run('workload get cm/c1 -n p1 --wds wds1 -o json'.split(' '))
    ).json();
    assert.equal(deliveries[0].code, 'transport-paused');
    assert.match(deliveries[0].next, finish);
    const { stdout, stderr } = await cli.type('wds restart wds1');
    assert.match(stderr + stdout, /resuming the restart that .* has begun at/);
    assert.match(stdout, /^wds1: controllers restarted; workloads kept/m);
    assert.deepEqual(await present(), before);
  });

  it('after `wds restart --recreate`, which makes both Deployments anew', async () => {
    const before = await present();
    const { metadata } = await hosting.admin.get<AnyObject>(resources.deployments, deployment);
    await cli.type('wds restart wds1 --recreate');
    assert.deepEqual(await present(), before);
    const now = await hosting.admin.get<AnyObject>(resources.deployments, deployment);
    assert.notEqual(now.metadata.uid, metadata.uid);
  });

  it('after `wds upgrade`, which follows newer hooks', async () => {
    const before = await present();
    const current = await cli.type('wds upgrade wds1');
    assert.match(current.stdout, /^wds1: runs the versions of the installed hooks; nothing to do/);
    for (const name of ['kubestellar-controller', 'transport-controller']) {
      const hook = await hosting.admin.get<AnyObject>(resources.postCreateHooks, name);
      const newer = JSON.parse(JSON.stringify(hook.spec).replaceAll(':0.30.0"', ':0.30.1"'));
      await hosting.admin.patch(resources.postCreateHooks, name, { spec: newer });
    }
    const doctor = await cli.type('doctor');
    assert.match(doctor.stdout, /KubeStellar running 0\.30\.0, installed hooks 0\.30\.1/);
    assert.match(doctor.stdout, /stellarctl wds upgrade wds1/);
    await cli.type('wds upgrade wds1');
    assert.deepEqual(await present(), before);
    assert.match((await cli.run(['status'])).stdout, /KubeStellar 0\.30\.1/);
  });

  it('after upgrades of the hub and of the agent', async () => {
    const before = await present();
    await cli.type('its upgrade its1 --to 1.2.1');
    await cli.type('wec upgrade cluster1 --its its1 --to 1.2.1');
    assert.deepEqual(await present(), before);
  });
});

describe('a guard', { concurrency: 1 }, () => {
  /** As a drained node does it: until the new one has done what it does at its start. */
  async function killManager() {
    const [before] = await managerPods();
    await hosting.admin.delete(resources.pods, `wds1-system/${before?.metadata.name}`);
    const isNew = async () => {
      const [pod, ...others] = await managerPods();
      return others.length === 0 && pod !== undefined && pod.metadata.uid !== before?.metadata.uid;
    };
    await until(isNew, 'another controller manager');
    await sleep(30_000);
  }
  const codesOf = async (policy: string) => {
    const { objects } = (
      await cli.run(`policy get ${policy} --wds wds1 -o json`.split(' '))
    ).json();
    const all = objects as { deliveries: { code: string | null }[] }[];
    return [...new Set(all.flatMap(({ deliveries }) => deliveries.map(({ code }) => `${code}`)))];
  };

  it('is asked for by doctor, and shown by status', async () => {
    assert.match(
      (await cli.type('doctor')).stdout,
      /would delete 200 objects on 1 WEC, and create them again/,
    );
    await cli.type('wds guard wds1');
    assert.match((await cli.type('wds guard wds1')).stdout, /^wds1: has its guard; nothing to do/);
    assert.match((await cli.run(['status'])).stdout, /200 objects · guarded/);
  });

  it('keeps every work and every object whenever the controller manager starts', async (test) => {
    const before = new Set(await present());
    for (let start = 1; start <= 3; start += 1) {
      await killManager();
      const now = await present();
      test.diagnostic(
        `start ${start}: ${now.filter((each) => !before.has(each)).length} of ${now.length} are others`,
      );
      assert.deepEqual(new Set(now), before);
    }
  });

  it('keeps what a policy no longer selects until that is pruned, and says so', async () => {
    const before = await present();
    await hosting.admin.patch(resources.namespaces, 'p1', { metadata: { labels: { app: null } } });
    for (let index = 0; index < objectsEach - 1; index += 1)
      await hosting.admin.delete(resources.configMaps, `p1/c${index}`);
    await until(
      async () => (await codesOf('p1')).join() === 'binding-guarded',
      'binding-guarded for all of p1',
    );
    assert.deepEqual(await present(), before);
    const prune = /stellarctl policy prune p1 --wds wds1/;
    assert.match((await cli.run('workload get cm/c1 -n p1 --wds wds1'.split(' '))).stdout, prune);
    assert.match((await cli.run(['doctor'])).stdout, /the guard keeps it on the WECs that p1 had/);
    const refused = await cli.run('policy prune p2 --wds wds1 --yes'.split(' '));
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /Policy p2 selects objects/);
    const unguard = await cli.run('wds unguard wds1 --dry-run'.split(' '));
    assert.match(
      unguard.stderr,
      /cluster1 {3}.*ConfigMap p1\/c1\b.* will be removed: it no longer selects the object/,
    );
    await cli.type('policy prune p1 --wds wds1 --yes');
    await until(async () => (await present()).length === all400 / 2, 'only p2 on cluster1');
    const kept = new Set(await present());
    assert.equal(before.filter((each) => kept.has(each)).length, all400 / 2);
    assert.deepEqual(await codesOf('p2'), ['null']);
  });

  it('keeps the objects on the WEC when it moves to another hub', async () => {
    const own = async () => (await present()).filter((each) => !each.startsWith('cluster1 '));
    const before = await own();
    const wec = { name: 'cluster1', context: 'cluster1', labels: { 'location-group': 'edge' } };
    const spaces = { its: [{ name: 'its2' }], wds: [{ name: 'wds1', type: 'host', its: 'its2' }] };
    const file = await saveFleet(cli, fleetOf([wec], { spaces }));
    await cli.type(
      `fleet apply -f ${file} --its its2 --hosting-context hosting --replace-hub --yes`,
    );
    assert.deepEqual(await own(), before);
  });

  it('is deleted by unguard, and with the last WDS of the API server', async () => {
    const guards = async () =>
      (await hosting.admin.list<AnyObject>(admissionPolicies)).items.map(
        (each) => each.metadata.name,
      );
    await cli.type('wds unguard wds1 --yes --hosting-context hosting');
    assert.deepEqual(await guards(), []);
    await cli.type('wds guard wds1');
    assert.deepEqual(await guards(), ['stellarctl-keep-workloads']);
    await cli.type('wds delete wds1 --yes --hosting-context hosting');
    assert.deepEqual(await guards(), []);
  });
});
