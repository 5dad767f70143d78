/** What the real programs of OCM do about a cluster that has joined. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type AnyObject, type Plane, resources, until } from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';

let cli: Cli;
let its1: Plane;
let cluster1: Plane;

before(async () => {
  ({
    cli,
    planes: [its1, cluster1],
  } = await enterPlanes('its1', 'cluster1'));
  await cli.succeed(['wec', 'join', 'cluster1', '--accept']);
});

after(() => leaveBed(cli));

it('finds nothing wrong with the hub and its cluster', async () => {
  const { json } = await cli.run(['doctor', '-o', 'json']);
  assert.deepEqual(
    json().items.filter(
      ({ status }: { status: string }) => status !== 'pass' && status !== 'skipped',
    ),
    [],
  );
});

it('deregisters the cluster, which a work was sent to', async () => {
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
  assert.equal(
    await cluster1.admin.find(resources.namespaces, 'open-cluster-management-agent'),
    undefined,
  );
});
