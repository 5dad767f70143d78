/** Races and failures between a hub and a managed cluster, as observed with the real programs. */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { installKlusterlet } from './conformance/installer.ts';
import { type Bed, type Plane, requestBootstrapToken, startBed, until } from './index.ts';
import { findCondition, isTrue } from './kube/conditions.ts';
import type {
  AnyObject,
  AppliedManifestWork,
  CertificateSigningRequest,
  Condition,
  Deployment,
  Klusterlet,
  KubeObject,
  ManagedCluster,
  ManifestWork,
  Pod,
  Secret,
} from './kube/objects.ts';
import {
  appliedManifestWorks,
  certificateSigningRequests,
  configMaps,
  deployments,
  klusterlets,
  managedClusters,
  manifestWorks,
  pods,
  type Resource,
  secrets,
} from './kube/resources.ts';

const agentNamespace = 'open-cluster-management-agent';
const agent = `${agentNamespace}/klusterlet-agent`;
const operator = 'open-cluster-management/klusterlet';
const hubSecret = `${agentNamespace}/hub-kubeconfig-secret`;
const groups = ['system:open-cluster-management:cluster1', 'system:open-cluster-management:managed-clusters'];
const bootstrapUser = 'system:serviceaccount:open-cluster-management:agent-registration-bootstrap';

/** Nothing may happen in this time. */
const settling = 3_000;

let bed: Bed;
let hub: Plane;
let wec: Plane;

before(async () => {
  const planes = [{ name: 'its1', hub: { autoApprove: true } }, { name: 'cluster1' }];
  bed = await startBed({ planes, log: console.error, isCopy: true });
  [hub, wec] = [bed.plane('its1'), bed.plane('cluster1')];
  await bootstrap();
  await untilAvailable();
});

after(() => bed?.stop());

describe('a registered agent', () => {
  it('requests its Secret itself when that is deleted', async () => {
    const earlier = await requests();
    const uid = (await hub.admin.get<ManagedCluster>(managedClusters, 'cluster1')).metadata.uid;
    await wec.admin.delete(secrets, hubSecret);
    await until(() => exists(wec, secrets, hubSecret), 'the Secret is back');
    const [renewal] = (await requests()).filter(({ name }) => !earlier.some((each) => each.name === name));
    const id = (await wec.admin.get<Klusterlet>(klusterlets, 'klusterlet')).metadata.uid;
    assert.equal(renewal?.user, `system:open-cluster-management:cluster1:${id}`);
    await until(async () => {
      const rotated = findCondition(await clusterConditions(), 'ClusterCertificateRotated');
      return rotated?.status === 'True' && /^client certificate rotated starting from .* UTC to /.test(rotated.message);
    }, 'the cluster says so');
    assert.equal((await hub.admin.get<ManagedCluster>(managedClusters, 'cluster1')).metadata.uid, uid);
  });

  it('never announces itself again while its pod runs, whatever happens to Secrets and ManagedCluster', async () => {
    await hub.admin.delete(managedClusters, 'cluster1');
    await until(async () => !(await exists(hub, managedClusters, 'cluster1')), 'the cluster is gone');
    const [earlier, { restarts: before }] = [await requests(), await agentPod()];
    await wec.admin.delete(secrets, hubSecret);
    await bootstrap();
    await until(async () => (await agentPod()).restarts > before, 'the agent is restarted');
    await sleep(settling);
    assert.deepEqual(await requests(), earlier);
    assert.equal(await exists(hub, managedClusters, 'cluster1'), false);
    assert.equal(await exists(wec, secrets, hubSecret), false);
    await wec.admin.delete(pods, `${agentNamespace}/${(await agentPod()).name}`);
    await untilAvailable();
    const [fresh] = (await requests()).filter(({ name }) => !earlier.some((each) => each.name === name));
    assert.equal(fresh?.user, bootstrapUser);
  });

  it('with an expired certificate is ended, and requests another one under its ID', async () => {
    const [earlier, { restarts: before }] = [await requests(), await agentPod()];
    const { uid = '' } = (await wec.admin.get<Klusterlet>(klusterlets, 'klusterlet')).metadata;
    const user = `system:open-cluster-management:cluster1:${uid}`;
    // With a reachable hub it would renew in time.
    const mend = await bed.fault({ kind: 'stopped', plane: 'its1' });
    const { certPem, keyPem } = await hub.issueUser(user, groups, {
      from: new Date(Date.now() - 3_600_000),
      to: new Date(Date.now() + 1000),
    });
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    await wec.admin.patch(secrets, hubSecret, { data: { 'tls.crt': base64(certPem), 'tls.key': base64(keyPem) } });
    await until(async () => !(await agentPod()).isReady, 'the agent is not ready');
    await until(async () => (await agentPod()).restarts > before, 'the agent is restarted');
    assert.equal((await agentPod()).exitCode, 0);
    await mend();
    await until(async () => Date.parse((await hubCertificate()).validTo) > Date.now(), 'there is another certificate');
    const fresh = (await requests()).filter(({ name }) => !earlier.some((each) => each.name === name));
    assert.deepEqual(
      fresh.map((each) => each.user),
      [bootstrapUser],
    );
    assert.match((await hubCertificate()).subject, new RegExp(`CN=${user}$`, 'm'));
  });
});

