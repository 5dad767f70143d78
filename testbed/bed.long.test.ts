/** What tests and people rely on the bed for, beyond the stand-ins' conformance. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { installKlusterlet } from './conformance/installer.ts';
import {
  type ApiError,
  type Bed,
  bootstrapAccount,
  createRegistrationRequest,
  expiredToken,
  faultyPods,
  limitedUser,
  mintToken,
  type Plane,
  registeredAgent,
  requestBootstrapToken,
  startBed,
  tokenUser,
  until,
  wipeWec,
} from './index.ts';
import { Api } from './kube/api.ts';
import { findCondition, isTrue } from './kube/conditions.ts';
import type { Entry } from './kube/kubeconfig.ts';
import type { CertificateSigningRequest, Lease, ManagedCluster, Pod } from './kube/objects.ts';
import { certificateSigningRequests, configMaps, leases, managedClusters, namespaces, pods } from './kube/resources.ts';
import { rule } from './ocm/rbac.ts';
import { isAlive } from './plane/processes.ts';
import { withoutPool } from './pool/borrow.ts';

const agentNamespace = 'open-cluster-management-agent';

let bed: Bed;
let hub: Plane;
let wec: Plane;

before(async () => {
  const planes = [{ name: 'its1', hub: { autoApprove: true } }, { name: 'cluster1' }];
  bed = await startBed({ planes, log: console.error, isCopy: true });
  [hub, wec] = [bed.plane('its1'), bed.plane('cluster1')];
});

after(() => bed?.stop());

describe('a plane', () => {
  it('distinguishes the writes of one user from those of others', async () => {
    const jane = clientOf(await limitedUser(hub, { user: 'jane', rules: [rule('', 'configmaps', 'create, get')] }));
    await hub.markAudit();
    await jane.create(configMaps, { metadata: { namespace: 'default', name: 'mine' } });
    await jane.get(configMaps, 'default/mine');
    const writes = await hub.auditWrites({ by: 'jane' });
    assert.deepEqual(
      writes.map(({ verb, objectRef }) => `${verb} ${objectRef?.resource} ${objectRef?.name}`),
      ['create configmaps mine'],
    );
  });

  it('lets a user do only what RBAC allows', async () => {
    const john = clientOf(await limitedUser(hub, { user: 'john' }));
    await assert.rejects(john.list(managedClusters), { status: 403 });
  });

  it('accepts a token of its own key until it expires', async () => {
    const living = clientOf(tokenUser(hub, await mintToken(hub, bootstrapAccount, 60)));
    await living.list(managedClusters);
    const expired = clientOf(tokenUser(hub, await expiredToken(hub)));
    await assert.rejects(expired.list(managedClusters), { status: 401 });
  });
});

describe('a fault', () => {
  it('of the certificate affects new connections until it is removed', async () => {
    const fresh = () => clientOf(hub.kubeconfigEntry).list(managedClusters);
    const mend = await bed.fault({ kind: 'certificate', plane: 'its1' });
    await assert.rejects(fresh(), /certificate signed by unknown authority/);
    await hub.admin.list(managedClusters);
    await mend();
    await fresh();
  });

  it('of the webhook rejects every write of a cluster until it is removed', async () => {
    const create = (name: string) =>
      hub.admin.create<ManagedCluster>(managedClusters, { metadata: { name }, spec: {} });
    // From now on the API server keeps a connection.
    await create('before');
    const mend = await bed.fault({ kind: 'dead', plane: 'its1', pod: faultyPods.webhook });
    await assert.rejects(create('meanwhile'), /failed calling webhook/);
    await mend();
    await until(() => create('afterwards').then(Boolean, () => false));
    for (const name of ['before', 'afterwards']) await wipeWec(hub, wec, name);
  });
});

describe('a registration on a hub that approves and accepts automatically', () => {
  before(async () => {
    await register();
    await untilAvailable();
  });

  after(() => wipeWec(hub, wec, 'cluster1'));

  it('keeps its certificate when the agent restarts', async () => {
    const [before] = await requests();
    await deleteAgentPod();
    await untilRenewed();
    assert.deepEqual(await requests(), [before]);
  });

  it('restarts the agent when its bootstrap Secret changes', async () => {
    const restarts = async () => (await agentPod())?.status?.containerStatuses?.[0]?.restartCount ?? 0;
    const earlier = await restarts();
    const hasRestarted = async () => (await restarts()) > earlier;
    await register();
    // Like the real one, an agent that was just started misses a change before its watch.
    await until(hasRestarted, 'a restart', 30).catch(async () => {
      await register();
      await until(hasRestarted);
    });
    await untilRenewed();
  });

  it('has an agent that crashes, or is dead, on request', async () => {
    const state = async () => (await agentPod())?.status?.containerStatuses?.[0];
    const crashing = await bed.fault({ kind: 'crashing', plane: 'cluster1', pod: faultyPods.agents });
    await until(async () => (await state())?.state.waiting?.reason === 'CrashLoopBackOff');
    await crashing();
    await until(async () => (await state())?.ready === true);
    const mend = await bed.fault({ kind: 'dead', plane: 'cluster1', pod: faultyPods.agents });
    assert.equal((await state())?.ready, true);
    await hub.admin.patch(managedClusters, 'cluster1', { spec: { leaseDurationSeconds: 1 } });
    const available = async () => findCondition(await conditions(), 'ManagedClusterConditionAvailable')?.status;
    await until(async () => (await available()) === 'Unknown');
    await hub.admin.patch(managedClusters, 'cluster1', { spec: { leaseDurationSeconds: 60 } });
    await mend();
    await untilAvailable();
  });

  it('has a clock that is off, on request', async () => {
    const mend = await bed.fault({ kind: 'clock-off', plane: 'cluster1', pod: faultyPods.agents, seconds: -600 });
    await deleteAgentPod();
    await until(
      async () => findCondition(await conditions(), 'ManagedClusterConditionClockSynced')?.status === 'False',
    );
    await mend();
    await deleteAgentPod();
    await until(async () => isTrue(await conditions(), 'ManagedClusterConditionClockSynced'));
    await untilAvailable();
  });

  it('survives restarts of both API servers', async () => {
    await Promise.all([hub.stop(), wec.stop()]);
    await Promise.all([hub.start(), wec.start()]);
    await deleteAgentPod();
    await untilRenewed();
  });

  it('has its renewals approved, but not requests of other agents', async () => {
    const agent = 'someone';
    const renewal = await createRegistrationRequest(hub, {
      cluster: 'cluster1',
      agent,
      as: registeredAgent('cluster1', agent),
    });
    await until(async () => isApproved(await hub.admin.get(certificateSigningRequests, renewal.metadata.name)));
    const stranger = { user: 'stranger', groups: ['system:authenticated'] };
    const other = await createRegistrationRequest(hub, { cluster: 'cluster1', agent, as: stranger });
    await sleep(500);
    assert.ok(!isApproved(await hub.admin.get(certificateSigningRequests, other.metadata.name)));
  });

  it('is accepted only by users with permission', async () => {
    const rules = [rule('cluster.open-cluster-management.io', 'managedclusters', 'get, patch')];
    const jim = clientOf(await limitedUser(hub, { user: 'jim', rules }));
    await hub.admin.patch(managedClusters, 'cluster1', { spec: { hubAcceptsClient: false } });
    await until(
      async () => findCondition(await conditions(), 'HubAcceptedManagedCluster')?.reason === 'HubClusterAdminDenied',
    );
    const refused = jim.patch(managedClusters, 'cluster1', { spec: { hubAcceptsClient: true } });
    await assert.rejects(
      refused,
      (error: ApiError) => error.status === 403 && error.message.includes('HubAcceptsClient'),
    );
  });

  it('ends with its ManagedCluster, except for the mailbox', async () => {
    await hub.admin.delete(managedClusters, 'cluster1');
    await until(async () => !(await hub.admin.find(managedClusters, 'cluster1')));
    assert.ok(await hub.admin.find(namespaces, 'cluster1'));
  });
});

describe('a test bed', () => {
  it('ends with its owner, even if that is killed', async () => {
    const owner = fork(join(import.meta.dirname, 'conformance', 'owner.ts'), { execArgv: [], env: withoutPool() });
    const [{ dir, pids }] = (await once(owner, 'message')) as [{ dir: string; pids: number[] }];
    assert.ok(pids.length >= 4 && pids.every(isAlive));
    owner.kill('SIGKILL');
    await until(async () => !pids.some(isAlive) && !existsSync(dir));
  });
});

function clientOf({ connection }: Entry): Api {
  return new Api(connection);
}

/** Installs the klusterlet, or only gives it a new token. */
async function register(): Promise<void> {
  const bootstrap = { server: hub.internalServer, caPem: hub.caPem, token: await requestBootstrapToken(hub) };
  await installKlusterlet(wec, { clusterName: 'cluster1', mode: 'Singleton', bootstrap });
}

