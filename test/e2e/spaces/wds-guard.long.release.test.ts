/** The guard of a WDS of type k8s, whose API server serves ValidatingAdmissionPolicies only with further flags. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyObject, type Plane, resources, writeKubeconfig } from '../../../testbed/index.ts';
import { inRelease } from '../support/in-release.ts';
import { type Listen, runKilled } from '../support/killed-runs.ts';
import { type HostingBed, type SpaceCli, sendFrom, startHosting } from '../support/spaces.ts';
import { workloadOn } from '../support/workloads.ts';
import { WriteProxy } from '../support/write-proxy.ts';

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let cluster1: Plane;
let proxy: WriteProxy;
let kubeconfig: string;
let onWrite: (write: string) => void = () => {};

before(async () => {
  all = await startHosting([{ name: 'cluster1' }]);
  ({ cli, hosting } = all);
  cluster1 = all.bed.plane('cluster1');
  proxy = await WriteProxy.start(hosting, (write) => onWrite(write));
  kubeconfig = await writeKubeconfig(hosting, [proxy.entry, cluster1.kubeconfigEntry]);
  await type('its create its1 --type host');
  await type('wec join cluster1 --its its1 --accept --label location-group=edge');
});

after(async () => {
  proxy?.stop();
  await all?.stop();
});

const listen: Listen = (listener) => {
  onWrite = listener;
};
const type = (line: string) => cli.type(line, { kubeconfig });

/** A start of the controller manager takes less. */
const untilStarted = (): Promise<void> => sleep(15_000);

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
  const beta = { apiVersion: 'admissionregistration.k8s.io/v1beta1', kind: 'x', plural: 'validatingadmissionpolicies' };
  const { items } = await wds1.list<AnyObject>(beta);
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['stellarctl-keep-workloads'],
  );
});

it(
  'keeps workloads when its API server is changed, killed after each write, and with it afterwards',
  inRelease,
  async () => {
    await type('wds delete wds1 --yes --hosting-context hosting');
    await type('wds create wds1');
    const wds1 = await all.bed.nested('wds1');
    await sendFrom(wds1, cluster1, { policy: 'shop', matchLabels: { 'location-group': 'edge' }, hasPods: true });
    const { uids } = await workloadOn(cluster1, 'shop');
    const refused = await cli.run('wds guard wds1'.split(' '), { kubeconfig });
    assert.match(refused.stderr, /Restarting the API server of wds1 needs confirmation/);
    const { writes } = await runKilled(cli, 'wds guard wds1 --yes --hosting-context hosting', {
      ...{ kubeconfig, listen },
      // While its API server restarts, the WDS cannot be reached.
      isExpected: /cannot be reached|connection refused/,
    });
    assert.ok(writes.includes('PATCH deployments/kube-apiserver'), writes.join(', '));
    assert.deepEqual((await workloadOn(cluster1, 'shop')).uids, uids);
    const pods = await hosting.admin.list<AnyObject>(resources.pods, { namespace: 'wds1-system' });
    for (const { metadata } of pods.items)
      if (metadata.name.startsWith('kubestellar-controller-manager-'))
        await hosting.admin.delete(resources.pods, `wds1-system/${metadata.name}`);
    await untilStarted();
    assert.deepEqual((await workloadOn(cluster1, 'shop')).uids, uids);
  },
);
