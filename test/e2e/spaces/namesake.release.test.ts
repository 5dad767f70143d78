/** Works that carry the name of a WDS and come from none of its Bindings: those of another hosting cluster that uses the same ITS. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type AnyObject, type Plane, resources, until } from '../../../testbed/index.ts';
import { type HostingBed, type SpaceCli, sendFrom, startHosting } from '../support/spaces.ts';
import { workloadOn } from '../support/workloads.ts';

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let cluster1: Plane;

before(async () => {
  all = await startHosting([{ name: 'cluster1' }]);
  ({ cli, hosting } = all);
  cluster1 = all.bed.plane('cluster1');
  await cli.type('its create its1 --type host');
  await cli.type('wds create wds1 --its its1');
  await cli.type('wec join cluster1 --its its1 --accept --label location-group=edge');
  await sendFrom(await all.bed.nested('wds1'), cluster1, {
    policy: 'own',
    matchLabels: { 'location-group': 'edge' },
    hasPods: false,
  });
  // The transport of wds1 would delete it: it does so at its next change.
  await hosting.admin.patch(resources.deployments, 'wds1-system/transport-controller', {
    spec: { replicas: 0 },
  });
  await hosting.admin.create<AnyObject>(resources.manifestWorks, {
    metadata: {
      namespace: 'cluster1',
      name: '11111111-2222-4333-8444-555555555555-wds1-66666666-7777-4888-8999-000000000000',
      labels: {
        'transport.kubestellar.io/originWdsName': 'wds1',
        'transport.kubestellar.io/originOwnerReferenceBindingKey': 'theirs',
      },
    },
    spec: {
      workload: {
        manifests: [
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'theirs' } },
          {
            ...{ apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'b' } },
            metadata: { namespace: 'theirs', name: 'hello' },
          },
        ],
      },
    },
  } as never);
  await until(async () => (await workloadOn(cluster1, 'theirs')).uids.length === 2, 'theirs');
});

after(() => all?.stop());

it('stay when the WDS is deleted, also with --force, and nobody takes their name', async () => {
  const { uids } = await workloadOn(cluster1, 'theirs');
  const { stdout } = await cli.run('doctor -o json'.split(' '));
  assert.match(stdout, /works-of-namesake/);
  const deleted = await cli.type('wds delete wds1 --force --yes --hosting-context hosting');
  assert.match(deleted.stderr, /1 work on cluster1: they carry the name wds1 .* they stay/);
  await until(async () => (await workloadOn(cluster1, 'own')).uids.length === 0, 'own is removed');
  assert.deepEqual((await workloadOn(cluster1, 'theirs')).uids, uids);
  const refused = await cli.run('wds create wds1 --its its1'.split(' '));
  assert.equal(refused.exitCode, 1, refused.stderr);
  assert.match(refused.stderr, /its1 has 1 work on cluster1 that a WDS wds1 has sent/);
  assert.deepEqual((await workloadOn(cluster1, 'theirs')).uids, uids);
});