async function agentPod(): Promise<Pod | undefined> {
  const { items } = await wec.admin.list<Pod>(pods, { namespace: agentNamespace });
  return items.find(({ metadata }) => !metadata.deletionTimestamp);
}

async function deleteAgentPod(): Promise<void> {
  const pod = await agentPod();
  await wec.admin.delete(pods, `${agentNamespace}/${pod?.metadata.name}`);
}

async function requests(): Promise<string[]> {
  const { items } = await hub.admin.list<CertificateSigningRequest>(certificateSigningRequests);
  return items.map(({ metadata }) => metadata.name);
}

function isApproved({ status }: CertificateSigningRequest): boolean {
  return status?.conditions?.some(({ type }) => type === 'Approved') ?? false;
}

async function conditions() {
  return (await hub.admin.find<ManagedCluster>(managedClusters, 'cluster1'))?.status?.conditions;
}

async function untilAvailable(): Promise<void> {
  await until(async () => isTrue(await conditions(), 'ManagedClusterConditionAvailable'));
}

/** Until the agent has renewed its lease once more, which it does when it starts. */
async function untilRenewed(): Promise<void> {
  const renewTime = async () => {
    const { spec } = await hub.admin.get<Lease>(leases, 'cluster1/managed-cluster-lease');
    return spec.renewTime;
  };
  const earlier = await renewTime();
  await until(async () => (await renewTime()) !== earlier);
}