describe('a work', () => {
  const configMap = (name: string, data: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data,
  });
  const create = (name: string, manifests: AnyObject[]) =>
    hub.admin.create<ManifestWork>(manifestWorks, {
      metadata: { name, namespace: 'cluster1' },
      spec: { workload: { manifests } },
    });
  /** The work's status, once it refers to a generation. */
  const statusOf = async (name: string, generation: number) => {
    const get = async () => (await hub.admin.get<ManifestWork>(manifestWorks, `cluster1/${name}`)).status;
    const isObserved = (status: ManifestWork['status']) =>
      findCondition(status?.conditions, 'Applied')?.observedGeneration === generation;
    await until(async () => isObserved(await get()), `${name} is at generation ${generation}`);
    const { conditions = [], resourceStatus } = (await get()) ?? {};
    return { conditions, manifests: resourceStatus?.manifests ?? [] };
  };
  const summary = (conditions: Condition[]) => conditions.map(({ type, status, reason }) => [type, status, reason]);

  it('releases an object only by an update that succeeds, and deletes what it still owns', async () => {
    const [held, free] = ['default/held', 'default/free'];
    await create('orphaned', [configMap('held', { a: '1' }), configMap('free', { a: '1' })]);
    await statusOf('orphaned', 1);
    const hash = createHash('sha256').update(hub.internalServer).digest('hex');
    const key = `${hash}-orphaned`;
    const { metadata, spec } = await wec.admin.get<AppliedManifestWork>(appliedManifestWorks, key);
    assert.deepEqual([spec.hubHash, spec.manifestWorkName], [hash, 'orphaned']);
    const owner = { apiVersion: appliedManifestWorks.apiVersion, kind: 'AppliedManifestWork', name: key };
    const metadataOf = async (map: string) => (await wec.admin.get(configMaps, map)).metadata;
    const uids = { held: (await metadataOf(held)).uid, free: (await metadataOf(free)).uid };
    for (const map of [held, free])
      assert.deepEqual((await metadataOf(map)).ownerReferences, [{ ...owner, uid: metadata.uid }]);

    await wec.admin.patch(configMaps, held, { immutable: true });
    await hub.admin.patch(manifestWorks, 'cluster1/orphaned', {
      spec: {
        deleteOption: { propagationPolicy: 'Orphan' },
        workload: { manifests: [configMap('held', { a: '2' }), configMap('free', { a: '2' })] },
      },
    });
    const { conditions, manifests } = await statusOf('orphaned', 2);
    assert.deepEqual(summary(conditions), [
      ['Applied', 'False', 'AppliedManifestWorkFailed'],
      ['Available', 'True', 'ResourcesAvailable'],
    ]);
    const failed = findCondition(manifests[0]?.conditions, 'Applied');
    assert.equal(failed?.status, 'False');
    assert.match(failed?.message ?? '', /^Failed to apply manifest: ConfigMap "held" is invalid: .*immutable/);
    assert.equal(isTrue(manifests[0]?.conditions, 'Available'), true);
    assert.equal(isTrue(manifests[1]?.conditions, 'Applied'), true);
    assert.deepEqual((await metadataOf(held)).ownerReferences, [{ ...owner, uid: metadata.uid }]);
    assert.deepEqual((await metadataOf(free)).ownerReferences ?? [], []);
    const { status } = await wec.admin.get<AppliedManifestWork>(appliedManifestWorks, key);
    assert.deepEqual(
      status?.appliedResources?.map(({ name, uid }) => [name, uid]),
      [
        ['free', uids.free],
        ['held', uids.held],
      ],
    );

    await hub.admin.delete(manifestWorks, 'cluster1/orphaned');
    await until(async () => !(await exists(hub, manifestWorks, 'cluster1/orphaned')), 'the work is gone');
    assert.equal(await exists(wec, configMaps, held), false);
    assert.equal((await metadataOf(free)).uid, uids.free);
  });

  it('reports a kind that the cluster does not have as recorded', async () => {
    const metadata = { name: 'w', namespace: 'default' };
    await create('unknown', [{ apiVersion: 'example.com/v1', kind: 'Widget', metadata }]);
    const { conditions, manifests } = await statusOf('unknown', 1);
    assert.deepEqual(summary(conditions), [
      ['Applied', 'False', 'AppliedManifestWorkFailed'],
      ['Available', 'Unknown', 'ResourcesStatusUnknown'],
    ]);
    assert.deepEqual(
      manifests[0]?.conditions.map(({ message }) => message),
      ['Failed to apply manifest: the server doesn\'t have a resource type "Widget"', 'Resource meta is incomplete'],
    );
    await hub.admin.delete(manifestWorks, 'cluster1/unknown');
    await until(async () => !(await exists(hub, manifestWorks, 'cluster1/unknown')), 'the work is gone');
  });
});

