/** The programs of a hub, and the symptoms when one of them does not run. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { installKlusterlet } from './conformance/installer.ts';
import {
  type Bed,
  faultyPods,
  installAddonByPlacement,
  type Plane,
  requestBootstrapToken,
  startBed,
  until,
  wipeCluster,
} from './index.ts';
import { findCondition, isTrue } from './kube/conditions.ts';
import type { AnyObject, KubeObject, Lease, ManagedCluster } from './kube/objects.ts';
import {
  deployments,
  leases,
  managedClusterAddOns,
  managedClusters,
  mutatingWebhooks,
  placementDecisions,
  validatingWebhooks,
} from './kube/resources.ts';
import type { PlacementDecision } from './ocm/hub/placement-controller.ts';

const hubNamespace = 'open-cluster-management-hub';

let bed: Bed;
let hub: Plane;

before(async () => {
  const planes = [{ name: 'its1', hub: { autoApprove: true } }, { name: 'cluster1' }];
  bed = await startBed({ planes, log: console.error, isCopy: true });
  hub = bed.plane('its1');
});

after(() => bed?.stop());

describe('the webhook of a hub', () => {
  const tryOut = () =>
    hub.admin.send<ManagedCluster>('POST', '/apis/cluster.open-cluster-management.io/v1/managedclusters?dryRun=All', {
      apiVersion: managedClusters.apiVersion,
      kind: managedClusters.kind,
      metadata: { name: 'tried' },
      spec: { hubAcceptsClient: false },
    });

  it('is called in a dry run, which leaves nothing behind', async () => {
    const { metadata } = await tryOut();
    assert.equal(metadata.labels?.['cluster.open-cluster-management.io/clusterset'], 'default');
    assert.equal(await hub.admin.find(managedClusters, 'tried'), undefined);
  });

  it('has no side effects, and a rejected write fails in a dry run too', async () => {
    for (const resource of [mutatingWebhooks, validatingWebhooks]) {
      const { items } = await hub.admin.list<AnyObject & { webhooks: Record<string, unknown>[] }>(resource);
      const own = items.filter(({ metadata }) => metadata.name.endsWith('.open-cluster-management.io'));
      assert.ok(own.length > 0);
      for (const { sideEffects, failurePolicy } of own.flatMap(({ webhooks }) => webhooks))
        assert.deepEqual([sideEffects, failurePolicy], ['None', 'Fail']);
    }
  });

  it('that is dead fails a dry run as it fails the write', async () => {
    const mend = await bed.fault({ kind: 'dead', plane: 'its1', pod: faultyPods.webhook });
    await assert.rejects(tryOut(), { status: 500, message: /failed calling webhook .* connection refused/ });
    await mend();
    await until(
      () =>
        tryOut().then(
          () => true,
          () => false,
        ),
      'it answers',
    );
  });
});

describe('the controllers of a hub', () => {
  const leaseOf = (name: string, namespace = hubNamespace) =>
    hub.admin.find<Lease>(leases, `${namespace}/${name}-lock`);
  const holderOf = async (name: string, namespace?: string) => (await leaseOf(name, namespace))?.spec.holderIdentity;

  it('hold Leases with the names of the real ones', async () => {
    const pods = {
      'registration-controller': /^cluster-manager-registration-controller-.*_[0-9a-f-]{36}$/,
      placement: /^cluster-manager-placement-controller-/,
      manager: /^cluster-manager-addon-manager-controller-/,
    };
    for (const [name, holder] of Object.entries(pods)) {
      await until(async () => (await holderOf(name)) !== undefined, `${name} leads`);
      const spec: Lease['spec'] = (await leaseOf(name))?.spec ?? {};
      assert.match(spec.holderIdentity ?? '', holder);
      assert.equal(spec.leaseDurationSeconds, 137);
      assert.ok(Date.now() - Date.parse(spec.renewTime ?? '') < 60_000);
    }
    assert.match((await holderOf('clustermanager', 'open-cluster-management')) ?? '', /^cluster-manager-/);
  });

  it('release them when stopped, and acquire them again', async () => {
    const deployment = `${hubNamespace}/cluster-manager-placement-controller`;
    const before = await leaseOf('placement');
    await hub.admin.patch(deployments, deployment, { spec: { replicas: 0 } });
    await until(async () => (await holderOf('placement')) === '', 'it is given up');
    await hub.admin.patch(deployments, deployment, { spec: { replicas: 1 } });
    await until(async () => Boolean(await holderOf('placement')), 'another one leads');
    const spec: Lease['spec'] = (await leaseOf('placement'))?.spec ?? {};
    assert.notEqual(spec.holderIdentity, before?.spec.holderIdentity);
    assert.equal(spec.leaseTransitions, (before?.spec.leaseTransitions ?? 0) + 1);
  });

  it('keep them when dead, but do not renew them', async () => {
    const mend = await bed.fault({ kind: 'dead', plane: 'its1', pod: faultyPods.registration });
    const before = await leaseOf('registration-controller');
    await sleep(1_000);
    assert.deepEqual((await leaseOf('registration-controller'))?.spec, before?.spec);
    await mend();
  });

  it('have a real kube-controller-manager beside them, with its own Lease', async () => {
    const { spec } = await hub.admin.get<Lease>(leases, 'kube-system/kube-controller-manager');
    const renewed = async () => (await hub.admin.get<Lease>(leases, 'kube-system/kube-controller-manager')).spec;
    await until(async () => (await renewed()).renewTime !== spec.renewTime, 'it is renewed');
  });
});

describe('an add-on that is installed by a Placement decision', () => {
  const addon = 'cluster1/addon-status';
  const decided = async () => {
    const key = 'open-cluster-management/global-decision-1';
    const decision = await hub.admin.find<PlacementDecision>(placementDecisions, key);
    return decision?.status?.decisions?.map(({ clusterName }) => clusterName) ?? [];
  };
  const conditions = async () =>
    (await hub.admin.find<ManagedCluster>(managedClusters, 'cluster1'))?.status?.conditions ?? [];
  const exists = async (resource: typeof managedClusters, key: string) =>
    (await hub.admin.find<KubeObject>(resource, key)) !== undefined;

  before(async () => {
    await installAddonByPlacement(hub);
    const bootstrap = { server: hub.internalServer, caPem: hub.caPem, token: await requestBootstrapToken(hub) };
    await installKlusterlet(bed.plane('cluster1'), { clusterName: 'cluster1', mode: 'Singleton', bootstrap });
  });

  it('is installed on a reachable cluster', async () => {
    await until(() => exists(managedClusterAddOns, addon), 'the add-on is there');
    assert.equal(isTrue(await conditions(), 'ManagedClusterConditionAvailable'), true);
    assert.deepEqual(await decided(), ['cluster1']);
  });

  it('is recreated while the decision stands, and blocks the deletion of its cluster', async () => {
    const uidOf = async () => (await hub.admin.find(managedClusterAddOns, addon))?.metadata.uid;
    const mend = await bed.fault({ kind: 'dead', plane: 'its1', pod: faultyPods.placement });
    const uids = new Set([await uidOf()]);
    await hub.admin.delete(managedClusters, 'cluster1');
    await until(async () => {
      const uid = await uidOf();
      if (uid) uids.add(uid);
      return uids.size > 2;
    }, 'it has come back twice');
    const { status, reason, message } = findCondition(await conditions(), 'Deleting') ?? {};
    assert.deepEqual(
      { status, reason, message },
      {
        status: 'False',
        reason: 'ResourceRemaining',
        message:
          'The resource managedclusteraddons is remaning, the remaining count is 1, the finalizer pending count is 0',
      },
    );
    assert.deepEqual(await decided(), ['cluster1']);
    await mend();
    await until(async () => (await decided()).length === 0, 'the decision follows');
    await until(async () => !(await exists(managedClusters, 'cluster1')), 'the cluster is gone');
    await wipeCluster(hub, 'cluster1');
  });
});
