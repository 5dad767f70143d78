/** What the next versions do differently: KubeFlex after 0.9.3, and OCM after 1.3.1. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type AnyObject, type Plane, resources, until } from '../../../testbed/index.ts';
import { inRelease } from '../support/in-release.ts';
import { deletePods } from '../support/registration.ts';
import { type HostingBed, type SpaceCli, startHosting } from '../support/spaces.ts';

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;

before(async () => {
  all = await startHosting([{ name: 'its1', hub: true }, { name: 'cluster1' }]);
  ({ cli, hosting } = all);
});

after(() => all?.stop());

const agents = 'open-cluster-management-agent';
const policies = (plane: Plane) =>
  plane.admin.list<AnyObject>(resources.networkPolicies, { namespace: agents });

async function enableNetworkPolicies(plane: Plane) {
  const featureGates = [{ feature: 'NetworkPolicies', mode: 'Enable' }];
  await plane.admin.patch(resources.klusterlets, 'klusterlet', {
    spec: { registrationConfiguration: { featureGates } },
  });
  await until(async () => (await policies(plane)).items.length === 4);
}

describe('OCM with the feature gate NetworkPolicies', inRelease, () => {
  it('has the rights to create them, and agents reach a hub at a usual port', async () => {
    await cli.type('wec join cluster1=cluster1 --its its1 --accept');
    const plane = all.bed.plane('cluster1');
    await enableNetworkPolicies(plane);
    await deletePods(plane, agents);
    await cli.type('wec wait cluster1=cluster1 --its its1');
    const { json } = await cli.type('wec get cluster1=cluster1 --its its1 -o json');
    assert.equal(json().stage, 'available');
  });

  it('leaves nothing that deregistration would refuse to delete', async () => {
    await cli.type('deregister cluster1=cluster1 --its its1 --yes');
    await cli.type('deregister --local cluster1=cluster1 --yes');
    assert.deepEqual(
      (await policies(all.bed.plane('cluster1'))).items.map(({ metadata }) => metadata.name),
      [],
    );
    assert.equal(
      await all.bed.plane('cluster1').admin.find(resources.namespaces, agents),
      undefined,
    );
  });

  it('keeps agents from a hub at a NodePort, and commands name the reason', async () => {
    await cli.type('its create its2');
    await cli.type('wec join cluster1=cluster1 --its its2 --accept');
    const plane = all.bed.plane('cluster1');
    await enableNetworkPolicies(plane);
    const its2 = await all.bed.nested('its2');
    await its2.patch(resources.managedClusters, 'cluster1', { spec: { leaseDurationSeconds: 5 } });
    await deletePods(plane, agents);
    const seen = await until(async () => {
      const { diagnosis } = (
        await cli.run('wec get cluster1=cluster1 --its its2 -o json'.split(' '))
      ).json();
      return diagnosis?.problem.includes('NetworkPolicies') && diagnosis.problem;
    });
    assert.match(
      seen,
      /at port 3\d{4}: the NetworkPolicies of OCM let agents connect to the ports 443, 6443, 9443 only/,
    );
  });
});

describe('KubeFlex', inRelease, () => {
  it('that does not reach an API server runs no hooks, and the wait is explained', async () => {
    const mend = await all.bed.fault({ kind: 'swallowed', host: 'vcluster.its3-system' });
    const run = await cli.run('its create its3 --timeout 60s'.split(' '));
    await mend();
    assert.equal(run.exitCode, 3);
    assert.match(
      run.stderr,
      /its manager does not reach the API server inside the hosting cluster/,
    );
    assert.match(
      run.stderr,
      /kubectl --context hosting -n kubeflex-system logs deployment\/kubeflex-controller-manager/,
    );
    await cli.type('its create its3');
  });

  it('never reports a control plane of type ocm as ready', async () => {
    const metadata = { name: 'its4', labels: { 'kflex.kubestellar.io/cptype': 'its' } };
    await hosting.admin.ensure<AnyObject>(resources.controlPlanes, {
      metadata,
      spec: { type: 'ocm', backend: 'shared' },
    });
    await until(async () => {
      const { json } = await cli.run(['its', 'get', 'its4', '-o', 'json']);
      return JSON.stringify(json()).includes('never reports control planes of type ocm as ready');
    });
  });
});