describe('Deployments scaled to 0', () => {
  it('of the agent are scaled up by the operator within seconds', async () => {
    const { name } = await agentPod();
    await wec.admin.patch(deployments, agent, { spec: { replicas: 0 } });
    await until(async () => {
      const pod = await agentPod().catch(() => undefined);
      return pod !== undefined && pod.name !== name && pod.isReady;
    }, 'there is another agent');
    await until(async () => isTrue(await klusterletConditions(), 'Available'), 'the Klusterlet is available');
  });

  it('of operator and agent leave no pod, and every condition unchanged', async () => {
    await until(async () => {
      return findCondition(await klusterletConditions(), 'HubConnectionDegraded')?.status === 'False';
    }, 'the hub lets the agent in');
    const before = await klusterletConditions();
    await wec.admin.patch(deployments, operator, { spec: { replicas: 0 } });
    await until(async () => (await podsOf('open-cluster-management')).length === 0, 'the operator has ended');
    await wec.admin.patch(deployments, agent, { spec: { replicas: 0 } });
    await until(async () => (await podsOf(agentNamespace)).length === 0, 'the agent has ended');
    await sleep(settling);
    assert.deepEqual(await klusterletConditions(), before);
    assert.equal(isTrue(await clusterConditions(), 'ManagedClusterConditionAvailable'), true);
    for (const key of [operator, agent]) {
      const { spec, status } = await wec.admin.get<Deployment & { status: { conditions: Condition[] } }>(
        deployments,
        key,
      );
      assert.equal(spec.replicas, 0, key);
      assert.equal(status.availableReplicas ?? 0, 0, key);
      assert.equal(isTrue(status.conditions, 'Available'), true, key);
    }
    await hub.admin.patch(managedClusters, 'cluster1', { spec: { leaseDurationSeconds: 1 } });
    await until(async () => {
      const available = findCondition(await clusterConditions(), 'ManagedClusterConditionAvailable');
      return available?.status === 'Unknown';
    }, 'the hub notices by the lease');
    await hub.admin.patch(managedClusters, 'cluster1', { spec: { leaseDurationSeconds: 60 } });
    await wec.admin.patch(deployments, operator, { spec: { replicas: 1 } });
    await untilAvailable();
  });
});

/** Installs the klusterlet, or only gives it a new token. */
async function bootstrap(): Promise<void> {
  const given = { server: hub.internalServer, caPem: hub.caPem, token: await requestBootstrapToken(hub) };
  await installKlusterlet(wec, { clusterName: 'cluster1', mode: 'Singleton', bootstrap: given });
}

async function requests(): Promise<{ name: string; user: string | undefined }[]> {
  const { items } = await hub.admin.list<CertificateSigningRequest>(certificateSigningRequests);
  return items.map(({ metadata, spec }) => ({ name: metadata.name, user: spec.username }));
}

async function podsOf(namespace: string): Promise<Pod[]> {
  return (await wec.admin.list<Pod>(pods, { namespace })).items;
}

async function agentPod(): Promise<{ name: string; isReady: boolean; restarts: number; exitCode: number | undefined }> {
  const pod = (await podsOf(agentNamespace)).find(({ metadata }) => !metadata.deletionTimestamp);
  assert.ok(pod, 'there is no agent');
  const [container] = pod.status?.containerStatuses ?? [];
  const { ready = false, restartCount = 0, lastState } = container ?? {};
  return { name: pod.metadata.name, isReady: ready, restarts: restartCount, exitCode: lastState?.terminated?.exitCode };
}

async function hubCertificate(): Promise<X509Certificate> {
  const { data } = await wec.admin.get<Secret>(secrets, hubSecret);
  return new X509Certificate(Buffer.from(data?.['tls.crt'] ?? '', 'base64'));
}

async function exists(plane: Plane, resource: Resource, key: string): Promise<boolean> {
  return (await plane.admin.find<KubeObject>(resource, key)) !== undefined;
}

async function clusterConditions(): Promise<Condition[]> {
  return (await hub.admin.find<ManagedCluster>(managedClusters, 'cluster1'))?.status?.conditions ?? [];
}

async function klusterletConditions(): Promise<Condition[]> {
  return (await wec.admin.get<Klusterlet>(klusterlets, 'klusterlet')).status?.conditions ?? [];
}

async function untilAvailable(): Promise<void> {
  await until(
    async () => isTrue(await clusterConditions(), 'ManagedClusterConditionAvailable'),
    'cluster1 is available',
  );
}
