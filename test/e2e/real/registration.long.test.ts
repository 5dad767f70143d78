/** Registration with the real programs of OCM. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type AnyObject, type Bed, type Plane, resources, startBed, until } from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { assertAvailable, contextsOf } from '../support/registration.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let cluster1: Plane;
let cluster2: Plane;

before(async () => {
  bed = await startBed({
    planes: [{ name: 'its1', hub: true }, { name: 'cluster1' }, { name: 'cluster2' }],
    isReal: true,
  });
  [its1, cluster1, cluster2] = ['its1', 'cluster1', 'cluster2'].map((name) => bed.plane(name)) as [Plane, Plane, Plane];
  cli = await Cli.create(await contextsOf(its1, cluster1, cluster2));
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

it('joins two clusters, which become available', async () => {
  await cli.succeed(['wec', 'join', 'cluster1', 'cluster2', '--accept', '--label', 'location-group=edge']);
  for (const name of ['cluster1', 'cluster2']) {
    const { labels } = (await assertAvailable(its1, name)).metadata;
    assert.equal(labels?.['location-group'], 'edge');
  }
});

it('finds nothing wrong with the hub and its clusters', async () => {
  const { json } = await cli.run(['doctor', '-o', 'json']);
  assert.deepEqual(
    json().items.filter(({ status }: { status: string }) => status !== 'pass' && status !== 'skipped'),
    [],
  );
});

it('deregisters a cluster, which a work was sent to', async () => {
  const metadata = { name: 'settings', namespace: 'default' };
  const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'b' } };
  const spec = { workload: { manifests: [manifest] } };
  await its1.admin.create(resources.manifestWorks, {
    metadata: { name: 'settings', namespace: 'cluster1' },
    spec,
  } as AnyObject);
  const find = () => cluster1.admin.find<AnyObject>(resources.configMaps, 'default/settings');
  await until(async () => (await find()) !== undefined, 'ConfigMap on cluster1');
  await cli.succeed(['deregister', 'cluster1=cluster1', '--its', 'its1', '--cleanup', '--yes']);
  assert.equal(await find(), undefined);
  assert.equal(await its1.admin.find(resources.managedClusters, 'cluster1'), undefined);
  assert.equal(await cluster1.admin.find(resources.namespaces, 'open-cluster-management-agent'), undefined);
});
